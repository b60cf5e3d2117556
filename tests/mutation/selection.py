"""Which tests run a line of the package, and how long each takes: a plugin of pytest that writes it down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

import pytest

Line: TypeAlias = tuple[str, int]


class Recorder:
    """Records, for each test, the lines of some files that it runs and the functions that it calls there."""

    def __init__(self, root: Path, files: list[Path]) -> None:
        self._names = {str(root / file): file.as_posix() for file in files}
        self.lines: dict[str, list[str]] = {}
        self._seen: set[Line] = set()

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        file = frame.f_code.co_filename
        if file not in self._names:
            return None
        self._seen.add((file, frame.f_code.co_firstlineno))
        return self._ran

    def _ran(self, frame: FrameType, event: str, argument: object) -> Any:
        self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._ran

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._seen = set()
        sys.settrace(self._called)
        yield
        sys.settrace(None)
        self.lines[item.nodeid] = sorted(f"{self._names[file]}:{line}" for file, line in self._seen)


class Stopwatch:
    """Records the processor time of each test."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[item.nodeid] = time.process_time() - began


def seconds_of(paths: list[str], to: Path) -> int:
    """Run the tests, and write how long each takes; returns pytest's exit status."""
    stopwatch = Stopwatch()
    return _written(paths, stopwatch, stopwatch.seconds, to)


def lines_of(root: Path, files: list[Path], paths: list[str], to: Path) -> int:
    """Run the tests, slowly, and write the lines that each of them runs; returns pytest's exit status."""
    recorder = Recorder(root, files)
    return _written(paths, recorder, recorder.lines, to)


def _written(paths: list[str], plugin: Recorder | Stopwatch, found: object, to: Path) -> int:
    status = int(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *paths], plugins=[plugin]))
    if status == 0:
        to.write_text(json.dumps(found), encoding="utf-8")
    return status
