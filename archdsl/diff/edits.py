"""The edits that make one network of the other, each at its place, before equal ones are gathered.

What only follows from another edit is none: numbers that an insertion shifts, arguments that are computed from the
shapes that arrive, inputs that come through a new layer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from archdsl.diff.align import Pairs
from archdsl.diff.follows import Expression, follows
from archdsl.diff.parts import Group, Leaf, Part
from archdsl.diff.reading import Wires
from archdsl.init import Init
from archdsl.op.arguments import show
from archdsl.record import record

EditKind: TypeAlias = Literal[
    "added", "removed", "repeated", "moved", "renamed", "replaced", "changed", "shifted", "rewired", "reordered"
]


@record
class Edit:
    """One edit at one place: ``name`` in the scope of path ``scope``.

    ``what`` is the operator or block, ``argument`` the one that is changed or shifted to another layer, ``before`` and
    ``after`` its values, or the names, operators or inputs. ``old`` and ``new`` are the parts in the two networks.
    ``follows``: computed
    from shapes that another edit changed.
    """

    kind: EditKind
    scope: str
    name: str
    what: str
    before: str = ""
    after: str = ""
    argument: str = ""
    follows: bool = False
    old: tuple[Part, ...] = ()
    new: tuple[Part, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.scope}.{self.name}" if self.scope and self.name else self.scope or self.name


def edits(before: Group, after: Group, pairs: Pairs, wires: Wires) -> list[Edit]:
    """All edits, in the order of the networks."""
    moved = _moved(pairs, wires)
    found = [*_gone(before, pairs), *_new(after, pairs), *_moves(after, moved, pairs, wires)]
    for x, y in pairs.forth.items():
        if x.label != y.label or not _is_nested_alike(x, y, pairs):
            found += _renamed(x, y, pairs, moved)
        if isinstance(x, Leaf) and isinstance(y, Leaf):
            found += _arguments(x, y)
            if y not in moved and (ways := wires.rewired(x, y, moved)) is not None:
                found.append(Edit("rewired", y.scope, y.name, y.kind, *ways, old=(x,), new=(y,)))
    return sorted(_shifted(found), key=_order)


def _order(edit: Edit) -> tuple[int, int]:
    """New and changed parts by their place in the second network, removed ones by that in the first."""
    leaves = [leaf.position for part in (edit.new or edit.old) for leaf in part.leaves]
    return min(leaves, default=0), edit.kind == "removed"


# ---- added, removed ----------------------------------------------------------------------------------------


def _gone(group: Group, pairs: Pairs) -> Iterator[Edit]:
    for part in _unpaired(group, pairs.forth):
        yield Edit(
            "removed",
            part.scope,
            part.name,
            described(part),
            follows=_branches_otherwise(part, pairs.forth),
            old=(part,),
        )


def _new(group: Group, pairs: Pairs) -> Iterator[Edit]:
    for part in _unpaired(group, pairs.back):
        yield Edit(
            "added", part.scope, part.name, described(part), follows=_branches_otherwise(part, pairs.back), new=(part,)
        )


def _unpaired(group: Group, paired: Mapping[Part, Part]) -> Iterator[Part]:
    """The outermost parts of which no layer is paired."""
    for child in group.children:
        if all(leaf not in paired for leaf in child.leaves):
            if child.leaves:
                yield child
        elif isinstance(child, Group):
            yield from _unpaired(child, paired)


def described(part: Part) -> str:
    """What a part is: an operator as in a summary, or a block."""
    return part.node.op.caption(part.node.input_types) if isinstance(part, Leaf) else part.kind


# ---- moved, renamed ----------------------------------------------------------------------------------------


def _moved(pairs: Pairs, wires: Wires) -> frozenset[Leaf]:
    """The fewest layers of the second network that run in another order and read something else."""
    leaves = pairs.leaves()
    kept = _increasing([y.position for _, y in leaves])
    candidates = frozenset(y for number, (_, y) in enumerate(leaves) if number not in kept)
    old = {y: x for x, y in leaves}
    return frozenset(y for y in candidates if wires.reads_other(old[y], y))


def _increasing(numbers: list[int]) -> frozenset[int]:
    """Places of a longest increasing subsequence."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
        last[at : at + 1] = [place]
        before.append(last[at - 1] if at else -1)
    found: set[int] = set()
    place = last[-1] if last else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return frozenset(found)


