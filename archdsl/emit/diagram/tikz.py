"""From an SVG of Graphviz to TikZ: the same geometry, the texts in the font of the document that includes it.

Graphviz writes polygons, Bezier curves, ellipses and texts, in points, with y downwards. A text that is wider in the
document's font is narrowed to its room.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from archdsl.emit.diagram.text import width

_SVG = "{http://www.w3.org/2000/svg}"
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "–": "--", "—": "---",
    "…": r"\dots{}", "²": "$^2$", "³": "$^3$", "±": r"$\pm$", "°": r"$^\circ$", "÷": r"$\div$", "\u00a0": "~",
}  # fmt: skip
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_HEAD = r"""% Needs \usepackage{tikz} and \usepackage{graphicx}.
\ifdefined\archdsltext\else\newsavebox\archdsltext\fi
\providecommand\archdslfit[2]{\sbox\archdsltext{#2}%
  \ifdim\wd\archdsltext>#1\resizebox{#1}{\height}{\usebox\archdsltext}\else\usebox\archdsltext\fi}
"""


def tikz(svg: str, scale: float = 1.0) -> str:
    """The ``tikzpicture`` that draws an SVG of Graphviz; ``scale`` enlarges it, texts too."""
    root = ET.fromstring(svg.encode())
    group = root.find(f"{_SVG}g")
    assert group is not None
    fitted = re.search(r"scale\(([\d.]+)", group.get("transform", ""))
    factor = scale * (float(fitted[1]) if fitted else 1.0)
    lines = [line for element in group.iter() for line in _drawn(element, factor)]
    body = "\n".join(f"  {line}" for line in lines)
    return f"{_HEAD}\\begin{{tikzpicture}}[x={factor:.5g}bp, y=-{factor:.5g}bp]\n{body}\n\\end{{tikzpicture}}\n"


def _drawn(element: ET.Element, factor: float) -> Iterator[str]:
    match element.tag.removeprefix(_SVG):
        case "polygon":
            points = _points(element.get("points", ""))
            yield from _path(element, " -- ".join(points[:-1]) + " -- cycle", factor)
        case "polyline":
            yield from _path(element, " -- ".join(_points(element.get("points", ""))), factor)
        case "path":
            yield from _path(element, _curves(_points(element.get("d", ""))), factor)
        case "ellipse":
            x, y, rx, ry = (float(element.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
            yield from _path(element, f"({x:g},{y:g}) ellipse [x radius={rx:g}, y radius={ry:g}]", factor)
        case "text":
            yield _text(element, factor)


def _points(text: str) -> list[str]:
    numbers = re.findall(r"-?\d+\.?\d*", text)
    return [f"({x},{y})" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _curves(points: list[str]) -> str:
    first, *rest = points
    steps = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    return first + "".join(f" .. controls {a} and {b} .. {c}" for a, b, c in steps)


def _path(element: ET.Element, path: str, factor: float) -> Iterator[str]:
    fill, stroke = (element.get(name, "none") for name in ("fill", "stroke"))
    options = [f"fill={_color(fill)}"] if fill not in ("none", "transparent") else []
    if stroke not in ("none", "transparent"):
        thickness = float(element.get("stroke-width", "1")) * factor
        options += [f"draw={_color(stroke)}", f"line width={thickness:.3g}bp"]
    if element.get("stroke-dasharray"):
        options.append("densely dashed")
    if options:
        yield f"\\path[{', '.join(options)}] {path};"


def _color(name: str) -> str:
    """``{rgb,255:red,31;green,41;blue,51}``."""
    if not name.startswith("#"):
        return name
    red, green, blue = (int(name[i : i + 2], 16) for i in (1, 3, 5))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def _text(element: ET.Element, factor: float) -> str:
    words = "".join(element.itertext())
    size, is_bold = float(element.get("font-size", "0")), element.get("font-weight") == "bold"
    room = width(words, size, is_bold) * factor
    written = "".join(_ESCAPES.get(letter, letter) for letter in words)
    height = f"{size * factor:.3g}"
    color = _color(element.get("fill", "black"))
    anchor = _ANCHORS[element.get("text-anchor", "start")]
    place = f"({element.get('x', '0')},{element.get('y', '0')})"
    style = rf"\fontsize{{{height}bp}}{{{height}bp}}\selectfont\sffamily" + (r"\bfseries" if is_bold else "")
    options = f"anchor={anchor}, inner sep=0, text={color}"
    return rf"\node[{options}] at {place} {{\archdslfit{{{room:.4g}bp}}{{{style} {written}}}}};"
