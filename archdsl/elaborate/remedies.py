"""Ways out where sizes do not fit. Each that changes the network is tried: shapes are inferred again with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal

from archdsl.dims import Dim, Size, TooLarge, known
from archdsl.evaluate.values import Value
from archdsl.graph import GraphInput, Node
from archdsl.op import Op, Reject, Tensor
from archdsl.ops.sliding import CHANNELS, SPATIAL
from archdsl.record import record
from archdsl.syntax import tree

MAX_INFERENCES = 20_000
"""Shapes inferred in search of sizes that fit: a fraction of a second."""
MAX_TEXT = 60
"""Characters of a branch that are repeated in a message."""
FAR = 64
"""How far from the input's size others are tried."""


@record
class Side:
    """A value that should fit another, and the text that gives it; None where the text gives several."""

    value: Value
    text: str | None
    branch: str | None = None
    """Its name as a branch, behind which a layer can be added; None for a side of an operator."""

    @property
    def is_name(self) -> bool:
        return self.text is not None and self.text.isidentifier()

    def then(self, layer: str) -> str:
        """What is to be written so that a layer runs on the value."""
        if self.is_name or (self.branch is None and self.text is not None):
            return f"`({self.text} -> {layer})`"
        return f"append `-> {layer}` to {self.branch}"

    def cut(self, slices: str) -> str:
        """What is to be written so that the value is sliced."""
        if self.is_name:
            return f"`{self.text}{slices}`"
        if self.branch is None and self.text is not None:
            return f"`({self.text}){slices}`"
        return f"append `-> it{slices}` to {self.branch}"


class Trial:
    """Infers the shapes of some values again, with other inputs or other operators."""

    def __init__(self, nodes: Sequence[Node], targets: Sequence[Value]) -> None:
        wanted, path = set(targets), []
        for node in reversed(nodes):
            if not wanted.isdisjoint(node.outputs):
                wanted.update(node.inputs)
                path.append(node)
        self.sources: set[Value] = wanted - {v for node in path for v in node.outputs}
        self._path = path[::-1]
        self._targets = tuple(targets)
        self._left = MAX_INFERENCES

    def shapes(
        self, inputs: Mapping[Value, Tensor] | None = None, ops: Mapping[Node, Op] | None = None
    ) -> list[tuple[Size, ...]] | None:
        """The shapes of the targets; None where a layer does not take what arrives, or too much was tried."""
        known = {value: value.type for value in self.sources} | dict(inputs or {})
        self._left -= len(self._path)
        if self._left < 0:
            return None
        try:
            for node in self._path:
                op = (ops or {}).get(node, node.facets.op)
                assert op is not None
                found = op.infer(tuple(known[v] for v in node.inputs), _Plain())
                known.update(zip(node.outputs, found, strict=True))
        except (Reject, TooLarge):
            return None
        return [known[value].shape for value in self._targets]


