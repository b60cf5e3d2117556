"""What a comparison of ONNX Runtime with torch found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archdsl.diagnostics.base import Diagnostic

TOLERANCE = 1e-4
"""Largest difference taken for rounding, relative to the largest element (or to 1, if that is less)."""


@dataclass(frozen=True)
class Comparison:
    """One output at one choice of sizes; ``difference`` is relative, see `TOLERANCE`.

    Of the ``elements`` of the output, those that are finite in torch count as ``compared``: of the others only that
    they are the same can be said.
    """

    output: str
    sizes: Mapping[str, int]
    difference: float
    elements: int
    compared: int


@dataclass(frozen=True)
class Report:
    """All comparisons. ``problem`` says what is wrong with the file; None if nothing is.

    ``amplifies`` holds where outputs differ although each layer by itself does not: the network makes rounding grow.
    """

    comparisons: tuple[Comparison, ...]
    problem: Diagnostic | None = None
    amplifies: bool = False

    @property
    def difference(self) -> float:
        """The largest one."""
        return max(comparison.difference for comparison in self.comparisons)

    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "ok": self.problem is None,
            "difference": self.difference,
            "amplifies_rounding": self.amplifies,
            "comparisons": [
                {
                    "output": c.output,
                    "sizes": dict(c.sizes),
                    "difference": c.difference,
                    "elements": c.elements,
                    "compared": c.compared,
                }
                for c in self.comparisons
            ],
        }

    def __str__(self) -> str:
        if self.problem is not None:
            return self.problem.message
        at = " and ".join(dict.fromkeys(sizes_text(c.sizes) for c in self.comparisons))
        if self.amplifies:
            return (
                f"every layer in ONNX Runtime equals torch's at {at}; rounding errors grow through this network with"
                f" these weights, to {self.difference:.1e} at its outputs"
            )
        return f"ONNX Runtime equals torch at {at}; largest difference {self.difference:.1e}{self._not_finite()}"

    def _not_finite(self) -> str:
        """What is to be known of an equality: how many numbers are NaN or infinite on both sides."""
        lines = [
            f"\nnot verified: {c.elements - c.compared:,} of the {c.elements:,} numbers of `{c.output}` at"
            f" {sizes_text(c.sizes)} are NaN or infinite in both"
            for c in self.comparisons
            if c.compared < c.elements
        ]
        return "".join(lines)


def sizes_text(sizes: Mapping[str, int]) -> str:
    """``N = 3, H = 64``."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items()) or "the sizes stated"
