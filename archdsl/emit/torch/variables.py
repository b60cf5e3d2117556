"""Variables for the lines of a forward pass, and the statements that they become.

A variable is used again when what it held is no longer wanted, as a person would write ``x = …`` line after line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archdsl.emit.torch.flow import Ref, SizeOf, Slot, Test, reached, read, refs
from archdsl.emit.torch.names import RESERVED, Names, is_identifier
from archdsl.emit.torch.nesting import Assign, ForLine, IfLine, Line, Lines, assigned
from archdsl.emit.torch.terms import assign, literal, own

WISHES = ("x", "out", "y", "z", "u", "v")
"""Names for values that the author gave none."""
AXES: Mapping[int, tuple[str, ...]] = {
    1: ("length",),
    2: ("batch", "features"),
    3: ("batch", "length", "features"),
    4: ("batch", "channels", "height", "width"),
    5: ("batch", "channels", "depth", "height", "width"),
}
"""Names of sizes that the author gave none, by rank."""


class Variables:
    """Gives slots their variables."""

    def __init__(
        self, lines: Lines, inputs: Sequence[Slot], outputs: Sequence[Slot], returned: ast.expr | None
    ) -> None:
        self._lines = lines
        self._returned = returned
        self._outputs = _with_sources(outputs) if returned is None else _slots(returned)
        self._wishes: dict[Slot, list[str]] = {}
        taken = Names(RESERVED)
        self._lists: set[str] = set()
        for slot in inputs:
            listed = slot.element_of
            wishes = [n for n in (listed or slot).names if is_identifier(n)] or [WISHES[0]]
            if listed is None:
                slot.variable = taken.take(*wishes, f"{wishes[0]}_value")
            elif listed.variable is None:
                listed.variable = taken.take(*wishes, f"{wishes[0]}_value")
                self._lists.add(listed.variable)
        self._sizes = self._name_sizes([*inputs, *assigned(lines.body)])

    def statements(self, inputs: Sequence[Slot]) -> list[ast.stmt]:
        """The body of ``forward`` but for its return."""
        self._live = _Liveness(self._lines.body, self._outputs)
        self._name(self._lines.body)
        body = [s for slot in inputs for s in self._unpacked(slot)]
        return [*body, *self._block(self._lines.body)]

    # ---- sizes ----

    def _name_sizes(self, slots: Iterable[Slot]) -> dict[Slot, list[str]]:
        """Slots whose sizes are read so often that they get variables, with their names (``_``: not read)."""
        terms: dict[Slot, list[SizeOf]] = {}
        returned = [] if self._returned is None else [r for r in refs(self._returned) if isinstance(r, SizeOf)]
        for term in (*_size_terms(self._lines.body), *returned):
            terms.setdefault(term.slot, []).append(term)
        names = Names({*RESERVED, *WISHES, *(s.variable for s in slots if s.variable)})
        found = {}
        for slot, uses in terms.items():
            axes = {term.axis for term in uses}
            if len(axes) < 2 and len(uses) < 3:
                continue
            rank = len(next(iter(slot.values.values())).shape)
            row = ["_"] * rank
            for axis in sorted(axes):
                usual = AXES.get(rank, ())
                wish = slot.axes.get(axis) or (usual[axis] if axis < len(usual) else "size")
                row[axis] = names.take(wish, f"{wish}_size")
            found[slot] = row
            for term in uses:
                term.variable = row[term.axis]
        self._size_names = {n for row in found.values() for n in row}
        return found

    def _unpacked(self, slot: Slot | None) -> list[ast.stmt]:
        """``n, _, h, w = x.shape``."""
        if slot is None or slot not in self._sizes:
            return []
        target = ast.Tuple([ast.Name(n) for n in self._sizes[slot]])
        return [assign(target, ast.Attribute(read(slot), "shape"))]

    # ---- names ----

    def _name(self, body: Sequence[Line]) -> None:
        for line in body:
            after = self._live.after[line]
            match line:
                case Assign(outs=outs):
                    kept = [o for o in outs if o is not None]
                    for out in kept:
                        others = (after - {out}) | {o for o in kept if o is not out and o.variable is not None}
                        self._take(out, others)
                case IfLine():
                    self._name_if(line, after)
                case ForLine():
                    self._name_for(line, after)

    def _take(self, slot: Slot, others: Iterable[Slot], *first: str | None) -> None:
        """A name that none of the others holds."""
        if slot.text is not None:
            return
        held = {o.variable for o in others if o.text is None} | self._size_names | self._lists | RESERVED
        wishes = [*first, *self._wishes.get(slot, ()), *filter(is_identifier, slot.names), *WISHES]
        free = (w for w in wishes if w is not None and w not in held)
        numbered = (f"x{n}" for n in range(2, 10**6) if f"x{n}" not in held)
        slot.variable = next(free, None) or next(numbered)

    def _name_if(self, line: IfLine, after: set[Slot]) -> None:
        outs = {j.out for j in line.joins}
        for join in line.joins:
            arms = {*assigned(line.then), *assigned(line.orelse)}
            base = [s for s in (join.then, join.orelse) if s not in arms and s not in after and s.text is None]
            first = None if join.out.names or not base else base[0].variable
            self._take(join.out, after - {join.out} | {o for o in outs if o.variable is not None}, first)
            for side in (join.then, join.orelse):
                if side in arms and join.out.variable is not None:
                    self._wishes.setdefault(side, []).insert(0, join.out.variable)
        self._name(line.then)
        self._name(line.orelse)

    def _name_for(self, line: ForLine, after: set[Slot]) -> None:
        outs = {c.out for c in line.carried}
        inside = self._live.inside[line]
        for each in line.carried:
            others = (after - outs) | (inside - {c.inner for c in line.carried} - {each.start})
            others |= {c.inner for c in line.carried if c.inner.variable is not None}
            if each.start in after or each.start in inside:
                others = others | {each.start}
            first = each.start.variable if each.start.text is None else None
            self._take(each.inner, others - {each.inner}, first)
            each.out.variable = each.inner.variable
            if each.back is not None and each.inner.variable is not None:
                self._wishes.setdefault(each.back, []).insert(0, each.inner.variable)
        self._name(line.body)

    # ---- statements ----

    def _block(self, body: Sequence[Line]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        run: list[Line] = []
        for line in (*body, None):
            if line is not None and line.in_training:
                run.append(line)
                continue
            if run:
                out += self._training(run)
                run = []
            if line is not None:
                out += self._statements(line)
        return out

    def _training(self, run: Sequence[Line]) -> list[ast.stmt]:
        """What only training outputs need: it is left out at inference."""
        if len(run) == 1 and isinstance(run[0], Assign) and len(run[0].outs) == 1 and run[0].outs[0] is not None:
            line = run[0]
            value = ast.IfExp(own("training"), line.expression, literal(None))
            return [assign(Ref(run[0].outs[0]), value)]  # type: ignore[arg-type]
        if all(isinstance(line, Assign) and len(line.outs) == 1 for line in run) and _are_apart(run):
            return [s for line in run for s in self._training([line])]
        made = list(dict.fromkeys(s for s in assigned(run) if s in self._live.after[run[-1]]))
        empty = [assign(Ref(slot), literal(None)) for slot in made]
        body = [s for line in run for s in self._statements(line)]
        return [*empty, ast.If(own("training"), body, [])]

    def _statements(self, line: Line) -> list[ast.stmt]:
        match line:
            case Assign(outs=outs, expression=expression):
                sizes = [s for out in outs for s in self._unpacked(out)]
                return [assign(_target(outs), expression), *sizes]
            case IfLine():
                return self._if(line)
            case ForLine():
                return self._for(line)

    def _if(self, line: IfLine) -> list[ast.stmt]:
        then = [*self._block(line.then), *_copies([(j.out, j.then) for j in line.joins])]
        orelse = [*self._block(line.orelse), *_copies([(j.out, j.orelse) for j in line.joins])]
        partition = line.branch.partition
        sizes = [s for join in line.joins for s in self._unpacked(join.out)]
        if not then:
            return [ast.If(Test(partition, False), orelse, []), *sizes] if orelse else sizes
        return [ast.If(Test(partition, True), then, orelse), *sizes]

    def _for(self, line: ForLine) -> list[ast.stmt]:
        start = _copies([(c.inner, c.start) for c in line.carried])
        back = _copies([(c.inner, c.back) for c in line.carried if c.back is not None])
        body = [s for c in line.carried for s in self._unpacked(c.inner)] + self._block(line.body) + back
        loop = ast.For(line.repeat.target, line.repeat.iterable, body, [])
        return [*start, loop, *(s for c in line.carried for s in self._unpacked(c.out))]


def _are_apart(lines: Sequence[Line]) -> bool:
    """Does none of them read what another computes?"""
    made = set(assigned(lines))
    return all(made.isdisjoint(_slots(line.expression)) for line in lines if isinstance(line, Assign))


def _target(outs: Sequence[Slot | None]) -> ast.expr:
    names = [ast.Name("_") if o is None else Ref(o) for o in outs]
    return names[0] if len(names) == 1 else ast.Tuple(list(names))


def _copies(pairs: Sequence[tuple[Slot, Slot]]) -> list[ast.stmt]:
    """``a = b`` where they are not one variable; several at once, since one may be another's source."""
    moved = [(to, what) for to, what in pairs if what.text is not None or to.variable != what.variable]
    if not moved:
        return []
    if len(moved) == 1:
        return [assign(Ref(moved[0][0]), Ref(moved[0][1]))]
    return [assign(ast.Tuple([Ref(to) for to, _ in moved]), ast.Tuple([Ref(what) for _, what in moved]))]


