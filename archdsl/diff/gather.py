"""Equal edits at several places as one change: "stride 1 → 2 in ``layer{2,3,4}.0.conv1``"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from archdsl.diff.align import Pairs
from archdsl.diff.edits import Edit, EditKind
from archdsl.diff.parts import Group, Leaf, Part
from archdsl.diff.places import column, located, places
from archdsl.record import record

T = TypeVar("T")


@record
class Change:
    """Equal edits: ``name`` in each of the ``scopes``. The other fields are those of an `Edit`.

    ``place`` is all places as one text.

    ``repeated``: the number of equal blocks in a scope changed from ``before`` to ``after``; ``name`` is those that are
    new or gone.
    """

    kind: EditKind
    scopes: tuple[str, ...]
    name: str
    place: str
    what: str
    before: str
    after: str
    argument: str
    follows: bool
    edits: tuple[Edit, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted path of each place: of removed parts in the first network, else in the second."""
        return tuple(dict.fromkeys(edit.path for edit in self.edits))


def gathered(edits: Sequence[Edit], pairs: Pairs, runs: Mapping[str, Collection[str]]) -> tuple[Change, ...]:
    """The edits as changes, in order of their first places; ``runs`` are the paths of all runs of each block."""
    units = [
        _with_places(group) for group in _grouped(edits, lambda edit: _repeats_of(edit, pairs) or _nest_of(edit, pairs))
    ]
    changes = [_counted(unit, pairs) for unit in units]
    return tuple(_merged(group, runs) for group in _in_groups(changes, _key))


def _grouped(edits: Sequence[Edit], key: Callable[[Edit], Hashable | None]) -> Iterator[list[Edit]]:
    """Edits that have one key together; those without a key alone."""
    return _in_groups(edits, lambda edit: key(edit) or ("alone", id(edit)))


def _in_groups(items: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[list[T]]:
    found: dict[Hashable, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    yield from found.values()


# ---- within one scope --------------------------------------------------------------------------------------


def _repeats_of(edit: Edit, pairs: Pairs) -> Hashable | None:
    """For a block that is new or gone beside others of its kind: its scope and kind."""
    if edit.kind not in ("added", "removed"):
        return None
    part = (edit.new or edit.old)[0]
    if not isinstance(part, Group) or part.instance.scope.name is None or part.parent is None:
        return None
    paired = pairs.back if edit.new else pairs.forth
    has_kin = any(isinstance(p, Group) and p.kind == part.kind and p in paired for p in part.parent.children)
    return (edit.kind, edit.scope, part.kind) if has_kin and part.parent in paired else None


def _nest_of(edit: Edit, pairs: Pairs) -> Hashable | None:
    """For a part that came into another scope: both scopes."""
    if edit.kind != "renamed":
        return None
    old, new = edit.old[0].parent, edit.new[0].parent
    return None if old is None or pairs.forth.get(old) is new else ("nested", edit.old[0].scope, edit.new[0].scope)


def _with_places(edits: list[Edit]) -> Change:
    first = edits[0]
    before, after = first.before, first.after
    if first.kind == "renamed" and len(edits) > 1:
        before, after = (places([getattr(edit, side) for edit in edits]) for side in ("before", "after"))
    name = column([edit.name for edit in edits])
    return Change(
        first.kind, (first.scope,), name, "", first.what, before, after, first.argument, first.follows, tuple(edits)
    )


def _counted(change: Change, pairs: Pairs) -> Change:
    """A change of the number of equal blocks as such."""
    edit = change.edits[0]
    if _repeats_of(edit, pairs) is None:
        return change
    part = (edit.new or edit.old)[0]
    here = part.parent
    assert here is not None
    there = pairs.back[here] if edit.new else pairs.forth[here]
    assert isinstance(there, Group)
    counts = [str(sum(p.kind == part.kind for p in group.children)) for group in (here, there)]
    before, after = reversed(counts) if edit.new else counts
    return Change(
        "repeated", change.scopes, change.name, "", change.what, before, after, edit.kind, False, change.edits
    )  # fmt: skip


# ---- over repeats ------------------------------------------------------------------------------------------


def _key(change: Change) -> Hashable:
    """Equal for changes that are one: in scopes of one block, of parts of one name, with the same values or text."""
    part = _part(change)
    values: Hashable = (change.before, change.after)
    if change.kind == "changed" and isinstance(part, Leaf):
        values = id(part.node.site)
    return change.kind, _around(part), change.name, change.argument, _operator(part), change.follows, values


def _around(part: Part | None) -> str | None:
    return part.parent.instance.scope.name if part is not None and part.parent is not None else None


def _operator(part: Part | None) -> str | None:
    return part.kind if part is not None else None


def _merged(changes: list[Change], runs: Mapping[str, Collection[str]]) -> Change:
    first = changes[0]
    whats = list(dict.fromkeys(change.what for change in changes))
    what = whats[0] if len(whats) == 1 else _operator(_part(first)) or ""
    values = list(dict.fromkeys((change.before, change.after) for change in changes))
    before, after = (", ".join(dict.fromkeys(pair[side] for pair in values)) for side in (0, 1))
    scopes = tuple(dict.fromkeys(scope for change in changes for scope in change.scopes))
    edits = tuple(edit for change in changes for edit in change.edits)
    part = _part(first)
    around = None if part is None else _around(part)
    place = located(first.name, scopes, around, runs)
    return Change(first.kind, scopes, first.name, place, what, before, after, first.argument, first.follows, edits)


def _part(change: Change) -> Part | None:
    edit = change.edits[0]
    return next(iter(edit.new or edit.old), None)
