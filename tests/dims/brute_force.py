"""Verdicts against brute force: what a verdict says must be so at every point that is tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from archdsl.dims import Proved, Refuted, Unknown, Verdict, When

Values = Mapping[str, int]


def points(names: Sequence[str]) -> Iterator[dict[str, int]]:
    """All small values of the symbols, and some large ones."""
    chance = random.Random(len(names))
    side = {1: 1200, 2: 24, 3: 8}[len(names)]
    for values in product(range(1, side + 1), repeat=len(names)):
        yield dict(zip(names, values, strict=True))
    for top in (3_000, 1_000_000):
        for _ in range(60):
            yield {name: chance.randint(1, top) for name in names}


def check(verdict: Verdict, holds: Callable[[Values], bool], names: Sequence[str]) -> None:
    """Raise `AssertionError` where the verdict is wrong."""
    tried = list(points(names))
    ones = dict.fromkeys(names, 1)  # an example says nothing of symbols that do not matter
    match verdict:
        case Proved():
            assert all(map(holds, tried)), "proved, but there is a counterexample"
        case Refuted(example):
            assert not any(map(holds, tried)), "refuted, but it holds somewhere"
            assert not holds({**ones, **example})
        case When(conditions, exact, example):
            assert not holds({**ones, **example}), "the example does not fail"
            for values in tried:
                meant = all(condition.holds(values) for condition in conditions)
                assert holds(values) or not meant, f"the conditions are met at {values}, but it fails"
                assert meant or not exact or not holds(values), f"exact, but it holds at {values} too"
            if len(names) == 1:
                least = next((values for values in tried if not holds(values)), example)
                assert {**ones, **example}[names[0]] <= least[names[0]], "the example is not the least"
        case Unknown():
            pass