def _size_terms(body: Iterable[Line]) -> Iterator[SizeOf]:
    for line in body:
        match line:
            case Assign(expression=expression):
                yield from (r for r in refs(expression) if isinstance(r, SizeOf))
            case IfLine(then=then, orelse=orelse):
                yield from _size_terms([*then, *orelse])
            case ForLine(repeat=repeat, body=inner):
                yield from (r for r in refs(repeat.iterable) if isinstance(r, SizeOf))
                yield from _size_terms(inner)


class _Liveness:
    """Which slots are wanted after each line."""

    def __init__(self, body: Sequence[Line], wanted: set[Slot]) -> None:
        self.after: dict[Line, set[Slot]] = {}
        self.inside: dict[ForLine, set[Slot]] = {}
        """What the body of a loop wants from around it and from turn to turn."""
        self._block(body, wanted)

    def _block(self, body: Sequence[Line], wanted: set[Slot]) -> set[Slot]:
        """What is wanted before the lines."""
        for line in reversed(body):
            self.after[line] = set(wanted)
            match line:
                case Assign(outs=outs, expression=expression):
                    wanted = (wanted - set(outs)) | _slots(expression)
                case IfLine(then=then, orelse=orelse, joins=joins):
                    rest = wanted - {j.out for j in joins}
                    first = self._block(then, rest | _with_sources(j.then for j in joins))
                    wanted = first | self._block(orelse, rest | _with_sources(j.orelse for j in joins))
                case ForLine():
                    wanted = self._loop(line, wanted)
        return wanted

    def _loop(self, line: ForLine, wanted: set[Slot]) -> set[Slot]:
        rest = wanted - {c.out for c in line.carried}
        inner = {c.inner for c in line.carried}
        backs = _with_sources(c.back for c in line.carried if c.back is not None)
        inside = self._block(line.body, rest | backs) - inner
        # what a turn reads from around the loop, the next turn reads too
        inside = self._block(line.body, rest | backs | inside) - inner
        self.inside[line] = inside
        return inside | rest | _slots(line.repeat.iterable) | _with_sources(c.start for c in line.carried)


def _slots(expression: ast.expr) -> set[Slot]:
    return _with_sources(
        ref.slot for ref in refs(expression) if not (isinstance(ref, SizeOf) and ref.variable is not None)
    )


def _with_sources(slots: Iterable[Slot]) -> set[Slot]:
    """The slots, and those that the texts of text slots read."""
    return {s for slot in slots for s in reached(slot)}
