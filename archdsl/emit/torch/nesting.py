"""From the flow of a forward pass to its lines: what is left out, and what is said inside of what.

A value that is used once can stand where it is used. It does where a person would put it there: within one statement
of the spec, around a short step, or as a branch of a combinator; never so that random numbers are drawn in another
order, and not beyond the length of a line that reads well.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.emit.torch.flow import (
    Branch,
    Carried,
    Choice,
    Compute,
    Element,
    Flow,
    Join,
    Ref,
    Repeat,
    SizeOf,
    Slot,
    Statement,
    StepKey,
    Test,
    is_impure,
    reached,
    refs,
    slots_of,
)
from archdsl.emit.torch.render import flat
from archdsl.emit.torch.terms import Term, copied

LONGEST = 72
"""A nested expression is at most so long."""
DEEPEST = 3
"""Calls inside each other."""
LONGEST_ACROSS = 44
"""A normalisation or activation goes with the layer of the statement before, if the whole is no longer."""
SHORT = 28
"""A step that is said inside the next one is at most so long."""
LONGEST_MERGE = 84
"""One that joins branches may be a little longer."""
LONGEST_PLAIN_MERGE = 110
"""And longer still, on two lines, if no branch is more than one call."""


@dataclass(eq=False)
class Assign:
    """``outs = expression``; an out that nothing reads is None."""

    outs: list[Slot | None]
    expression: ast.expr
    step: StepKey | None
    is_impure: bool
    is_merge: bool
    is_light: bool
    in_training: bool
    """Only training outputs need it."""


@dataclass(eq=False)
class IfLine:
    branch: Branch
    then: list[Line]
    orelse: list[Line]
    joins: list[Join]
    in_training: bool


@dataclass(eq=False)
class ForLine:
    repeat: Repeat
    body: list[Line]
    carried: list[Carried]
    in_training: bool


Line: TypeAlias = "Assign | IfLine | ForLine"


@dataclass
class Lines:
    """The forward pass as lines."""

    body: list[Line]
    uses: Counter[Slot]
    sized: Counter[Slot]


# ---- what is needed ----------------------------------------------------------------------------------------


@dataclass
class Needed:
    """Statements, joins and hand-overs of loops that some output needs."""

    kept: set[object] = field(default_factory=set)

    def walk(self, flow: Flow, wanted: set[Slot]) -> set[Slot]:
        """Mark what a flow must compute; returns all slots that are wanted, here and outside."""
        for statement in reversed(flow.statements):
            match statement:
                case Compute(outs=outs, expression=expression):
                    if not wanted.isdisjoint(outs):
                        self.kept.add(statement)
                        wanted = wanted | set(slots_of(expression))
                case Branch():
                    wanted = self._branch(statement, wanted)
                case Repeat():
                    wanted = self._repeat(statement, wanted)
        return wanted

    def _branch(self, branch: Branch, wanted: set[Slot]) -> set[Slot]:
        joins = [j for j in branch.joins if j.out in wanted]
        if not joins:
            return wanted
        self.kept.add(branch)
        self.kept.update(joins)
        then = self.walk(branch.then, {s for j in joins for s in reached(j.then)})
        return wanted | then | self.walk(branch.orelse, {s for j in joins for s in reached(j.orelse)})

    def _repeat(self, repeat: Repeat, wanted: set[Slot]) -> set[Slot]:
        needed = [c for c in repeat.carried if c.out in wanted]
        while needed:
            inside = self.walk(repeat.body, {s for c in needed if c.back is not None for s in reached(c.back)})
            more = [c for c in repeat.carried if c not in needed and c.inner in inside]
            if not more:
                self.kept.add(repeat)
                self.kept.update(needed)
                return wanted | inside | {s for c in needed for s in reached(c.start)}
            needed += more
        return wanted


# ---- lines -------------------------------------------------------------------------------------------------


class Nesting:
    """Makes lines of a flow."""

    def __init__(self, top: Flow, outputs: Sequence[Slot], training_outputs: Sequence[Slot]) -> None:
        always, training = Needed(), Needed()
        always.walk(top, {s for o in outputs for s in reached(o)})
        training.walk(top, {s for o in (*outputs, *training_outputs) for s in reached(o)})
        self._always, self._kept = always.kept, training.kept
        self.uses: Counter[Slot] = Counter(s for o in (*outputs, *training_outputs) for s in reached(o))
        self.sized: Counter[Slot] = Counter()
        self._steps: Counter[StepKey] = Counter()
        self._heavy: Counter[StepKey] = Counter()
        """Of its computations, those that are no normalisation or activation."""
        self._flow = top

    def lines(self) -> Lines:
        body = self._lines(self._flow)
        self._count(body)
        return Lines(self._folded(body), self.uses, self.sized)

    def _lines(self, flow: Flow) -> list[Line]:
        return [self._line(s) for s in flow.statements if s in self._kept]

    def _line(self, statement: Statement) -> Line:
        in_training = statement not in self._always
        match statement:
            case Compute(outs, expression, step, impure, merge, light):
                if step is not None:
                    self._steps[step] += 1
                    self._heavy[step] += not light
                return Assign(list(outs), expression, step, impure, merge, light, in_training)
            case Branch(then=then, orelse=orelse, joins=joins):
                kept = [j for j in joins if j in self._kept]
                return IfLine(statement, self._lines(then), self._lines(orelse), kept, in_training)
            case Repeat(body=body, carried=carried):
                handed = [c for c in carried if c in self._kept]
                return ForLine(statement, self._lines(body), handed, in_training)

    # ---- counting ----

    def _count(self, body: Iterable[Line]) -> None:
        for line in body:
            match line:
                case Assign(expression=expression):
                    self._count_refs(expression)
                case IfLine(then=then, orelse=orelse, joins=joins):
                    self._count([*then, *orelse])
                    for join in joins:
                        self.uses.update([*reached(join.then), *reached(join.orelse)])
                case ForLine(repeat=repeat, body=inner, carried=carried):
                    self._count_refs(repeat.iterable)
                    self._count(inner)
                    for each in carried:
                        # read in every turn: not to be said inside the loop
                        self.uses.update([*reached(each.start), *reached(each.start), each.inner])
                        self.uses.update(reached(each.back) if each.back is not None else [])

    def _count_refs(self, expression: ast.expr) -> None:
        for ref in refs(expression):
            (self.sized if isinstance(ref, SizeOf) else self.uses)[ref.slot] += 1
            if ref.slot.text is not None:
                self._count_refs(ref.slot.text)

    # ---- nesting ----

    def _folded(self, body: list[Line]) -> list[Line]:
        """The lines, with what is used once said where it is used."""
        out: list[Line] = []
        for line in body:
            match line:
                case Assign():
                    self._nest(line, out)
                    line.outs = [o if o is not None and self._is_read(o) else None for o in line.outs]
                    out.append(line)
                case IfLine(then=then, orelse=orelse):
                    line.then, line.orelse = self._folded(then), self._folded(orelse)
                    short = self._ternary(line)
                    if isinstance(short, Assign):
                        self._nest(short, out)
                    out.append(short)
                case ForLine(body=inner):
                    line.body = self._folded(inner)
                    out.append(line)
        return out

    def _is_read(self, slot: Slot) -> bool:
        return self.uses[slot] > 0 or self.sized[slot] > 0

    def _nest(self, line: Assign, before: list[Line]) -> None:
        """Put into a line what earlier ones compute for it alone."""
        for ref in reversed(list(refs(line.expression))):
            if isinstance(ref, SizeOf):
                continue
            maker = self._maker(ref.slot, before)
            if maker is None or not _keeps_order(maker, before):
                continue
            nested = copied(line.expression, {ref: maker.expression})
            if self._reads_well(maker, line, nested):
                line.expression = nested
                line.is_impure |= maker.is_impure
                line.is_light &= maker.is_light
                before.remove(maker)

    def _maker(self, slot: Slot, before: Sequence[Line]) -> Assign | None:
        """The line that computes a slot, where it does nothing else and nobody else wants it."""
        if self.uses[slot] != 1 or self.sized[slot] or slot.is_named or slot.text is not None:
            return None
        return next((b for b in reversed(before) if isinstance(b, Assign) and b.outs == [slot]), None)

    def _reads_well(self, maker: Assign, line: Assign, nested: ast.expr) -> bool:
        if isinstance(maker.expression, ast.IfExp):
            return False
        length = len(flat(drafted(nested)))
        if line.is_merge:
            return length <= (LONGEST_PLAIN_MERGE if _depth(nested) <= 2 else LONGEST_MERGE)
        if length > LONGEST or _depth(nested) > DEEPEST:
            return False
        if maker.step is not None and maker.step == line.step:
            return True
        if _same_line(maker.step, line.step) and (maker.is_light or not _calls_module(line.expression)):
            return True
        is_all_light = line.step is not None and not self._heavy[line.step]
        if is_all_light and not maker.is_merge and length <= LONGEST_ACROSS:
            return True
        if maker.is_light and _depth(maker.expression) == 1 and length <= LONGEST_ACROSS:
            return True
        return self._is_light(line) or self._is_short(maker)

    def _is_light(self, line: Assign) -> bool:
        """A step that is one function of the stream alone: ``relu``."""
        if line.step is None or self._steps[line.step] != 1:
            return False
        node = line.expression
        return isinstance(node, ast.Call) and _is_function(node) and len(node.args) == 1 and not node.keywords

    def _is_short(self, maker: Assign) -> bool:
        """A step that is one function, of a variable: ``F.avg_pool2d(x, 2)``."""
        if maker.step is None or self._steps[maker.step] != 1 or maker.is_merge:
            return False
        node = maker.expression
        if not isinstance(node, ast.Call) or not _is_function(node):
            return False
        nested = any(isinstance(inner, ast.Call) for arg in node.args for inner in ast.walk(arg))
        return not nested and len(flat(drafted(node))) <= SHORT

    def _ternary(self, line: IfLine) -> Line:
        """``a if condition else b``, where both arms are but expressions."""
        if len(line.joins) != 1:
            return line
        join = line.joins[0]
        then, orelse = _only(line.then, join.then), _only(line.orelse, join.orelse)
        if then is None or orelse is None:
            return line
        expression = Choice.of(line.branch.partition, then, orelse)
        if len(flat(drafted(expression))) > LONGEST_MERGE:
            return line
        impure = any(map(_draws, (*line.then, *line.orelse)))
        return Assign([join.out], expression, None, impure, False, False, line.in_training)


def _only(lines: Sequence[Line], slot: Slot) -> ast.expr | None:
    """The expression that an arm is, if it is no more than one."""
    if not lines:
        return Ref(slot)
    if len(lines) == 1 and isinstance(lines[0], Assign) and lines[0].outs == [slot] and not slot.is_named:
        expression = lines[0].expression
        return None if isinstance(expression, ast.IfExp) else expression
    return None


def _keeps_order(maker: Assign, before: Sequence[Line]) -> bool:
    """Are random numbers drawn in the same order, if it moves behind what follows it?

    What a line reads is tried from the right: what stands to the right of it there is drawn behind it.
    """
    return not (maker.is_impure and any(map(_draws, before[before.index(maker) + 1 :])))


def _draws(line: Line) -> bool:
    match line:
        case Assign(is_impure=impure):
            return impure
        case IfLine(branch=statement) | ForLine(repeat=statement):
            return is_impure(statement)


def _same_line(first: StepKey | None, second: StepKey | None) -> bool:
    """Do two statements of the spec stand on one line?"""
    if first is None or second is None or first[1] != second[1]:
        return False
    ends = [first[0].span.source.position(offset).line for offset in (first[0].span.end - 1, second[0].span.start)]
    return ends[0] == ends[1] and first[0].span.source is second[0].span.source


def _depth(node: ast.AST) -> int:
    """How many calls stand inside each other; a chain of methods is one."""
    if not isinstance(node, ast.Call):
        return max(map(_depth, ast.iter_child_nodes(node)), default=0)
    inner = max(map(_depth, (*node.args, *node.keywords)), default=0)
    return max(inner + 1, _depth(node.func) if isinstance(node.func, ast.Attribute) else 0)


def _calls_module(node: ast.expr) -> bool:
    """``self.conv1(…)``."""
    return isinstance(node, ast.Call) and not _is_function(node) and not isinstance(node.func, ast.Name)


def _is_function(node: ast.Call) -> bool:
    """``F.relu(…)``, ``torch.cat(…)``, ``drop_path(…)``; no module's call."""
    function = node.func
    if isinstance(function, ast.Name):
        return True
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id != "self"


