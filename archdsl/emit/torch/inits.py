"""Initial values of layers: where they are set, and the statements that do.

Where all layers of a kind in a class and below draw from the same distributions, one loop over ``self.modules()``
says it, in the outermost class of which it is true; elsewhere it is said next to the layer.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from archdsl.emit.torch.flow import Flow
from archdsl.emit.torch.initial import Arguments, init_call
from archdsl.emit.torch.render import flat
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.state import Reach
from archdsl.emit.torch.terms import call, dotted, literal, name, own
from archdsl.emit.torch.walk import Walk
from archdsl.graph import Instance, Node
from archdsl.init import Init
from archdsl.op import Weight
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File
    from archdsl.evaluate.values import Env

FEWEST = 3
"""So many layers of a kind are worth a loop."""
WRITTEN = {"weight": "init", "bias": "bias_init"}
"""Our argument for a weight."""

Drawn = tuple[tuple[str, Init], ...]
"""Weights that are not drawn as torch's constructor does, with their distributions."""


def drawn_by(node: Node) -> Drawn:
    """The weights of a layer that are not drawn as torch's constructor does, with their distributions."""
    return tuple((w.name, w.init) for w in weights_of(node) if not w.by_torch)


def weights_of(node: Node) -> Sequence[Weight]:
    return node.weights if node.module is not None else ()


@dataclass
class Kind:
    """The layers of one kind in some instance: its own attributes, members of its chains, those of classes below."""

    direct: list[Node] = field(default_factory=list)
    members: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)

    @property
    def all(self) -> list[Node]:
        return [*self.direct, *self.members, *self.below]

    def common(self, is_top: bool) -> dict[str, Init] | None:
        """How a loop over all layers draws each weight.

        The class's own layers may be exceptions to it; in the network's class, members of its chains too.
        """
        fixed = [*self.members, *self.below]
        counts = Counter(map(drawn_by, fixed or self.direct))
        if not counts:
            return None
        most = dict(counts.most_common(1)[0][0])
        drawn = (_merged(counts) or (most if is_top else None)) if fixed else most
        covered = {n.module for n in self.all if drawn and fits(n, drawn)}
        return drawn if self.members or len(covered) >= FEWEST else None


def _merged(counts: Counter[Drawn]) -> dict[str, Init] | None:
    """The distribution of each weight, the same in all layers that have it; None if they differ."""
    found: dict[str, Init] = {}
    for drawn in counts:
        for weight, init in drawn:
            if found.setdefault(weight, init) != init:
                return None
    return found


def fits(node: Node, drawn: dict[str, Init]) -> bool:
    """Does a loop that draws so give a layer what the spec says?"""
    names = {w.name for w in weights_of(node)}
    return dict(drawn_by(node)) == {w: init for w, init in drawn.items() if w in names}


