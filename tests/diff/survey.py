"""How often a random edit is named at its place and no other: ``python -m tests.diff.survey [COUNT] [SEED]``."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from random import Random

from archdsl.diff import diff
from tests.diff.drawn import Drawn, drawn


def named(edit: Drawn) -> frozenset[str]:
    """The places that a difference names, without those that follow."""
    found = diff(edit.before, edit.after)
    assert found.is_equal == (not found.changes and not found.interface)
    return frozenset(path for change in found.changes if not change.follows for path in change.paths)


def main() -> int:
    count, seed = (
        (int(text) for text in (*sys.argv[1:], "300", "0")[:2]) if len(sys.argv) < 3 else map(int, sys.argv[1:3])
    )
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for edit in islice(drawn(Random(seed)), count):
        paths = named(edit)
        total[edit.kind] += 1
        right[edit.kind] += edit.is_named_by(paths)
        if not edit.is_named_by(paths):
            print(f"{edit.kind} in {edit.spec}: edited {sorted(edit.expected)[:4]}, named {sorted(paths)[:4]}")
    for kind in total:
        print(f"{kind}: {right[kind]} of {total[kind]}")
    print(f"all: {right.total()} of {total.total()}")
    return int(right.total() < total.total())


if __name__ == "__main__":
    sys.exit(main())
