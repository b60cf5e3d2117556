"""Loops in what was written out: neighbors that are alike but for numbers that grow evenly from one to the next.

`stretches` finds them in any sequence. `rerolled` makes loops of the steps of a program that are alike, and of the
members that they run: ``layer1``, ``layer2``, … become one member of a `Repeated`, in a `For`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import Any, TypeVar

from archdsl.dims import Dim, Size, symbol, symbols
from archdsl.graph import Scope
from archdsl.op import Facets, Reject
from archdsl.program.formulas import Formula
from archdsl.program.ir import (
    Body,
    Call,
    Carried,
    Choose,
    Class,
    ClassTable,
    Counted,
    For,
    Group,
    Joined,
    Label,
    Layer,
    Member,
    Optional,
    Output,
    Own,
    Part,
    Place,
    Program,
    Repeated,
    Run,
    Step,
    Var,
    assigned,
    flattened,
    places_in,
)
from archdsl.record import exactly, record

T = TypeVar("T")

FEWEST_TURNS = 3
"""Fewer are written one by one."""
LONGEST_TURN = 16
"""Steps of one turn."""

# ---- in any sequence ---------------------------------------------------------------------------------------


@record
class Item:
    """A thing as what it is without its numbers, and these in order."""

    shape: Hashable
    numbers: tuple[Size, ...]


@record
class Stretch:
    """A loop in a sequence: ``turns`` turns of ``period`` items each, from ``start`` on.

    ``growth`` is by what each number grows from turn to turn, for each item of a turn.
    """

    start: int
    period: int
    turns: int
    growth: tuple[tuple[Size, ...], ...]

    @property
    def stop(self) -> int:
        return self.start + self.period * self.turns


def stretches(items: Sequence[Item]) -> Iterator[Stretch]:
    """The loops in a sequence, which do not overlap: from each place the longest, with the fewest items."""
    start = 0
    while start < len(items):
        periods = range(1, min(LONGEST_TURN, (len(items) - start) // FEWEST_TURNS) + 1)
        found = [s for period in periods if (s := _stretch(items, start, period)).turns >= FEWEST_TURNS]
        best = max(found, key=lambda s: (s.stop, -s.period), default=None)
        if best is not None:
            yield best
        start = best.stop if best is not None else start + 1


def _stretch(items: Sequence[Item], start: int, period: int) -> Stretch:
    """The turns of one length from a place on."""
    pairs = list(zip(items[start : start + period], items[start + period : start + 2 * period], strict=False))
    if len(pairs) < period or any(a.shape != b.shape for a, b in pairs):
        return Stretch(start, period, 1, ())
    growth = tuple(tuple(y - x for x, y in zip(a.numbers, b.numbers, strict=True)) for a, b in pairs)
    turns = 2
    while _continues(items, start, period, turns, growth):
        turns += 1
    return Stretch(start, period, turns, growth)


def _continues(items: Sequence[Item], start: int, period: int, turn: int, growth: tuple[tuple[Size, ...], ...]) -> bool:
    """Is there a turn of this number?"""
    begin = start + turn * period
    if begin + period > len(items):
        return False
    for first, item, grown in zip(items[start : start + period], items[begin : begin + period], growth, strict=True):
        if item.shape != first.shape:
            return False
        if any(n != x + turn * g for n, x, g in zip(item.numbers, first.numbers, grown, strict=True)):
            return False
    return True


# ---- the numbers in members and steps ----------------------------------------------------------------------

_NUMBER = re.compile(r"(?<!\d)(?:0|[1-9]\d*)(?!\d)")


class _TwoNumbers(Exception):
    """Two numbers of one label grow."""


def with_numbers(value: T, number: Callable[[Size], Size], variable: Callable[[int], int]) -> T:
    """A member or step with other numbers, which are asked for in order: sizes and those in labels, and variables'."""
    return _with(value, number, variable)


