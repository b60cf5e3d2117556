"""Pictures as boxes and texts, to be measured; and networks to draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from hypothesis import strategies as st

from archdsl.compiler import build, from_text
from archdsl.emit.diagram.text import width
from archdsl.graph import Graph

SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Box:
    """A rectangle, in points; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def holds(self, other: Box, slack: float) -> bool:
        return (
            self.left - slack <= other.left
            and other.right <= self.right + slack
            and self.top - slack <= other.top
            and other.bottom <= self.bottom + slack
        )

    def has(self, point: tuple[float, float], slack: float) -> bool:
        """Does a point lie inside, more than ``slack`` from the edge?"""
        return self.left + slack < point[0] < self.right - slack and self.top + slack < point[1] < self.bottom - slack

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right - 0.5
            and other.left < self.right - 0.5
            and self.top < other.bottom - 0.5
            and other.top < self.bottom - 0.5
        )


@dataclass
class Text:
    words: str
    size: float
    family: str
    box: Box


@dataclass
class Drawn:
    """A node, an edge or a cluster of a picture."""

    id: str
    classes: set[str]
    box: Box | None
    texts: list[Text] = field(default_factory=list)
    curve: list[tuple[float, float]] = field(default_factory=list)
    """Points of an edge's line, close to each other."""


@dataclass
class Picture:
    root: ET.Element
    width: float
    height: float
    drawn: list[Drawn]
    scale: float = 1.0
    """Points of the page for each unit in which boxes and texts are measured."""

    def of(self, kind: str) -> list[Drawn]:
        return [d for d in self.drawn if kind in d.classes]

    @property
    def texts(self) -> list[Text]:
        return [_text(e) for e in self.root.iter(f"{SVG}text")]


def read(svg: str) -> Picture:
    root = ET.fromstring(svg.encode())
    sizes = [float(root.get(name, "").removesuffix("pt")) for name in ("width", "height")]
    groups = [g for g in root.iter(f"{SVG}g") if {"node", "edge", "cluster"} & set(g.get("class", "").split())]
    whole = root.find(f"{SVG}g")
    assert whole is not None
    scaled = re.search(r"scale\(([\d.]+)", whole.get("transform", ""))
    return Picture(root, sizes[0], sizes[1], [_drawn(g) for g in groups], float(scaled[1]) if scaled else 1.0)


def _drawn(group: ET.Element) -> Drawn:
    corners = [point for element in group.iter() for point in _points(element)]
    box = None
    if corners:
        xs, ys = zip(*corners, strict=True)
        box = Box(min(xs), min(ys), max(xs), max(ys))
    texts = [_text(e) for e in group.iter(f"{SVG}text")]
    curve = [point for path in group.iter(f"{SVG}path") for point in _curve(path)]
    return Drawn(group.get("id", ""), set(group.get("class", "").split()), box, texts, curve)


