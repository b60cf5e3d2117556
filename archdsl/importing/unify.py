"""Anti-unification: the texts of several instances as one, with numbers that are open and parts that are optional.

Bodies of different lengths are aligned (Needleman and Wunsch 1970) by how well their statements would unify; what only
some instances have is optional.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeAlias

from archdsl.importing.calls import Value
from archdsl.importing.tree import (
    Apply,
    Body,
    Condition,
    Do,
    For,
    If,
    Label,
    Labelled,
    Literal,
    Open,
    Range,
    Residual,
    Statement,
    Word,
    literal,
    walk,
)
from archdsl.op import parameters
from archdsl.ops import OPS_BY_NAME

Vector: TypeAlias = tuple[Literal | None, ...]
"""A number in each instance; None where an instance does not have it."""
LONGEST_DIFFERENCE = 3


class Apart(Exception):
    """The texts are not one."""


@dataclass(frozen=True)
class Blocks:
    """The blocks that are defined so far, with their parameters and defaults (None: required)."""

    parameters: dict[str, Mapping[str, Literal | None]] = field(
        default_factory=dict[str, "Mapping[str, Literal | None]"]
    )

    def defaults(self, name: object) -> Mapping[str, Literal | None]:
        """The parameters of a block or an operator."""
        if isinstance(name, str) and name in self.parameters:
            return self.parameters[name]
        op = OPS_BY_NAME.get(name) if isinstance(name, str) else None
        if op is None:
            return {}
        return {p.name: None if p.required else literal(p.default) for p in parameters(op)}


def is_activation(part: object) -> bool:
    """Is it an activation without arguments, which may be a parameter?"""
    if not isinstance(part, Apply) or part.arguments or not isinstance(part.name, str):
        return False
    op = OPS_BY_NAME.get(part.name)
    return part.name in ("identity",) or (op is not None and op.palette == "act" and not _required(part.name))


def _required(name: str) -> bool:
    return any(p.required for p in parameters(OPS_BY_NAME[name]))


@dataclass
class Unifier:
    """Makes one text of several.

    ``holes`` are the numbers that differ, with what each is for (the name of the argument); ``conditions`` say which
    instances have an optional part. ``strict`` allows no optional parts: for turns of a loop.
    """

    blocks: Blocks
    count: int
    strict: bool = False
    holes: list[tuple[Vector, str]] = field(default_factory=list["tuple[Vector, str]"])
    conditions: list[tuple[bool | None, ...]] = field(default_factory=list["tuple[bool | None, ...]"])

    def hole(self, vector: Sequence[Literal | None], purpose: str) -> Open:
        """The open number that has these values."""
        entry = (tuple(vector), purpose)
        if entry not in self.holes:
            self.holes.append(entry)
        return Open(self.holes.index(entry))

    def _full(self, values: Sequence[Literal], who: Sequence[int], absent: Literal | None = None) -> list[Any]:
        vector: list[Literal | None] = [absent] * self.count
        for index, value in zip(who, values, strict=True):
            vector[index] = value
        return vector

    def unify(self, parts: Sequence[Any], who: Sequence[int], purpose: str = "value") -> Any:
        """One part for all.

        Args:
            parts: the part in each instance.
            who: the numbers of these instances.
            purpose: the argument that the part belongs to.

        Raises:
            Apart: there is none.
        """
        first = parts[0]
        if all(part == first for part in parts):
            return first
        match first:
            case Literal() if all(isinstance(p, Literal) for p in parts):
                return self.hole(self._full(parts, who), purpose)
            case Body() if all(isinstance(p, Body) for p in parts):
                return Body(self.align([p.statements for p in parts], who))
            case Label() if all(isinstance(p, Label) and len(p.parts) == len(first.parts) for p in parts):
                return Label(
                    tuple(self.unify(each, who, "label") for each in zip(*(p.parts for p in parts), strict=True))
                )
            case Range() if all(isinstance(p, Range) for p in parts):
                return Range(self.unify([p.count for p in parts], who, "depth"))
            case Apply() if all(isinstance(p, Apply) for p in parts):
                return self._apply(parts, who)
            case tuple() if all(isinstance(p, tuple) and len(p) == len(first) for p in parts):
                return tuple(self.unify(each, who, purpose) for each in zip(*parts, strict=True))
        if any(type(p) is not type(first) for p in parts) or not is_dataclass(first) or isinstance(first, Value):
            raise Apart
        if isinstance(first, Residual):
            parts = self._same_sides(parts)
        merged = {f.name: self.unify([getattr(p, f.name) for p in parts], who, purpose) for f in fields(first)}
        return type(first)(**merged)

    def _apply(self, parts: Sequence[Apply], who: Sequence[int]) -> Apply:
        if len({p.name for p in parts}) > 1:
            if not all(map(is_activation, parts)):
                raise Apart
            return Apply(self.hole(self._full([Literal(Word(str(p.name)), "Word") for p in parts], who), "act"))
        defaults = self.blocks.defaults(parts[0].name)
        names = dict.fromkeys(name for p in parts for name, _ in p.arguments)
        arguments = []
        for name in names:
            values = [dict(p.arguments).get(name) or defaults.get(name) for p in parts]
            if any(value is None for value in values):
                raise Apart
            arguments.append((name, self.unify(values, who, name)))
        return Apply(parts[0].name, tuple(arguments))

    def _same_sides(self, parts: Sequence[Residual]) -> Sequence[Residual]:
        """Residuals with the branch that all have on the same side, where some have an empty shortcut."""
        full = next((p for p in parts if p.shortcut.statements), None)
        if self.strict or full is None or all(p.shortcut.statements for p in parts):
            return parts

        def fit(body: Body, other: Body) -> float:
            return sum(max((likeness(a, b) for b in other.statements), default=0.0) for a in body.statements)

        def turned(part: Residual) -> Residual:
            is_right = part.shortcut.statements or fit(part.body, full.body) >= fit(part.body, full.shortcut)
            return part if is_right else Residual(part.shortcut, part.body)

        return [turned(p) for p in parts]

    # ---- bodies ----

    def align(self, bodies: Sequence[tuple[Statement, ...]], who: Sequence[int]) -> tuple[Statement, ...]:
        """One list of statements for all."""
        if len({len(body) for body in bodies}) == 1:
            mark = len(self.holes), len(self.conditions)
            try:
                return tuple(self.unify(each, who) for each in zip(*bodies, strict=True))
            except Apart:
                del self.holes[mark[0] :], self.conditions[mark[1] :]
        if self.strict:
            raise Apart
        aligned: list[dict[int, Statement]] = []
        for index in sorted(range(len(bodies)), key=lambda j: -len(bodies[j])):
            aligned = _woven(aligned, bodies[index], index)
        common = sum(len(row) == len(bodies) for row in aligned)
        if len(aligned) - common > max(LONGEST_DIFFERENCE, common + 1):
            raise Apart
        return self._with_optional(aligned, len(bodies), who)

    def _with_optional(
        self, aligned: Sequence[dict[int, Statement]], total: int, who: Sequence[int]
    ) -> tuple[Statement, ...]:
        found: list[Statement] = []
        run: list[Statement] = []
        present: set[int] = set()

        def close() -> None:
            if run:
                vector: list[bool | None] = [None] * self.count
                for position, index in enumerate(who):
                    vector[index] = position in present
                self.conditions.append(tuple(vector))
                found.append(If(Condition(len(self.conditions) - 1), Body(tuple(run))))
                run.clear()

        for row in aligned:
            positions = sorted(row)
            statements = [row[p] for p in positions]
            having = [who[p] for p in positions]
            if len(positions) < total and (absent := self._absent(statements, having, who)) is not None:
                close()
                found.append(absent)
                continue
            merged = self.unify(statements, having)
            if len(positions) == total:
                close()
                found.append(merged)
                continue
            if isinstance(merged, Do) and merged.names:
                raise Apart
            if present != set(positions):
                close()
                present = set(positions)
            run.append(merged)
        close()
        return tuple(found)

    def _absent(self, statements: Sequence[Statement], having: Sequence[int], who: Sequence[int]) -> Statement | None:
        """A loop of no turns, or no activation, where an instance lacks a statement."""
        first = statements[0]
        if all(isinstance(s, For) and isinstance(s.source, Range) for s in statements):
            assert isinstance(first, For)
            body = self.unify([s.body for s in statements if isinstance(s, For)], having)
            counts: list[Any] = self._full([literal(0)] * len(who), who)
            for index, statement in zip(having, statements, strict=True):
                if isinstance(statement, For) and isinstance(statement.source, Range):
                    counts[index] = statement.source.count
            if not all(isinstance(c, Literal) or c is None for c in counts):
                raise Apart
            return For(first.variables, Range(self.hole(counts, "depth")), body)
        if all(isinstance(s, Do) and is_activation(s.item) and not s.names for s in statements):
            words = [Literal(Word("none"), "Word")] * len(who)
            vector = self._full(words, who)
            for index, statement in zip(having, statements, strict=True):
                if isinstance(statement, Do) and isinstance(statement.item, Apply):
                    vector[index] = Literal(Word(str(statement.item.name)), "Word")
            return Do(Apply(self.hole(vector, "act")))
        return None


# ---- likeness ----------------------------------------------------------------------------------------------


def signature(part: Any) -> Any:
    """What must be equal for two statements to unify, roughly."""
    match part:
        case Literal():
            return "number"
        case Body():
            return "body"
        case For() | If():
            return type(part).__name__
        case Apply():
            return "activation" if is_activation(part) else part.name
        case Label():
            return tuple(p if isinstance(p, str) else 0 for p in part.parts)
        case tuple():
            return tuple(map(signature, part))
        case _ if is_dataclass(part) and not isinstance(part, Value | type):
            return type(part).__name__, tuple(signature(getattr(part, f.name)) for f in fields(part))
    return part


def likeness(a: Statement, b: Statement) -> float:
    """How well two statements would unify; 0 if not at all."""
    if signature(a) != signature(b):
        return 0.0
    ours, theirs = _arguments(a), _arguments(b)
    if ours is not None and theirs is not None:
        names = {*ours, *theirs}
        equal = sum(ours.get(n) == theirs.get(n) for n in names) / max(1, len(names))
        return 1.0 + equal + 0.6 * (_pattern(ours) == _pattern(theirs))
    left, right = ([p for p in walk(s) if isinstance(p, Literal)] for s in (a, b))
    if not left or len(left) != len(right):
        return 1.0
    equal = sum(x == y for x, y in zip(left, right, strict=True)) / len(left)
    patterns = [tuple(tuple(x == y for y in side) for x in side) for side in (left, right)]
    return 1.0 + equal + 0.6 * (patterns[0] == patterns[1])


def _arguments(statement: Statement) -> dict[str, Any] | None:
    item = statement.item if isinstance(statement, Do) else None
    item = item.item if isinstance(item, Labelled) else item
    return dict(item.arguments) if isinstance(item, Apply) else None


def _pattern(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Which arguments have the same number, as a depthwise convolution has width and groups."""
    names = sorted(n for n, v in arguments.items() if isinstance(v, Literal) and v.kind == "int" and v.value > 1)
    return tuple((a, b) for i, a in enumerate(names) for b in names[i + 1 :] if arguments[a] == arguments[b])


