"""The same answers and texts under every hash seed; and an import that brings in nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import itertools
from archdsl.dims import *
from tests.dims import networks

letters = [symbol(name) for name in ("H", "W", "C", "K", "groups", "batch")]
for a, b in itertools.permutations(letters, 2):
    print(a * b + (a + b) // 3, (a // 2) * (b // 3) * (a % 5), dmax(a, b) // 4 * a, (a * b) // (a + b))
    print(equal((a + b) % 2, 0), at_least(a * b, 49), equal(a // 2 + b // 2, (a + b) // 2))
    print(truth(a * 3, ">", b, assume(Facts(), a, ">=", b)))
    print(assume(assume(Facts(), a % b, "==", 0), b, "!=", 3))
for network in networks.EXPECTED:
    net = networks.Symbolic()
    outs = [network(net, symbol(name)) for name in ("H", "W")]
    print(outs, net.needs.facts, [found.text for found in net.needs.preconditions()])
"""


def run(program: str, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_the_hash_seed_changes_nothing() -> None:
    first, second = (
        # Residues are sets of small integers, whose order is the same under every seed.
        run(PROGRAM, seed)
        for seed in ("1", "2")
    )
    assert first == second
    assert len(first.splitlines()) == 30 * 4 + 12


def test_the_import_is_light() -> None:
    program = "import sys; before = set(sys.modules); import archdsl.dims; print(*set(sys.modules) - before)"
    loaded = set(run(program, "0").split())
    assert "archdsl.dims" in loaded
    assert not loaded & {"sympy", "torch", "numpy", "lark", "rich", "asyncio", "hashlib", "random", "decimal"}
