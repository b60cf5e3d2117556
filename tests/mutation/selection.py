"""Which tests run a line of the package, and how long each takes: a plugin of pytest that writes it down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Recorder:
    """Tells coverage which test runs or which module of tests is imported, and records the processor time of each."""

    def __init__(self, coverage: Any) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """The cases of a test may be computed when its module is imported: all tests of the module run these lines."""
        is_module = isinstance(collector, pytest.Module)
        self._coverage.switch_context(collector.nodeid if is_module else "")
        yield
        self._coverage.switch_context("")
        if is_module:
            self.seconds[collector.nodeid] = 0.0

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.process_time()
        self._coverage.switch_context(item.nodeid)
        yield
        self._coverage.switch_context("")
        self.seconds[item.nodeid] = time.process_time() - began
        self.seconds[item.nodeid.partition("::")[0]] += self.seconds[item.nodeid]


def record(root: Path, files: list[Path], paths: list[str], to: Path) -> int:
    """Run the tests, and write for each line of the files the tests that run it; returns pytest's exit status."""
    from coverage import Coverage  # pyright: ignore[reportMissingImports]

    coverage = Coverage(data_file=None, config_file=False, include=[str(root / file) for file in files])
    recorder = Recorder(coverage)
    coverage.start()
    status = int(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *paths], plugins=[recorder]))
    coverage.stop()
    if status == 0:
        data = coverage.get_data()
        running = {
            file.as_posix(): {
                line: [name for name in names if name]
                for line, names in data.contexts_by_lineno(str(root / file)).items()
            }
            for file in files
        }
        to.write_text(json.dumps({"seconds": recorder.seconds, "running": running}), encoding="utf-8")
    return status
