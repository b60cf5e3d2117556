"""From DOT to an image: the system's ``dot``, else the ``graphviz-pure`` wheel; PDF from the SVG where neither can.

Of a PNG the wheel's is the better: it brings its font and spaces letters evenly, where ``dot`` fits each letter to a
coarser grid before it scales the image up. So there the wheel comes first.

Both are programs that read DOT from standard input. A renderer that complains (a missing plug-in, fonts so strange that
a text leaves its card) is passed over for the next one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape, unescape
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path
from typing import Literal

from archdsl.diagnostics.diagrams import CannotRender, NoPdf, NoRenderer
from archdsl.emit.diagram.eps import eps
from archdsl.emit.diagram.text import FONT, SMALL, width
from archdsl.emit.diagram.tikz import tikz
from archdsl.errors import SpecError

Format = Literal["svg", "png", "pdf", "eps", "tex"]

PRINT_DPI = 300
SECONDS = 120
"""A page takes a fraction of a second; a figure that was opened by hand may take longer."""

FAMILY = "Arial, Helvetica, 'Liberation Sans', Arimo, sans-serif"
_HARMLESS = re.compile(r"(Warning: )+no value for width of non-ASCII character \d+\. Falling back to width of space .*")
"""Widths come with the DOT: the renderer's own are not used."""
_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_SIZE = re.compile(r'\b(width|height)="([\d.]+)pt"')
_COMPLAINT = re.compile(r"(Warning|Error|Format): |Format: ")


@dataclass(frozen=True)
class Output:
    """How an image is written: dots an inch of a PNG, the font, the enlargement of figure and texts.

    ``title`` and ``description`` are an SVG's, for those who cannot see it.
    """

    dpi: int = PRINT_DPI
    font: str = FONT
    scale: float = 1.0
    title: str = ""
    description: str = ""


DEFAULT = Output()


def render(dot: str, format: Format, output: Output = DEFAULT) -> bytes:
    """The image that a DOT text draws.

    Raises:
        SpecError: no renderer is installed, or none can draw this.
    """
    match format:
        case "svg":
            return _finish(_draw(dot, "svg"), output)
        case "png":
            return _draw(dot, "png", f"-Gdpi={output.dpi * output.scale:.4g}")
        case "tex":
            return tikz(_draw(dot, "svg").decode(), output.scale).encode()
        case "eps":
            return eps(_draw(dot, "svg").decode(), output.scale).encode()
        case "pdf":
            return _pdf(dot, output)


# ---- renderers ---------------------------------------------------------------------------------------------


def renderers(format: str = "svg") -> list[Path]:
    """The programs that can draw, best first."""
    order = (pure_dot(), system_dot()) if format == "png" else (system_dot(), pure_dot())
    return [path for path in order if path is not None]


def system_dot() -> Path | None:
    found = shutil.which("dot")
    return Path(found) if found else None


def pure_dot() -> Path | None:
    """The program of the ``graphviz-pure`` wheel: in the environment's folder of scripts, on the path or not."""
    try:
        files = distribution("graphviz-pure").files or ()
    except PackageNotFoundError:
        files = ()
    for file in files:
        if file.stem == "graphviz-pure":
            return Path(str(file.locate())).resolve()
    found = shutil.which("graphviz-pure")
    return Path(found) if found else None


def _draw(dot: str, format: str, *options: str) -> bytes:
    """The first image that a renderer draws without complaint."""
    complaint: CannotRender | None = None
    for renderer in renderers(format):
        drawn = run(renderer, dot, format, *options)
        if isinstance(drawn, bytes):
            return drawn
        complaint = complaint or drawn
    raise SpecError([complaint or NoRenderer()])


def run(renderer: Path, dot: str, format: str, *options: str) -> bytes | CannotRender:
    """What one renderer makes of a DOT text."""
    command = [str(renderer), f"-T{format}", *options]
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = f"it took over {SECONDS} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return CannotRender(renderer=renderer.name, format=format, reason=reason)
    lines = done.stderr.decode(errors="replace").splitlines()
    complaints = [line for line in lines if _COMPLAINT.match(line) and not _HARMLESS.fullmatch(line)]
    if done.returncode or complaints or not done.stdout:
        reason = (complaints or lines or [f"exit code {done.returncode}"])[0]
        return CannotRender(renderer=renderer.name, format=format, reason=reason)
    return done.stdout


# ---- SVG and PDF -------------------------------------------------------------------------------------------


def _finish(svg: bytes, output: Output) -> bytes:
    """Fonts that exist on other machines too; a role, a title and a description for screen readers; the size."""
    text = svg.decode()
    family = FAMILY
    if output.font != FONT:
        family, text = f"{escape(output.font)}, {FAMILY}", _TEXT.sub(_fitted, text)
    text = text.replace(f'font-family="{FONT}"', f'font-family="{family}"')
    about = f"<title>{escape(output.title)}</title>\n<desc>{escape(output.description)}</desc>\n"
    text = re.sub(r"<svg ([^>]*)>\n", lambda m: f'<svg role="img" {m[1]}>\n{about}', text, count=1)
    return _SIZE.sub(lambda m: f'{m[1]}="{float(m[2]) * output.scale:g}pt"', text, count=2).encode()


def _fitted(found: re.Match[str]) -> str:
    """A text with the width that the figure has for it, since the metrics of its font are not known here."""
    attributes, words = found[1], unescape(found[2])
    size = re.search(r'font-size="([\d.]+)"', attributes)
    room = width(words, float(size[1]) if size else SMALL, "font-weight" in attributes)
    return f'<text {attributes} textLength="{room:.2f}" lengthAdjust="spacingAndGlyphs">{found[2]}</text>'


def _pdf(dot: str, output: Output) -> bytes:
    """By the system's ``dot``, which embeds its fonts; else from the SVG, by svglib."""
    renderer = system_dot()
    if renderer is not None and output.scale == 1.0:
        drawn = run(renderer, dot, "pdf")
        if isinstance(drawn, bytes):
            return drawn
    try:
        from reportlab.graphics.renderPDF import drawToFile
        from svglib.svglib import svg2rlg
    except ImportError:
        raise SpecError([NoPdf()]) from None
    import logging

    logging.getLogger("svglib").setLevel(logging.ERROR)  # it reports each title that a page cannot show
    drawing = svg2rlg(BytesIO(_finish(_draw(dot, "svg"), output)))
    if drawing is None:
        raise SpecError([CannotRender(renderer="svglib", format="pdf", reason="it cannot read the SVG")])
    pdf = BytesIO()
    drawToFile(drawing, pdf)
    return pdf.getvalue()