def _woven(aligned: list[dict[int, Statement]], body: Sequence[Statement], index: int) -> list[dict[int, Statement]]:
    """The rows of an alignment with one more list of statements."""
    if not aligned:
        return [{index: statement} for statement in body]
    rows, columns = len(aligned), len(body)
    like = [[max(likeness(e, x) for e in row.values()) for x in body] for row in aligned]
    score = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    move = [[""] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for k in range(columns - 1, -1, -1):
            best = max((score[i + 1][k], "row"), (score[i][k + 1], "column"), key=lambda c: c[0])
            both = score[i + 1][k + 1] + like[i][k]
            if like[i][k] and both >= best[0]:
                best = (both, "both")
            score[i][k], move[i][k] = best
    found: list[dict[int, Statement]] = []
    i = k = 0
    while i < rows and k < columns:
        if move[i][k] == "both":
            found.append({**aligned[i], index: body[k]})
            i, k = i + 1, k + 1
        elif move[i][k] == "row":
            found.append(aligned[i])
            i += 1
        else:
            found.append({index: body[k]})
            k += 1
    return found + aligned[i:] + [{index: statement} for statement in body[k:]]


def unified(
    blocks: Blocks, texts: Sequence[tuple[Statement, ...]], strict: bool = False
) -> tuple[Unifier, Body] | None:
    """One text for several; None if there is none."""
    unifier = Unifier(blocks, len(texts), strict)
    try:
        return unifier, Body(unifier.align(texts, list(range(len(texts)))))
    except Apart:
        return None
