"""What a model demands of its symbols, put together from what its layers demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archdsl.dims.atoms import TooLarge
from archdsl.dims.evaluate import symbols
from archdsl.dims.facts import Condition, Member, Relation
from archdsl.dims.ranges import ANY, Range
from archdsl.dims.wording import describe_range, describe_relation
from archdsl.record import record


@record(slots=True)
class Precondition:
    """What sizes must satisfy for the model to accept them, and who requires it."""

    conditions: tuple[Condition, ...]
    """One relation, or one range for each of some symbols."""
    origins: tuple[object, ...]
    undecided: bool = False
    """Kept because it could neither be proved nor be shown to fail."""

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols it is about."""
        return frozenset[str]().union(*map(_symbols, self.conditions))

    @property
    def text(self) -> str:
        """It as people write it: "H and W must be multiples of 32, at least 96"."""
        first = self.conditions[0]
        if isinstance(first, Relation):
            return describe_relation(first)
        names = [condition.symbol for condition in self.conditions if isinstance(condition, Member)]
        return describe_range(names, first.range)


@record(slots=True)
class Demand:
    """One condition that one origin has made a precondition."""

    condition: Condition
    origin: object
    undecided: bool


def gather(demands: Sequence[Demand]) -> list[Precondition]:
    """The preconditions: ranges in the order in which their symbols came up, then relations.

    The ranges of one symbol are met, and symbols with the same range stand together. Of the origins of a
    range those are named without whom it would be wider.
    """
    of_symbol: dict[str, list[tuple[Range, object]]] = {}
    relations: list[Precondition] = []
    for demand in demands:
        match demand.condition:
            case Member(symbol=name, range=known):
                of_symbol.setdefault(name, []).append((known, demand.origin))
            case Relation():
                relations.append(Precondition((demand.condition,), _distinct([demand.origin]), demand.undecided))
    by_range: dict[Range, list[tuple[str, Sequence[object]]]] = {}
    for name, required in of_symbol.items():
        for known, origins in _met(required):
            by_range.setdefault(known, []).append((name, origins))
    return [_range_precondition(known, found) for known, found in by_range.items()] + relations


def _range_precondition(known: Range, found: list[tuple[str, Sequence[object]]]) -> Precondition:
    members = tuple(Member(name, known) for name, _ in found)
    return Precondition(members, _distinct([origin for _, origins in found for origin in origins]))


def _met(required: list[tuple[Range, object]]) -> list[tuple[Range, Sequence[object]]]:
    """The common range and the origins that it takes; all ranges apart where it cannot be listed."""
    try:
        return [_common(required)]
    except TooLarge:
        return [(known, [origin]) for known, origin in required]


def _common(required: list[tuple[Range, object]]) -> tuple[Range, list[object]]:
    """The common range, and the origins that are left when those that add nothing are dropped, in order."""
    later = [ANY]  # what all that come after demand, from the end
    for known, _ in reversed(required):
        later.append(_meet(later[-1], known))
    final, kept, origins = later.pop(), ANY, list[object]()
    for known, origin in required:
        if _meet(kept, later.pop()) != final:
            kept = _meet(kept, known)
            origins.append(origin)
    return final, origins


def _meet(one: Range, other: Range) -> Range:
    met = one.meet(other)
    assert met is not None, "a demand that leaves no sizes is refused when it is made"
    return met


def _symbols(condition: Condition) -> frozenset[str]:
    return frozenset((condition.symbol,)) if isinstance(condition, Member) else symbols(condition.size)


def _distinct(origins: Iterable[object]) -> tuple[object, ...]:
    """The origins, each once, by identity: they need not be hashable. None is no origin."""
    seen: dict[int, object] = {id(origin): origin for origin in origins if origin is not None}
    return tuple(seen.values())
