"""Two classes of one block, for instances that take other arms of a condition, as one class that holds the condition.

They must begin alike and end alike: what lies between becomes the arms of one `Choose`, and what the end reads of them
is joined. What is written otherwise in the two may stand in both if it has the right value in all instances. A choice
that only the first holds stays if all instances of the second take one side of it, which is then what the second does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias, TypeVar

from archdsl.dims import Dim, Size, symbol
from archdsl.op import Facets, Tensor
from archdsl.program.conditions import Combined, Compared, Condition, Flag, decided, opposite
from archdsl.program.hints import Hint
from archdsl.program.ir import (
    Body,
    Call,
    Choose,
    Class,
    Group,
    Joined,
    Label,
    Layer,
    Local,
    Member,
    ModuleRef,
    Optional,
    Own,
    OwnTensor,
    Parameter,
    Part,
    Place,
    Repeated,
    Run,
    Step,
    Training,
    Var,
    assigned,
    flattened,
    relabelled,
)
from archdsl.program.layers import OpenLayer
from archdsl.program.numbers import Argument, Lane, OpenArgument, at, is_exactly

T = TypeVar("T")
N = TypeVar("N", Parameter, Local)
Module: TypeAlias = Layer | Part | Group


class Apart(Exception):
    """The classes cannot be one; the message says why."""


@dataclass(frozen=True)
class Side:
    """One of the two classes, and what is open in its instances."""

    cls: Class
    lanes: Sequence[Lane]


@dataclass(frozen=True)
class Unifier:
    """Makes one class of two, which hold where the condition does and where it does not.

    ``form`` is what an operator is in the target, ``intern`` makes each class once.
    """

    condition: Condition
    then: Side
    otherwise: Side
    form: Callable[[Facets], object]
    intern: Callable[[Class], Class]
    _merged: dict[tuple[Class, Class], Class] = field(default_factory=dict)
    _sizes: dict[tuple[Size, Size], Dim] = field(default_factory=dict)

    def cls(self) -> Class:
        """The class.

        Raises:
            Apart: there is none.
        """
        return self._one(self.then.cls, self.otherwise.cls)

    def _one(self, a: Class, b: Class) -> Class:
        if len(a.bodies) != 1 or len(b.bodies) != 1:
            raise Apart("several bodies")
        open_in = {"parameters": _either(a.parameters, b.parameters), "locals": _either(a.locals, b.locals)}
        if is_numbered(a) and is_numbered(b):
            numbering = _Numbering(self, a, b)
            return replace(
                a, **open_in, **numbering.renumbered(_Bodies(self, a.bodies[0], b.bodies[0], numbering).body())
            )
        members = tuple(self.members(a.members, b.members))
        body = _Bodies(self, a.bodies[0], b.bodies[0]).body()
        return replace(
            a, **open_in, members=members, bodies=(replace(body, steps=tuple(_called(body.steps, members))),)
        )

    def local(self, a: Class, b: Class) -> Class:
        """A class of two that stand in the same place of the two: a seq, a group."""
        if a is b:
            return a
        if a.scope.text is not b.scope.text or a.name is not None:
            raise Apart("another class")
        if (a, b) not in self._merged:
            self._merged[a, b] = self.intern(self._one(a, b))
        return self._merged[a, b]

    # ---- values ----

    def general(self, a: T, b: T, read: Callable[[T], object] = lambda value: value) -> T:
        """The one of two that is right on both sides."""
        if a is b:
            return a
        for candidate in (a, b):
            if self._is_right(read(candidate), read(a), read(b)):
                return candidate
        raise Apart(f"{read(a)} and {read(b)}")

    def type(self, a: Tensor, b: Tensor) -> Tensor:
        """The type of a variable. A size that is another on each side has a name of its own: nothing may need it."""
        if (a.dtype, len(a.shape)) != (b.dtype, len(b.shape)):
            raise Apart(f"{a} and {b}")
        return Tensor(tuple(map(self._size, a.shape, b.shape)), a.dtype)

    def _size(self, a: Size, b: Size) -> Size:
        try:
            return self.general(a, b)
        except Apart:
            return self._sizes.setdefault((a, b), symbol(f"either{len(self._sizes)}"))

    def _is_right(self, candidate: object, a: object, b: object) -> bool:
        sides = ((a, self.then.lanes), (b, self.otherwise.lanes))
        return all(is_exactly(at(candidate, lane), at(x, lane)) for x, lanes in sides for lane in lanes)

    def _argument(self, a: Argument, b: Argument) -> Argument:
        """The one of two arguments that is right on both sides, or the parameter of the class that is."""
        if a == b and type(a) is type(b):
            return a
        for candidate in (a, b, *map(_value, self.then.cls.parameters)):
            if self._is_right(candidate, a, b):
                return candidate
        raise Apart(f"{a} and {b}")

    # ---- members ----

    def members(self, ours: Sequence[Member], theirs: Sequence[Member]) -> Iterator[Member]:
        """In the order of both: a member of one side only is optional."""
        shared = [m.label for m in ours if m.label in {t.label for t in theirs}]
        if shared != [t.label for t in theirs if t.label in shared]:
            raise Apart("another order of members")
        waiting = list(theirs)
        for member in ours:
            if member.label not in shared:
                yield self._alone(member, self.condition, self.otherwise)
                continue
            while waiting[0].label != member.label:
                yield self._alone(waiting.pop(0), opposite(self.condition), self.then)
            yield self.member(member, waiting.pop(0))
        yield from (self._alone(member, opposite(self.condition), self.then) for member in waiting)

    def _alone(self, member: Member, condition: Condition, other: Side) -> Member:
        """A member that the other side has not."""
        match member:
            case Optional(condition=known) | OwnTensor(when=known) if known and decided(known, other.lanes) is False:
                return member
            case OwnTensor(when=known):
                return replace(member, when=Combined("and", condition, known) if known else condition)
        return _optional(member, condition)

    def member(self, ours: Member, theirs: Member) -> Member:
        """A member of both sides."""
        match ours, theirs:
            case _ if ours == theirs:
                return ours
            case Optional(condition=condition, member=a), Optional(member=b) if condition == theirs.condition:
                return Optional(condition, self.module(a, b))
            case Optional(condition=when, member=a), Layer() | Part() | Group() if decided(when, self.otherwise.lanes):
                return Optional(when, self.module(a, theirs))
            case Layer() | Part() | Group(), Optional(condition=when, member=b) if decided(when, self.then.lanes):
                return Optional(when, self.module(ours, b))
            case Layer() | Part() | Group(), Layer() | Part() | Group():
                return self.module(ours, theirs)
            case OwnTensor(), OwnTensor():
                return self._tensor(ours, theirs)
        raise Apart(f"{ours.label} differs")

    def _tensor(self, ours: OwnTensor, theirs: OwnTensor) -> OwnTensor:
        """A tensor of both sides."""
        if len(ours.contents) != len(theirs.contents):
            raise Apart(f"{ours.label} is computed in another way")
        contents: list[Run] = []
        for a, b in zip(ours.contents, theirs.contents, strict=True):
            contents.append(replace(a, facets=self.general(a.facets, b.facets, self.made)))
            if replace(b, facets=contents[-1].facets) != contents[-1]:
                raise Apart(f"{ours.label} is computed in another way")
        made = replace(ours, contents=tuple(contents))
        if replace(theirs, contents=made.contents) != made:
            raise Apart(f"{ours.label} differs")
        return made

    def module(self, ours: Module, theirs: Module) -> Module:
        """A module of both sides."""
        match ours, theirs:
            case Layer(label=label), Layer():
                return Layer(label, self.general(ours.facets, theirs.facets, self.made))
            case Part(label=label), Part():
                pairs = zip(ours.arguments, theirs.arguments, strict=True)
                cls = self.local(ours.of, theirs.of)
                return Part(label, cls, tuple((n, self._argument(a, b)) for (n, a), (_, b) in pairs))
            case Group(label=label), Group():
                return Group(label, tuple(self.members(ours.members, theirs.members)))
        raise Apart(f"{ours.label} differs")

    def made(self, facets: Facets) -> object:
        """What an operator is in the target, with the weights that it owns."""
        return self.form(facets), facets.weights


def _either(a: tuple[N, ...], b: tuple[N, ...]) -> tuple[N, ...]:
    """Parameters or locals of both sides."""
    both = tuple(dict.fromkeys((*a, *b)))
    if len({x.name for x in both}) < len(both):
        raise Apart("one name for two numbers")
    return both


def _value(parameter: Parameter) -> Argument:
    """A parameter as a value in the class."""
    match parameter.kind:
        case "int":
            return symbol(parameter.name)
        case "layer":
            return OpenLayer(parameter.name)
    return OpenArgument(parameter.name)


def _optional(member: Member, condition: Condition) -> Optional:
    match member:
        case OwnTensor() | Repeated():
            raise Apart(f"{member.label} is there in some instances only")
        case Optional():
            return Optional(Combined("and", condition, member.condition), member.member)
    return Optional(condition, member)


def _called(steps: Iterable[Step], members: Sequence[Member]) -> Iterator[Step]:
    """Steps that call the classes which the members have: those of both sides may be one now."""
    for step in steps:
        match step:
            case Call(module=Place(labels=labels)):
                yield replace(step, of=_class_at(labels, members) or step.of)
            case Choose(then=then, otherwise=otherwise):
                yield replace(step, then=tuple(_called(then, members)), otherwise=tuple(_called(otherwise, members)))
            case _:
                yield step


def _class_at(labels: Sequence[Label], members: Iterable[Member]) -> Class | None:
    """The class of the module at a place."""
    modules = [m.member if isinstance(m, Optional) else m for m in members]
    match next((m for m in modules if m.label == labels[0]), None):
        case Part(of=of):
            return of if len(labels) == 1 else _class_at(labels[1:], of.members)
        case Group(members=inner):
            return _class_at(labels[1:], inner)
    return None


# ---- numbered members --------------------------------------------------------------------------------------


def is_numbered(cls: Class) -> bool:
    """Has a class members that are numbered in the order in which they run, each once?"""
    run = [s.module for body in cls.bodies for s in flattened(body.steps) if isinstance(s, Run | Call) and s.module]
    labels = [m.label for m in cls.members]
    return labels == [str(k) for k in range(len(labels))] and run == [Place((label,)) for label in labels]


@dataclass
class _Numbering:
    """Numbers the members of two numbered classes anew, as the steps of both run them."""

    unifier: Unifier
    ours: Class
    theirs: Class

    def renumbered(self, body: Body) -> Mapping[str, object]:
        """The members and the bodies of the class."""
        self.members: list[Member] = []
        return {"bodies": (replace(body, steps=self._steps(body.steps, [])),), "members": tuple(self.members)}

    def _steps(self, steps: Iterable[Step], under: list[Condition]) -> tuple[Step, ...]:
        return tuple(self._step(step, under) for step in steps)

    def _step(self, step: Step, under: list[Condition]) -> Step:
        match step:
            case Run(module=Place(labels=(ours, theirs))) | Call(module=Place(labels=(ours, theirs))):
                member: Module | Optional = self.member(ours, theirs)
                for condition in reversed(under):
                    member = _optional(member, condition)
                self.members.append(relabelled(member, str(len(self.members))))
                return replace(step, module=Place((self.members[-1].label,)))
            case Choose(condition=Training(), then=then, otherwise=otherwise):
                return replace(step, then=self._steps(then, under), otherwise=self._steps(otherwise, under))
            case Choose(condition=Compared() | Flag() | Combined() as condition):
                arms = (step.then, condition), (step.otherwise, opposite(condition))
                then, otherwise = (self._steps(arm, [*under, condition]) for arm, condition in arms)
                return replace(step, then=then, otherwise=otherwise)
        return step

    def member(self, ours: Label, theirs: Label) -> Module:
        """The member of both, or of one where the other's label is empty.

        Raises:
            Apart: they are not one.
        """
        if not ours or not theirs:
            return _found(self.ours, ours) if ours else _found(self.theirs, theirs)
        return self.unifier.module(_found(self.ours, ours), _found(self.theirs, theirs))


def _found(cls: Class, label: Label) -> Module:
    """The member of this label, whatever its condition."""
    member = next(m for m in cls.members if m.label == label)
    member = member.member if isinstance(member, Optional) else member
    assert not isinstance(member, OwnTensor | Repeated)
    return member


def _pair(ours: ModuleRef | None, theirs: ModuleRef | None) -> ModuleRef | None:
    """A numbered module of both classes, or of one: its number in each, until they are numbered anew."""
    labels = [m.labels[0] if isinstance(m, Place) else "" for m in (ours, theirs)]
    return Place(tuple(labels)) if any(labels) else ours


# ---- bodies ------------------------------------------------------------------------------------------------


class _Bodies:
    """Makes one body of two.

    Variables of the result are those of the first body, in the order of their numbers; ``known`` gives those for
    variables of the second, the last one first to be used; ``types`` those of the first that both have, with the types
    that are right in both.
    """

    def __init__(self, unifier: Unifier, ours: Body, theirs: Body, numbering: _Numbering | None = None) -> None:
        self.unifier = unifier
        self.ours = ours
        self.theirs = theirs
        self.numbering = numbering
        self.known: dict[Var, list[Var]] = {}
        self.types: dict[Var, Var] = {}
        self.joined: dict[tuple[Var, Var], Joined] = {}
        self._numbers = count(len(_variables(ours)))
        self.before: tuple[set[Var], dict[Var, Var]] | None = None

    def body(self) -> Body:
        """The body.

        Raises:
            Apart: they have too little in common.
        """
        a, b = self.ours, self.theirs
        if (len(a.inputs), a.modules, a.names) != (len(b.inputs), b.modules, b.names):
            raise Apart("other inputs")
        if len(a.results) != len(b.results):
            raise Apart("other results")
        inputs = tuple(self._same(x, y) for x, y in zip(a.inputs, b.inputs, strict=True))
        start, taken = self._start()
        kept = self._state()
        reason = Apart("nothing in common")
        for first in range(len(start), len(a.steps) + 1):
            self._restore(kept)
            try:
                return self._with_end(inputs, start, taken, first)
            except Apart as apart:
                reason = apart
        raise reason

    def _state(self) -> tuple[dict[Var, list[Var]], dict[Var, Var]]:
        return {v: list(found) for v, found in self.known.items()}, dict(self.types)

    def _restore(self, state: tuple[dict[Var, list[Var]], dict[Var, Var]]) -> None:
        self.known, self.types, self.joined = {v: list(f) for v, f in state[0].items()}, dict(state[1]), {}

    def _start(self) -> tuple[list[Step], int]:
        """The steps with which both begin, and how many of the second these are."""
        start: list[Step] = []
        taken = 0
        for step in self.ours.steps:
            kept = self._state()
            try:
                width = self._width(step, self.theirs.steps[taken : taken + 1])
                start.append(self._both(step, self.theirs.steps[taken : taken + width], width))
            except Apart:
                self._restore(kept)
                break
            taken += width
        return start, taken

    def _with_end(self, inputs: tuple[Var, ...], start: Sequence[Step], taken: int, first: int) -> Body:
        """The body that ends with the steps of ours from ``first`` on."""
        a, b = self.ours, self.theirs
        widths: list[int] = []
        last = len(b.steps)
        for step in reversed(a.steps[first:]):
            widths.insert(0, self._width(step, b.steps[max(last - 1, 0) : last]))
            last -= widths[0]
        if last < taken:
            raise Apart("too few steps")
        ours, theirs = a.steps[len(start) : first], b.steps[taken:last]
        self._numbers = count(len(_variables(a)))
        names = self._fresh(theirs)
        self.before = {*self.types, *(v for s in flattened(ours) for v in assigned(s))}, names
        arms = tuple(self._kept(ours, self.types, "ours")), tuple(self._kept(theirs, names, "theirs"))
        end: list[Step] = []
        for step, width in zip(a.steps[first:], widths, strict=True):
            end.append(self._both(step, b.steps[last : last + width], width))
            last += width
        results = tuple(self._read(x, y) for x, y in zip(a.results, b.results, strict=True))
        joined = tuple(self.joined.values())
        choice = [Choose(self.unifier.condition, *arms, joined)] if any(arms) or joined else []
        return replace(a, inputs=inputs, steps=(*start, *choice, *end), results=results)

    def _fresh(self, steps: Iterable[Step]) -> dict[Var, Var]:
        """The variables of the result for those of an arm of the second body."""
        names = {theirs: self.types[ours[-1]] for theirs, ours in self.known.items()}
        made = (v for step in flattened(steps) for v in assigned(step))
        return names | {v: replace(v, number=next(self._numbers)) for v in made}

    def _kept(self, steps: Iterable[Step], names: Mapping[Var, Var], side: str) -> Iterator[Step]:
        """The steps of one arm."""
        for step in steps:
            match step:
                case Run() | Call():
                    inputs, outputs = (tuple(names.get(v, v) for v in side) for side in (step.inputs, step.outputs))
                    yield replace(step, inputs=inputs, outputs=outputs, module=self._alone(step.module, side))
                case Own():
                    yield replace(step, output=names.get(step.output, step.output))
                case Choose():
                    joined = tuple(
                        Joined(*(names.get(v, v) for v in (j.output, j.then, j.otherwise))) for j in step.joined
                    )
                    then, otherwise = (tuple(self._kept(arm, names, side)) for arm in (step.then, step.otherwise))
                    yield Choose(step.condition, then, otherwise, joined)
                case _:
                    raise Apart("an output of the network in an arm")

    def _alone(self, module: ModuleRef | None, side: str) -> ModuleRef | None:
        """A module of one body."""
        if self.numbering is None or not isinstance(module, Place):
            return module
        return _pair(module, None) if side == "ours" else _pair(None, module)

    def _shared(self, ours: ModuleRef | None, theirs: ModuleRef | None) -> ModuleRef | None:
        """A module of both bodies."""
        if self.numbering is not None and isinstance(ours, Place) and isinstance(theirs, Place):
            self.numbering.member(ours.labels[0], theirs.labels[0])
            return _pair(ours, theirs)
        if ours != theirs:
            raise Apart("another place")
        return ours

    # ---- steps of both ----

    def _width(self, ours: Step, theirs: Sequence[Step]) -> int:
        """How many steps of the second body a step of the first is, where it stands beside ``theirs``."""
        choice = _choice(ours)
        if choice is None or any(_is_choice(step, choice[1]) for step in theirs):
            return 1
        return len(self._side(*choice)[0])

    def _side(self, ours: Choose, condition: Condition) -> tuple[Sequence[Step], bool]:
        """The arm that all instances of the second body take, and whether it is the first."""
        answer = decided(condition, self.unifier.otherwise.lanes)
        if answer is None:
            raise Apart("a choice of one side only")
        return (ours.then if answer else ours.otherwise), answer

    def _both(self, ours: Step, theirs: Sequence[Step], width: int) -> Step:
        """One step of the first body, and those of the second that are it."""
        if len(theirs) != width:
            raise Apart("too few steps")
        choice = _choice(ours)
        if choice is None or any(_is_choice(step, choice[1]) for step in theirs):
            return self._step(ours, theirs[0])
        return self._taken(*choice, theirs)

    def _taken(self, ours: Choose, condition: Condition, theirs: Sequence[Step]) -> Step:
        """A choice of the first body, and the steps of the second that are one arm of it."""
        side, answer = self._side(ours, condition)
        other = tuple(self._kept(ours.otherwise if answer else ours.then, self.types, "ours"))
        both = tuple(self._step(x, y) for x, y in zip(side, theirs, strict=True))
        joined = tuple(self._rejoined(join, answer) for join in ours.joined)
        then, otherwise = (both, other) if answer else (other, both)
        return Choose(condition, then, otherwise, joined)

    def _rejoined(self, join: Joined, answer: bool) -> Joined:
        """A join of the first body: what the second has of the arm that it takes, it has behind the arms."""
        taken = join.then if answer else join.otherwise
        found = [theirs for theirs, ours in self.known.items() if taken in ours]
        joint = self.unifier.type(join.output.type, found[0].type) if found else join.output.type
        made = replace(join.output, type=joint)
        self.types[join.output] = made
        for theirs in found:
            self.known[theirs].append(join.output)
        then, otherwise = (self.types.get(v, v) for v in (join.then, join.otherwise))
        return Joined(made, then, otherwise)

    def _step(self, ours: Step, theirs: Step) -> Step:
        match ours, theirs:
            case Run(), Run():
                if ours.casts != theirs.casts:
                    raise Apart("other casts")
                module = self._shared(ours.module, theirs.module)
                facets = self.unifier.general(ours.facets, theirs.facets, self.unifier.made)
                return replace(ours, facets=facets, module=module, **self._ends(ours, theirs))
            case Call(), Call():
                if (ours.body, ours.modules) != (theirs.body, theirs.modules):
                    raise Apart("another body")
                module = self._shared(ours.module, theirs.module)
                cls = self.unifier.local(ours.of, theirs.of)
                return replace(ours, of=cls, module=module, **self._ends(ours, theirs))
            case Own(), Own() if ours.label == theirs.label:
                return Own(ours.label, self._same(ours.output, theirs.output))
            case Choose(), Choose() if ours.condition == theirs.condition and len(ours.joined) == len(theirs.joined):
                return self._choices(ours, theirs)
        raise Apart("another step")

    def _choices(self, ours: Choose, theirs: Choose) -> Step:
        """The same choice in both bodies."""
        arms = ((ours.then, theirs.then), (ours.otherwise, theirs.otherwise))
        if any(len(a) != len(b) for a, b in arms):
            raise Apart("other arms")
        then, otherwise = (tuple(self._step(x, y) for x, y in zip(a, b, strict=True)) for a, b in arms)
        joined = []
        for a, b in zip(ours.joined, theirs.joined, strict=True):
            ends = self._read(a.then, b.then), self._read(a.otherwise, b.otherwise)
            joined.append(Joined(self._same(a.output, b.output), *ends))
        return Choose(ours.condition, then, otherwise, tuple(joined))

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
        self.known[theirs] = [ours]
        self.types[ours] = replace(ours, type=self.unifier.type(ours.type, theirs.type))
        return self.types[ours]

    def _read(self, ours: Var, theirs: Var) -> Var:
        """Both read it; perhaps joined behind the arms."""
        if ours in self.known.get(theirs, ()):
            return self.types[ours]
        if self.before is None or ours not in self.before[0] or theirs not in self.before[1]:
            raise Apart("another input")
        if (ours, theirs) not in self.joined:
            kind = self.unifier.type(ours.type, theirs.type)
            made = Var(next(self._numbers), kind, Hint((*ours.hint.names, *theirs.hint.names)))
            self.joined[ours, theirs] = Joined(made, self.types.get(ours, ours), self.before[1][theirs])
        return self.joined[ours, theirs].output


def _choice(step: Step) -> tuple[Choose, Condition] | None:
    """A choice on what is open, with its condition; None for another step."""
    if isinstance(step, Choose) and not isinstance(step.condition, Training):
        return step, step.condition
    return None


def _is_choice(step: Step, condition: Condition) -> bool:
    return isinstance(step, Choose) and step.condition == condition


def _variables(body: Body) -> list[Var]:
    return [*body.inputs, *(v for step in flattened(body.steps) for v in assigned(step))]
