"""Specs as text, built."""

from __future__ import annotations

import pytest

from archdsl.compiler import build, choose, from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.elaborate.model import Built
from archdsl.graph import Graph


class Specs:
    """Builds the (only, or last) model of a text."""

    def built(self, text: str, **settings: object) -> Built:
        spec = from_text(text)
        if spec.diagnostics:
            return Built(None, list(spec.diagnostics))
        if len(spec.buildable) > 1:
            model = list(spec.buildable.values())[-1]
        else:
            model = choose(spec)
            if isinstance(model, Diagnostic):
                return Built(None, [model])
        return build(spec, model, settings, {})

    def graph(self, text: str, **settings: object) -> Graph:
        built = self.built(text, **settings)
        assert built.graph is not None, [(d.code, d.message, d.note) for d in built.diagnostics]
        return built.graph

    def body(self, text: str, size: str = "[N, 8, 16, 16]") -> Graph:
        """A model around the statements of a body."""
        return self.graph(f"model M {{\n input x: {size}\n{text}\n output y\n}}")

    def keys(self, text: str) -> list[str]:
        """The state dict's names, of a model around the statements of a body."""
        return list(self.body(text).weights)

    def faults(self, text: str, **settings: object) -> list[Diagnostic]:
        return self.built(text, **settings).diagnostics

    def body_faults(self, text: str, size: str = "[N, 8, 16, 16]") -> list[Diagnostic]:
        return self.faults(f"model M {{\n input x: {size}\n{text}\n output y\n}}")


@pytest.fixture
def specs() -> Specs:
    return Specs()
