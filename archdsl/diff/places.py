"""Several dotted paths as one short text: ``layer{2,3,4}.0``, ``layer3.6–22``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import prod

MOST_LISTED = 4
"""Paths that are listed, if they have no common form."""


def located(name: str, scopes: Sequence[str], block: str | None, runs: Mapping[str, Collection[str]]) -> str:
    """Where a part of one name is: in each of the scopes, all of which are runs of one block or of none.

    ``runs`` are the paths of all runs of each block, so that all of them need not be listed.
    """
    distinct = set(scopes)
    if block is not None and len(distinct) > 2 and distinct == set(runs.get(block, ())):
        return f"{name} in every {block}"
    within = places(scopes)
    if " " in name and within:
        return f"{name} in {within}"
    return ".".join(filter(None, (within, name)))


def places(paths: Sequence[str]) -> str:
    """The paths as one text."""
    distinct = list(dict.fromkeys(paths))
    if len(distinct) == 1:
        return distinct[0]
    split = [path.split(".") for path in distinct]
    if len({len(parts) for parts in split}) == 1:
        columns = [list(dict.fromkeys(column)) for column in zip(*split, strict=True)]
        if prod(map(len, columns)) == len(distinct):
            return ".".join(map(column, columns))
    merged = _by_last(split)
    if len(merged) > MOST_LISTED:
        return f"{', '.join(merged[:MOST_LISTED])} and {len(merged) - MOST_LISTED} more"
    return ", ".join(merged)


def _by_last(split: Sequence[Sequence[str]]) -> list[str]:
    """Paths with those that differ only in the last name together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for *above, last in split:
        found.setdefault(tuple(above), []).append(last)
    return [".".join((*above, column(names))) for above, names in found.items()]


def column(names: Sequence[str]) -> str:
    """Names as one: ``0–3``, ``layer1–4``, ``{conv1,bn1}``."""
    if len(names) == 1:
        return names[0]
    numbered = [re.fullmatch(r"(.*?)(\d{1,9})", name) for name in names]
    found = [(match[1], int(match[2])) for match in numbered if match is not None]
    if len(found) == len(names) and all(a == c and b + 1 == d for (a, b), (c, d) in pairwise(found)):
        return f"{names[0]}–{found[-1][1]}"
    return f"{{{','.join(names)}}}"
