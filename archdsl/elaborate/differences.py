"""What is said of tensors that should fit and do not: where their sizes come from, and what makes them fit."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic, Label
from archdsl.diagnostics.shapes import BranchesDiffer, DoesNotFit, SidesDiffer
from archdsl.dims import Size
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.remedies import Side, set_by, text_of, ways
from archdsl.evaluate.values import Sides, Value, shape_text
from archdsl.graph import Branch, Node
from archdsl.syntax import tree


class Differences:
    """Explains why branches of a combinator, or sides of an operator, do not fit."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def of_branches(
        self, node: tree.Node, kind: str, branches: list[Branch], results: list[Value], found: DoesNotFit,
        joined: int | None,
    ) -> Diagnostic:  # fmt: skip
        """The diagnostic of a merge, with where the sizes that differ come from."""
        is_residual = isinstance(node, tree.Residual)
        words = ("body", "shortcut") if is_residual else tuple(f"branch {i + 1}" for i in range(len(results)))
        gives = [f"{word} has shape {shape_text(v.shape)}" for word, v in zip(words, results, strict=True)]
        if joined is not None and results:
            joined %= max(1, len(results[0].shape))
        axis = _axis_at_odds(results, joined)
        labels = tuple(self._origin(v, axis) for v in results) if axis is not None and len(results) == 2 else ()
        sides = [Side(v, text_of(b.site), word) for v, b, word in zip(results, branches, words, strict=True)]
        return BranchesDiffer(
            span=node.span,
            kind="residual" if is_residual else kind,
            difference=_difference(results, axis),
            detail=", ".join(gives) if len(gives) <= 3 else found.reason,
            labels=tuple(dict.fromkeys(label for label in labels if label is not None)),
            advice=_project(node, branches) or self._ways_out(sides, joined, axis),
        )

    def of_sides(self, op: str, sides: list[Value], node: tree.Node, written: Sides) -> Diagnostic:
        """The diagnostic of arithmetic, with where the sizes that differ come from."""
        axis = _axis_at_odds(sides, None)
        origins = [self._origin(side, axis) for side in sides] if axis is not None else []
        texts = [Side(value, text_of(text)) for value, text in zip(sides, written, strict=True)]
        left, right = (shape_text(side.shape) for side in sides)
        return SidesDiffer(
            span=node.span,
            op=op,
            difference=_difference(sides, axis),
            detail=f"left is {left}, right is {right}",
            labels=tuple(dict.fromkeys(label for label in origins if label is not None)),
            advice=self._ways_out(texts, None, axis),
        )

    def _ways_out(self, sides: list[Side], joined: int | None, axis: int | None) -> str | None:
        """What makes two values fit."""
        if axis is None:
            return None
        origins = [source for side in sides if isinstance(source := self._source(side.value, axis), Node)]
        return ways(sides, joined, self._recorder.nodes, self._recorder.inputs, origins)

    def _origin(self, value: Value, axis: int) -> Label | None:
        """Where the size of an axis comes from, in words."""
        source = self._source(value, axis)
        return Label(source.span, _comes(value.shape[axis], axis)) if source is not None else None

    def _source(self, value: Value, axis: int) -> Node | tree.Input | None:
        """Where the size of an axis comes from: the last layer that set it, or the input."""
        source = set_by(value, axis, self._recorder.nodes)
        return self._recorder.stated.get(source) if isinstance(source, Value) else source


def _comes(size: Size, axis: int) -> str:
    return f"{size} channels come from here" if axis == 1 else f"{size} along axis {axis} comes from here"


def _axis_at_odds(results: list[Value], joined: int | None) -> int | None:
    """The first axis on which branches differ that should not; None where they differ in number of axes."""
    if len({len(v.shape) for v in results}) != 1:
        return None
    axes = range(len(results[0].shape))
    return next((a for a in axes if a != joined and len({v.shape[a] for v in results} - {1}) > 1), None)


def _difference(results: list[Value], axis: int | None) -> str:
    if axis is None:
        ranks = {len(v.shape) for v in results}
        return "have different numbers of axes" if len(ranks) > 1 else "do not fit together"
    if axis == 1 and len(results[0].shape) > 2:
        return "have different channels"
    return "have different sizes" if axis > 1 else "do not fit together"


def _project(node: tree.Node, branches: list[Branch]) -> str | None:
    """The usual fix of a residual whose channels or strides differ."""
    if not isinstance(node, tree.Residual) or len(branches) != 2:
        return None
    body, shortcut = (b.result for b in branches)
    if not (isinstance(body, Value) and isinstance(shortcut, Value) and len(body.shape) == len(shortcut.shape) > 2):
        return None
    strides = {_stride(a, b) for a, b in zip(shortcut.shape[2:], body.shape[2:], strict=True)}
    stride = strides.pop() if len(strides) == 1 else None
    if stride is None:
        return "keep the size in the body: pad its convolutions (`pad=1` for 3×3)"
    how = "…" if stride == 1 else f"stride={stride}, …"
    return f"project the shortcut: `shortcut {{ conv({body.shape[1]}, 1, {how}) -> batchnorm }}`"


def _stride(size: Size, reduced: Size) -> int | None:
    """The stride of a 1×1 convolution that takes one size to the other, if there is one."""
    return next((s for s in (1, 2, 3, 4) if (size + s - 1) // s == reduced), None)
