"""Writes docs/zoo.md, torchvision's networks as specs: their lines, their figures, and how long they take to load.

`python docs/zoo.py` writes it, `python docs/zoo.py -` prints it. torch cannot be imported here: an attempt would fail.
What depends on the machine or on torchvision's version stands in italics.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import sys
import time
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import archdsl
from archdsl.compiler import Spec, open_spec
from archdsl.dims import Size
from archdsl.graph import Graph
from archdsl.measure import activation_bytes, depth
from archdsl.measure.field import Extent, Fields

HERE = Path(__file__).parent
SPECS = HERE.parent / "specs"

PEERS = {
    "alexnet": ["alexnet"],
    "convnext": ["convnext"],
    "densenet": ["densenet"],
    "efficientnet": ["efficientnet"],
    "googlenet": ["googlenet"],
    "inception": ["inception"],
    "maxvit": ["maxvit"],
    "mnasnet": ["mnasnet"],
    "mobilenetv2": ["mobilenetv2"],
    "mobilenetv3": ["mobilenetv3"],
    "regnet": ["regnet"],
    "resnet": ["resnet"],
    "segmentation": ["segmentation/_utils", "segmentation/fcn", "segmentation/deeplabv3", "segmentation/lraspp"],
    "shufflenetv2": ["shufflenetv2"],
    "squeezenet": ["squeezenet"],
    "swin": ["swin_transformer"],
    "vgg": ["vgg"],
    "video_resnet": ["video/resnet"],
    "vit": ["vision_transformer"],
}
"""By the name of a spec, torchvision's files of the same networks."""
ALSO = {"resnet": ["resnet", "resnet50"], "vgg": ["vgg"]}
"""Specs outside the folder that a family is made of."""

INTRODUCTION = """\
# torchvision's networks as specs

Written by `python docs/zoo.py`. [`specs/torchvision`](../specs/torchvision) contains every classifier of torchvision,
its segmentation networks and its video ResNets, one file per family. `tests/zoo` compares each member with
torchvision's model: state dict, initial weights, outputs in torch and in ONNX Runtime, published numbers.
"""
LINES = """\
## Lines

Lines of code, without comments, documentation and blank lines. In italics, torchvision {version}: its files of the same
networks, with and without the tables of published weights. The lines of a spec include its claims.

| family | members | spec | torchvision | without weights |
| --- | --: | --: | --: | --: |
"""
FIGURES = """\
## Costs

Computed from the specs, for one image, without torch. *Field*: receptive field of a position of the last feature map,
along each axis; `all`: the entire image, because of squeeze-and-excitation or attention. *Memory*: activations saved
for backward. *Depth*: layers with weights on the longest path. *Load*: processor seconds, in italics, from the text to
the checked graph, without the start of Python{total}.

| network | image | parameters | GMACs | field | memory | depth | load |
| --- | --- | --: | --: | --: | --: | --: | --: |
"""


# ---- lines -------------------------------------------------------------------------------------------------


def spec_lines(path: Path) -> int:
    """Lines of a spec that hold code."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


def python_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no comments, no docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            found -= _range(node.body[0])
    return found


def weight_lines(text: str) -> set[int]:
    """The lines of the tables of published weights."""
    tables = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name.endswith("_Weights")]
    return set().union(*(_range(table) | _decorated(table) for table in tables))


def _range(node: ast.stmt) -> set[int]:
    assert node.end_lineno is not None
    return set(range(node.lineno, node.end_lineno + 1))


def _decorated(node: ast.ClassDef) -> set[int]:
    return {decorator.lineno for decorator in node.decorator_list}


def peer(names: list[str]) -> tuple[int, int]:
    """Lines of torchvision's files, all and without the tables of weights. torchvision is not imported."""
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.submodule_search_locations is not None
    texts = [(Path(found.submodule_search_locations[0]) / f"{n}.py").read_text("utf-8") for n in names]
    lines = [(python_lines(text), weight_lines(text)) for text in texts]
    return sum(len(code) for code, _ in lines), sum(len(code - weights) for code, weights in lines)


