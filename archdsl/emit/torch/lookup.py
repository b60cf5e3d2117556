"""Which slot of the forward holds a value of the graph.

Where no slot does, one is made: a join after an ``if``, what a loop hands on to its next turn, an input of the class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from archdsl.emit.torch.flow import Branch, Carried, Flow, Join, Repeat, Slot, made_by
from archdsl.emit.torch.loops import Loops
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.graph import Value

Wanted = Sequence[tuple[Row, Value]]


class Lookup(Loops):
    """Finds slots."""

    def enter_slot(self, slot: Slot) -> Slot:
        """Make a slot findable by its values."""
        for value in dict.fromkeys(slot.values.values()):
            self.state.slots.setdefault(value, []).append(slot)
        return slot

    def look(self, wanted: Wanted, flow: Flow) -> Slot:
        found = self._visible(wanted, flow) or self._joined(wanted, flow) or self._carried(wanted, flow)
        return found or self._imported(wanted)

    def _visible(self, wanted: Wanted, flow: Flow) -> Slot | None:
        """The slot of the innermost flow that holds the values; the first of them."""
        candidates = [s for s in self.state.slots.get(wanted[0][1], ()) if all(s.at(r) is v for r, v in wanted)]
        for each in flow.around():
            for slot in candidates:
                if slot.flow is each:
                    return slot
        return None

    # ---- where arms meet ----

    def _joined(self, wanted: Wanted, flow: Flow) -> Slot | None:
        """A join of what the two arms of an ``if`` give."""
        for each in flow.around():
            for statement in reversed(each.statements):
                if isinstance(statement, Branch):
                    found = self._join(wanted, statement, each)
                    if found is not None:
                        return found
        return None

    def _join(self, wanted: Wanted, branch: Branch, flow: Flow) -> Slot | None:
        holds = branch.partition.holds
        values = _by_ancestor(wanted, holds)
        if values is None or len({holds[row] for row in values}) < 2:
            return None
        try:
            then = self._arm_value([(r, v) for r, v in values.items() if holds[r]], branch.then)
            orelse = self._arm_value([(r, v) for r, v in values.items() if not holds[r]], branch.orelse)
        except Conflict:
            return None
        if then is None or orelse is None or _made_later(then, branch, flow) or _made_later(orelse, branch, flow):
            return None
        met = {row: (then if side else orelse).at(row) for row, side in holds.items()}
        out = Slot(flow, {row: value for row, value in met.items() if value is not None})
        out.sources, out.met = (then, orelse), branch.partition
        for name in (*then.names, *orelse.names):
            out.suggest(name)
        out.is_named = any(s.is_named and s.flow in (branch.then, branch.orelse) for s in (then, orelse))
        branch.joins.append(Join(out, then, orelse))
        return self.enter_slot(out)

    def _arm_value(self, wanted: Wanted, arm: Flow) -> Slot | None:
        return self._visible(wanted, arm) or self._joined(wanted, arm)

    # ---- from turn to turn ----

    def _carried(self, wanted: Wanted, flow: Flow) -> Slot | None:
        """What a loop hands on, as its body sees it."""
        body = next((f for f in flow.around() if f.repeat is not None), None)
        if body is None or body.repeat is None or body.outer is None:
            return None
        turns = [row for rows in body.repeat.rows.values() for row in rows]
        values = _by_ancestor(wanted, turns)
        if values is None or len(values) < len(turns):
            return None
        firsts = [(row, values[rows[0]]) for row, rows in body.repeat.rows.items() if rows]
        start = self.look(firsts, body.outer)
        ends = {row: v for row in body.repeat.rows if (v := start.at(row)) is not None}
        carried = Carried(start, Slot(body, values), Slot(body.outer, ends))
        body.repeat.carried.append(carried)
        return self.enter_slot(carried.inner)

    def close(self, repeat: Repeat) -> None:
        """At the end of a loop: find what each turn hands on.

        Raises:
            Conflict: the turns do not follow from each other.
        """
        for carried in repeat.carried:
            following = [
                (row, carried.inner.values[after]) for rows in repeat.rows.values() for row, after in pairwise(rows)
            ]
            carried.back = self._arm_value(following, repeat.body)
            if carried.back is None:
                raise Conflict("a turn of a loop does not follow from the one before")
            for row, rows in repeat.rows.items():
                last = carried.back.at(rows[-1]) if rows else None
                if last is not None:
                    carried.out.values[row] = last
            self.enter_slot(carried.out)

    # ---- from outside ----

    def _imported(self, wanted: Wanted) -> Slot:
        """A new input of the class, for a value from outside of it."""
        values = _by_ancestor(wanted, self.rows)
        rows = [row for row, _ in wanted]
        if values is None or any(self.file.is_inside(v, row.instance) for row, v in values.items()):
            raise Conflict("a value is out of reach", rows, [self.file.site_of(v) for _, v in wanted])
        if len(values) < len(self.rows):
            raise Conflict("a value is read in some instances only", self.rows, [row in values for row in self.rows])
        return self.add_import(values)

    def add_import(self, values: dict[Row, Value]) -> Slot:
        slot = Slot(self.top, values)
        for name in self._outer_names(values):
            slot.suggest(name)
        self.state.imports.append(slot)
        return self.enter_slot(slot)

    def _outer_names(self, values: dict[Row, Value]) -> Iterable[str]:
        """What the author calls it where the scope begins."""
        row, value = next(iter(values.items()))
        env = row.instance.env
        while env is not None:
            yield from (name for name, what in env.names.items() if what is value)
            env = env.parent


def _made_later(slot: Slot, branch: Branch, flow: Flow) -> bool:
    """Is it computed only behind the ``if``?"""
    if slot.flow is not flow:
        return False
    later = flow.statements[flow.statements.index(branch) + 1 :]
    return any(slot in made_by(statement) for statement in later)


def _by_ancestor(wanted: Wanted, rows: Iterable[Row]) -> dict[Row, Value] | None:
    """The values by the rows among ``rows`` in which they stand; None if one stands in none, or they disagree."""
    known = set(rows)
    values: dict[Row, Value] = {}
    for row, value in wanted:
        around = next((r for r in row.lineage() if r in known), None)
        if around is None or values.setdefault(around, value) is not value:
            return None
    return values
