"""Blocks for the classes of a network: which instances are one block is decided by the length of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from archdsl.dims import Size
from archdsl.importing.calls import BATCH, OwnTensor, Value, last
from archdsl.importing.flow import Flow, Text, as_item, declaration, written
from archdsl.importing.loops import looped
from archdsl.importing.naming import declared, named
from archdsl.importing.parameters import Parameters, axis_names, parameters_of
from archdsl.importing.price import price
from archdsl.importing.steps import Scope
from archdsl.importing.tree import (
    Apply,
    Body,
    Condition,
    Do,
    Given,
    Infix,
    It,
    Item,
    Literal,
    Name,
    Open,
    Own,
    Residual,
    Statement,
    mapped,
    walk,
)
from archdsl.importing.unify import Apart, Blocks, Unifier, unified

PRICE_OF_BLOCK = 6
PRICE_OF_FLAG = 3
MOST_CLUSTERS = 10


@dataclass(frozen=True)
class Instance:
    """A module of a class as text. ``needs`` are the inputs that it names; ``shapes`` those of its inputs."""

    scope: Scope
    is_chain: bool
    statements: tuple[Statement, ...]
    needs: tuple[str, ...]
    shapes: tuple[tuple[Size, ...], ...]

    @property
    def key(self) -> object:
        return self.is_chain, self.statements, self.needs, self.shapes


Cluster = list[list[Instance]]
"""Groups of equal instances that are one block."""


@dataclass
class Definition:
    """A block of the spec."""

    name: str
    is_chain: bool
    parameters: Parameters
    body: Body


@dataclass
class Definitions:
    """The blocks of a network, made innermost classes first, and the call of each scope that is an instance."""

    model_name: str
    blocks: Blocks = field(default_factory=Blocks)
    made: list[Definition] = field(default_factory=list[Definition])
    calls: dict[Scope, Apply] = field(default_factory=dict[Scope, Apply])

    def define_all(self, root: Scope) -> None:
        """Makes the blocks of all classes that have two instances or more."""
        found: dict[str, list[Scope]] = {}
        for scope in root.walk():
            if scope is not root and not scope.is_group and scope.facts is not None and scope.facts.forward == "own":
                found.setdefault(scope.name, []).append(scope)
        classes = {name: scopes for name, scopes in found.items() if len({s.path for s in scopes}) >= 2}
        inner = {
            name: {s.name for scope in scopes for s in scope.walk() if s is not scope} & classes.keys() - {name}
            for name, scopes in classes.items()
        }
        waiting = dict(classes)
        while waiting:
            ready = [name for name in waiting if not inner[name] & waiting.keys()] or [next(iter(waiting))]
            for name in ready:
                self._define_class(name, waiting.pop(name))

    def item(self, scope: Scope, outer: Flow) -> tuple[Item, bool]:
        """A scope within another: the call of its block, or its statements in place."""
        if scope in self.calls:
            return self.calls[scope], True
        is_chain, statements = written(outer.text, scope, outer)
        if not is_chain:
            statements = declared(scope, statements)
        return as_item(is_chain, (*own_tensors(outer.text, scope), *statements)), False

    # ---- one class ----

    def _instance(self, scope: Scope) -> Instance:
        text = Text(self.item)
        is_chain, statements = written(text, scope)
        if not is_chain:
            statements = declared(scope, statements)
        inputs = [v for v in dict.fromkeys(scope.inputs) if v.flows]
        given = {v: "x" if len(inputs) == 1 else f"x{i + 1}" for i, v in enumerate(inputs)}
        statements = (*own_tensors(text, scope), *statements)
        statements = named(text, statements, given, scope)
        needs = [given[v] for v in inputs if v in text.named] if len(inputs) == 1 else list(given.values())
        return Instance(scope, is_chain, statements, tuple(needs), tuple(v.shape for v in inputs))

    def _define_class(self, name: str, scopes: Sequence[Scope]) -> None:
        """Makes the blocks of a class in the shortest of a few forms."""
        instances = [self._instance(scope) for scope in scopes]
        best: tuple[float, list[Cluster]] | None = None
        for loops in (None, True, False):
            for opens in (False, True):
                form = [self._form(instance, loops, opens) for instance in instances]
                if opens and all(
                    a.key == self._form(b, loops, False).key for a, b in zip(form, instances, strict=True)
                ):
                    continue
                clusters = self._clusters(form)
                total = sum(map(self._price, clusters)) + 0.5 * opens
                if best is None or total < best[0]:
                    best = (total, clusters)
        assert best is not None
        for number, cluster in enumerate(best[1], 1):
            self._define(name if len(best[1]) == 1 else f"{name}{number}", cluster)

    def _form(self, instance: Instance, loops: bool | None, opens: bool) -> Instance:
        """An instance with loops (those of equal turns only, or all), and with an opened residual."""
        statements, needs = instance.statements, instance.needs
        if loops is not None:
            statements = looped(self.blocks, statements, exact=loops)
        match statements:
            case (Do(item=Residual(body=body, shortcut=Body(statements=()))),) if opens:
                statements = (*body.statements, Do(Infix("+", It(), Name("x"))))
                needs = tuple(dict.fromkeys((*needs, "x")))
        return Instance(instance.scope, instance.is_chain, statements, needs, instance.shapes)

    def _clusters(self, instances: Sequence[Instance]) -> list[Cluster]:
        """Instances that are one block: those of one structure, then those that are shorter together."""
        equal: dict[object, list[Instance]] = {}
        for instance in instances:
            equal.setdefault(instance.key, []).append(instance)
        clusters: list[Cluster] = []
        for group in equal.values():
            for cluster in clusters:
                if _fits(cluster[0][0], group[0]) and self._unified([cluster[0][0], group[0]], strict=True):
                    cluster.append(group)
                    break
            else:
                clusters.append([group])
        while len(clusters) > 1 and (pair := self._best_pair(clusters)) is not None:
            i, j = pair
            clusters[i] = clusters[i] + clusters[j]
            del clusters[j]
        return clusters

    def _best_pair(self, clusters: Sequence[Cluster]) -> tuple[int, int] | None:
        """The two clusters whose union saves most."""
        prices = list(map(self._price, clusters))
        best: tuple[float, tuple[int, int]] | None = None
        for i in range(len(clusters)):
            for j in range(i + 1, len(clusters)):
                if not _fits(clusters[i][0][0], clusters[j][0][0]):
                    continue
                both = clusters[i] + clusters[j]
                if self._unified([group[0] for group in both]) is None:
                    continue
                gain = prices[i] + prices[j] - self._price(both)
                if gain > 0 and (best is None or gain > best[0]):
                    best = (gain, (i, j))
            if len(clusters) > MOST_CLUSTERS and best is not None:
                break
        return best[1] if best is not None else None

    def _unified(self, instances: Sequence[Instance], strict: bool = False) -> tuple[Unifier | None, Body] | None:
        if len(instances) == 1:
            return None, Body(instances[0].statements)
        return unified(self.blocks, [i.statements for i in instances], strict)

    def _expressed(self, cluster: Cluster) -> tuple[Body, Parameters]:
        instances = [group[0] for group in cluster]
        merged = self._unified(instances)
        if merged is None:
            raise Apart
        shapes = [i.shapes[0] if i.shapes else () for i in instances]
        return merged[1], parameters_of(merged[0], shapes, [len(group) for group in cluster])

    def _price(self, cluster: Cluster) -> float:
        """The words of a definition and of the calls of it."""
        body, made = self._expressed(cluster)
        given = sum(v != made.defaults[n.name] for n in made.named for v in n.values)
        flags = PRICE_OF_FLAG * sum(n.purpose == "flag" for n in made.named)
        conditions = sum(2 + c.text.count(" or ") + c.text.count(" and ") for c in made.conditions)
        return PRICE_OF_BLOCK + price(body) + given + 2 * len(made.named) + flags + conditions

    def _define(self, name: str, cluster: Cluster) -> None:
        name = self._free(name)
        body, made = self._expressed(cluster)
        first = cluster[0][0]

        def fill(part: object) -> object:
            if isinstance(part, Open):
                return made.codes[part.index]
            return made.conditions[part.index] if isinstance(part, Condition) else None

        filled: Body = mapped(body, fill)
        statements = looped(self.blocks, filled.statements)
        statements = (*self._inputs(cluster, made, statements), *statements)
        self.made.append(Definition(name, first.is_chain, made, Body(statements)))
        self.blocks.parameters[name] = {n.name: made.defaults[n.name] for n in made.named}
        for number, group in enumerate(cluster):
            call = Apply(name, tuple((n.name, n.values[number]) for n in made.named))
            self.calls |= {instance.scope: call for instance in group}

    def _free(self, name: str) -> str:
        name = re.sub(r"\W", "_", name).lstrip("_")
        name = name[0].upper() + name[1:]
        while name in self.blocks.parameters or name == self.model_name:
            name += "_"
        return name

    def _inputs(self, cluster: Cluster, made: Parameters, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The lines that name inputs and their sizes, where the body reads them."""
        first = cluster[0][0]
        needs = any(instance.needs for group in cluster for instance in group)
        reads_batch = any(_reads_batch(part) for part in walk(statements))
        if not (needs or made.sizes or reads_batch):
            return ()
        if first.is_chain:
            sizes = [(i, n) for i, n in axis_names(first.shapes[0]) if n in made.sizes]
            return tuple(Given(f"let {name} = it.shape[{axis}]") for axis, name in sizes)
        shapes = enumerate(first.shapes)
        several = len(first.shapes) > 1
        return tuple(
            Given(
                f"input {f'x{i + 1}' if several else 'x'}: {_declared_shape(s, made.sizes if i == 0 else frozenset())}"
            )
            for i, s in shapes
        )


