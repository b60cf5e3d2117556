"""A08xx: diagrams."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class DiagramFault(Diagnostic):
    """Base of errors while drawing; they have no place in a spec."""

    span: Span | None = None


@record(kw_only=True)
class NoRenderer(DiagramFault):
    """No renderer is installed.

    Diagrams are drawn by Graphviz: the `dot` program, or the `graphviz-pure` package.
    """

    code = "A0801"
    title = "cannot draw a diagram: neither Graphviz's `dot` nor the package `graphviz-pure` is installed"
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
    """No library that writes PDF or EPS is installed."""

    code = "A0803"
    title = "cannot write PDF or EPS: the library is not installed"
    hint = "pip install 'archdsl[pdf]'"


@record(kw_only=True)
class NoSuchModule(DiagramFault):
    """A module that the network does not have.

    Modules are named by their dotted paths, such as `layer1.0.conv1`.
    """

    code = "A0804"
    title = "`{model}` has no module `{path}` that can be {done}"
    hint = "{advice}"

    model: str
    path: str
    done: str
    advice: str | None = None


@record(kw_only=True)
class UnknownPictureFormat(DiagramFault):
    """An image format that archdsl cannot write."""

    code = "A0805"
    title = "`{path}` does not end in a supported image format"
    hint = "use .svg, .png, .pdf, .eps, .tex or .dot"

    path: str


@record(kw_only=True)
class UnknownTheme(DiagramFault):
    """A theme that does not exist."""

    code = "A0806"
    title = "there is no theme `{name}`"
    hint = "the themes are {known}"

    name: str
    known: str
