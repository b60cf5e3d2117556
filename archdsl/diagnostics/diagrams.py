"""A08xx: diagrams."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class DiagramFault(Diagnostic):
    """Base of the faults of drawing: they stand at no place in a spec."""

    span: Span | None = None


@record(kw_only=True)
class NoRenderer(DiagramFault):
    """Nothing is installed that can draw."""

    code = "A0801"
    title = "nothing here can draw a diagram: neither Graphviz's `dot` nor the `graphviz-pure` wheel is installed"
    hint = "pip install graphviz-pure"


@record(kw_only=True)
class CannotRender(DiagramFault):
    """Graphviz cannot draw this diagram."""

    code = "A0802"
    title = "{renderer} cannot draw this diagram as {format}: {reason}"

    renderer: str
    format: str
    reason: str


@record(kw_only=True)
class NoPdf(DiagramFault):
    """Nothing is installed that can write a PDF or an EPS."""

    code = "A0803"
    title = "a PDF or EPS needs a library that is not installed"
    hint = "pip install 'archdsl[pdf]'"


@record(kw_only=True)
class NoSuchModule(DiagramFault):
    """A part that the network does not have.

    Parts are named by their dotted paths.
    """

    code = "A0804"
    title = "`{model}` has no part `{path}` that could be {done}"
    hint = "{advice}"

    model: str
    path: str
    done: str
    advice: str | None = None


@record(kw_only=True)
class UnknownPictureFormat(DiagramFault):
    """An image in an unknown format."""

    code = "A0805"
    title = "`{path}` has no known image format"
    hint = "end its name in .svg, .png, .pdf, .eps, .tex or .dot"

    path: str


@record(kw_only=True)
class UnknownTheme(DiagramFault):
    """A theme that does not exist."""

    code = "A0806"
    title = "there is no theme `{name}`"
    hint = "the themes are {known}"

    name: str
    known: str