def _reads_batch(part: object) -> bool:
    return isinstance(part, Literal) and part.kind == "Dim"


def _declared_shape(shape: Sequence[Size], known: frozenset[str]) -> str:
    """A shape with the sizes that are used by name, and ``_`` for others."""
    names = dict(axis_names(shape))
    sizes = [
        ("N" if size == BATCH else "_") if not isinstance(size, int) else names[i] if names.get(i) in known else "_"
        for i, size in enumerate(shape)
    ]
    return f"[{', '.join(sizes)}]"


def _fits(a: Instance, b: Instance) -> bool:
    return a.is_chain == b.is_chain and list(map(len, a.shapes)) == list(map(len, b.shapes))


def own_tensors(text: Text, scope: Scope) -> tuple[Statement, ...]:
    """The declarations of the tensors of a scope that its text reads, in state-dict order."""
    read = {last(str(v.path)): v for v in text.owned if _belongs(v, scope)}
    if scope.facts is None:
        return ()
    tensors: dict[str, OwnTensor] = {n: t for n, t in scope.facts.tensors.items() if n in read}
    declarations: list[Own] = [declaration(name, tensor) for name, tensor in tensors.items()]
    return tuple(declarations)


def _belongs(value: Value, scope: Scope) -> bool:
    return str(value.path).rpartition(".")[0] == scope.path
