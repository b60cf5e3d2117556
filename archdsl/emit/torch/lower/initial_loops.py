"""Initial values of layers: where layers of a kind are drawn alike, a loop over ``self.modules()`` sets them.

The loop stands in the outermost class of which it is true; elsewhere the values are set next to the layer. Layers of
the class itself may be exceptions, which are set behind the loop.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeAlias

from archdsl.emit.torch.initial import init_call
from archdsl.emit.torch.lower.containers import CHAINS, Containers
from archdsl.emit.torch.names import Names
from archdsl.emit.torch.terms import call, dotted, literal, name, own
from archdsl.init import Init
from archdsl.program.ir import Class, Group, Layer, Member, Optional, Part, Program, Repeated
from archdsl.program.numbers import names_in

FEWEST = 3
"""So many layers of a kind are worth a loop."""
FEWEST_IN_CHAINS = 2
"""Where each would be a variable first."""

Drawn: TypeAlias = Mapping[str, Init]
"""The distributions of a layer's weights, by their names."""
Loops: TypeAlias = Mapping[str, Drawn]
"""What loops draw, by the torch class of the layers."""


class InitialLoops:
    """Which class of a program sets the initial values of which layers, by a loop."""

    def __init__(self, program: Program, containers: Containers) -> None:
        self._containers = containers
        self._kinds: dict[Class, dict[str, _Kind]] = {}
        self._loops: dict[Class, Loops] = {}
        self._around: dict[Class, Loops] = {program.top: {}}
        for cls in reversed(program.classes):
            if not containers.is_inlined(cls):
                around = self._around[cls]
                self._loops[cls] = self._chosen(cls, around)
                for inner in set(self._used(cls.members)):
                    self._reach(inner, {**around, **self._loops[cls]})

    def of(self, cls: Class) -> Loops:
        """The loops of a class, which is not made where it is used."""
        return self._loops[cls]

    def drawn(self, cls: Class, layer: Layer) -> Drawn:
        """How loops draw a layer that is made in a class."""
        kind = kind_of(layer)
        return self._loops[cls].get(kind) or self._around[cls].get(kind) or {}

    def _reach(self, cls: Class, loops: Loops) -> None:
        """A class is used where these loops run; only those of all its uses count."""
        known = self._around.get(cls, loops)
        self._around[cls] = {kind: drawn for kind, drawn in known.items() if loops.get(kind) == drawn}

    def _used(self, members: Iterable[Member]) -> Iterator[Class]:
        """The classes that members are of; in place of one that is made where it is used, those that it uses."""
        for member in members:
            match member:
                case Part(of=of) if self._containers.is_inlined(of):
                    yield from self._used(of.members)
                case Part(of=of):
                    yield of
                case Group(members=inner) | Repeated(members=inner):
                    yield from self._used(inner)
                case Optional(member=inner):
                    yield from self._used([inner])

    def _chosen(self, cls: Class, around: Loops) -> Loops:
        kinds = self._kinds_in(cls)
        is_attention = "nn.MultiheadAttention" in kinds  # its output projection is an nn.Linear too
        found = {
            kind: layers.common()
            for kind, layers in kinds.items()
            if kind not in around and not (is_attention and kind == "nn.Linear")
        }
        return {kind: drawn for kind, drawn in found.items() if drawn}

    def _kinds_in(self, cls: Class) -> dict[str, _Kind]:
        """The layers in a class and below."""
        if cls not in self._kinds:
            self._kinds[cls] = self._gathered(cls.members, self._containers.of(cls) in CHAINS)
        return self._kinds[cls]

    def _gather(self, members: Iterable[Member], kinds: dict[str, _Kind], in_chain: bool) -> None:
        for member in members:
            match member:
                case Layer() if member.facets.torch.module is not None and member.facets.weights:
                    kind = kinds.setdefault(kind_of(member), _Kind())
                    kind.own[member] += 1
                    kind.in_chains += in_chain
                case Part(of=of) if self._containers.is_inlined(of):
                    self._gather(of.members, kinds, in_chain=True)
                case Part(of=of):
                    _add_below(kinds, self._kinds_in(of))
                case Group(members=inner):
                    self._gather(inner, kinds, in_chain=False)
                case Optional(member=inner):  # no exceptions: behind the loop, nobody asks whether it was made
                    _add_below(kinds, self._gathered([inner]))
                case Repeated(members=inner, count=count):
                    turns = count if isinstance(count, int) else FEWEST
                    _add_below(kinds, self._gathered(inner), turns)

    def _gathered(self, members: Iterable[Member], in_chain: bool = False) -> dict[str, _Kind]:
        kinds: dict[str, _Kind] = {}
        self._gather(members, kinds, in_chain)
        return kinds

    # ---- statements ----

    def statements(self, cls: Class, names: Names) -> list[ast.stmt]:
        """``for module in self.modules(): …``; nothing where a class has no loop."""
        if not self._loops[cls]:
            return []
        module = ast.Name(names.take("module", "each_module"))
        bodies: dict[str, tuple[list[ast.expr], list[ast.stmt]]] = {}
        for kind, drawn in self._loops[cls].items():
            layers = self._kinds_in(cls)[kind].all
            body = [_drawn(weight, init, module, kind, layers) for weight, init in drawn.items()]
            bodies.setdefault("".join(map(ast.dump, body)), ([], body))[0].append(name(kind))
        chain: list[ast.stmt] = []
        for kinds, body in reversed(bodies.values()):
            of = kinds[0] if len(kinds) == 1 else ast.Tuple(kinds)
            chain = [ast.If(call("isinstance", module, of), body, chain)]
        return [ast.For(module, call(own("modules")), chain, [])]


