"""Which part of one network is which part of another.

First from the top down: the children of two groups that belong together are aligned in order, as two sequences, so that
the sum of their similarities is largest. A label counts much, because checkpoints are read by labels; a number counts
little, because an insertion shifts it. What is left is paired wherever it is: layers with weights by their arguments,
then the layers next to those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import takewhile
from typing import TypeVar

from archdsl.diff.parts import Group, Leaf, Part
from archdsl.record import record

SAME_KIND, SAME_ARGUMENTS = 6.0, 4.0
SAME_SHAPES = 0.5
"""For weights of equal shapes: of two equal layers, the one whose weights still load."""
SAME_LABEL, BOTH_WITHOUT, SAME_NUMBER, OTHER_LABEL = 6.0, 1.0, 1.0, -3.0
REPLACED_UNDER_LABEL, REPLACED = 5.0, 3.0
LEAST_COMMON = 0.6
"""Share of layers of equal kinds in two groups of other labels and blocks that may be one group."""
REPLACEABLE = frozenset({"act", "norm", "pool", "conv", "linear", "attention"})
"""Kinds of layers of which one may take the place of another."""
MOST_CELLS = 4_000_000
"""Of the table for two sequences; longer ones are aligned by position."""


P = TypeVar("P", bound=Part)


@record(frozen=False, eq=False)
class Pairs:
    """The pairs found, from either side."""

    forth: dict[Part, Part]
    back: dict[Part, Part]

    def add(self, before: Part, after: Part) -> None:
        self.forth[before] = after
        self.back[after] = before

    def leaves(self) -> list[tuple[Leaf, Leaf]]:
        """The pairs of layers, in the first network's order of execution."""
        found = [(x, y) for x, y in self.forth.items() if isinstance(x, Leaf) and isinstance(y, Leaf)]
        return sorted(found, key=lambda pair: pair[0].position)


def align(before: Group, after: Group) -> Pairs:
    """The parts of two networks that belong together."""
    pairs = Pairs({}, {})
    _pair(before, after, pairs)
    _pair_leftovers(before, after, pairs)
    _pair_neighbors(before.leaves, after.leaves, pairs)
    _pair_in_groups(pairs)
    _pair_groups(before, pairs)
    return pairs


# ---- from the top down -------------------------------------------------------------------------------------


def _pair(before: Part, after: Part, pairs: Pairs) -> None:
    pairs.add(before, after)
    if isinstance(before, Group) and isinstance(after, Group):
        for x, y in aligned(before.children, after.children, similarity, _is_same):
            _pair(x, y, pairs)


def _is_same(before: Part, after: Part) -> bool:
    is_named_alike = before.label == after.label or (before.label.isdecimal() and after.label.isdecimal())
    is_alike = type(before) is type(after) and before.fingerprint == after.fingerprint
    return is_named_alike and is_alike and before.weight_shapes == after.weight_shapes


def aligned(
    before: Sequence[P],
    after: Sequence[P],
    score: Callable[[P, P], float],
    is_same: Callable[[P, P], bool],
) -> list[tuple[P, P]]:
    """The pairs, in order, of which the sum of scores is largest; equal beginnings and ends are paired first."""
    head = sum(1 for _ in takewhile(lambda p: is_same(*p), zip(before, after, strict=False)))
    rest = min(len(before), len(after)) - head
    ends = zip(reversed(before), reversed(after), strict=False)
    tail = sum(1 for _ in takewhile(lambda p: is_same(*p), [next(ends) for _ in range(rest)]))
    xs, ys = before[head : len(before) - tail], after[head : len(after) - tail]
    middle = _best(xs, ys, score) if len(xs) * len(ys) <= MOST_CELLS else list(zip(xs, ys, strict=False))
    last = list(zip(before[len(before) - tail :], after[len(after) - tail :], strict=True))
    return [*zip(before[:head], after[:head], strict=True), *middle, *last]


def _best(xs: Sequence[P], ys: Sequence[P], score: Callable[[P, P], float]) -> list[tuple[P, P]]:
    """Needleman and Wunsch's alignment (1970), gaps free."""
    scores = [[score(x, y) for y in ys] for x in xs]
    total = [[0.0] * (len(ys) + 1) for _ in range(len(xs) + 1)]
    for i in range(len(xs) - 1, -1, -1):
        for j in range(len(ys) - 1, -1, -1):
            paired = scores[i][j] + total[i + 1][j + 1] if scores[i][j] > 0 else 0.0
            total[i][j] = max(paired, total[i + 1][j], total[i][j + 1])
    found: list[tuple[P, P]] = []
    i = j = 0
    while i < len(xs) and j < len(ys):
        if scores[i][j] > 0 and total[i][j] == scores[i][j] + total[i + 1][j + 1]:
            found.append((xs[i], ys[j]))
            i, j = i + 1, j + 1
        elif total[i][j] == total[i][j + 1]:
            j += 1
        else:
            i += 1
    return found


def similarity(before: Part, after: Part) -> float:
    """How well two parts fit; 0 if they do not belong together."""
    if isinstance(before, Leaf) and isinstance(after, Leaf):
        return _of_leaves(before, after)
    if isinstance(before, Group) and isinstance(after, Group):
        return _of_groups(before, after)
    return 0.0


