"""Which tests run a function, and how long each takes: a plugin of pytest that writes it down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest


class Recorder:
    """Notes the functions of the package that each test calls."""

    def __init__(self, root: Path) -> None:
        self._package = str(root / "archdsl")
        self.tests: dict[str, dict[str, Any]] = {}
        self._seen: set[CodeType] = set()

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        self._seen.add(frame.f_code)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._seen = set()
        began = time.process_time()
        sys.settrace(self._note)
        yield
        sys.settrace(None)
        root = Path(self._package).parent
        codes = [code for code in self._seen if code.co_filename.startswith(self._package)]
        names = sorted({f"{Path(c.co_filename).relative_to(root)}:{c.co_firstlineno}" for c in codes})
        self.tests[item.nodeid] = {"seconds": time.process_time() - began, "functions": names}


def record(root: Path, paths: list[str], to: Path) -> int:
    """Run the tests, and write what each of them calls; returns pytest's exit status."""
    recorder = Recorder(root)
    status = int(pytest.main(["-q", "-p", "no:cacheprovider", *paths], plugins=[recorder]))
    if status == 0:
        to.write_text(json.dumps(recorder.tests), encoding="utf-8")
    return status