@dataclass
class _Kind:
    """The layers of one kind, with how often each is made: by a class itself, and by the classes below."""

    own: Counter[Layer] = field(default_factory=Counter)
    below: Counter[Layer] = field(default_factory=Counter)
    in_chains: int = 0
    """Of its own, members of an ``nn.Sequential``."""

    @property
    def all(self) -> Counter[Layer]:
        return self.own + self.below

    def common(self) -> Drawn | None:
        """How a loop draws each weight of these layers; None if none should.

        It must be right for all layers of classes below. Of the class's own, those that are drawn otherwise must draw
        all the weights that the loop does, behind it.
        """
        drawn = _merged(self.below) if self.below else _most_frequent(self.own)
        if not drawn or any(names_in(getattr(init, f.name)) for init in drawn.values() for f in fields(init)):
            return None
        if not all(fits(layer, drawn) for layer in self.below):
            return None
        if any(w.by_torch and w.name in drawn for layer in self.own for w in layer.facets.weights):
            return None
        covered = sum(count for layer, count in self.all.items() if fits(layer, drawn))
        return drawn if covered >= FEWEST or (self.in_chains >= FEWEST_IN_CHAINS and covered > 1) else None


def _add_below(kinds: dict[str, _Kind], more: Mapping[str, _Kind], times: int = 1) -> None:
    for kind, layers in more.items():
        kinds.setdefault(kind, _Kind()).below.update({layer: times * count for layer, count in layers.all.items()})


def kind_of(layer: Layer) -> str:
    """The torch class of a layer."""
    return str(layer.facets.torch.module.callee) if layer.facets.torch.module is not None else ""


def drawn_by(layer: Layer) -> dict[str, Init]:
    """The distributions of weights that are not drawn as torch's constructor does."""
    return {w.name: w.init for w in layer.facets.weights if not w.by_torch}


def fits(layer: Layer, drawn: Drawn) -> bool:
    """Does a loop that draws so give a layer its initial values?"""
    weights = {w.name for w in layer.facets.weights}
    return drawn_by(layer) == {weight: init for weight, init in drawn.items() if weight in weights}


def _merged(layers: Iterable[Layer]) -> Drawn | None:
    """The distribution of each weight, the same in all layers that have it; None if they differ."""
    found: dict[str, Init] = {}
    for layer in layers:
        for weight, init in drawn_by(layer).items():
            if found.setdefault(weight, init) != init:
                return None
    return found


def _most_frequent(layers: Counter[Layer]) -> Drawn:
    counts: Counter[tuple[tuple[str, Init], ...]] = Counter()
    for layer, count in layers.items():
        counts[tuple(drawn_by(layer).items())] += count
    return dict(counts.most_common(1)[0][0])


def _drawn(weight: str, init: Init, module: ast.expr, kind: str, layers: Iterable[Layer]) -> ast.stmt:
    args = {f.name: literal(getattr(init, f.name)) for f in fields(init)}
    statement: ast.stmt = ast.Expr(init_call(type(init), dotted(module, weight), args))
    is_everywhere = all(weight in {w.name for w in layer.facets.weights} for layer in layers)
    return statement if is_everywhere and not is_maybe(kind, weight) else where_it_is(dotted(module, weight), statement)


def is_maybe(kind: str, weight: str) -> bool:
    """Is an attribute typed as perhaps None in torch?"""
    return weight == "bias" and "Conv" in kind


def where_it_is(weight: ast.expr, statement: ast.stmt) -> ast.stmt:
    """A statement on a weight, under the condition that there is one."""
    return ast.If(ast.Compare(weight, [ast.IsNot()], [literal(None)]), [statement], [])