def _of_leaves(before: Leaf, after: Leaf) -> float:
    if before.kind != after.kind:
        if before.label and before.label == after.label and not before.label.isdecimal():
            return REPLACED_UNDER_LABEL
        palette = before.node.op.palette
        is_replaced = palette == after.node.op.palette and palette in REPLACEABLE
        return max(0.0, REPLACED + _of_labels(before, after)) if is_replaced else 0.0
    ours, theirs = before.arguments, after.arguments
    equal = sum(theirs.get(name) == value for name, value in ours.items())
    share = equal / len(ours) if ours else 1.0
    return SAME_KIND + SAME_ARGUMENTS * share + _of_labels(before, after) + _of_shapes(before, after)


def _of_groups(before: Group, after: Group) -> float:
    labels = _of_labels(before, after)
    count = len(before.leaves)
    if before.fingerprint == after.fingerprint:
        return (SAME_KIND + SAME_ARGUMENTS) * max(count, 1) + labels + _of_shapes(before, after)
    exact = (before.tokens & after.tokens).total()
    alike = (before.kinds & after.kinds).total()
    is_one = (
        labels == SAME_LABEL
        or (before.instance.scope.name is not None and before.kind == after.kind)
        or 2 * alike >= LEAST_COMMON * (count + len(after.leaves))
    )
    return max(1.0, (SAME_KIND + SAME_ARGUMENTS) * exact + SAME_KIND * (alike - exact) + labels) if is_one else 0.0


def _of_shapes(before: Part, after: Part) -> float:
    return SAME_SHAPES if before.weight_shapes == after.weight_shapes else 0.0


def _of_labels(before: Part, after: Part) -> float:
    if not before.label and not after.label:
        return BOTH_WITHOUT
    if before.label == after.label:
        return SAME_NUMBER if before.label.isdecimal() else SAME_LABEL
    are_words = all(label and not label.isdecimal() for label in (before.label, after.label))
    return OTHER_LABEL if are_words else 0.0


# ---- what is left ------------------------------------------------------------------------------------------


def _pair_leftovers(before: Group, after: Group, pairs: Pairs) -> None:
    """Pairs layers with weights wherever they are: in order, then those that only one layer can be."""

    def fit(x: Leaf, y: Leaf) -> float:
        if _unnamed(x) != _unnamed(y) or (x.label != y.label and not _stand_alike(before.leaves, x, after.leaves, y)):
            return 0.0
        return SAME_KIND + SAME_ARGUMENTS + (SAME_LABEL if x.label == y.label else 0.0)

    xs = [leaf for leaf in before.leaves if leaf.node.weights and leaf not in pairs.forth]
    ys = [leaf for leaf in after.leaves if leaf.node.weights and leaf not in pairs.back]
    for x, y in aligned(xs, ys, fit, lambda x, y: False):
        pairs.add(x, y)
    ours = _by_key((x for x in xs if x not in pairs.forth), _unnamed)
    theirs = _by_key((y for y in ys if y not in pairs.back), _unnamed)
    for key, group in ours.items():
        others = theirs.get(key, [])
        if len(group) == len(others) == 1 and fit(group[0], others[0]) > 0:
            pairs.add(group[0], others[0])


def _stand_alike(before: Sequence[Leaf], x: Leaf, after: Sequence[Leaf], y: Leaf) -> bool:
    """Whether the layers that run next before and after two layers are alike: then a new label is a renaming."""

    def token(leaves: Sequence[Leaf], place: int) -> int | None:
        return leaves[place].token if 0 <= place < len(leaves) else None

    return all(token(before, x.position + step) == token(after, y.position + step) for step in (-1, 1))


def _unnamed(leaf: Leaf) -> Hashable:
    return leaf.token, leaf.weight_shapes


def _by_key(leaves: Iterable[Leaf], key: Callable[[Leaf], Hashable]) -> dict[Hashable, list[Leaf]]:
    found: defaultdict[Hashable, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        found[key(leaf)].append(leaf)
    return found


def _pair_neighbors(before: Sequence[Leaf], after: Sequence[Leaf], pairs: Pairs) -> None:
    """Pairs equal layers that run next before or after the layers of a pair."""
    waiting = pairs.leaves()
    while waiting:
        x, y = waiting.pop()
        for step in (1, -1):
            i, j = x.position + step, y.position + step
            if not (0 <= i < len(before) and 0 <= j < len(after)):
                continue
            if before[i] in pairs.forth or after[j] in pairs.back or before[i].token != after[j].token:
                continue
            pairs.add(before[i], after[j])
            waiting.append((before[i], after[j]))


def _pair_in_groups(pairs: Pairs) -> None:
    """Pairs equal layers that changed places within a group."""
    for x, y in list(pairs.forth.items()):
        if not (isinstance(x, Group) and isinstance(y, Group)):
            continue
        ours = _by_key((c for c in x.children if isinstance(c, Leaf) and c not in pairs.forth), lambda c: c.token)
        theirs = _by_key((c for c in y.children if isinstance(c, Leaf) and c not in pairs.back), lambda c: c.token)
        for token, leaves in ours.items():
            if len(leaves) == len(theirs.get(token, ())) == 1:
                pairs.add(leaves[0], theirs[token][0])


def _pair_groups(before: Group, pairs: Pairs) -> None:
    """Pairs groups whose parts belong together, from the inside out."""
    for group in reversed(list(before.groups())):
        if group in pairs.forth:
            continue
        others = {pairs.forth[child].parent for child in group.children if child in pairs.forth}
        if len(others) == 1 and (other := others.pop()) is not None and other not in pairs.back:
            pairs.add(group, other)
