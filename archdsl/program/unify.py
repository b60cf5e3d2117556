"""Two classes of one block, for instances that take other arms of a condition, as one class that holds the condition.

They must begin alike and end alike: what lies between becomes the arms of one `Choose`, and what the end reads of them
is joined. A number that is written otherwise in the two may stand in both if it has the right value in all instances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from archdsl.op import Facets
from archdsl.program.conditions import Combined, Condition, opposite
from archdsl.program.hints import Hint
from archdsl.program.ir import (
    Body,
    Call,
    Choose,
    Class,
    Joined,
    Layer,
    Member,
    Optional,
    Own,
    OwnTensor,
    Repeated,
    Run,
    Step,
    Var,
    assigned,
    flattened,
)
from archdsl.program.numbers import Lane, at, is_exactly

T = TypeVar("T")


class Apart(Exception):
    """The classes cannot be one; the message says why."""


@dataclass(frozen=True)
class Side:
    """One of the two classes, and the open numbers of its instances."""

    cls: Class
    lanes: Sequence[Lane]


@dataclass(frozen=True)
class Unifier:
    """Makes one class of two, which hold where the condition does and where it does not.

    ``form`` is what an operator is in the target.
    """

    condition: Condition
    then: Side
    otherwise: Side
    form: Callable[[Facets], object]

    def cls(self) -> Class:
        """The class.

        Raises:
            Apart: there is none.
        """
        a, b = self.then.cls, self.otherwise.cls
        if len(a.bodies) != 1 or len(b.bodies) != 1:
            raise Apart("several bodies")
        members = tuple(self._members(a.members, b.members))
        return replace(a, members=members, bodies=(_Bodies(self, a.bodies[0], b.bodies[0]).body(),))

    def general(self, a: T, b: T, read: Callable[[T], object] = lambda value: value) -> T:
        """The one of two that is right on both sides."""
        if a is b:
            return a
        if all(is_exactly(at(read(a), lane), at(read(b), lane)) for lane in self.otherwise.lanes):
            return a
        if all(is_exactly(at(read(a), lane), at(read(b), lane)) for lane in self.then.lanes):
            return b
        raise Apart(f"{read(a)} and {read(b)}")

    # ---- members ----

    def _members(self, ours: Sequence[Member], theirs: Sequence[Member]) -> Iterator[Member]:
        """In the order of both: a member of one side only is optional."""
        shared = [m.label for m in ours if m.label in {t.label for t in theirs}]
        if shared != [t.label for t in theirs if t.label in shared]:
            raise Apart("another order of members")
        waiting = list(theirs)
        for member in ours:
            if member.label not in shared:
                yield _optional(member, self.condition)
                continue
            while waiting[0].label != member.label:
                yield _optional(waiting.pop(0), opposite(self.condition))
            yield self._member(member, waiting.pop(0))
        yield from (_optional(member, opposite(self.condition)) for member in waiting)

    def _member(self, ours: Member, theirs: Member) -> Member:
        if ours == theirs:
            return ours
        if isinstance(ours, Layer) and isinstance(theirs, Layer):
            return Layer(ours.label, self.general(ours.facets, theirs.facets, self.made))
        raise Apart(f"{ours.label} differs")

    def made(self, facets: Facets) -> object:
        """What an operator is in the target, with the weights that it owns."""
        return self.form(facets), facets.weights


def _optional(member: Member, condition: Condition) -> Optional:
    match member:
        case OwnTensor():
            raise Apart(f"{member.label} is not in both")
        case Repeated():
            raise Apart(f"{member.label} is repeated in one of both")
        case Optional():
            return Optional(Combined("and", condition, member.condition), member.member)
    return Optional(condition, member)


@dataclass
class _Bodies:
    """Two bodies, and which variable of the second is which of the first."""

    unifier: Unifier
    ours: Body
    theirs: Body
    known: dict[Var, Var] = field(default_factory=dict)
    types: dict[Var, Var] = field(default_factory=dict)
    """The variables of the result, for those of the first body."""
    joined: dict[tuple[Var, Var], Joined] = field(default_factory=dict)
    before: tuple[set[Var], dict[Var, Var]] | None = None
    """Behind the arms: what the first body has assigned, and variables of the result for those of the second."""

    def body(self) -> Body:
        a, b = self.ours, self.theirs
        if (len(a.inputs), a.modules, a.names) != (len(b.inputs), b.modules, b.names):
            raise Apart("other inputs")
        self._numbers = count()
        inputs = tuple(self._same(x, y) for x, y in zip(a.inputs, b.inputs, strict=True))
        start: list[Step] = []
        kept = dict(self.known), dict(self.types)
        for x, y in zip(a.steps, b.steps, strict=False):
            try:
                start.append(self._step(x, y))
            except Apart:
                break
            kept = dict(self.known), dict(self.types)
        reason = Apart("nothing in common")
        for length in range(min(len(a.steps), len(b.steps)) - len(start), -1, -1):
            self.known, self.types, self.joined = dict(kept[0]), dict(kept[1]), {}
            try:
                return self._with_end(inputs, start, length)
            except Apart as apart:
                reason = apart
        raise reason

    def _with_end(self, inputs: tuple[Var, ...], start: Sequence[Step], length: int) -> Body:
        """The body of which the last steps are those of both."""
        a, b = self.ours, self.theirs
        ours, theirs = a.steps[len(start) : len(a.steps) - length], b.steps[len(start) : len(b.steps) - length]
        self._numbers = count(len(_variables(a)))
        names = self._fresh(theirs)
        self.before = {*self.types, *(v for s in flattened(ours) for v in assigned(s))}, names
        arms = tuple(self._kept(ours, self.types)), tuple(self._kept(theirs, names))
        pairs = zip(a.steps[len(a.steps) - length :], b.steps[len(b.steps) - length :], strict=True)
        end = [self._step(x, y) for x, y in pairs]
        results = tuple(self._read(x, y) for x, y in zip(a.results, b.results, strict=True))
        joined = tuple(self.joined.values())
        choice = [Choose(self.unifier.condition, *arms, joined)] if any(arms) or joined else []
        return replace(a, inputs=inputs, steps=(*start, *choice, *end), results=results)

    def _fresh(self, steps: Iterable[Step]) -> dict[Var, Var]:
        """The variables of the result for those of an arm of the second body."""
        names = {theirs: self.types[ours] for theirs, ours in self.known.items()}
        made = (v for step in flattened(steps) for v in assigned(step))
        return names | {v: replace(v, number=next(self._numbers)) for v in made}

    def _kept(self, steps: Iterable[Step], names: dict[Var, Var]) -> Iterator[Step]:
        """The steps of one arm."""
        for step in steps:
            match step:
                case Run() | Call():
                    inputs, outputs = (tuple(names.get(v, v) for v in side) for side in (step.inputs, step.outputs))
                    yield replace(step, inputs=inputs, outputs=outputs)
                case Own():
                    yield replace(step, output=names.get(step.output, step.output))
                case Choose():
                    joined = tuple(
                        Joined(*(names.get(v, v) for v in (j.output, j.then, j.otherwise))) for j in step.joined
                    )
                    then, otherwise = (tuple(self._kept(arm, names)) for arm in (step.then, step.otherwise))
                    yield Choose(step.condition, then, otherwise, joined)
                case _:
                    raise Apart("an output of the network in an arm")

    # ---- steps of both ----

    def _step(self, ours: Step, theirs: Step) -> Step:
        match ours, theirs:
            case Run(), Run():
                if (ours.module, ours.casts) != (theirs.module, theirs.casts):
                    raise Apart("another place")
                facets = self.unifier.general(ours.facets, theirs.facets, self.unifier.made)
                return replace(ours, facets=facets, **self._ends(ours, theirs))
            case Call(), Call():
                if replace(ours, inputs=(), outputs=()) != replace(theirs, inputs=(), outputs=()):
                    raise Apart("another class")
                return replace(ours, **self._ends(ours, theirs))
            case Own(), Own() if ours.label == theirs.label:
                return Own(ours.label, self._same(ours.output, theirs.output))
        raise Apart("another step")

    def _ends(self, ours: Run | Call, theirs: Run | Call) -> dict[str, tuple[Var, ...]]:
        if (len(ours.inputs), len(ours.outputs)) != (len(theirs.inputs), len(theirs.outputs)):
            raise Apart("other inputs")
        inputs = tuple(self._read(x, y) for x, y in zip(ours.inputs, theirs.inputs, strict=True))
        return {
            "inputs": inputs,
            "outputs": tuple(self._same(x, y) for x, y in zip(ours.outputs, theirs.outputs, strict=True)),
        }

    def _same(self, ours: Var, theirs: Var) -> Var:
        """Both assign it."""
        self.known[theirs] = ours
        self.types[ours] = replace(ours, type=self.unifier.general(ours.type, theirs.type))
        return self.types[ours]

    def _read(self, ours: Var, theirs: Var) -> Var:
        """Both read it; perhaps joined behind the arms."""
        if self.known.get(theirs) == ours:
            return self.types[ours]
        if self.before is None or ours not in self.before[0] or theirs not in self.before[1]:
            raise Apart("another input")
        if (ours, theirs) not in self.joined:
            kind = self.unifier.general(ours.type, theirs.type)
            made = Var(next(self._numbers), kind, Hint((*ours.hint.names, *theirs.hint.names)))
            self.joined[ours, theirs] = Joined(made, self.types.get(ours, ours), self.before[1][theirs])
        return self.joined[ours, theirs].output


def _variables(body: Body) -> list[Var]:
    return [*body.inputs, *(v for step in flattened(body.steps) for v in assigned(step))]