def _with(value: Any, number: Callable[[Size], Size], variable: Callable[[int], int]) -> Any:
    def each(inner: Any) -> Any:
        return _with(inner, number, variable)

    match value:
        case Var(number=k, type=kind):
            return replace(value, number=variable(k), type=each(kind))
        case bool() | float() | str() | None | Class() | Formula():
            return value
        case int() | Dim():
            return number(value)
        case Place(labels=labels):
            return Place(tuple(_label(label, number) for label in labels))
        case Layer(label=label) | Part(label=label) | Group(label=label):
            others = {f.name: each(getattr(value, f.name)) for f in fields(value) if f.name != "label"}
            return replace(value, label=_label(label, number), **others)
        case Facets():
            return _facets(value, number)
        case tuple():
            items = [each(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        case _ if is_dataclass(value) and not isinstance(value, type | Scope):
            return replace(value, **{f.name: each(getattr(value, f.name)) for f in fields(value) if f.compare})
    return value


def _facets(facets: Facets, number: Callable[[Size], Size]) -> Facets:
    """The facets themselves, if their numbers are no others."""
    numbers: list[Size] = []
    _shape(facets, numbers)
    others = [number(n) for n in numbers]
    if others == numbers:
        return facets
    left = iter(others)
    parts = facets.op, facets.inputs, facets.outputs, facets.weights
    return Facets(*(_with(part, lambda _: next(left), int) for part in parts))


def _label(label: Label, number: Callable[[Size], Size]) -> Label:
    if isinstance(label, Counted):
        return Counted(label.before, number(label.number), label.after)
    parts: list[tuple[str, Size]] = []
    end = 0
    for found in _NUMBER.finditer(label):
        parts.append((label[end : found.start()], number(int(found[0]))))
        end = found.end()
    open_parts = [k for k, (_, n) in enumerate(parts) if isinstance(n, Dim)]
    if len(open_parts) > 1:
        raise _TwoNumbers
    texts = [f"{before}{'' if isinstance(n, Dim) else n}" for before, n in parts]
    if not open_parts:
        return "".join(texts) + label[end:]
    k = open_parts[0]
    return Counted("".join(texts[: k + 1]), parts[k][1], "".join(texts[k + 1 :]) + label[end:])


def item_of(value: Member | Step) -> Item:
    """A member or step as an item."""
    return Item(shape_of(value), numbers_of(value))


def shape_of(value: object) -> Hashable:
    """Members or steps as a key, without their numbers."""
    return _shape(value, [])


def numbers_of(value: object) -> tuple[Size, ...]:
    """The numbers in members or steps, as `with_numbers` asks for them."""
    numbers: list[Size] = []
    _shape(value, numbers)
    return tuple(numbers)


def _shape(value: Any, numbers: list[Size]) -> Hashable:
    """A value as a key, without its numbers, which are added in the order in which `with_numbers` asks for them."""

    def each(inner: Any) -> Hashable:
        return _shape(inner, numbers)

    def take(number: Size) -> int:
        numbers.append(number)
        return 0

    match value:
        case bool() | Formula():
            return exactly(value)
        case int() | Dim():
            return take(value)
        case Place(labels=labels):
            return tuple(_label(label, take) for label in labels)
        case Layer(label=label) | Part(label=label) | Group(label=label):
            others = tuple(each(getattr(value, f.name)) for f in fields(value) if f.name != "label")
            return type(value), _label(label, take), others
        case Facets(op=op, inputs=inputs, outputs=outputs, weights=weights):
            return each(op), each(inputs), each(outputs), each(weights)
        case tuple():
            return type(value), tuple(map(each, value))
        case _ if is_dataclass(value) and not isinstance(value, type | Class | Scope):
            return type(value), tuple(each(getattr(value, f.name)) for f in fields(value) if f.compare)
    return exactly(value)


# ---- loops of a program ------------------------------------------------------------------------------------


def rerolled(program: Program) -> Program:
    """The program with loops for steps that are alike, and for the members that they run."""
    table = ClassTable()
    made: dict[Class, Class] = {}
    for cls in program.classes:
        current = replace(cls, members=_of(cls.members, made), bodies=_of(cls.bodies, made))
        made[cls] = table.intern(_with_loops(current))
    return replace(program, top=made[program.top])


def _of(value: Any, made: Mapping[Class, Class]) -> Any:
    """Members or steps with other classes in place of those that they use."""
    match value:
        case Class():
            return made[value]
        case tuple() if not hasattr(value, "_fields"):
            return tuple(_of(item, made) for item in value)
        case Part() | Group() | Optional() | Repeated() | Body() | Call() | Choose() | For():
            return replace(value, **{f.name: _of(getattr(value, f.name), made) for f in fields(value)})
    return value


def _with_loops(cls: Class) -> Class:
    """A class with loops. One with several bodies is left as it is, and so are the members of a chain with numbers."""
    is_list = bool(cls.members) and all(isinstance(m.label, str) and m.label.isdigit() for m in cls.members)
    if len(cls.bodies) != 1 or is_list:
        return cls
    roller = _Roller(cls)
    for stretch in stretches([item_of(step) for step in cls.bodies[0].steps]):
        roller.roll(stretch)
    return roller.made()


class _NoLoop(Exception):
    """Steps that look alike are no turns of a loop."""


class _Roller:
    """Puts loops into one class."""

    def __init__(self, cls: Class) -> None:
        self._cls = cls
        self._body = cls.bodies[0]
        self._loops: list[tuple[Stretch, For]] = []
        self._repeated: list[tuple[Stretch, Repeated]] = []
        made = variables(self._body)
        self._numbers = count(len(made))
        taken = {s for v in made for size in v.type.shape if isinstance(size, Dim) for s in symbols(size)}
        taken |= {p.name for p in cls.parameters}
        self._turn = next(name for k in count() if (name := "turn" + "_" * k) not in taken)
        labels = [m.label for m in cls.members]
        self._is_numbered = labels == [str(k) for k in range(len(labels))]

    def made(self) -> Class:
        """The class with all loops that were put into it."""
        steps, members = list(self._body.steps), list(self._cls.members)
        for stretch, loop in reversed(self._loops):
            steps[stretch.start : stretch.stop] = [loop]
        for stretch, repeated in sorted(self._repeated, key=lambda r: -r[0].start):
            members[stretch.start : stretch.stop] = [repeated]
        return replace(self._cls, members=tuple(members), bodies=(replace(self._body, steps=tuple(steps)),))

    def roll(self, stretch: Stretch) -> None:
        """Make a loop of a stretch of steps, unless its turns hand on something else than what the next reads."""
        try:
            carried, template = self._handed_on(stretch)
            repeated = self._members_of(stretch)
        except (_NoLoop, _TwoNumbers, Reject):
            return
        self._loops.append((stretch, For(self._turn, stretch.turns, carried, template)))
        self._repeated += repeated

    def _turn_of(self, stretch: Stretch, turn: int) -> tuple[Step, ...]:
        begin = stretch.start + turn * stretch.period
        return self._body.steps[begin : begin + stretch.period]

    def _grown(self, value: T, growth: Sequence[Size], variable: Callable[[int], int] = int) -> T:
        """What stands in the first turn as it is in any turn."""
        left = iter(growth)
        turns = symbol(self._turn) - 1

        def number(first: Size) -> Size:
            return first + next(left) * turns

        def var(first: int) -> int:
            next(left)
            return variable(first)

        return with_numbers(value, number, var)

    # ---- variables ----

    def _handed_on(self, stretch: Stretch) -> tuple[tuple[Carried, ...], tuple[Step, ...]]:
        """What the turns carry, and the steps of any turn."""
        first, second, last = (self._turn_of(stretch, t) for t in (0, 1, stretch.turns - 1))
        own = {a.number: b.number for a, b in zip(_assigned(first), _assigned(second), strict=True)}
        step = {b - a for a, b in own.items()}
        starts: dict[int, int] = {}
        reads: list[int] = []
        """The variable that each place of a turn reads or assigns, in order."""
        for a, b in zip(_numbers(first), _numbers(second), strict=True):
            if a in own or a == b:
                reads.append(a)
                if own.get(a, b) != b:
                    raise _NoLoop
            elif b in own and {b - a} == step and starts.setdefault(b, a) == a:
                reads.append(-b - 1)  # handed on: the variable gets a number of its own
            else:
                raise _NoLoop
        given = {made: next(self._numbers) for made in starts}
        order = iter(reads)

        def variable(_: int) -> int:
            found = next(order)
            return found if found >= 0 else given[-found - 1]

        steps = tuple(self._grown(s, g, variable) for s, g in zip(first, stretch.growth, strict=True))
        ends = dict(zip((v.number for v in _assigned(first)), _assigned(last), strict=True))
        in_turn = {v.number: v for s in steps for v in _vars(s)}
        known = {v.number: v for v in variables(self._body)}
        carried = tuple(Carried(known[a], in_turn[given[b]], in_turn[b], ends[b]) for b, a in starts.items())
        self._require_unread(stretch, {c.end for c in carried})
        return carried, steps

    def _require_unread(self, stretch: Stretch, ends: set[Var]) -> None:
        """Nothing behind a loop reads what a turn assigns, but for what the last one hands on."""
        inside = set(_assigned(self._body.steps[stretch.start : stretch.stop]))
        outside = (*self._body.steps[: stretch.start], *self._body.steps[stretch.stop :])
        read = {v for step in outside for v in _vars(step)} | set(self._body.results)
        if read & inside - ends:
            raise _NoLoop

    # ---- members ----

    def _members_of(self, stretch: Stretch) -> list[tuple[Stretch, Repeated]]:
        """The members of the class that only the turns run, one after the other; none where they are numbers."""
        places = [list(places_in(self._turn_of(stretch, turn))) for turn in range(stretch.turns)]
        growing = [k for k, (a, b) in enumerate(zip(places[0], places[1], strict=True)) if a != b]
        if all(self._is_in_list(places[0][k], places[1][k]) for k in growing):
            return []
        if any(len(places[0][k].labels) != 1 for k in growing):
            raise _NoLoop
        index = {m.label: k for k, m in enumerate(self._cls.members)}
        wanted = sorted({index[places[0][k].labels[0]] for k in growing})
        items = [item_of(m) for m in self._cls.members]
        found = _stretch(items, wanted[0], len(wanted))
        inside = [{places[t][k].labels[0] for k in growing} for t in range(stretch.turns)]
        at = [
            {m.label for m in self._cls.members[found.start + t * found.period : found.start + (t + 1) * found.period]}
            for t in range(stretch.turns)
        ]
        outside = (*self._body.steps[: stretch.start], *self._body.steps[stretch.stop :])
        if inside != at or found.turns < stretch.turns or _labels(outside) & set.union(*inside):
            raise _NoLoop
        first = self._cls.members[found.start : found.start + found.period]
        members = tuple(self._grown(m, g) for m, g in zip(first, found.growth, strict=True))
        return [(replace(found, turns=stretch.turns), Repeated(self._turn, stretch.turns, members))]

    def _is_in_list(self, first: Place, second: Place) -> bool:
        """Are two modules members of one list, or numbers of the class itself?"""
        if first.labels[:-1] != second.labels[:-1]:
            return False
        if len(first.labels) == 1:
            return self._is_numbered
        members: Sequence[Member] = self._cls.members
        group: Member | None = None
        for label in first.labels[:-1]:
            group = next((m for m in members if m.label == label), None)
            if not isinstance(group, Group):
                return False
            members = group.members
        return [m.label for m in members] == [str(k) for k in range(len(members))]


def variables(body: Body) -> list[Var]:
    """The variables of a body, in the order of assignment."""
    return [*body.inputs, *_assigned(body.steps)]


def _assigned(steps: Iterable[Step]) -> list[Var]:
    return [v for step in flattened(steps) for v in assigned(step)]


def _numbers(steps: Iterable[Step]) -> list[int]:
    return [v.number for step in steps for v in _vars(step)]


def _vars(value: Any) -> Iterator[Var]:
    """The variables in a step, in the order in which their numbers are asked for."""
    match value:
        case Var():
            yield value
        case tuple():
            for item in value:
                yield from _vars(item)
        case Run() | Call() | Own() | Choose() | For() | Carried() | Joined() | Output():
            for f in fields(value):
                yield from _vars(getattr(value, f.name))


def _labels(steps: Iterable[Step]) -> set[Label]:
    return {place.labels[0] for place in places_in(steps)}