def drafted(node: ast.expr) -> ast.expr:
    """The expression as it will look, nearly: variables have no names yet."""

    class Draft(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            match node:
                case Ref(slot=slot):
                    return self.visit(slot.text) if slot.text is not None else ast.Name(_guess(slot))
                case Element(of=listed, place=place):
                    return ast.Subscript(ast.Name(listed.names[0]), ast.Constant(place))
                case SizeOf():
                    return ast.Name("size")
                case Test():
                    return ast.Name("self.condition_holds")
                case Term():
                    return self.visit(node.final())
            return super().generic_visit(node)

    drafted: ast.expr = Draft().visit(copied(node))  # type: ignore[assignment]
    return drafted


def _guess(slot: Slot) -> str:
    return slot.names[0] if slot.names else "x"


def assigned(lines: Iterable[Line]) -> Iterator[Slot]:
    """The slots that lines give a value to, those of inner lines too."""
    for line in lines:
        match line:
            case Assign(outs=outs):
                yield from (o for o in outs if o is not None)
            case IfLine(then=then, orelse=orelse, joins=joins):
                yield from assigned([*then, *orelse])
                yield from (j.out for j in joins)
            case ForLine(body=body, carried=carried):
                yield from assigned(body)
                for each in carried:
                    yield from (each.inner, each.out)
