"""Initial values of layers: where they are set, and the statements that do.

Where all layers of a kind in a class and below draw from the same distributions, one loop over ``self.modules()``
says it, in the outermost class of which it is true; elsewhere it is said next to the layer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from archdsl.emit.torch.flow import Flow
from archdsl.emit.torch.initial import Arguments, init_call
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.terms import call, literal, name, own
from archdsl.emit.torch.walk import Walk
from archdsl.graph import Instance, Node
from archdsl.grouping import own_nodes
from archdsl.init import Init
from archdsl.op import Weight
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.build.env import Env
    from archdsl.emit.torch.file import File

FEWEST = 3
"""So many layers of a kind are worth a loop."""
WRITTEN = {"weight": "init", "bias": "bias_init"}
"""Our argument for a weight."""

Drawn = tuple[tuple[str, Init], ...]
"""Weights that are not drawn as torch's constructor does, with their distributions."""


@dataclass
class Kind:
    """The layers of one kind in some instance and below."""

    callee: str
    nodes: list[Node]
    is_direct: bool
    """Each is an attribute of the class that holds it."""

    def drawn(self) -> dict[str, Init | None]:
        """The distribution of each weight, the same in all layers that have it (None: torch's own).

        Raises:
            Conflict: they differ.
        """
        found: dict[str, Init | None] = {}
        for node in self.nodes:
            for weight in weights_of(node):
                init = None if weight.by_torch else weight.init
                if found.setdefault(weight.name, init) != init:
                    raise Conflict(f"initial values of {self.callee} differ")
        return found

    @property
    def wants_loop(self) -> bool:
        return len({n.module for n in self.nodes}) >= FEWEST or not self.is_direct


def weights_of(node: Node) -> Sequence[Weight]:
    return node.op.weights(node.input_types) if node.module is not None else ()


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
            self._loops[key] = self._plan(instances)

    def loops(self, instance: Instance) -> dict[str, dict[str, Init]]:
        """For the class of an instance: kinds of layers, and how each of their weights is drawn."""
        return self._loops.get(_key(instance), {})

    def _plan(self, instances: Sequence[Instance]) -> dict[str, dict[str, Init]]:
        """The loops of a class: kinds that are drawn alike in all its instances and not yet covered from outside."""
        if self._file.is_inline(instances[0].scope):
            return {}
        together: dict[str, Kind] = {}
        for instance in instances:
            for callee, kind in self.kinds_in(instance).items():
                seen = together.setdefault(callee, Kind(callee, [], True))
                seen.nodes += kind.nodes
                seen.is_direct &= kind.is_direct
        return {c: drawn for c, k in together.items() if (drawn := self._loop(k, instances)) is not None}

    def _loop(self, kind: Kind, instances: Sequence[Instance]) -> dict[str, Init] | None:
        if self.by_loop.issuperset(kind.nodes):
            return None
        try:
            drawn = {weight: init for weight, init in kind.drawn().items() if init is not None}
        except Conflict:
            return None
        one = self.kinds_in(instances[0]).get(kind.callee)
        if not drawn or one is None or not one.wants_loop:
            return None
        self.by_loop.update(kind.nodes)
        return drawn

    def kinds_in(self, instance: Instance) -> dict[str, Kind]:
        """The kinds of layers in an instance and below."""
        if instance not in self._kinds:
            kinds: dict[str, Kind] = {}
            for node, is_direct in self._layers(instance):
                said = self._file.torch(node).module
                if said is not None and weights_of(node):
                    kind = kinds.setdefault(str(said.callee), Kind(str(said.callee), [], True))
                    kind.nodes.append(node)
                    kind.is_direct &= is_direct
            self._kinds[instance] = kinds
        return self._kinds[instance]

    def _layers(self, instance: Instance) -> Iterator[tuple[Node, bool]]:
        is_class = not self._file.is_inline(instance.scope)
        is_direct = is_class and instance.scope.kind != "seq"
        yield from ((node, is_direct) for node in own_nodes(instance.events))
        for inner in self._file.inner(instance):
            for kind in self.kinds_in(inner).values():
                yield from ((node, kind.is_direct) for node in kind.nodes)


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
        for place, field in enumerate(fields(inits[0])):
            said = [(node, env) for node, env in ((_argument(n, place, field.name), e) for n, e in written) if node]
            values = [getattr(i, field.name) for i in inits]
            result[field.name] = self.fill(
                values, rows, flow, written=said if len(said) == len(values) else (), name=field.name
            )  # type: ignore[arg-type]
        return result

    def direct_inits(self, rows: Sequence[Row], nodes: Sequence[Node], target: ast.expr, flow: Flow) -> list[ast.stmt]:
        """Initial values next to a layer, where no loop sets them."""
        if all(n in self.file.inits.by_loop for n in nodes):
            return []
        out: list[ast.stmt] = []
        for column in zip(*(weights_of(n) for n in nodes), strict=True):
            by_torch = [w.by_torch for w in column]
            if all(by_torch):
                continue
            if any(by_torch):
                raise Conflict("initial values differ", rows, by_torch, "init")
            argument = WRITTEN.get(column[0].name, "")
            written = [n.written[argument] for n in nodes if argument in n.written]
            args = self.init_arguments(
                [w.init for w in column], rows, written if len(written) == len(nodes) else (), flow
            )
            out.append(ast.Expr(init_call(type(column[0].init), _weight(target, column[0].name), args)))
        return out

    def init_loop(self) -> list[ast.stmt]:
        """``for module in self.modules(): …``, where this class sets the initial values of kinds of layers."""
        loops = self.file.inits.loops(self.instances[0])
        if not loops:
            return []
        variable = self.state.arguments.take("module", "each_module")
        chain: list[ast.stmt] = []
        for callee, drawn in reversed(loops.items()):
            body = [s for weight, init in drawn.items() for s in self._drawn(callee, weight, init, ast.Name(variable))]
            chain = [ast.If(call("isinstance", ast.Name(variable), name(callee)), body, chain)]
        return [ast.For(ast.Name(variable), call(own("modules")), chain, [])]

    def _drawn(self, callee: str, weight: str, init: Init, module: ast.expr) -> list[ast.stmt]:
        nodes = [n for n in self.file.layers_of(self.instances, callee) if any(w.name == weight for w in weights_of(n))]
        args = {f.name: literal(getattr(init, f.name)) for f in fields(init)}
        statement: ast.stmt = ast.Expr(init_call(type(init), _weight(module, weight), args))
        is_optional = len(nodes) < len(self.file.layers_of(self.instances, callee))
        if weight == "bias" and (is_optional or "Conv" in callee):
            test = ast.Compare(_weight(module, weight), [ast.IsNot()], [literal(None)])
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


def _weight(target: ast.expr, weight: str) -> ast.expr:
    for part in weight.split("."):
        target = ast.Attribute(target, part)
    return target
