"""What methods of a model return: tables and reports that print as text, and that a notebook shows as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from archdsl.checks.claims import ClaimResult
from archdsl.checks.report import Report
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.render import render
from archdsl.emit.summary import Row, Summary, Totals
from archdsl.evaluate.values import shape_text
from archdsl.op import Tensor
from archdsl.views import compare, summary
from archdsl.views.report import MARKS, text
from archdsl.views.sheets import write


class SummaryTable:
    """The module tree of a network with shapes and costs. ``totals`` and ``rows`` have the numbers."""

    def __init__(self, found: Summary, rows: Sequence[Row]) -> None:
        self.summary = found
        self.rows = rows
        self.totals: Totals = found.totals

    def __repr__(self) -> str:
        return f"{self._heading()}\n\n{self.to('text')}"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self._heading())}</b></p>\n{self.to('html')}"

    def to(self, format: str) -> str:
        """The table as ``csv``, ``markdown``, ``latex``, ``html`` or ``text``."""
        return write(summary.sheet(self.summary, self.rows, format), format)

    def _heading(self) -> str:
        return f"{self.summary.name}: {shapes(self.summary.inputs)} -> {shapes(self.summary.outputs)}"


class Comparison:
    """The totals of several networks, with ratios to the first."""

    def __init__(self, names: Sequence[str], summaries: Sequence[Summary]) -> None:
        self.names = names
        self.summaries = summaries

    def __repr__(self) -> str:
        return self.to("text")

    def _repr_html_(self) -> str:
        return self.to("html")

    def to(self, format: str) -> str:
        """The table as ``csv``, ``markdown``, ``latex``, ``html`` or ``text``."""
        return write(compare.sheet(self.names, self.summaries, format), format)


class CheckResult:
    """What a check found: claims and diagnostics."""

    def __init__(self, report: Report) -> None:
        self.report = report

    @property
    def ok(self) -> bool:
        """Whether there are no errors; an undecided claim is one."""
        return self.report.ok

    @property
    def claims(self) -> tuple[ClaimResult, ...]:
        return self.report.claims

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.report.diagnostics

    def __repr__(self) -> str:
        return "\n\n".join(filter(None, [text(self.report), render(self.diagnostics)]))

    def _repr_html_(self) -> str:
        models = "".join(f"<li>{escape(graph.name)}</li>" for graph in self.report.graphs)
        claims = "".join(
            f"<li>{MARKS[claim.standing]} {escape(claim.text)}: {escape(claim.how)}</li>" for claim in self.claims
        )
        found = f"<pre>{escape(render(self.diagnostics))}</pre>" if self.diagnostics else ""
        listed = f"<ul style='list-style: none'>{claims}</ul>" if claims else f"<ul>{models}</ul>"
        return f"<p><b>{'no errors' if self.ok else 'errors'}</b></p>{listed}{found}"


def shapes(tensors: dict[str, Tensor]) -> str:
    """``image [N, 3, 224, 224], mask [N, 1]``."""
    return ", ".join(f"{name} {shape_text(tensor.shape)}" for name, tensor in tensors.items())
