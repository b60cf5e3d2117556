"""The forward pass of a class before it has variables: what is computed from what, in text order.

A `Slot` is one value of the forward in all rows. Statements stand in a `Flow`; the arms of an ``if`` and the body of a
loop are flows of their own. Each slot is made once; where two arms meet, or a loop comes round again, a slot joins what
comes from either side. `archdsl.emit.torch.schedule` makes statements and variables of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.emit.torch.rows import Row
from archdsl.emit.torch.terms import NoValue, Term, copied, negated
from archdsl.graph import Value
from archdsl.syntax import tree


@dataclass(eq=False)
class Slot:
    """A value of the forward. ``text`` is what it reads as, where it needs no variable (``self.scale``)."""

    flow: Flow
    values: dict[Row, Value]
    names: list[str] = field(default_factory=list)
    """Names for its variable, those given by the author first."""
    is_named: bool = False
    """The author named it: it gets a variable."""
    label: str | None = None
    """In a branch of a combinator, the module that gave it, or gave what it is a function of."""
    text: ast.expr | None = None
    sizes: Sequence[ast.expr] = ()
    """Arguments of what makes it: one of them may be the size of an axis."""
    sources: Sequence[Slot] = ()
    """What it is made from: a size may be theirs, or along the axis ``merged`` the sum of theirs."""
    merged: int | None = None
    met: Partition | None = None
    """The condition whose arms meet in it: ``sources`` are what they give."""
    element_of: ListInput | None = None
    axes: dict[int, str] = field(default_factory=dict)
    """What the author calls the sizes of its axes."""
    variable: str | None = None
    """Its variable in ``forward``, in the end."""

    def at(self, row: Row) -> Value | None:
        """The value in a row; a turn of a loop sees what stands around the loop."""
        for each in row.lineage():
            if each in self.values:
                return self.values[each]
        return None

    def suggest(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)


@dataclass(eq=False)
class ListInput:
    """An input of ``forward`` that is a list of values."""

    names: list[str]
    variable: str | None = None


class Element(Term):
    """A value of a list that ``forward`` is given."""

    def __init__(self, of: ListInput, place: int) -> None:
        super().__init__()
        self.of = of
        self.place = place

    def final(self) -> ast.expr:
        assert self.of.variable is not None
        return ast.Subscript(ast.Name(self.of.variable), ast.Constant(self.place))

    def key(self) -> object:
        return self.of, self.place


class Ref(Term):
    """The value of a slot in an expression."""

    def __init__(self, slot: Slot) -> None:
        super().__init__()
        self.slot = slot

    def key(self) -> object:
        return self.slot

    def final(self) -> ast.expr:
        return read(self.slot)


class SizeOf(Term):
    """The size of an axis of a slot: ``x.shape[2]``."""

    def __init__(self, slot: Slot, axis: int) -> None:
        super().__init__()
        self.slot = slot
        self.axis = axis
        self.variable: str | None = None

    def value(self, row: Row) -> object:
        found = self.slot.at(row)
        if found is None:
            raise NoValue
        return found.shape[self.axis]

    def key(self) -> object:
        return self.slot, self.axis

    def final(self) -> ast.expr:
        if self.variable is not None:
            return ast.Name(self.variable)
        return ast.Subscript(ast.Attribute(read(self.slot), "shape"), ast.Constant(self.axis))


def read(slot: Slot) -> ast.expr:
    """A slot as ``forward`` reads it."""
    if slot.text is not None:
        return copied(slot.text)
    assert slot.variable is not None, "every slot that is read has a text or a variable"
    return ast.Name(slot.variable)


StepKey: TypeAlias = tuple[tree.Node, tuple[int, ...]]
"""A statement of the spec, in one turn of the loops around it that are written out."""


@dataclass(eq=False)
class Compute:
    """``outs = expression``. ``step`` is the statement of the spec that it belongs to."""

    outs: list[Slot]
    expression: ast.expr
    step: StepKey | None
    is_impure: bool
    is_merge: bool = False
    """Joins the branches of a combinator, whose expressions may stand in it."""
    is_light: bool = False
    """A normalisation or an activation: it goes well with the layer before it."""


@dataclass(eq=False)
class Join:
    """What two arms give: ``then`` where the condition holds."""

    out: Slot
    then: Slot
    orelse: Slot


@dataclass(eq=False)
class Branch:
    """An ``if`` whose arm differs between rows."""

    partition: Partition
    then: Flow
    orelse: Flow
    joins: list[Join] = field(default_factory=list)


@dataclass(eq=False)
class Carried:
    """What a loop hands from turn to turn: ``start`` before the first, ``inner`` in the body, ``out`` at the end.

    ``back`` is the body's slot that the next turn sees; it is known when the body is done.
    """

    start: Slot
    inner: Slot
    out: Slot
    back: Slot | None = None


@dataclass(eq=False)
class Repeat:
    """A loop of the emitted source."""

    target: ast.expr
    iterable: ast.expr
    body: Flow
    rows: dict[Row, list[Row]]
    """The rows of the turns, by the row around."""
    carried: list[Carried] = field(default_factory=list)


Statement: TypeAlias = Compute | Branch | Repeat


@dataclass(eq=False)
class Flow:
    """Statements one after the other. ``outer`` is the flow in which this one stands."""

    outer: Flow | None = None
    repeat: Repeat | None = None
    """The loop whose body it is."""
    ally: Flow | None = None
    """The same arm of an earlier ``if`` with the same condition: what is computed there is known here."""
    statements: list[Statement] = field(default_factory=list)

    def around(self) -> Iterator[Flow]:
        """The flow and those whose slots it sees, inner ones first."""
        flow: Flow | None = self
        while flow is not None:
            yield flow
            if flow.ally is not None:
                yield flow.ally
            flow = flow.outer


@dataclass(eq=False)
class Partition:
    """A condition that holds in some rows: ``condition`` in terms of the constructor's names.

    ``label`` is the attribute of a module that exists only where the condition holds (or, with ``absent``, only where
    it does not): ``forward`` asks for that; else for an attribute ``flag``.
    """

    holds: dict[Row, bool]
    condition: ast.expr
    name: str
    label: str | None = None
    is_absent: bool = False
    flag: Term | None = None
    question: ast.expr | None = None
    """The condition as ``forward`` can ask it itself."""

    def side(self, row: Row) -> bool | None:
        """Whether the condition holds in a row, as far as the row takes part."""
        return next((self.holds[r] for r in row.lineage() if r in self.holds), None)

    def same_as(self, rows: Sequence[Row], sides: Sequence[bool]) -> bool:
        return len(rows) == len(self.holds) and all(
            self.holds.get(row) is side for row, side in zip(rows, sides, strict=True)
        )


class Test(Term):
    """Whether the condition of a partition holds (or not), as ``forward`` asks."""

    def __init__(self, partition: Partition, holds: bool) -> None:
        super().__init__()
        self.partition = partition
        self.holds = holds

    def final(self) -> ast.expr:
        partition = self.partition
        if partition.label is not None:
            is_none = self.holds is partition.is_absent
            module = ast.Attribute(ast.Name("self"), partition.label)
            return ast.Compare(module, [ast.Is() if is_none else ast.IsNot()], [ast.Constant(None)])
        asked = partition.question if partition.flag is None else partition.flag
        assert asked is not None
        return copied(asked) if self.holds else negated(copied(asked))


class Choice(ast.IfExp):
    """``then if … else orelse``, by the condition of a partition; which way round is seen when that has its text."""

    partition: Partition

    @classmethod
    def of(cls, partition: Partition, then: ast.expr, orelse: ast.expr) -> Choice:
        choice = cls(Test(partition, True), then, orelse)
        choice.partition = partition
        return choice

    def oriented(self) -> ast.IfExp:
        """``x if self.module is None else self.module(x)``: what is there without the module comes first."""
        if self.partition.label is None or self.partition.is_absent:
            return ast.IfExp(self.test, self.body, self.orelse)
        return ast.IfExp(Test(self.partition, False), self.orelse, self.body)


def refs(node: ast.AST) -> Iterator[Ref | SizeOf]:
    """The slots that an expression reads, from left to right."""
    if isinstance(node, Ref | SizeOf):
        yield node
    for inner in ast.iter_child_nodes(node):
        yield from refs(inner)


def slots_of(node: ast.AST) -> Iterator[Slot]:
    """The slots that an expression reads, those that texts of others come to too."""
    for ref in refs(node):
        yield from reached(ref.slot)


def reached(slot: Slot) -> Iterator[Slot]:
    """A slot, and those that its text reads."""
    yield slot
    if slot.text is not None:
        yield from slots_of(slot.text)


def made_in(flow: Flow) -> Iterator[Slot]:
    """The slots that the statements of a flow make, but for those of the flows in it."""
    for statement in flow.statements:
        yield from made_by(statement)


def made_by(statement: Statement) -> list[Slot]:
    match statement:
        case Compute(outs=outs):
            return outs
        case Branch(joins=joins):
            return [join.out for join in joins]
        case Repeat(carried=carried):
            return [each.out for each in carried]


def reads(statement: Statement) -> Iterator[Slot]:
    """The slots that a statement reads, with those that the flows in it read."""
    match statement:
        case Compute(expression=expression):
            yield from slots_of(expression)
        case Branch(then=then, orelse=orelse, joins=joins):
            for arm in (then, orelse):
                yield from reads_of(arm)
            for join in joins:
                yield from (join.then, join.orelse)
        case Repeat(body=body, carried=carried):
            yield from reads_of(body)
            for each in carried:
                yield from (each.start, *([each.back] if each.back is not None else []))


def reads_of(flow: Flow) -> Iterator[Slot]:
    for statement in flow.statements:
        yield from reads(statement)


def is_impure(statement: Statement) -> bool:
    match statement:
        case Compute(is_impure=impure):
            return impure
        case Branch(then=then, orelse=orelse):
            return any(map(is_impure, (*then.statements, *orelse.statements)))
        case Repeat(body=body):
            return any(map(is_impure, body.statements))