def _moves(group: Group, moved: frozenset[Leaf], pairs: Pairs, wires: Wires) -> Iterator[Edit]:
    """The outermost parts of which all layers moved, with what their first layers read."""
    for child in group.children:
        if child.leaves and all(leaf in moved for leaf in child.leaves):
            first = child.leaves[0]
            old = pairs.back[first]
            assert isinstance(old, Leaf)
            yield Edit("moved", child.scope, child.name, described(child), *wires.direct(old, first), new=(child,))
        elif isinstance(child, Group):
            yield from _moves(child, moved, pairs, wires)


def _is_nested_alike(before: Part, after: Part, pairs: Pairs) -> bool:
    if before.parent is None or after.parent is None:
        return before.parent is after.parent
    return pairs.forth.get(before.parent) is after.parent


def _renamed(before: Part, after: Part, pairs: Pairs, moved: frozenset[Leaf]) -> Iterator[Edit]:
    is_nested_alike = _is_nested_alike(before, after, pairs)
    if is_nested_alike and before.label.isdecimal() and after.label.isdecimal():
        return  # numbers count the layers of a seq
    if not (before.label or after.label) or (after.leaves and all(leaf in moved for leaf in after.leaves)):
        return
    names = (before.name, after.name) if is_nested_alike else (_path(before), _path(after))
    if names[0] != names[1]:
        yield Edit("renamed", after.scope, after.name, after.kind, *names, old=(before,), new=(after,))


def _path(part: Part) -> str:
    return f"{part.scope}.{part.name}" if part.scope else part.name


# ---- arguments ---------------------------------------------------------------------------------------------


def _arguments(before: Leaf, after: Leaf) -> Iterator[Edit]:
    if before.kind != after.kind:
        texts = described(before), described(after)
        yield Edit("replaced", after.scope, after.name, after.kind, *texts, old=(before,), new=(after,))
        return
    ours, theirs = before.arguments, after.arguments
    for name in [*ours, *(n for n in theirs if n not in ours)]:
        if ours.get(name) != theirs.get(name):
            yield Edit(
                "changed", after.scope, after.name, after.kind, value_text(ours.get(name)),
                value_text(theirs.get(name)), name, _follows(before, after, name), (before,), (after,),
            )  # fmt: skip


def _follows(before: Leaf, after: Leaf, argument: str) -> bool:
    """Whether an argument has another value only because other shapes arrive."""
    said = [_expression(leaf, argument) for leaf in (before, after)]
    if said[0] is None or said[1] is None:
        return before.node.input_types != after.node.input_types
    if argument not in after.node.written and before.node.input_types != after.node.input_types:
        return said[0].node.span.text == said[1].node.span.text  # computed by the operator from what arrives
    return follows([said[0]], [said[1]])


def _expression(leaf: Leaf, argument: str) -> Expression | None:
    """Where an argument is written; the layer's place in the text if it is not."""
    return leaf.written.get(argument, leaf.site)


def _branches_otherwise(part: Part, paired: Mapping[Part, Part]) -> bool:
    """Whether a part is there in one network only because a condition reads other shapes in the other network."""
    here = part.parent
    there = paired.get(here) if here is not None else None
    if not isinstance(there, Group):
        return False
    for condition in part.conditions:
        others = [b for b in there.branches if b.node.span.text == condition.node.span.text]
        if len(others) == 1 and follows(others, [condition]):
            return True
    return False


def value_text(value: Hashable) -> str:
    """A value of an argument as the language writes it."""
    if value is None:
        return "none"
    return value.text if isinstance(value, Init) else show(value)


def _shifted(found: Iterable[Edit]) -> Iterator[Edit]:
    """Edits with each pair of changes that exchange an argument's values within a scope as one."""
    waiting: dict[Hashable, list[Edit]] = {}
    for edit in found:
        if edit.kind == "changed" and not edit.follows:
            key = edit.new[0].parent, edit.what, edit.argument, frozenset((edit.before, edit.after))
            waiting.setdefault(key, []).append(edit)
        else:
            yield edit
    for group in waiting.values():
        if len(group) == 2 and group[0].before == group[1].after:
            giver, taker = sorted(group, key=lambda edit: edit.after == _neutral(edit), reverse=True)
            yield Edit(
                "shifted", giver.scope, giver.name, giver.what, giver.before, taker.name, giver.argument,
                old=(*giver.old, *taker.old), new=(*giver.new, *taker.new),
            )  # fmt: skip
        else:
            yield from group


def _neutral(edit: Edit) -> str:
    """The default of the argument that an edit changes."""
    leaf = edit.new[0]
    assert isinstance(leaf, Leaf)
    defaults = {f.name: f.default for f in leaf.node.op.__dataclass_fields__.values()}
    return value_text(defaults.get(edit.argument))
