"""Graphs for tests: of shipped specs, and of statements."""

from __future__ import annotations

from functools import cache
from typing import Any

from archdsl.compiler import build, from_text
from archdsl.graph import Graph
from archdsl.model import load


@cache
def shipped(name: str, shape: str | None = None, **settings: Any) -> Graph:
    """A shipped model, on an input such as ``"2x3x64x64"``."""
    return load(name, shape, **settings).graph


def text(source: str, **settings: Any) -> Graph:
    """The last model of a text."""
    spec = from_text(source)
    assert not spec.diagnostics, [d.message for d in spec.diagnostics]
    built = build(spec, list(spec.buildable.values())[-1], settings, {})
    assert built.graph is not None, [(d.message, d.note) for d in built.diagnostics]
    return built.graph


def body(statements: str, size: str = "[N, 8, 16, 16]") -> Graph:
    """A model around the statements of a body."""
    return text(f"model M {{\n input x: {size}\n{statements}\n output y\n}}")
