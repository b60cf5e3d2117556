"""Ways through the units of a panel."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.emit.diagram.sketch import Sketch, Unit

NEAR = 200
"""Units that a search backwards looks at before what derives from a unit is worked out and kept."""


class Bypasses:
    """Which units pass something that a merge reads besides them."""

    def __init__(self, sketch: Sketch) -> None:
        self._readers = sketch.readers()
        self._made_of: dict[Unit, set[Unit]] = {}

    def is_bypass(self, source: Unit, unit: Unit) -> bool:
        """Does something else that a merge reads derive from this?"""
        others = [s for s in unit.sources if s is not source]
        seen: set[Unit] = set()
        stack = list(others)
        while stack and len(seen) < NEAR:
            current = stack.pop()
            if current is source:
                return True
            if current not in seen:
                seen.add(current)
                stack.extend(current.sources)
        return bool(stack) and not self._derived(source).isdisjoint(others)

    def _derived(self, source: Unit) -> set[Unit]:
        """All that is made of a unit; what is read far away is often read many times."""
        if source not in self._made_of:
            found: set[Unit] = set()
            stack = list(self._readers[source])
            while stack:
                current = stack.pop()
                if current not in found:
                    found.add(current)
                    stack.extend(self._readers[current])
            self._made_of[source] = found
        return self._made_of[source]


def main_chain(units: Sequence[Unit]) -> list[Unit]:
    """The longest way through a panel, shortcuts not taken: the straight line of the figure."""
    length: dict[Unit, int] = {}
    before: dict[Unit, Unit] = {}
    for unit in in_order(units):
        ways = [(length[s], -number, s) for number, s in enumerate(unit.sources) if not s.is_aside]
        longest = max(ways, key=lambda way: way[:2], default=None)
        length[unit] = 1 + (longest[0] if longest else 0)
        if longest:
            before[unit] = longest[2]
    if not length:
        return []
    chain = [max(length, key=lambda u: length[u])]
    while chain[-1] in before:
        chain.append(before[chain[-1]])
    return chain[::-1]


def in_order(units: Sequence[Unit]) -> list[Unit]:
    """Units so that each comes after its sources."""
    placed: dict[Unit, None] = {}
    for unit in units:
        stack = [unit]
        while stack:
            waiting = [s for s in stack[-1].sources if s not in placed]
            if waiting:
                stack.extend(waiting)
            else:
                placed[stack.pop()] = None
    return list(placed)
