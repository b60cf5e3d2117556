"""Which tests run a line of the package, and how long each takes: plugins of pytest that write it down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Stopwatch:
    """Records the processor time of each test."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[item.nodeid] = time.process_time() - began


class Contexts:
    """Lets coverage know which test runs."""

    def __init__(self, coverage: Any) -> None:
        self._coverage = coverage

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        yield
        self._coverage.switch_context("")


def write_seconds(paths: list[str], to: Path) -> int:
    """Run the tests, and write how long each takes; returns pytest's exit status."""
    stopwatch = Stopwatch()
    status = _run(paths, stopwatch)
    if status == 0:
        to.write_text(json.dumps(stopwatch.seconds), encoding="utf-8")
    return status


def write_lines(root: Path, files: list[Path], paths: list[str], to: Path) -> int:
    """Run the tests, and write for each line of the files the tests that run it; returns pytest's exit status."""
    from coverage import Coverage  # pyright: ignore[reportMissingImports]

    coverage = Coverage(data_file=None, config_file=False, include=[str(root / file) for file in files])
    coverage.start()
    status = _run(paths, Contexts(coverage))
    coverage.stop()
    if status == 0:
        data = coverage.get_data()
        found = {
            file.as_posix(): {
                line: [name for name in names if name]
                for line, names in data.contexts_by_lineno(str(root / file)).items()
            }
            for file in files
        }
        to.write_text(json.dumps(found), encoding="utf-8")
    return status


def _run(paths: list[str], plugin: object) -> int:
    return int(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *paths], plugins=[plugin]))