class _Plain:
    """Answers questions about sizes at once: on numbers only."""

    def require(
        self, left: Size, op: Literal["==", ">="], right: Size, message: str, *, arg: str | None = None,
        help: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(left, Dim) or isinstance(right, Dim):
            return
        if not (left == right if op == "==" else left >= right):
            raise Reject(message)

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        if not isinstance(size, Dim) and not isinstance(of, Dim) and size % of:
            raise Reject(message)


Fits = Callable[[list[tuple[Size, ...]]], bool]


def fitting(joined: int | None) -> Fits:
    """Do shapes agree, besides an axis that is joined?"""

    def fit(shapes: list[tuple[Size, ...]]) -> bool:
        first = shapes[0]
        return all(
            len(s) == len(first) and all(a == joined or s[a] == first[a] for a in range(len(first))) for s in shapes
        )

    return fit


# ---- the ways ----------------------------------------------------------------------------------------------


def other_inputs(trial: Trial, inputs: Sequence[GraphInput], fits: Fits) -> str | None:
    """Sizes of the image near the one given at which all fits."""
    found = [i for i in inputs if i.value in trial.sources and len(i.value.shape) > SPATIAL]
    if len(found) != 1:
        return None
    value, name = found[0].value, found[0].name
    batch, channels, *spatial = value.shape
    sides = known(spatial)
    if sides is None:
        return None

    def works(by: int) -> bool:
        sizes = [size + by for size in sides]
        if min(sizes) < 1:
            return False
        shapes = trial.shapes({value: Tensor((batch, channels, *sizes), value.dtype)})
        return shapes is not None and fits(shapes)

    good = [by for by in range(-FAR, FAR + 1) if works(by)]
    step = _step(sides, good)
    if step is not None:
        good = [by for by in good if all((size + by) % step == 0 for size in sides)]
    near = [by for by in (max((b for b in good if b < 0), default=0), min((b for b in good if b > 0), default=0)) if by]
    if not near:
        return None
    sizes = " or ".join("×".join(str(size + by) for size in sides) for by in near)
    return f"an input `{name}` of multiples of {step} ({sizes})" if step else f"an input `{name}` of {sizes}"


def _step(spatial: Sequence[int], good: list[int]) -> int | None:
    """The least number all of whose multiples nearby fit, where there are several; sizes must differ by such too."""
    for step in range(2, FAR // 2 + 1):
        multiples = [by for by in range(-FAR, FAR + 1) if all((size + by) % step == 0 for size in spatial)]
        tried = [by for by in multiples if min(spatial) + by > 0]
        if len(tried) > 1 and set(tried) <= set(good):
            return step
    return None


def other_arguments(trial: Trial, origins: Sequence[Node], fits: Fits) -> Iterator[str]:
    """One argument of a layer that set a size, with which all fits: its padding, or the rounding of a pool."""
    for node in dict.fromkeys(origins):
        for name, value, text in _variants(node):
            op = node.facets.op
            assert op is not None
            try:
                changed = replace(op, **{name: value})
            except Reject:
                continue
            shapes = trial.shapes(ops={node: changed})
            if shapes is not None and fits(shapes):
                yield f"`{text}` in `{_short(node.site.span.text)}`"
                break


def _variants(node: Node) -> Iterator[tuple[str, Any, str]]:
    """Arguments of a layer that change its size by a few cells: name, value and text."""
    has = vars(node.facets.op)
    kernel, pad, stride = has.get("kernel"), has.get("pad"), has.get("stride")
    if not isinstance(kernel, int) or not isinstance(pad, int):
        return
    if has.get("ceil") is False:
        yield "ceil", True, "ceil=true"
    if "output_pad" in has and isinstance(stride, int):
        yield from (("output_pad", n, f"output_pad={n}") for n in range(1, stride))
    elif kernel % 2:
        yield from (("pad", n, f"pad={n}") for n in range(pad + 1, kernel // 2 + 1))


def resized(small: Side, large: Side) -> str | None:
    """The smaller one resized to the larger, which needs a name."""
    if not SPATIAL < len(large.value.shape) <= SPATIAL + 3 or not large.is_name or large.text == "it":
        return None
    return small.then(f'resize(like={large.text}, mode="nearest")')


def cropped(small: Side, large: Side, axes: Sequence[int]) -> str | None:
    """The larger one cut to the smaller: as much on both sides where it can be, else at the end."""
    slices = []
    for axis in range(max(axes) + 1):
        little, much = small.value.shape[axis], large.value.shape[axis]
        extra = much - little
        if axis not in axes:
            slices.append(":")
        elif not isinstance(extra, int):
            return None
        elif extra % 2 == 0:
            slices.append(f"{extra // 2}:-{extra // 2}")
        else:
            slices.append(f":{little}" if isinstance(little, int) else f":-{extra}")
    return large.cut(f"[{', '.join(slices)}]")


def padded(small: Side, large: Side, axes: Sequence[int]) -> str | None:
    """The smaller one continued with zeros to the larger."""
    extra = known(large.value.shape[axis] - small.value.shape[axis] for axis in axes)
    if extra is None:
        return None
    return small.then(" -> ".join(f"pad(axis={axis}, {_cells(n)})" for axis, n in zip(axes, extra, strict=True)))


def _cells(extra: int) -> str:
    before, after = extra // 2, extra - extra // 2
    return f"before={before}, after={after}" if before else f"after={after}"


def projected(sides: Sequence[Side], axis: int, is_image: bool) -> str | None:
    """The side of fewer channels brought to those of the other by a layer of its own."""
    sizes = known(side.value.shape[axis] for side in sides)
    if sizes is None:
        return None
    wide = max(sizes)
    side = sides[sizes.index(min(sizes))]
    layer = f"conv({wide}, 1)" if is_image else f"linear({wide})"
    return side.then(f"project: {layer}")


def ordered(sides: Sequence[Side], axes: Sequence[int]) -> tuple[Side, Side] | None:
    """The smaller and the larger of two, if one is that along all axes."""
    if len(sides) != 2:
        return None
    first, second = sides
    gaps = [second.value.shape[axis] - first.value.shape[axis] for axis in axes]
    if all(_positive(gap) for gap in gaps):
        return first, second
    return (second, first) if all(_positive(-gap) for gap in gaps) else None


def _positive(gap: Size) -> bool:
    return isinstance(gap, int) and gap > 0


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}…"


def ways(
    sides: Sequence[Side], joined: int | None, nodes: Sequence[Node], inputs: Sequence[GraphInput],
    origins: Sequence[Node],
) -> str | None:  # fmt: skip
    """All ways out of a mismatch of two values, as one sentence; None where none is known."""
    values = [side.value for side in sides]
    rank = len(values[0].shape)
    if len(sides) != 2 or any(len(v.shape) != rank for v in values):
        return None
    odds = [a for a in range(rank) if a != joined and _differ(values[0].shape[a], values[1].shape[a])]
    is_image = any("kernel" in {f.name for f in fields(n.facets.op)} for n in origins if n.facets.op is not None)
    channels = CHANNELS if rank > SPATIAL + 1 or (rank > SPATIAL and is_image) else rank - 1
    if odds == [channels]:
        text = projected(sides, channels, is_image=channels == CHANNELS and rank > SPATIAL)
        return f"give both the same channels: {text}" if text is not None else None
    if not odds or 0 in odds or channels in odds:
        return None
    trial, fits = Trial(nodes, values), fitting(joined)
    found = [("take", other_inputs(trial, inputs, fits))]
    found += [("set", text) for text in other_arguments(trial, origins, fits)]
    pair = ordered(sides, odds)
    if pair is not None:
        is_spatial = channels == CHANNELS and min(odds) >= SPATIAL and rank <= SPATIAL + 3
        found += [("resize:", resized(*pair) if is_spatial else None)]
        found += [("crop:", cropped(*pair, odds)), ("pad:", padded(*pair, odds))]
    return "; or ".join(f"{verb} {text}" for verb, text in found if text is not None) or None


def _differ(a: Size, b: Size) -> bool:
    return a != b and 1 not in (a, b)


def ways_to(value: Value, axis: int, size: Size, nodes: Sequence[Node], inputs: Sequence[GraphInput]) -> str | None:
    """What gives an axis of a value the size that is stated for it; None where nothing is known."""
    origin = set_by(value, axis, nodes)
    if not isinstance(origin, Node) or axis < SPATIAL:
        return None

    def fits(shapes: list[tuple[Size, ...]]) -> bool:
        return shapes[0][axis] == size

    trial = Trial(nodes, [value])
    found = [("take", other_inputs(trial, inputs, fits))]
    found += [("set", text) for text in other_arguments(trial, [origin], fits)]
    return "; or ".join(f"{verb} {text}" for verb, text in found if text is not None) or None


def set_by(value: Value, axis: int, nodes: Sequence[Node]) -> Node | Value:
    """Where the size of an axis comes from: the last layer that set it, or the value that no layer gives."""
    size = value.shape[axis]
    producers = {v: n for n in nodes for v in n.outputs}
    while (node := producers.get(value)) is not None:
        before = node.inputs[0] if node.inputs else None
        if before is None or len(before.shape) != len(value.shape) or before.shape[axis] != size:
            return node
        value = before
    return value


def text_of(node: tree.Node | None) -> str | None:
    """The text of a branch or side."""
    match node:
        case None:
            return None
        case tree.Step(chain=chain):
            node = chain
    text = " ".join(node.span.text.split())
    return text if len(text) <= MAX_TEXT else None
