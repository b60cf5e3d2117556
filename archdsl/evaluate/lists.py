"""Limits on lists, and what a loop runs over."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics.names import BadArithmetic, WrongKind
from archdsl.evaluate.builtins import MAX_LIST
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import SpecList, SpecValue, describe, is_list, is_size
from archdsl.syntax import tree


class Lists:
    """Counts the work that lists are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bounded(self, items: list[SpecValue], node: tree.Node) -> list[SpecValue]:
        """A list, if its lists within lists do not add up to too much: each may stand in it many times."""
        entries = _entries(items)
        if entries > MAX_LIST:
            raise too_long(f"more than {MAX_LIST:,}", node)
        self._session.spend(node, entries - len(items))
        return items

    def items_of(self, value: SpecValue, node: tree.Node) -> SpecList:
        """What a loop runs over; its turns are counted at once, so that an absurd number of them is never begun."""
        if not is_list(value):
            what = "a loop needs a list"
            advice = f"count with a range: `0..{node.span.text}`" if is_size(value) else None
            raise Fault(WrongKind(span=node.span, what=what, found=f"this is {describe(value)}", advice=advice))
        self._session.spend(node, max(0, value.stop - value.start) if isinstance(value, range) else len(value))
        return value


def too_long(count: str, node: tree.Node) -> Fault:
    """A list is beyond the limit."""
    reason, advice = f"this list would have {count} elements", f"a list has at most {MAX_LIST:,}"
    return Fault(BadArithmetic(span=node.span, reason=reason, advice=advice))


def _entries(items: list[SpecValue]) -> int:
    """Entries of a list and of the lists in it, however often each stands there; counted no further than needed."""
    count = 0
    open_lists: list[Iterator[SpecValue]] = [iter(items)]
    while open_lists and count <= MAX_LIST:
        for item in open_lists[-1]:
            count += 1
            if isinstance(item, range):
                count += len(item)
            elif isinstance(item, list):
                open_lists.append(iter(item))
                break
            if count > MAX_LIST:
                break
        else:
            open_lists.pop()
    return count
