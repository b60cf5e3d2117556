"""A survey of claims: how many true ones are proved and false ones refuted, with the truth known otherwise.

``python -m tests.dims.claims_survey --claims 2000 --seed 1`` draws so many claims of each stratum, decides them as
``archdsl check`` does, and prints a table. ``--random N`` adds claims whose two sides are drawn at random.

True claims are theorems with drawn terms in the places of their variables, so that they hold for all sizes. Whether any
other claim is false is judged by brute force over a box of sizes with NumPy, which shares no code with ``archdsl``; so
is each verdict. A claim that was drawn at random and holds in the whole box is counted apart: most of these are true.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from archdsl.checks.report import check
from archdsl.compiler import from_text

Values = tuple[int, ...]
Judged = Literal["proved", "refuted", "undecided"]
SIDES = {1: 2_000, 2: 120, 3: 24, 4: 10}
"""How far the box of brute force reaches, by the number of symbols."""
PER_SPEC = 50
"""Claims that are checked as one spec."""


@dataclass(frozen=True)
class Claim:
    """A claim as text, and whether it is known to be true (else only brute force can tell)."""

    stratum: str
    names: tuple[str, ...]
    text: str
    is_theorem: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a claim, and the least counterexample of the box, if there is one."""

    claim: Claim
    judged: Judged
    example: dict[str, int] | None
    least: dict[str, int] | None
    seconds: float


# ---- drawing ----

