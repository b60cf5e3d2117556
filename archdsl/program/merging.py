"""Groups of one text that differ in numbers only are one class, whose parameters these numbers are.

Blocks are built once on symbols for all their instances. A group has no parameters of its own, since it reads the names
around it: that groups of other lengths are alike is seen when their loops have been found.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from itertools import count
from typing import Any

from archdsl.dims import Dim, Size, substitute, symbol
from archdsl.program.ir import (
    Body,
    Call,
    Choose,
    Class,
    ClassTable,
    Counted,
    For,
    Group,
    Member,
    Optional,
    Parameter,
    Part,
    Program,
    Repeated,
    places_in,
)
from archdsl.program.numbers import names_in
from archdsl.program.rerolling import numbers_of, shape_of, variables, with_numbers
from archdsl.record import record

COUNT = "depth"
"""The name for how often a loop runs."""


class _Apart(Exception):
    """Groups differ in more than numbers that are known when they are made."""


@record
class Use:
    """A class in place of another, with arguments."""

    cls: Class
    arguments: tuple[tuple[str, Size], ...] = ()


def merged(program: Program) -> Program:
    """The program with one class for groups that are alike but for numbers."""
    alike: dict[Hashable, list[Class]] = {}
    for cls in program.classes:
        if cls is not program.top and cls.scope.definition is None and not cls.locals and _has_loop(cls):
            contents = _renumbered(cls)
            key = cls.scope.text, cls.parameters, shape_of((contents.members, contents.bodies))
            alike.setdefault(key, []).append(cls)
    uses: dict[Class, Use] = {}
    for classes in alike.values():
        if len(classes) > 1:
            with suppress(_Apart):
                uses.update(_Merger([_renumbered(c) for c in classes]).uses(classes))
    table = ClassTable()
    made: dict[Class, Use] = {}
    for cls in program.classes:
        use = uses.get(cls, Use(cls))
        current = replace(use.cls, members=_of(use.cls.members, made), bodies=_of(use.cls.bodies, made))
        made[cls] = replace(use, cls=table.intern(current))
    return replace(program, top=made[program.top].cls)


def _has_loop(cls: Class) -> bool:
    """Is there a loop in what it computes, and more than one module after the other?"""
    return len(cls.bodies) == 1 and any(isinstance(s, For) and len(s.steps) > 1 for s in cls.bodies[0].steps)


def _of(value: Any, made: Mapping[Class, Use]) -> Any:
    """Members or steps with other classes in place of those that they use."""
    match value:
        case Class():
            return made[value].cls
        case Part(label=label, of=of, arguments=arguments):
            return Part(label, made[of].cls, (*arguments, *made[of].arguments))
        case tuple() if not hasattr(value, "_fields"):
            return tuple(_of(item, made) for item in value)
        case Group() | Optional() | Repeated() | Body() | Call() | Choose() | For():
            return replace(value, **{f.name: _of(getattr(value, f.name), made) for f in fields(value)})
    return value


def _renumbered(cls: Class) -> Class:
    """The class with its variables numbered as they come."""
    numbers: dict[int, int] = {}

    def variable(number: int) -> int:
        return numbers.setdefault(number, len(numbers))

    return replace(cls, bodies=with_numbers(cls.bodies, lambda n: n, variable))


class _Merger:
    """Makes one class of several whose contents have one shape."""

    def __init__(self, classes: Sequence[Class]) -> None:
        self._first = classes[0]
        self._columns = list(zip(*(numbers_of((c.members, c.bodies)) for c in classes), strict=True))
        self._own = {name for parameter in self._first.parameters for name in parameter.names}
        taken = self._own | {
            s for c in classes for v in variables(c.bodies[0]) for size in v.type.shape for s in names_in(size)
        }
        self._turns = {s.variable: 1 for s in classes[0].bodies[0].steps if isinstance(s, For)}
        self._free = (name for k in count() if (name := f"size{k or ''}") not in taken)
        self._names: dict[tuple[Size, ...], str] = {}
        """The parameters, by the value that each has in the classes."""

    def uses(self, classes: Sequence[Class]) -> Iterator[tuple[Class, Use]]:
        """What stands in the place of each.

        Raises:
            _Apart: they differ in more than numbers.
        """
        members, bodies = self._filled((self._first.members, self._first.bodies))
        labels = [label for place in places_in(bodies[0].steps) for label in place.labels]
        if any(isinstance(label, Counted) and names_in(label.number) - self._turns.keys() for label in labels):
            raise _Apart
        wishes: dict[str, str] = {}
        for name, wish in self._wishes(members):
            if wish not in self._own and wish not in wishes.values():
                wishes.setdefault(name, wish)
        self._names = {values: wishes.get(name, name) for values, name in self._names.items()}
        members, bodies = self._filled((self._first.members, self._first.bodies))
        parameters = (*self._first.parameters, *(Parameter(name, "int") for name in self._names.values()))
        cls = replace(self._first, members=members, bodies=bodies, parameters=parameters)
        for k, each in enumerate(classes):
            yield each, Use(cls, tuple((name, values[k]) for values, name in self._names.items()))

    def _filled(self, contents: tuple[tuple[Member, ...], tuple[Body, ...]]) -> Any:
        """Contents of the first class with a parameter where numbers differ."""
        columns = iter(self._columns)
        return with_numbers(contents, lambda _: self._general(next(columns)), lambda _: int(str(next(columns)[0])))

    def _general(self, column: tuple[Size, ...]) -> Size:
        """A number that is this in the classes, one after the other."""
        first = column[0]
        if all(n == first for n in column):
            return first
        starts = tuple(substitute(n, self._turns) for n in column)
        is_known = all(isinstance(s, int) and s >= 1 for s in starts)
        if not is_known or any(n - s != first - starts[0] for n, s in zip(column, starts, strict=True)):
            raise _Apart
        if starts not in self._names:
            self._names[starts] = next(self._free)
        return first - starts[0] + symbol(self._names[starts])

    def _wishes(self, members: Sequence[Member]) -> Iterator[tuple[str, str]]:
        """Names for parameters by what they are for: how often a loop runs, or an argument of another class."""
        for member in members:
            match member:
                case Repeated(count=turns, members=inner):
                    yield from ((name, COUNT) for name in names_in(turns))
                    yield from self._wishes(inner)
                case Part(arguments=arguments):
                    for wish, value in arguments:
                        start = substitute(value, self._turns) if isinstance(value, Dim) else None
                        yield from ((n, wish) for n in self._names.values() if start == symbol(n))
                case _:
                    pass
