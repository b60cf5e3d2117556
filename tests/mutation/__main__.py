"""A mutation run: how many small changes of the code do a room's own tests notice?

``python -m tests.mutation --mutants 300 --seed 1 --rooms dims,checks,evaluate`` draws so many mutants, as many of each
room, and runs on each the tests of its room that call the changed function, the fastest first, until one
fails. The package is changed in a copy, never in place. It is no part of the tests: it takes hours of processor time.

Mutants that no test can notice are listed, with the reason, in `equivalent.txt`; they are left out of the score.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis  # noqa: F401  (imported once, for all mutants)
import numpy  # noqa: F401
import pytest

from .mutants import Mutant, mutants
from .selection import record

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")


@dataclass(frozen=True)
class Room:
    """A part of the package, and the tests that are its own."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "dims": Room(("archdsl/dims/*.py",), ("tests/dims", "tests/checks/test_claims.py")),
    "checks": Room(("archdsl/checks/*.py",), ("tests/checks", "tests/diagnostics", "tests/cli/test_check.py")),
    "evaluate": Room(
        ("archdsl/evaluate/*.py",),
        ("tests/evaluate", "tests/elaborate", "tests/checks", "tests/diagnostics", "tests/test_published.py"),
    ),
    "elaborate": Room(
        ("archdsl/elaborate/*.py",), ("tests/elaborate", "tests/checks", "tests/diagnostics", "tests/test_published.py")
    ),
    "measure": Room(("archdsl/measure/*.py",), ("tests/measure", "tests/checks/test_claims.py")),
    "settings": Room(
        (
            "archdsl/arguments.py",
            "archdsl/training/settings.py",
            "archdsl/training/recipe.py",
            "archdsl/training/config.py",
        ),
        ("tests/training/test_recipe.py", "tests/elaborate", "tests/diagnostics"),
    ),
}
MOST_SECONDS = 15.0
"""Processor time of the tests that one mutant is given."""
LIMIT = 20.0
"""How many times longer than that a mutant may take, before it counts as one that does not end."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument(
        "--map",
        type=Path,
        default=Path(tempfile.gettempdir()) / "archdsl-mutation-map",
        help="a folder for the map of tests",
    )
    parser.add_argument("--only", help="only mutants whose file has this in its name")
    args = parser.parse_args()
    rooms = args.rooms.split(",")
    equivalent = dict(line.split("  # ") for line in EQUIVALENT.read_text(encoding="utf-8").splitlines() if line)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", "node_modules", "__pycache__", "*.pyc"), symlinks=True
        )
        compileall.compile_dir(copy / "archdsl", quiet=2)
        counts: dict[str, Counter[str]] = {}
        for room in rooms:
            tests = _mapped(copy, room, args.map)
            share = len(range(rooms.index(room), args.mutants, len(rooms)))
            counts[room] = _run_room(copy, room, tests, _drawn(copy, room, share, args.seed, args.only), equivalent)
    for room, count in [*counts.items(), ("all", sum(counts.values(), Counter[str]()))]:
        noticed, judged = count["killed"] + count["timeout"], count.total() - count["equivalent"]
        print(f"{room:10} {dict(count)}: {noticed} of {judged} noticed, {100 * noticed / max(judged, 1):.1f} %")


def _mapped(copy: Path, room: str, folder: Path) -> dict[str, Any]:
    """The functions that each test of a room calls, recorded once."""
    folder.mkdir(exist_ok=True)
    to = folder / f"{room}.json"
    if not to.exists() and _in_child(lambda: record(copy, list(ROOMS[room].tests), to), copy, 3_600) != 0:
        sys.exit(f"the tests of {room} fail as it is")
    return json.loads(to.read_text(encoding="utf-8"))


def _drawn(copy: Path, room: str, count: int, seed: int, only: str | None) -> list[Mutant]:
    files = sorted(path.relative_to(copy) for pattern in ROOMS[room].files for path in copy.glob(pattern))
    found = [m for path in files if not only or only in path.name for m in mutants(copy, path)]
    return random.Random(f"{room} {seed}").sample(found, min(count, len(found)))


def _run_room(
    copy: Path, room: str, tests: dict[str, Any], drawn: list[Mutant], equivalent: dict[str, str]
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for mutant in drawn:
        key = mutant.key(copy)
        outcome = "equivalent" if key in equivalent else _outcome(copy, mutant, tests)
        counts[outcome] += 1
        print(f"{outcome:10} {room:8} {dict(counts)}", flush=True)
        if outcome == "survived":
            print(f"    {key}", flush=True)
    return counts


def _outcome(copy: Path, mutant: Mutant, tests: dict[str, Any]) -> str:
    chosen = _chosen(mutant, tests)
    if not chosen:
        return "survived"
    path = copy / mutant.path
    before = path.read_text(encoding="utf-8")
    path.write_text(mutant.source(copy), encoding="utf-8")
    try:
        code = _in_child(lambda: _tested(chosen), copy, LIMIT * MOST_SECONDS)
    finally:
        path.write_text(before, encoding="utf-8")
    return "timeout" if code is None else "survived" if code == 0 else "killed"


def _chosen(mutant: Mutant, tests: dict[str, Any]) -> list[str]:
    """The tests that call the function (outside of functions: any of the file), the fastest first."""
    prefix = f"{mutant.path}:"
    wanted = f"{prefix}{mutant.function}" if mutant.function else None
    runs = {
        name: facts["seconds"]
        for name, facts in tests.items()
        if any(f == wanted if wanted else f.startswith(prefix) for f in facts["functions"])
    }
    chosen, total = [], 0.0
    for name in sorted(runs, key=lambda name: runs[name]):
        total += runs[name]
        if total > MOST_SECONDS and chosen:
            break
        chosen.append(name)
    return chosen


def _tested(chosen: list[str]) -> int:
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *chosen]))


def _in_child(action: Callable[[], int], folder: Path, limit: float) -> int | None:
    """The exit status of an action in a process of its own in a copy; None where it did not end by itself."""
    child = os.fork()
    if child == 0:
        _enter(folder)
        try:
            os._exit(action())
        finally:
            os._exit(70)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _enter(folder: Path) -> None:
    """Become a process of the copy: nothing of the tree itself is imported, nothing is written, nothing is shown."""
    os.setsid()
    os.chdir(folder)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path or ".").resolve() != ROOT)]
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "archdsl")]:
        del sys.modules[name]
    os.environ.update(PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True


if __name__ == "__main__":
    main()
