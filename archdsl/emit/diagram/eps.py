"""From an SVG of Graphviz to Encapsulated PostScript: the same geometry, in Helvetica, which every interpreter has."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

_SVG = "{http://www.w3.org/2000/svg}"
_ASCII = {"…": "...", "–": "-", "—": "-", "−": "-"}
"""Characters that Latin-1 lacks. Others become a question mark."""
_FONTS = [
    "/latin { findfont dup length dict begin",
    "  { 1 index /FID ne { def } { pop pop } ifelse } forall",
    "  /Encoding ISOLatin1Encoding def currentdict end definefont pop } bind def",
    "/Sans /Helvetica latin",
    "/SansBold /Helvetica-Bold latin",
]


def eps(svg: str, scale: float = 1.0) -> str:
    """The program that draws an SVG of Graphviz; ``scale`` enlarges it, texts too."""
    root = ET.fromstring(svg.encode())
    group = root.find(f"{_SVG}g")
    assert group is not None
    fitted = re.search(r"scale\(([\d.]+)", group.get("transform", ""))
    factor = scale * (float(fitted[1]) if fitted else 1.0)
    across, down = (float(root.get(name, "0").removesuffix("pt")) * scale for name in ("width", "height"))
    moved = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", group.get("transform", ""))
    left, top = (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)
    lines = [
        "%!PS-Adobe-3.0 EPSF-3.0",
        f"%%BoundingBox: 0 0 {-int(-across // 1)} {-int(-down // 1)}",
        f"%%HiResBoundingBox: 0 0 {across:g} {down:g}",
        "%%EndComments",
        *_FONTS,
        "gsave",
        f"0 {down:g} translate {factor:g} dup scale {left:g} {-top:g} translate",
        *(line for element in group.iter() for line in _drawn(element)),
        "grestore",
        "showpage",
        "%%EOF",
    ]
    return "\n".join(lines) + "\n"


def _drawn(element: ET.Element) -> Iterator[str]:
    match element.tag.removeprefix(_SVG):
        case "polygon":
            first, *rest = _points(element.get("points", ""))
            yield from _painted(element, [f"{first} moveto", *(f"{point} lineto" for point in rest), "closepath"])
        case "polyline":
            first, *rest = _points(element.get("points", ""))
            yield from _painted(element, [f"{first} moveto", *(f"{point} lineto" for point in rest)])
        case "path":
            first, *rest = _points(element.get("d", ""))
            steps = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            yield from _painted(element, [f"{first} moveto", *(f"{a} {b} {c} curveto" for a, b, c in steps)])
        case "ellipse":
            x, y, radius = (float(element.get(name, "0")) for name in ("cx", "cy", "rx"))
            yield from _painted(element, [f"{x:g} {-y:g} {radius:g} 0 360 arc closepath"])
        case "text":
            yield from _text(element)


def _points(text: str) -> list[str]:
    numbers = re.findall(r"-?\d+\.?\d*", text)
    return [f"{x} {-float(y):g}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _painted(element: ET.Element, path: list[str]) -> Iterator[str]:
    """The path filled, then drawn."""
    outline = f"newpath {' '.join(path)}"
    fill, stroke = (element.get(name, "none") for name in ("fill", "stroke"))
    if fill.startswith("#"):
        yield f"{_color(fill)} {outline} fill"
    if stroke.startswith("#"):
        dash = "[3 2]" if element.get("stroke-dasharray") else "[]"
        yield f"{_color(stroke)} {element.get('stroke-width', '1')} setlinewidth {dash} 0 setdash {outline} stroke"


def _color(name: str) -> str:
    red, green, blue = (int(name[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return f"{red:.3f} {green:.3f} {blue:.3f} setrgbcolor"


def _text(element: ET.Element) -> Iterator[str]:
    words = "".join(_ASCII.get(letter, letter) for letter in "".join(element.itertext()))
    written = "".join(_byte(code) for code in words.encode("latin-1", errors="replace"))
    font = "SansBold" if element.get("font-weight") == "bold" else "Sans"
    share = {"start": "0", "middle": "-0.5", "end": "-1"}[element.get("text-anchor", "start")]
    yield f"{_color(element.get('fill', '#000000'))} /{font} findfont {element.get('font-size', '0')} scalefont setfont"
    place = f"{element.get('x', '0')} {-float(element.get('y', '0')):g}"
    yield f"{place} moveto ({written}) dup stringwidth pop {share} mul 0 rmoveto show"


def _byte(code: int) -> str:
    letter = chr(code)
    if letter in "()\\":
        return f"\\{letter}"
    return letter if 32 <= code < 127 else f"\\{code:03o}"
