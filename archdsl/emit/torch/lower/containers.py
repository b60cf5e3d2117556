"""How modules hold their members: as attributes, as numbers of an ``nn.Sequential``, in an ``nn.ModuleList``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from archdsl.dims import symbol
from archdsl.emit.torch.lower.bodies import NotLowered, Sizes
from archdsl.emit.torch.lower.sizes import labelled, sized
from archdsl.emit.torch.lower.wrappers import Wrappers
from archdsl.emit.torch.names import is_identifier
from archdsl.emit.torch.terms import call
from archdsl.program.ir import (
    Body,
    Call,
    Choose,
    Class,
    Counted,
    For,
    Group,
    Label,
    Layer,
    Member,
    Optional,
    OwnTensor,
    Part,
    Place,
    Repeated,
    Run,
    Step,
    Training,
    Var,
)


class Holding(Enum):
    """How a class or a declared list holds its members."""

    CHAIN = "nn.Sequential, made where the class is used: it runs its members one after the other"
    LABELLED = "the same, with labels: what is made where the class is used gets its members one by one"
    NUMBERED = "a class derived from nn.ModuleList"
    LIST = "nn.ModuleList"
    NAMED = "attributes of an nn.Module"


NO_NAMES: Mapping[str, str] = {}
CHAINS = (Holding.CHAIN, Holding.LABELLED)
NUMBERS = (Holding.CHAIN, Holding.NUMBERED, Holding.LIST)


@dataclass(frozen=True)
class Containers:
    """Answers for one program."""

    wrappers: Wrappers
    sizes: Sizes

    def of(self, container: Class | Group) -> Holding:
        """How it holds its members."""
        members = [m for m in container.members if not isinstance(m, OwnTensor)]
        if not members:
            return Holding.NAMED
        if isinstance(container, Class) and len(members) == len(container.members) and self._is_chain(container):
            return Holding.CHAIN if _are_numbered(members) else Holding.LABELLED
        modules = [m for m in members if self._is_module(m)]  # a function behind the last of them takes no number
        if _are_numbered(members) and any(isinstance(m, Optional) for m in members):
            raise NotLowered("numbered members under conditions that do not run one after the other")
        if not modules or not _are_numbered(modules):
            return Holding.NAMED
        return Holding.NUMBERED if isinstance(container, Class) else Holding.LIST

    def _is_module(self, member: Member) -> bool:
        """Is it a module of its own, and not tensors for a function?"""
        facets = member.facets if isinstance(member, Layer) else None
        return facets is None or facets.torch.module is not None or self.wrappers.can_wrap(facets)

    def is_inlined(self, cls: Class) -> bool:
        """Is a class made where it is used? Its numbers are then those of the class around it."""
        is_unnamed = cls.scope.definition is None and (cls.is_local or not cls.parameters)
        return is_unnamed and self.of(cls) in CHAINS

    def _is_chain(self, cls: Class) -> bool:
        """Does a class run its members one after the other, each perhaps under a condition, and nothing else?"""
        return bool(cls.bodies) and all(self._runs_all(body, cls.members) for body in cls.bodies)

    def _runs_all(self, body: Body, members: Sequence[Member]) -> bool:
        if len(body.inputs) != 1 or body.modules:
            return False
        left = iter(members)
        end = self._behind(left, body.steps, body.inputs[0])
        return end is not None and body.results == (end,) and next(left, None) is None

    def _behind(self, members: Iterator[Member], steps: Sequence[Step], current: Var) -> Var | None:
        """What members give that run one after the other; None if the steps do something else."""
        for step in steps:
            if isinstance(step, Choose):
                ends = [self._behind(members, arm, current) for arm in (step.then, step.otherwise)]
                joined = [(join.then, join.otherwise) for join in step.joined]
                if isinstance(step.condition, Training) or joined != [tuple(ends)]:
                    return None
                current = step.joined[0].output
                continue
            match next(members, None), step:
                case Repeated() as part, For(carried=[carried]) if (part.count, carried.start) == (step.count, current):
                    if self._behind(iter(part.members), step.steps, carried.given) != carried.made:
                        return None
                    current = carried.end
                case Layer() | Part() | Optional() as part, Run(inputs=inputs, outputs=[output]) | Call(
                    inputs=inputs, outputs=[output]
                ):
                    if step.module != Place((part.label,)) or inputs != (current,) or not self._is_member(step):
                        return None
                    current = output
                case _:
                    return None
        return current

    def _is_member(self, step: Run | Call) -> bool:
        """Can a step run as a member of an ``nn.Sequential``?"""
        if isinstance(step, Run):
            return not step.casts and self.wrappers.can_wrap(step.facets)
        is_forward = step.body == 0 or self.of(step.of) in CHAINS
        return is_forward and not step.modules and not self.sizes.passed(step.of, step.body)

    def reach(self, cls: Class, place: Place, names: Mapping[str, str]) -> ast.expr:
        """The expression for a module below a class, in its methods; ``names`` are those of open numbers."""
        container: Class | Group = cls
        node: ast.expr = ast.Name("self")
        for label in place.labels:
            node = member(node, label, self.of(container), names)
            found = _labelled(container.members, label)
            container = found.of if isinstance(found, Part) else found if isinstance(found, Group) else container
        return node

    def modules(self, cls: Class, place: Place, loop: For, names: Mapping[str, str]) -> ast.expr | None:
        """The modules at a place that a loop runs, if they are all that their container has, in this order."""
        *around, label = place.labels
        container: Class | Group = cls
        for outer in around:
            found = _labelled(container.members, outer)
            if not isinstance(found, Group):
                return None
            container = found
        holder = self.reach(cls, Place(tuple(around)), names)
        members = [m for m in container.members if not isinstance(m, OwnTensor)]
        match members:
            case [Repeated(count=count, members=[part])] if count == loop.count and part.label == label:
                return call(ast.Attribute(holder, "children"))
        is_numbered = self.of(container) in (Holding.NUMBERED, Holding.LIST) and len(members) == loop.count
        return holder if is_numbered and label == Counted("", symbol(loop.variable) - 1) else None


def _are_numbered(members: Sequence[Member]) -> bool:
    return [m.label for m in members] == [str(k) for k in range(len(members))]


def _labelled(members: Iterable[Member], label: Label) -> Member:
    return next(m for m in _flat(members) if m.label == label and not isinstance(m, OwnTensor))


def _flat(members: Iterable[Member]) -> Iterator[Member]:
    """Members without the conditions and loops around them."""
    for part in members:
        match part:
            case Optional(member=inner):
                yield inner
            case Repeated(members=inner):
                yield from _flat(inner)
            case _:
                yield part


def member(parent: ast.expr, label: Label, holding: Holding, names: Mapping[str, str] = NO_NAMES) -> ast.expr:
    """A module in another."""
    if holding in NUMBERS:
        number = int(label) if isinstance(label, str) else label.number
        return ast.Subscript(parent, sized(number, names))
    if isinstance(label, str) and is_identifier(label):
        return ast.Attribute(parent, label)
    return call(ast.Attribute(parent, "get_submodule"), labelled(label, names))


def labels(members: Iterable[Member]) -> set[str]:
    """The labels that are no numbers of a loop."""
    return {m.label for m in _flat(members) if isinstance(m.label, str)}