THEOREMS: dict[str, list[str]] = {
    "constant divisors": [
        "n * (x // n) <= x",
        "x <= n * (x // n) + n - 1",
        "x % n <= n - 1",
        "x // n + y // n <= (x + y) // n",
        "(x + y) // n <= x // n + y // n + 1",
        "(x // n) // m == x // (n * m)",
        "x // (n + m) <= x // n",
        "x // n <= (x + n - 1) // n",
        "-((-(x)) // n) == (x + n - 1) // n",
        "(x + m * n) // n == x // n + m",
        "x - x // 2 == (x + 1) // 2",
        "(x - 1) // n + 1 == (x + n - 1) // n",
        "m * (x // n) <= (m * (x)) // n",
        "(x + y) % n <= x % n + y % n",
        "(x // n) * (y // n) * (n * n) <= (x) * (y)",
        "x <= 2 * (x // 2) + 1",
        "(x + 1) // 2 + x // 2 == x",
        "(x // n) * n + x % n == x",
        "x // n + x // m <= 2 * (x)",
        "(x // n + y // n) // 2 <= (x + y) // (2 * n)",
        "(x * (x + 1)) % 2 == 0",
        "((x + n) % n) == x % n",
    ],
    "min and max": [
        "max(x, y) >= x",
        "min(x, y) <= y",
        "max(x, y) + min(x, y) == x + y",
        "max(x, y) * min(x, y) == (x) * (y)",
        "max(x, max(y, z)) == max(max(x, y), z)",
        "min(x, max(y, z)) == max(min(x, y), min(x, z))",
        "max(x + z, y + z) == max(x, y) + z",
        "max(n * (x), n * (y)) == n * max(x, y)",
        "max(x, y) - min(x, y) >= x - (y)",
        "max(x, y) <= x + y - 1",
        "2 * max(x, y) >= x + y",
        "max(x, y) ** 2 >= (x) * (y)",
        "min(x, y) * min(x, y) <= (x) * (y)",
        "max(x, n) + max(y, m) >= x + y",
        "max(x, y, z) + min(x, y, z) <= x + y + z - 1",
        "max(x - n, 0) <= x - 1",
        "min(x, y) + min(y, z) <= x + y",
        "max(x, y) + max(y, z) >= x + z",
    ],
    "mixtures": [
        "max(x, y) // n == max(x // n, y // n)",
        "min(x // n, y // n) == min(x, y) // n",
        "max(x // n, y // m) <= max(x, y)",
        "n * min(x // n, y // n) <= min(x, y)",
        "(x + y) // 2 >= min(x, y)",
        "(x + y + 1) // 2 <= max(x, y)",
        "max(x - n, 0) // m <= x // m",
        "x % n <= min(x, n - 1)",
        "max(x % n, y % n) <= n - 1",
        "max(x, y) - n * (max(x, y) // n) <= n - 1",
        "max(x // n, 1) <= x",
        "min(x % n, y % m) <= min(n, m) - 1",
        "(max(x, y) + min(x, y)) // n == (x + y) // n",
        "max((x + n - 1) // n, y) >= x // n",
        "max(x - n + 1, 0) <= n * (x // n) or x < n",
        "min(x // n + 1, y) * n >= min(x, n * (y)) - n",
    ],
    "symbolic divisors": [
        "(d) * (x // (d)) <= x",
        "x < (d) * (x // (d)) + d",
        "x % (d) <= d - 1",
        "x % (d) <= x",
        "x // (d) <= x",
        "(x + d) // (d) == x // (d) + 1",
        "((x) * (d)) // (d) == x",
        "((x) * (d) + y % (d)) // (d) == x",
        "(x // (d)) // (e) == x // ((d) * (e))",
        "x // (d) <= (x + y) // (d)",
        "(x // (d)) * (d) + x % (d) == x",
        "x // (d + e) <= x // (d)",
        "x // (d) + y // (d) <= (x + y) // (d)",
        "(x + y) // (d) <= x // (d) + y // (d) + 1",
        "(x + d - 1) // (d) * (d) >= x",
        "(x + d - 1) // (d) >= x // (d)",
        "(x + d - 1) // (d) <= x // (d) + 1",
        "n * (x // (d)) <= (n * (x)) // (d)",
        "(x - 1) // (d) + 1 == (x + d - 1) // (d)",
        "x // (d) <= max(x - (d) + 1, 0)",
        "(x // (d)) * (y // (d)) * ((d) * (d)) <= (x) * (y)",
        "min(x, y) // (d) <= x // (d)",
        "(y) * (x // (d)) <= ((x) * (y)) // (d)",
        "(x + y) % (d) <= x % (d) + y % (d)",
        "(x % (d)) * (d) < (d) * (d)",
        "max(x, y) // (d) >= y // (d)",
        "x // (d) <= x // n or d < n",
        "(x // (d)) * (y) <= (x) * (y)",
        "(x // (d)) // n == x // (n * (d))",
        "(x // n) // (d) <= x // (d)",
    ],
    "polynomial": [
        "(x) * (x) + (y) * (y) >= 2 * (x) * (y)",
        "(x + y) ** 2 >= 4 * (x) * (y)",
        "(x) * (y) >= x + y - 1",
        "(x) ** 3 >= x",
        "(x) ** 2 + (y) ** 2 + (z) ** 2 >= (x) * (y) + (y) * (z) + (z) * (x)",
        "(a - n) * (a - n - 1) >= 0",
        "(a) * (a) + n * n >= 2 * n * (a)",
        "(x) * (y) * (z) >= x + y + z - 2",
        "(a) ** 3 + (b) ** 3 >= (a) * (a) * (b) + (a) * (b) * (b)",
        "(n * (a) - m * (b)) ** 2 >= 0",
        "(n * (a) - m * (b)) ** 2 + z > 0",
        "(x + y) * (x + z) >= (x) * (y) + (y) * (z) + (z) * (x)",
        "(x + y) * (x - (y)) == (x) ** 2 - (y) ** 2",
        "9 * (x) * (y) + x + y >= 8 * (x) * (y) + 3",
        "(a - n) * (a - n - 1) * (b) >= 0",
    ],
    "not equal": [
        "2 * (x) != 2 * (y) + 1",
        "(n + 1) * (x) != (n + 1) * (y) + n",
        "x + y != 0",
        "x + y != x",
        "x // n != x + m",
        "max(x, y) + n != min(x, y)",
        "x % n != n + m",
        "x % n != n",
        "(x) * (x) % 4 != 2",
        "(x) * (x + 1) != 2 * (y) + 1",
        "(x) * (x) + x + 1 != 2 * (y)",
        "(x) * (x) + (y) * (y) != 4 * (z) + 3",
        "x // (d) != x + n",
        "x % (d) != d",
        "(x) * (x) != 3 * (y) + 2",
        "2 * (x // 2) != 2 * (y) - 1",
        "(a - b) ** 2 + n != 0",
    ],
    "strict": [
        "x + y > x",
        "(x) * (y) + 1 > x",
        "x + n > x",
        "x // n < x + 1",
        "x % n < n",
        "max(x, y) < x + y",
        "n * (x // n) < x + 1",
        "x < n * (x // n) + n",
        "x % (d) < d",
        "(x) ** 2 + (y) ** 2 + 1 > 2 * (x) * (y)",
        "(x + y) // n < x // n + y // n + 2",
        "0 < x",
        "x - (y) < x",
        "18 * (x) ** 2 < 25 * (x) ** 2",
        "min(x, y) < x + y",
    ],
    "boolean": [
        "a == n or a != n",
        "a < n or a >= n",
        "x <= y or x > y",
        "not x < y or x + 1 <= y",
        "(x <= y and max(x, y) == y) or x > y",
        "x % n == 0 or x % n >= 1",
        "not (x == y and x > y)",
        "a % 2 == 0 or (a + 1) % 2 == 0",
        "(x if x > y else y) == max(x, y)",
        "(x - (y) if x > y else y - (x)) >= 0",
        "not (x >= y and y >= z) or x >= z",
        "x >= 1 and y >= 1",
        "x < 1 or y < 1 or (x) * (y) >= 1",
        "not (x < 1 or y < 1)",
        "a == b or a < b or a > b",
        "not (a > n and a < n + 1)",
        "a <= n or a > n + m or a % (n + m + 1) == a",
        "(a % 2 == 0) == (a % 2 != 1)",
        "not (a == n) or a * a == n * n",
        "not (a == b) or a * n == b * n",
        "(n if x > y else m) <= n + m",
        "not a % 6 == 0 or a % 3 == 0",
        "a >= n if a > n else a <= n",
    ],
}
"""Theorems, which hold for all sizes.

In them x, y and z are any terms that are at least 1, d and e divisors that are, a and b symbols, n and m numbers.
"""


