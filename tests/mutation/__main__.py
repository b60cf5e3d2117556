"""A mutation run: how many small changes of the code do a room's own tests notice?

``python -m tests.mutation --mutants 300 --seed 1 --rooms dims,checks,elaborate`` draws so many mutants, as many of
each room, and runs on each the tests of its room that run the changed line, the fastest first, and then those
that only call its function, until one fails. The package is changed in a copy, never in place. It is no part of the
tests: it takes hours of processor time.

It needs ``pip install coverage``. Mutants that no test can notice are listed, with the reason, in `equivalent.txt`;
they are left out of the score.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis  # noqa: F401  (imported once, for all mutants)
import numpy  # noqa: F401
import pytest

from .mutants import Mutant, Range, mutants
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
MOST_SECONDS = 60.0
"""Processor time of the tests that one mutant is given, as they took it while coverage was recorded."""
LIMIT = 2.0
"""How many times longer than that a mutant may take, before it counts as one that does not end."""
MOST_WAITING = 3_600.0
"""Seconds after which a process that only waits is ended."""


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
    parser.add_argument("--listed", type=Path, help="only the drawn mutants that a file lists, one a line")
    args = parser.parse_args()
    rooms = args.rooms.split(",")
    listed = args.listed and {line.strip() for line in args.listed.read_text(encoding="utf-8").splitlines()}
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
            drawn = _drawn(copy, room, share, args.seed, args.only)
            drawn = drawn if listed is None else [mutant for mutant in drawn if mutant.key(copy) in listed]
            counts[room] = _run_room(copy, room, tests, drawn, equivalent)
    for room, count in [*counts.items(), ("all", sum(counts.values(), Counter[str]()))]:
        noticed, judged = count["killed"] + count["timeout"], count.total() - count["equivalent"]
        print(f"{room:10} {dict(count)}: {noticed} of {judged} noticed, {100 * noticed / max(judged, 1):.1f} %")


@dataclass(frozen=True)
class Tests:
    """The tests of a room: how long each takes, and for each file those that run each of its lines."""

    seconds: dict[str, float]
    running: dict[str, dict[str, list[str]]]

    def of(self, path: Path, lines: Range) -> list[str]:
        """The tests that run one of these lines, the fastest first."""
        running = self.running[path.as_posix()]
        found = {name for line in range(lines[0], lines[1] + 1) for name in running.get(str(line), ())}
        return sorted(found, key=lambda name: self.seconds[name])


def _mapped(copy: Path, room: str, folder: Path) -> Tests:
    """What the tests of a room run, recorded once."""
    folder.mkdir(exist_ok=True)
    to, tests = folder / f"{room}.json", list(ROOMS[room].tests)
    if not to.exists() and _in_child(lambda: record(copy, _files(copy, room), tests, to), copy, 7_200) != 0:
        sys.exit(f"the tests of {room} fail as it is")
    return Tests(**json.loads(to.read_text(encoding="utf-8")))


def _files(copy: Path, room: str) -> list[Path]:
    return sorted(path.relative_to(copy) for pattern in ROOMS[room].files for path in copy.glob(pattern))


def _drawn(copy: Path, room: str, count: int, seed: int, only: str | None) -> list[Mutant]:
    found = [m for path in _files(copy, room) if not only or only in path.name for m in mutants(copy, path)]
    return random.Random(f"{room} {seed}").sample(found, min(count, len(found)))


def _run_room(copy: Path, room: str, tests: Tests, drawn: list[Mutant], equivalent: dict[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for mutant in drawn:
        key = mutant.key(copy)
        outcome = "equivalent" if key in equivalent else _outcome(copy, mutant, tests)
        counts[outcome] += 1
        print(f"{outcome:10} {room:8} {dict(counts)}", flush=True)
        if outcome == "survived":
            print(f"    {key}", flush=True)
    return counts


def _outcome(copy: Path, mutant: Mutant, tests: Tests) -> str:
    chosen = _chosen(mutant, tests)
    if not chosen:
        return "survived"
    most = round(20 + LIMIT * sum(tests.seconds[name] for name in chosen))
    path = copy / mutant.path
    before = path.read_text(encoding="utf-8")
    path.write_text(mutant.source(copy), encoding="utf-8")
    try:
        code = _in_child(lambda: _tested(chosen), copy, most)
    finally:
        path.write_text(before, encoding="utf-8")
    return "timeout" if code in (None, -signal.SIGXCPU) else "survived" if code == 0 else "killed"


def _chosen(mutant: Mutant, tests: Tests) -> list[str]:
    """The tests that run the changed line, the fastest first, then those that only call its function.

    A line outside of functions runs once, when its module is imported: any test of the file may notice it.
    """
    if mutant.function is None:
        found = tests.of(mutant.path, (1, max(map(int, tests.running[mutant.path.as_posix()]), default=1)))
    else:
        found = [*tests.of(mutant.path, mutant.lines), *tests.of(mutant.path, mutant.function)]
    chosen, total = [], 0.0
    for name in dict.fromkeys(found):
        total += tests.seconds[name]
        if total > MOST_SECONDS and chosen:
            break
        chosen.append(name)
    return chosen


def _tested(chosen: list[str]) -> int:
    return int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", *chosen]))


def _in_child(action: Callable[[], int], folder: Path, seconds: int) -> int | None:
    """The exit status of an action in a process of its own in a copy, which may use so much processor time.

    None where it waits for ever.
    """
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        _enter(folder)
        try:
            os._exit(action())
        finally:
            os._exit(70)
    end = time.monotonic() + MOST_WAITING
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