def _curve(path: ET.Element) -> list[tuple[float, float]]:
    """Points of a path of cubic Bezier curves, sixteen of each."""
    points = _points(path)
    found: list[tuple[float, float]] = []
    for start in range(0, len(points) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[start : start + 4]
        for step in range(17):
            t = step / 16
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found


def _points(element: ET.Element) -> list[tuple[float, float]]:
    if element.tag == f"{SVG}ellipse":
        x, y, rx, ry = (float(element.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
        return [(x - rx, y - ry), (x + rx, y + ry)]
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", element.get("points") or element.get("d") or "")]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


_AS_WIDE = str.maketrans("·\u00a0–−²³", "  0=((")
"""ASCII as wide as these are printed: cards are sized for renderers that take them to be wider."""


def _text(element: ET.Element) -> Text:
    words = "".join(element.itertext())
    size = float(element.get("font-size", "0"))
    across = width(words.translate(_AS_WIDE), size, element.get("font-weight") == "bold")
    x, y = float(element.get("x", "0")), float(element.get("y", "0"))
    left = x - {"start": 0.0, "middle": across / 2, "end": across}[element.get("text-anchor", "start")]
    box = Box(left, y - 0.72 * size, left + across, y + 0.2 * size)
    return Text(words, size, element.get("font-family", ""), box)


def network(text: str, model: str, **settings: object) -> Graph:
    """A model of a spec that is given as text."""
    spec = from_text(text)
    built = build(spec, spec.models[model], settings, {})
    assert built.graph is not None, [d.message for d in built.diagnostics]
    return built.graph


UNET = """
block Double(width) = seq {
  conv(width, 3, pad=1, bias=false) -> batchnorm -> relu
  conv(width, 3, pad=1, bias=false) -> batchnorm -> relu
}
model UNet(classes = 2, width = 64, depth = 4) {
  input image: [N, 3, H, W]
  for i in 0..depth {
    encoder{i}: Double(width * 2 ** i) as skip{i}
    maxpool(2)
  }
  bottom: Double(width * 2 ** depth)
  for i in reversed(0..depth) {
    up{i}: convtranspose(width * 2 ** i, 2, stride=2)
    resize(like=skip{i}, mode="bilinear")
    concat { skip{i}; it }
    decoder{i}: Double(width * 2 ** i)
  }
  head: conv(classes, 1)
  output mask: [N, classes, H, W]
}
"""

DENSENET = """
block Layer(growth) {
  norm1: batchnorm -> relu -> conv1: conv(4 * growth, 1, bias=false)
  norm2: batchnorm -> relu -> conv2: conv(growth, 3, pad=1, bias=false)
}
block Transition { input x: [N, C, H, W]; norm: batchnorm -> relu -> conv: conv(C // 2, 1, bias=false) -> avgpool(2) }
model DenseNet(growth = 32, depths = [6, 12, 24, 16], classes = 1000) {
  input image: [N, 3, 224, 224]
  features: seq {
    conv0: conv(64, 7, stride=2, pad=3, bias=false) -> norm0: batchnorm -> relu -> maxpool(3, stride=2, pad=1)
    for b, depth in enumerate(depths) {
      denseblock{b + 1}: { for i in 0..depth { concat { it; denselayer{i + 1}: Layer(growth) } } }
      if b < len(depths) - 1 { transition{b + 1}: Transition }
    }
    norm5: batchnorm
  }
  relu -> global_avgpool -> flatten
  classifier: linear(classes)
  output logits: [N, classes]
}
"""

VIT = """
block Encoder(heads, hidden, drop) {
  input x: [N, L, D]
  residual { ln_1: layernorm; self_attention: attention(heads); drop_path(drop) }
  residual { ln_2: layernorm; mlp: seq { linear(hidden) -> gelu -> linear(D) }; drop_path(drop) }
}
model ViT(patch = 16, depth = 12, width = 768, classes = 1000) {
  input image: [N, 3, 224, 224]
  param class_token: [1, 1, width] = zeros
  conv_proj: conv(width, patch, stride=patch)
  rearrange("n c h w -> n (h w) c")
  concat(axis=1) { class_token -> rearrange("1 1 d -> n 1 d", n=N); it } as tokens: [N, L, width]
  encoder: {
    param pos_embedding: [1, L, width] = normal(std=0.02)
    it + pos_embedding
    layers: seq { for i in 0..depth { layer{i}: Encoder(12, 4 * width, 0.1 * i / depth) } }
    ln: layernorm
  }
  it[:, 0]
  head: linear(classes)
  output logits: [N, classes]
}
"""

SHUFFLENET = """
block Unit(width, stride) {
  input x: [N, C, H, W]
  let half = width // 2
  if stride == 1 { split(2) as [left, right] }
  concat {
    if stride == 1 { left } else {
      branch1: seq {
        conv(C, 3, stride=stride, pad=1, groups=C, bias=false) -> batchnorm
        conv(half, 1, bias=false) -> batchnorm -> relu
      }
    }
    (right if stride == 1 else x) -> branch2: seq {
      conv(half, 1, bias=false) -> batchnorm -> relu
      conv(half, 3, stride=stride, pad=1, groups=half, bias=false) -> batchnorm
      conv(half, 1, bias=false) -> batchnorm -> relu
    }
  }
  rearrange("n (g c) h w -> n (c g) h w", g=2)
}
model ShuffleNet(depths = [4, 8, 4], widths = [116, 232, 464], classes = 1000) {
  input image: [N, 3, 224, 224]
  conv1: seq { conv(24, 3, stride=2, pad=1, bias=false) -> batchnorm -> relu }
  maxpool(3, stride=2, pad=1)
  for s in 0..3 { stage{s + 2}: seq { for i in 0..depths[s] { Unit(widths[s], 2 if i == 0 else 1) } } }
  global_avgpool -> flatten
  fc: linear(classes)
  output logits: [N, classes]
}
"""

TOWERS = """
model Towers(width = 128) {
  input image: [N, 3, 64, 64]
  input text: [N, 300]
  text -> words: linear(256) -> relu -> project: linear(width) as t
  image -> conv1: conv(32, 3, stride=2, pad=1) -> bn1: batchnorm -> relu
  conv2: conv(64, 3, stride=2, pad=1) -> bn2: batchnorm -> relu
  global_avgpool -> flatten
  embed: linear(width) as i
  concat { i; t }
  head: linear(1)
  output score: [N, 1]
  output embedding: [N, width] = i
}
"""

HEADS = """
block Head(outputs) {
  input x: [N, C, H, W]
  conv: seq { for i in 0..4 { seq { conv(C, 3, pad=1) -> relu } } }
  score: conv(outputs, 3, pad=1)
}
block Pyramid {
  stem: conv(64, 7, stride=2, pad=3) -> relu as a
  down1: conv(64, 3, stride=2, pad=1) as b
  down2: conv(64, 3, stride=2, pad=1) as c
  down3: conv(64, 3, stride=2, pad=1) as d
  down4: conv(64, 3, stride=2, pad=1) as e
  [a, b, c, d, e]
}
model Heads {
  input image: [N, 3, 256, 256]
  pyramid: Pyramid
  let head: Head(9)
  [p -> head for p in it] as found
  output scores = [f -> rearrange("n c h w -> n (h w) c") for f in found] -> concat(axis=1)
}
"""


# ---- any network -------------------------------------------------------------------------------------------


def statements(depth: int) -> st.SearchStrategy[str]:
    layer = st.sampled_from(
        ["L: conv(8, 3, pad=1)", "L: conv(8, 1) -> relu", "L: batchnorm", "relu", "dropout(0.1)", "identity",
         "L: conv(8, 3, pad=1, bias=false) -> L: batchnorm -> relu"]
    )  # fmt: skip
    if depth == 0:
        return layer
    inner = st.lists(statements(depth - 1), min_size=1, max_size=3).map("\n".join)
    wrapped = st.one_of(
        inner.map(lambda s: f"residual {{ {s} }}"),
        inner.map(lambda s: f"L: {{ {s} }}"),
        inner.map(lambda s: f"L: seq {{ {s} }}"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: "concat { " + "; ".join(f"{{ {p} }}" for p in parts) + "; it }\nL: conv(8, 1)"
        ),
        inner.map(lambda s: f"mul {{ it; {{ {s}\nglobal_avgpool -> sigmoid }} }}"),
        st.tuples(st.integers(1, 4), inner).map(lambda t: _loop(depth, *t)),
    )
    return st.one_of(layer, wrapped)


def _loop(depth: int, turns: int, body: str) -> str:
    """Labels bear the loop's number, so that no two are equal."""
    labelled = body.replace("L", f"L{{i{depth}}}_")
    return f"for i{depth} in 0..{turns} {{ {labelled} }}"


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """A network of residuals, branches, gates, loops and groups in each other."""
    body = "\n".join(draw(st.lists(statements(3), min_size=1, max_size=5)))
    pieces = body.split("L")
    named = "".join(f"l{number}_{piece}" if number else piece for number, piece in enumerate(pieces))
    return network(f"model M {{ input x: [N, 8, 16, 16]\n{named}\noutput y }}", "M")
