"""What every text must survive: all that `check` does, and for small networks all that the back ends write."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archdsl.checks.report import check
from archdsl.cli.check import facts
from archdsl.compiler import Spec, from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.render import render, to_json
from archdsl.views.report import text

SECONDS = 2
"""CPU time that a text may take: CPU, so that a busy machine changes no result."""
MEMORY = 2**30
EMITTED_NODES = 60
"""Networks up to so many nodes are written as source and diagram too."""


class Hangs(Exception):
    """A text took longer than ``SECONDS``."""


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Raises ``Hangs`` in the midst of what takes longer."""

    def stop(*_: Any) -> None:
        raise Hangs

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    """This process fails where it would take more than ``MEMORY``: a MemoryError is a finding."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def survive(spec_text: str, emits: bool = False) -> tuple[Diagnostic, ...]:
    """Check a text and show what was found, in every form; with ``emits``, write its networks too.

    Any exception is a fault of archdsl's.
    """
    spec = from_text(spec_text)
    report = check(spec)
    render(report.diagnostics, colour=True)
    text(report)
    json.dumps([facts(report), *map(to_json, report.diagnostics)], default=str)
    if emits:
        for graph in report.graphs:
            if len(graph.nodes) <= EMITTED_NODES:
                _write(spec, graph.name)
    return report.diagnostics


def _write(spec: Spec, name: str) -> None:
    from archdsl.errors import SpecError
    from archdsl.model import open_model

    try:
        model = open_model(Spec(spec.scope, name, ()), {}, {})
        assert model.source()
        assert model.diagram().dot
    except SpecError as error:
        if any(d.code == "A0500" for d in error.diagnostics):
            raise AssertionError("no source could be written") from error