class Drawing:
    """Draws claims. The same seed gives the same claims."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def theorem(self, stratum: str) -> Claim:
        """A claim that is true."""
        names, text = self._filled(self._chance.choice(THEOREMS[stratum]))
        if self._chance.random() < 0.3:
            text = self._weakened(text, names)
        return Claim(stratum, names, text, True)

    def guess(self, stratum: str) -> Claim:
        """A claim like a theorem, with a number or a relation changed: mostly a false one."""
        while True:
            names, text = self._filled(self._chance.choice(THEOREMS[stratum]))
            changed = self._changed(text)
            if changed != text:
                return Claim(stratum, names, changed, False)

    def at_random(self, stratum: str) -> Claim:
        """A claim of two sides that have nothing to do with each other."""
        names = self._names()
        operator = self._chance.choice(["<=", ">=", "<", ">", "==", "!="])
        text = f"{self._side(stratum, names, 2)} {operator} {self._side(stratum, names, 2)}"
        if stratum == "boolean":
            other = f"{self._side(stratum, names, 1)} {self._chance.choice(['<=', '>', '!='])} {self._term(names)}"
            text = self._chance.choice([f"{text} or {other}", f"{text} and {other}", f"not ({text}) or {other}"])
        return Claim(stratum, names, text, False)

    def _names(self) -> tuple[str, ...]:
        return tuple("ABC"[: self._chance.choice([1, 2, 2, 2, 3])])

    def _filled(self, theorem: str) -> tuple[tuple[str, ...], str]:
        names = self._names()
        places = {letter: self._term(names) for letter in "xyz"}
        places |= {letter: self._divisor(names) for letter in "de"}
        places |= {letter: self._chance.choice(names) for letter in "ab"}
        places |= {letter: str(self._chance.randint(2, 7)) for letter in "nm"}
        return names, re.sub(r"\b[xyzdeabnm]\b", lambda found: places[found[0]], theorem)

    def _term(self, names: Sequence[str]) -> str:
        """A term that is at least 1: a symbol, or a sum with positive coefficients."""
        name, other, number = self._chance.choice(names), self._chance.choice(names), self._chance.randint(1, 9)
        forms = [name, name, name, f"({name} + {number})", f"({number} * {name})", f"({name} + {other})"]
        return self._chance.choice([*forms, f"({name} * {other})", f"({number} * {name} + {other})"])

    def _divisor(self, names: Sequence[str]) -> str:
        name, number = self._chance.choice(names), self._chance.randint(1, 4)
        return self._chance.choice([name, name, name, f"({name} + {number})", f"({number + 1} * {name})"])

    def _weakened(self, text: str, names: Sequence[str]) -> str:
        """Something that follows from a comparison: a term added on both sides, or to the greater one."""
        found = re.fullmatch(r"([^=<>!]+) (<=|>=|<|>|==|!=) ([^=<>!]+)", text)
        if found is None or re.search(r"\b(or|and|not|if)\b", text):
            return text
        left, operator, right = found.groups()
        term = self._term(names)
        if operator in ("==", "!=") or self._chance.random() < 0.5:
            return f"{left} + {term} {operator} {right} + {term}"
        return f"{left} + {term} {operator} {right}" if ">" in operator else f"{left} {operator} {right} + {term}"

    def _changed(self, text: str) -> str:
        places = list(re.finditer(r"(?<![\w.])\d+(?![\w.])|<=|>=|<|>|==|!=", text))
        if not places:
            return text
        place = self._chance.choice(places)
        new = place[0]
        if new.isdecimal():
            new = str(max(1, int(new) + self._chance.choice([-2, -1, 1, 2])))
        else:
            new = self._chance.choice([op for op in ("<=", ">=", "<", ">", "==", "!=") if op != new])
        return text[: place.start()] + new + text[place.end() :]

    def _side(self, stratum: str, names: Sequence[str], depth: int) -> str:
        if depth == 0:
            return self._chance.choice([self._term(names), str(self._chance.randint(1, 9))])
        left, right = self._side(stratum, names, depth - 1), self._side(stratum, names, depth - 1)
        number = self._chance.randint(2, 7)
        divide = [f"({left} // {number})", f"({left} % {number})"]
        extreme = [f"max({left}, {right})", f"min({left}, {right})"]
        by_symbol = [f"({left} // {self._divisor(names)})", f"({left} % {self._divisor(names)})"]
        plain = [f"({left} + {right})", f"({left} - {right})", f"({number} * {left})"]
        forms = {
            "constant divisors": divide * 3,
            "min and max": extreme * 3,
            "mixtures": divide * 2 + extreme * 2,
            "symbolic divisors": by_symbol * 3,
            "polynomial": [f"({left} * {right})"] * 3,
        }.get(stratum, divide + extreme + by_symbol)
        return self._chance.choice(plain + forms)


# ---- the truth ----


@cache
def box(count: int) -> np.ndarray:
    """All points of the box, a row for each, the least first: by the greatest size, the sum, then in turn."""
    side = SIDES[count]
    points = np.stack(np.meshgrid(*[np.arange(1, side + 1)] * count, indexing="ij"), -1).reshape(-1, count)
    keys = [points[:, place] for place in reversed(range(count))]
    return points[np.lexsort([*keys, points.sum(1), points.max(1)])]


@cache
def far(count: int) -> np.ndarray:
    """Points far outside of the box."""
    chance = np.random.default_rng(count)
    return np.concatenate([chance.integers(1, top, (400, count)) for top in (40, 100, 300)])


def least_counterexample(claim: Claim) -> dict[str, int] | None:
    """The least point of the box at which the claim is false; if there is none, one of the far ones."""
    for points in (box(len(claim.names)), far(len(claim.names))):
        holds = None
        while holds is None:
            try:
                holds = truth(claim, points)
            except OverflowError:
                points = points[points.max(1) <= points.max() // 2]
        if not holds.all():
            return dict(zip(claim.names, map(int, points[int(np.argmin(holds))]), strict=True))
    return None


def truth(claim: Claim, points: np.ndarray) -> np.ndarray:
    """Whether the claim holds at each of these points, by NumPy. Raises `OverflowError` beyond 64 bits."""
    columns = {name: points[:, place].astype(np.int64) for place, name in enumerate(claim.names)}
    holds = _computed(ast.parse(claim.text, mode="eval").body, columns)
    return np.broadcast_to(holds, len(points)).astype(bool)


_OPERATIONS: dict[type, Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.Not: np.logical_not,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
}


def _computed(node: ast.expr, columns: dict[str, np.ndarray]) -> np.ndarray:
    match node:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=int(value)):
            return np.int64(value)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            operands = _computed(left, columns), _computed(right, columns)
            if isinstance(op, ast.Mult | ast.Pow):
                exact = _OPERATIONS[type(op)](*(operand.astype(np.float64) for operand in operands))
                if np.abs(exact).max(initial=0) > 2**60:
                    raise OverflowError
            return _OPERATIONS[type(op)](*operands)
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATIONS[type(op)](_computed(operand, columns))
        case ast.BoolOp(op=op, values=[first, *others]):
            result = _computed(first, columns)
            for other in others:
                result = _OPERATIONS[type(op)](result, _computed(other, columns))
            return result
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return np.where(*(_computed(part, columns) for part in (test, body, orelse)))
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[first, *others]):
            result = _computed(first, columns)
            for other in others:
                result = (np.maximum if name == "max" else np.minimum)(result, _computed(other, columns))
            return result
    raise ValueError(ast.dump(node))


# ---- the verdicts ----


def outcomes(claims: Sequence[Claim]) -> Iterator[Outcome]:
    """What ``archdsl check`` says of each claim."""
    for start in range(0, len(claims), PER_SPEC):
        part = claims[start : start + PER_SPEC]
        lines = [f'claim({", ".join(c.names)}) "{i}" {{ assert {c.text} }}' for i, c in enumerate(part)]
        began = time.process_time()
        results = check(from_text("\n".join(["arch 1", *lines]))).claims
        seconds = (time.process_time() - began) / len(part)
        for claim, result in zip(part, results, strict=True):
            judged: Judged = {"holds": "proved", "fails": "refuted", "undecided": "undecided"}[result.standing]
            detail = getattr(result.diagnostics[0], "detail", "") if result.diagnostics else ""
            example = {
                name: int(value) for name, value in re.findall(r"\b([A-Z]) = (\d+)", detail.partition(" at ")[2])
            }
            full = {name: example.get(name, 1) for name in claim.names}
            yield Outcome(claim, judged, full if judged == "refuted" else None, least_counterexample(claim), seconds)


@dataclass
class Tally:
    """Counts of one stratum."""

    counts: Counter[str]
    wrong: list[Outcome]
    open: list[Outcome]
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        kind = "true" if outcome.claim.is_theorem else "false" if outcome.least else "held"
        self.counts[kind] += 1
        self.counts[f"{kind} {outcome.judged}"] += 1
        self.seconds += outcome.seconds
        if kind == "false" and outcome.judged == "refuted" and outcome.example == outcome.least:
            self.counts["least"] += 1
        elif kind == "false" or outcome.judged != "proved":
            self.open.append(outcome)
        if is_wrong(outcome):
            self.wrong.append(outcome)


def is_wrong(outcome: Outcome) -> bool:
    """A proof of a claim that is false, or a counterexample that is none."""
    if outcome.judged == "proved":
        return outcome.least is not None
    if outcome.example is None:
        return False
    point = np.array([[outcome.example[name] for name in outcome.claim.names]])
    return bool(truth(outcome.claim, point)[0])


def survey(claims: Sequence[Claim]) -> Tally:
    """The counts of these claims."""
    tally = Tally(Counter(), [], [])
    for outcome in outcomes(claims):
        tally.add(outcome)
    return tally


def drawn(stratum: str, count: int, seed: int) -> list[Claim]:
    """Theorems, changed theorems, and claims at random, in equal parts."""
    drawing = Drawing(seed)
    kinds = (drawing.theorem, drawing.guess, drawing.at_random)
    return [kinds[i % 3](stratum) for i in range(count)]


_COLUMNS = ("true", "proved", "false", "refuted", "least", "held", "proved", "wrong", "ms")
HEAD = f"{'stratum':18}" + "".join(f"{name:>9}" for name in _COLUMNS)


def row(stratum: str, tally: Tally) -> str:
    c = tally.counts

    def share(part: str, whole: str) -> str:
        return f"{100 * c[part] / c[whole]:8.2f}%" if c[whole] else "        -"

    cells = [
        f"{c['true']:9}{share('true proved', 'true')}{c['false']:9}{share('false refuted', 'false')}",
        f"{share('least', 'false')}{c['held']:9}{share('held proved', 'held')}{len(tally.wrong):9}",
        f"{1000 * tally.seconds / max(c['true'] + c['false'] + c['held'], 1):9.1f}",
    ]
    return f"{stratum:18}" + "".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=2_000, help="claims of each stratum (default: 2000)")
    parser.add_argument("--random", type=int, default=0, help="claims at random, of all strata in turn (default: 0)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stratum", choices=[*THEOREMS], help="only this one")
    parser.add_argument("--open", type=int, default=0, help="print so many of those that were not settled")
    args = parser.parse_args()
    print(HEAD)
    strata = [args.stratum] if args.stratum else [*THEOREMS]
    parts = {stratum: drawn(stratum, args.claims, args.seed) for stratum in strata}
    if args.random:
        drawing = Drawing(args.seed + 1)
        parts["at random"] = [drawing.at_random(strata[i % len(strata)]) for i in range(args.random)]
    for stratum, claims in parts.items():
        tally = survey(claims)
        print(row(stratum, tally), flush=True)
        for outcome in [*tally.wrong, *tally.open[: args.open]]:
            mark = "WRONG" if outcome in tally.wrong else outcome.judged
            print(f"    {mark}: {outcome.claim.text}   least {outcome.least}, given {outcome.example}")


if __name__ == "__main__":
    main()
