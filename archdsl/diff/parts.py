"""A network as a tree of parts to be compared: the runs of scopes (blocks, seqs, groups), and in them the layers.

The tree follows what ran, not the text: loops, branches and local names leave no trace in it. A fingerprint is equal
for parts that are equal in all but their own label: the same layers with the same arguments in the same order, under
the same labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import field, fields
from functools import cached_property
from typing import TypeAlias

from archdsl.diff.follows import Expression
from archdsl.dims import Dim, Size
from archdsl.dims.evaluate import substitute
from archdsl.evaluate.values import Env
from archdsl.graph import (
    BranchTaken,
    Event,
    Graph,
    Instance,
    Merged,
    Node,
    OpRun,
    ScopeRun,
    TensorDeclared,
    flattened,
    inside,
)
from archdsl.op import Tensor
from archdsl.record import record
from archdsl.syntax import tree


@record(frozen=False, eq=False)
class Leaf:
    """One run of an operator. ``label`` is its name in its scope, "" if it has no place in the module tree.

    ``after`` is the label of the nearest labeled part before it in its scope.
    """

    node: Node
    label: str
    after: str
    site: Expression | None
    """Its place in the text; None for the merging of branches."""
    written: Mapping[str, Expression]
    """The arguments as they are written."""
    arguments: Mapping[str, Hashable]
    token: int
    """Equal for layers of one operator with equal arguments."""
    conditions: tuple[Expression, ...] = ()
    """Of the ``if``s in whose branches it is."""
    parent: Group | None = None
    position: int = 0
    """In order of execution."""

    @property
    def kind(self) -> str:
        return self.node.op.name

    @property
    def fingerprint(self) -> int:
        return self.token

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.name} in {self.scope!r}>"

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        return (self,)

    @cached_property
    def weight_shapes(self) -> tuple[tuple[Size, ...], ...]:
        """The shapes of the tensors that it owns."""
        return tuple(weight.shape for weight in self.node.weights)

    @property
    def name(self) -> str:
        """How it is named in its scope: its label, else its operator and the part that it follows."""
        if self.label:
            return self.label
        return f"{self.kind} after {self.after}" if self.after else self.kind

    @property
    def scope(self) -> str:
        """The dotted path of the scope around it."""
        return self.parent.path if self.parent is not None else ""

    @cached_property
    def weights(self) -> dict[str, str]:
        """Full names of its tensors in the state dict, by their names in the layer."""
        module = self.node.module
        return {w.name: module.join(w.name) if module is not None else w.name for w in self.node.weights}


@record(frozen=False, eq=False)
class Group:
    """One run of a scope, with its parts in order of execution. Its label is its name in the scope around it."""

    instance: Instance
    label: str
    children: tuple[Part, ...]
    fingerprint: int
    conditions: tuple[Expression, ...] = ()
    """Of the ``if``s in whose branches it is."""
    branches: tuple[Expression, ...] = ()
    """Conditions of all ``if``s in it, whether a branch was taken or not."""
    parent: Group | None = None

    @property
    def kind(self) -> str:
        """The name of the block, or ``seq``, ``group``."""
        return self.instance.scope.name or self.instance.scope.kind

    @property
    def path(self) -> str:
        return self.instance.module.path

    @property
    def name(self) -> str:
        return self.label

    @property
    def scope(self) -> str:
        return self.parent.path if self.parent is not None else ""

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.path!r}>"

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for child in self.children for leaf in child.leaves)

    @cached_property
    def weight_shapes(self) -> tuple[tuple[Size, ...], ...]:
        """The shapes of the tensors in it, in order of execution."""
        return tuple(shape for child in self.children for shape in child.weight_shapes)

    @cached_property
    def tokens(self) -> Counter[int]:
        return Counter(leaf.token for leaf in self.leaves)

    @cached_property
    def kinds(self) -> Counter[str]:
        return Counter(leaf.kind for leaf in self.leaves)

    def groups(self) -> Iterator[Group]:
        """This group and those in it, each before what it holds."""
        yield self
        for child in self.children:
            if isinstance(child, Group):
                yield from child.groups()


Part: TypeAlias = Leaf | Group


def runs_of(root: Group) -> dict[str, set[str]]:
    """The paths of all runs of each block."""
    found: dict[str, set[str]] = {}
    for group in root.groups():
        if group.instance.scope.name is not None:
            found.setdefault(group.instance.scope.name, set()).add(group.path)
    return found


@record(frozen=False, eq=False)
class Numbers:
    """Numbers for keys, the same for equal keys; shared by the two networks that are compared."""

    known: dict[Hashable, int] = field(default_factory=dict[Hashable, int])

    def of(self, key: Hashable) -> int:
        return self.known.setdefault(key, len(self.known))


class Reader:
    """Reads the parts of a graph. ``renamed`` gives the names of symbolic sizes in the network it is compared with."""

    def __init__(self, graph: Graph, numbers: Numbers, renamed: Mapping[str, Size]) -> None:
        self.graph = graph
        self._numbers = numbers
        self._renamed = renamed
        self._owners: dict[object, Instance] = {}
        for instance in graph.instance.walk():
            self._owners.setdefault(instance.env.owner, instance)

    def root(self) -> Group:
        """The tree of the whole network, its leaves numbered in order of execution."""
        root = self._group(self.graph.instance, "")
        for position, leaf in enumerate(root.leaves):
            leaf.position = position
        return root

    def type_of(self, tensor: Tensor) -> Tensor:
        """A type with the symbolic sizes of the other network."""
        return Tensor(tuple(map(self._size, tensor.shape)), tensor.dtype)

    def arguments(self, node: Node) -> dict[str, Hashable]:
        """The arguments of an operator by name, with the symbolic sizes of the other network."""
        op = node.op
        return {f.name: self._plain(getattr(op, f.name)) for f in fields(op)}

    def _size(self, size: Size) -> Size:
        return substitute(size, self._renamed) if self._renamed and isinstance(size, Dim) else size

    def _plain(self, value: Hashable) -> Hashable:
        if isinstance(value, tuple):
            return tuple(map(self._plain, value))
        return self._size(value) if isinstance(value, Dim) else value

    def _group(self, instance: Instance, label: str) -> Group:
        children: list[Part] = []
        for part in self._parts(instance, instance.events):
            if isinstance(part, Leaf):
                part.after = next((p.label for p in reversed(children) if p.label), "")
            children.append(part)
        key = tuple((child.label, child.fingerprint) for child in children)
        taken = [event for event in flattened(instance.events) if isinstance(event, BranchTaken)]
        branches = tuple(condition for event in taken for condition in self._conditions(event))
        group = Group(instance, label, tuple(children), self._numbers.of(("group", key)), branches=branches)
        for child in children:
            child.parent = group
        return group

    def _parts(self, around: Instance, events: list[Event]) -> Iterator[Part]:
        for event in events:
            for part in self._parts(around, list(inside(event))):
                if isinstance(event, BranchTaken):
                    part.conditions = (*part.conditions, *self._conditions(event))
                yield part
            match event:
                case OpRun(node=node, env=env):
                    yield self._leaf(around, node, env)
                case Merged(nodes=nodes):
                    yield from (self._leaf(around, node, None) for node in nodes)
                case TensorDeclared(node=node, name=name, contents=contents, env=env):
                    content = tuple(self._numbers.of(self._key(n)) for n in contents)
                    yield self._leaf(around, node, env, name, content)
                case ScopeRun(instance=instance):
                    yield self._group(instance, _label(around, instance.module.path))
                case _:
                    pass

    def _conditions(self, event: BranchTaken) -> Iterator[Expression]:
        """The conditions of an ``if`` and of those in its ``else``, or of a ternary."""
        node: tree.Node | None = event.site
        while isinstance(node, tree.If | tree.Ternary):
            yield Expression(node.condition, event.env, self._owners)
            node = node.otherwise if isinstance(node, tree.If) else None

    def _leaf(
        self, around: Instance, node: Node, env: Env | None, name: str = "", content: tuple[int, ...] = ()
    ) -> Leaf:
        label = name or (_label(around, node.module.path) if node.module is not None else "")
        arguments = self.arguments(node) | ({"contents": content} if content else {})
        site = None if env is None else Expression(node.site, env, self._owners)
        written = {name: Expression(*said, self._owners) for name, said in node.written.items()}
        return Leaf(node, label, "", site, written, arguments, self._numbers.of((self._key(node), content)))

    def _key(self, node: Node) -> Hashable:
        return (type(node.op), tuple(self.arguments(node).values()))


def _label(around: Instance, path: str) -> str:
    """The name of a module in the scope around it."""
    above = around.module.path
    return path.removeprefix(f"{above}.") if above else path