class InitPlan:
    """Which class sets the initial values of which kinds of layers, by a loop."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._kinds: dict[Instance, dict[str, Kind]] = {}
        self._loops: dict[object, dict[str, dict[str, Init]]] = {}
        self.by_loop: set[Node] = set()
        """Layers that some loop covers."""
        groups: dict[object, list[Instance]] = {}
        for instance in file.all_instances():
            groups.setdefault(_key(instance), []).append(instance)
        for key, instances in groups.items():
            if not file.is_inline(instances[0].scope):
                self._loops[key] = self._plan(instances)

    def loops(self, instance: Instance) -> dict[str, dict[str, Init]]:
        """For the class of an instance: kinds of layers, and how each of their weights is drawn."""
        return self._loops.get(_key(instance), {})

    def _plan(self, instances: Sequence[Instance]) -> dict[str, dict[str, Init]]:
        """The loops of a class: kinds that are drawn alike in all its instances and not yet covered from outside."""
        loops: dict[str, dict[str, Init]] = {}
        callees = dict.fromkeys(c for i in instances for c in self.kinds_in(i))
        if "nn.MultiheadAttention" in callees:  # its output projection is an nn.Linear too
            callees.pop("nn.Linear", None)
        for callee in callees:
            kinds = [self.kinds_in(i).get(callee, Kind()) for i in instances]
            drawn = self._loop(kinds, instances[0])
            if drawn:
                loops[callee] = drawn
                self.by_loop.update(n for k in kinds for n in k.all if fits(n, drawn))
        return loops

    def _loop(self, kinds: Sequence[Kind], instance: Instance) -> dict[str, Init] | None:
        if all(self.by_loop.issuperset(k.all) for k in kinds):
            return None
        is_top = instance.module.path == ""
        found = [k.common(is_top) for k in kinds]
        drawn = found[0]
        if not drawn or any(f != drawn for f in found):
            return None
        if not is_top and not any(k.direct or k.members or len(k.below) >= FEWEST for k in kinds):
            return None  # the class below says it itself
        own = [n for k in kinds for n in (*k.direct, *(k.members if is_top else ()))]
        strangers = [n for k in kinds for n in (*k.below, *k.members) if n not in own and not fits(n, drawn)]
        strangers += [n for n in own if any(w.by_torch and w.name in drawn for w in weights_of(n))]
        return None if strangers else drawn

    def kinds_in(self, instance: Instance) -> dict[str, Kind]:
        """The kinds of layers in an instance and below."""
        if instance not in self._kinds:
            self._kinds[instance] = kinds = {}
            for node in instance.nodes:
                said = node.torch.module
                if said is not None and weights_of(node):
                    kind = kinds.setdefault(str(said.callee), Kind())
                    (kind.members if instance.scope.kind == "seq" else kind.direct).append(node)
            for inner in instance.inner:
                self._gather(kinds, inner)
        return self._kinds[instance]

    def _gather(self, kinds: dict[str, Kind], inner: Instance) -> None:
        is_inline = self._file.is_inline(inner.scope)
        for callee, kind in self.kinds_in(inner).items():
            outer = kinds.setdefault(callee, Kind())
            outer.below += kind.below if is_inline else kind.all
            outer.members += kind.members if is_inline else []


def _key(instance: Instance) -> object:
    return instance.scope.text, instance.scope.definition


class Inits(Walk):
    """Says initial values."""

    def init_arguments(
        self, inits: Sequence[Init], rows: Sequence[Row], written: Sequence[tuple[tree.Node, Env]], flow: Flow
    ) -> Arguments:
        """The arguments of a distribution, by our name."""
        kinds = [type(i) for i in inits]
        if any(kind is not kinds[0] for kind in kinds):
            raise Conflict("initial values differ", rows, kinds, "init")
        result: dict[str, ast.expr] = {}
        for place, each in enumerate(fields(inits[0])):
            values = [getattr(i, each.name) for i in inits]
            said = [(part, env) for node, env in written if (part := _argument(node, place, each.name)) is not None]
            said = said if len(said) == len(values) else []
            result[each.name] = self.fill(values, rows, flow, written=said, name=each.name)
        return result

    def direct_inits(self, rows: Sequence[Row], nodes: Sequence[Node], target: Reach, flow: Flow) -> list[ast.stmt]:
        """Initial values next to a layer, where no loop sets them."""
        covered = [n in self.file.inits.by_loop for n in nodes]
        if all(covered) or not any(map(weights_of, nodes)):
            return []
        if any(covered):
            raise Conflict("a loop sets the initial values of some", rows, covered, "init")
        said = nodes[0].torch.module
        loop = self.file.inits.loops(self.instances[0]).get(str(said.callee) if said is not None else "", {})
        names = dict.fromkeys(w.name for n in nodes for w in weights_of(n))
        return [s for name in names for s in self._direct_init(rows, nodes, name, target, flow, loop.get(name))]

    def _direct_init(
        self, rows: Sequence[Row], nodes: Sequence[Node], name: str, target: Reach, flow: Flow, by_loop: Init | None
    ) -> list[ast.stmt]:
        """The initial values of one weight, in the rows that have it."""
        held = [
            (row, node, w) for row, node in zip(rows, nodes, strict=True) for w in weights_of(node) if w.name == name
        ]
        said = nodes[0].torch.module
        by_torch = [w.by_torch for _, _, w in held]
        if all(by_torch) or all(w.init == by_loop for _, _, w in held):
            return []
        if any(by_torch):
            raise Conflict("initial values differ", [row for row, _, _ in held], by_torch, "init")
        argument = WRITTEN.get(name, "")
        written = [node.written[argument] for _, node, _ in held if argument in node.written]
        written = written if len(written) == len(held) else []
        args = self.init_arguments([w.init for _, _, w in held], [row for row, _, _ in held], written, flow)
        statement: ast.stmt = ast.Expr(init_call(type(held[0][2].init), target(name), args))
        is_typed = isinstance(target(name), ast.Attribute)  # `get_parameter` gives no None
        if len(held) < len(nodes) or (is_typed and name == "bias" and "Conv" in str(getattr(said, "callee", ""))):
            statement = ast.If(ast.Compare(target(name), [ast.IsNot()], [literal(None)]), [statement], [])
        return [statement]

    def has_init_loop(self, layer: ast.Call) -> bool:
        return flat(layer.func) in self.file.inits.loops(self.instances[0])

    def init_loop(self) -> list[ast.stmt]:
        """``for module in self.modules(): …``, where this class sets the initial values of kinds of layers."""
        loops = self.file.inits.loops(self.instances[0])
        if not loops:
            return []
        variable = self.state.arguments.take("module", "each_module")
        kinds: list[tuple[list[ast.expr], list[ast.stmt]]] = []
        for callee, drawn in loops.items():
            body = [s for weight, init in drawn.items() for s in self._drawn(callee, weight, init, ast.Name(variable))]
            same = [callees for callees, other in kinds if _alike(other, body)]
            if same:
                same[0].append(name(callee))
            else:
                kinds.append(([name(callee)], body))
        chain: list[ast.stmt] = []
        for callees, body in reversed(kinds):
            kind = callees[0] if len(callees) == 1 else ast.Tuple(callees)
            chain = [ast.If(call("isinstance", ast.Name(variable), kind), body, chain)]
        return [ast.For(ast.Name(variable), call(own("modules")), chain, []), *self.late]

    def _drawn(self, callee: str, weight: str, init: Init, module: ast.expr) -> list[ast.stmt]:
        layers = self.file.layers_of(self.instances, callee)
        nodes = [n for n in layers if any(w.name == weight for w in weights_of(n))]
        args = {f.name: literal(getattr(init, f.name)) for f in fields(init)}
        statement: ast.stmt = ast.Expr(init_call(type(init), dotted(module, weight), args))
        is_optional = len(nodes) < len(layers)
        if weight == "bias" and (is_optional or "Conv" in callee):
            test = ast.Compare(dotted(module, weight), [ast.IsNot()], [literal(None)])
            statement = ast.If(test, [statement], [])
        return [statement]


def _argument(node: tree.Node, place: int, field: str) -> tree.Node | None:
    """What is written for an argument of a distribution."""
    if not isinstance(node, tree.Call):
        return None
    for position, argument in enumerate(node.arguments):
        if argument.name.text == field if argument.name is not None else position == place:
            return argument.value
    return None


def _alike(left: Sequence[ast.stmt], right: Sequence[ast.stmt]) -> bool:
    return [ast.dump(s) for s in left] == [ast.dump(s) for s in right]