def lines_table(families: dict[str, Spec]) -> Iterator[str]:
    """A row for each family, and for what families share."""
    totals = [0, 0, 0]
    rows = [
        (
            f"[{name}](../specs/torchvision/{name}.arch)",
            len(members(spec)),
            [SPECS / "torchvision" / f"{name}.arch", *(SPECS / f"{n}.arch" for n in ALSO.get(name, ()))],
            [f"models/{n}" for n in PEERS[name]],
        )
        for name, spec in families.items()
    ]
    rows.append(("[shared blocks](../specs/blocks.arch)", 0, [SPECS / "blocks.arch"], ["ops/misc", "models/_utils"]))
    for title, count, files, peers in rows:
        row = [sum(map(spec_lines, files)), *peer(peers)]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        yield f"| {title} | {count or ''} | {row[0]} | *{row[1]}* | *{row[2]}* |"
    ours, whole, bare = totals
    yield f"| **all** | {sum(len(members(s)) for s in families.values())} | {ours} | *{whole}* | *{bare}* |"
    yield ""
    yield f"The specs have *{ours / whole:.0%}* of torchvision's lines, and *{ours / bare:.0%}* without its weights."


# ---- figures -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """What the table says of one network."""

    name: str
    image: str
    params: int
    macs: int
    field: str
    memory: int
    depth: int
    seconds: float

    def row(self) -> str:
        cells = (
            self.name,
            self.image,
            f"{self.params:,}",
            f"{self.macs / 1e9:.3f}",
            self.field,
            f"{self.memory / 1e6:,.0f} MB",
            str(self.depth),
            f"*{self.seconds:.2f}*",
        )
        return f"| {' | '.join(cells)} |"


def members(spec: Spec) -> list[str]:
    """The networks of a family: those that are named as torchvision names them."""
    return [name for name in spec.buildable if name == name.lower()]


def figures(name: str) -> Figures:
    """A network's, from its spec."""
    start = time.process_time()
    model = archdsl.load(f"torchvision/{name}")
    seconds = time.process_time() - start
    ((_, given),) = model.inputs.items()
    memory = activation_bytes(model.graph)
    assert isinstance(model.params, int)
    assert isinstance(model.macs, int)
    assert isinstance(memory, int)
    image = "×".join(map(str, given.shape[1:]))
    found = field(model.graph)
    return Figures(name, image, model.params, model.macs, found, memory, depth(model.graph), seconds)


def field(graph: Graph) -> str:
    """What a position of the output sees of the image along its spatial axes; or of the last map, where it has none."""
    fields, live = Fields(graph), graph.live(training=False)
    values = [*(v for node in graph.nodes if node in live for v in node.outputs), graph.outputs[0].value]
    maps = [v for v in values if has_positions(v.shape)]
    last = next(found for v in reversed(maps) if (found := fields.of(v)))
    ((_, axes),) = last.items()
    seen = [axis.most for axis in axes[2:]]
    return extent(seen[0]) if len(set(seen)) == 1 else "×".join(map(extent, seen))


def has_positions(shape: tuple[Size, ...]) -> bool:
    """Whether a value has more than one vector for each example."""
    return sum(size != 1 for size in shape[1:]) > 1


def extent(seen: Extent) -> str:
    return str(seen)


def document() -> str:
    """The whole document."""
    families = {path.stem: _family(path) for path in sorted((SPECS / "torchvision").glob("*.arch"))}
    rows = [figures(name) for spec in families.values() for name in members(spec)]
    total = f"; *{sum(row.seconds for row in rows):.1f}* for all {len(rows)} in one process"
    return "\n".join(
        [
            INTRODUCTION,
            LINES.format(version=f"*{version('torchvision').partition('+')[0]}*") + "\n".join(lines_table(families)),
            "",
            FIGURES.format(total=total) + "\n".join(row.row() for row in rows),
            "",
        ]
    )


def _family(path: Path) -> Spec:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    return spec


if __name__ == "__main__":
    sys.modules["torch"] = None  # type: ignore[assignment]
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(document())
    else:
        (HERE / "zoo.md").write_text(document(), encoding="utf-8")
