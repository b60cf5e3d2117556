"""Shapes that the text states: they bind symbols, and are checked against what was inferred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, get_args

from archdsl.diagnostics.base import Label
from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.names import WrongKind
from archdsl.diagnostics.nearest import respelt
from archdsl.diagnostics.shapes import StatedShapeDiffers
from archdsl.dims import Dim, Size, symbol
from archdsl.elaborate.features import NONE, channels_first, features, without_flatten
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.recorder import Recorder
from archdsl.elaborate.remedies import ways_to
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import MISSING, Stream, Value, describe, is_size, shape_text
from archdsl.op import DType, Reject, Tensor
from archdsl.ops.sliding import CHANNELS, SPATIAL
from archdsl.syntax import tree

InputShapes: TypeAlias = Mapping[str | None, tuple[Size, ...]]
"""Shapes that the user gives for inputs, by name; under None for the only input."""


class Shapes:
    """Reads and checks stated shapes."""

    def __init__(self, session: Session, recorder: Recorder, evaluator: Evaluator, given: InputShapes) -> None:
        self._session = session
        self._recorder = recorder
        self._evaluator = evaluator
        self._given = given

    def make_input(self, name: str, node: tree.Input, here: NetworkPlace) -> Value:
        """A new input of the model. Its unbound capitalised dims become symbols, at least 1."""
        given = self._given.get(name, self._given.get(None) if not self._recorder.inputs else None)
        dims = node.shape.dims
        if given is not None and len(given) != len(dims):
            what = f"the input `{name}` has {len(dims)} axes, {len(given)} sizes are given"
            raise Fault(WrongKind(span=node.shape.span, what=what))
        if given is not None and len(dims) > SPATIAL and self._is_turned(dims[CHANNELS], given, here):
            first = "x".join(map(str, channels_first(given)))
            reason = f"the input `{name}` is given as {shape_text(given)}, channels last; here channels are axis 1"
            raise Fault(BadSetting(span=node.shape.span, reason=reason, advice=f"write `--input {first}`"))
        shape: list[Size] = []
        for axis, dim in enumerate(dims):
            free = self._free_name(dim, here)
            if given is not None:
                size = given[axis]
            elif free is not None:
                size = symbol(free)
            elif _is_wildcard(dim):
                size = symbol(f"{name}_{axis}")
            else:
                size = self._size(dim, here)
            if free is not None:
                here.env.bind(free, size)
            shape.append(size)
        return self._recorder.new_value(tuple(shape), self._dtype(node.shape))

    def _is_turned(self, channels: tree.Expr, given: tuple[Size, ...], here: NetworkPlace) -> bool:
        """Whether a given shape has the stated number of channels as its last axis, and a larger one in its place."""
        if _is_wildcard(channels) or self._free_name(channels, here) is not None:
            return False
        stated, last, there = self._size(channels, here), given[-1], given[CHANNELS]
        is_larger = not isinstance(there, int) or (isinstance(stated, int) and there > stated)
        return last == stated and there != stated and is_larger

    def stated_tensor(self, shape: tree.Shape, here: NetworkPlace) -> Tensor:
        """The type that a ``param`` states: sizes all known."""
        return Tensor(tuple(self._size(dim, here) for dim in shape.dims), self._dtype(shape))

    def check_shape(self, shape: tree.Shape, value: Stream, here: NetworkPlace, subject: str) -> Value:
        """The value, checked against a stated shape; unbound capitalized dims are bound to what they stand for."""
        if not isinstance(value, Value):
            what = f"a shape is stated for {subject}"
            raise Fault(WrongKind(span=shape.span, what=what, found=f"it is {describe(value)}"))
        if shape.dtype is not None and self._dtype(shape) != value.dtype:
            raise self._differs(shape, value, subject, f"its elements are {value.dtype}")
        if len(shape.dims) != len(value.shape):
            detail = f"{len(shape.dims)} axes are stated, the value has {len(value.shape)}"
            advice, labels = self._too_many_axes(value) if len(shape.dims) < len(value.shape) else (None, ())
            raise self._differs(shape, value, subject, detail, advice, labels)
        for axis, (dim, size) in enumerate(zip(shape.dims, value.shape, strict=True)):
            self._check_dim(dim, size, axis, shape, value, here, subject)
        return value

    def _check_dim(
        self, dim: tree.Expr, size: Size, axis: int, shape: tree.Shape, value: Value, here: NetworkPlace, subject: str
    ) -> None:
        if _is_wildcard(dim):
            return
        free = self._free_name(dim, here)
        if free is not None:
            here.env.bind(free, size)
            return
        stated = self._size(dim, here)
        try:
            self._session.questions(dim).require(size, "==", stated, "")
        except Reject as reject:
            detail = f"axis {axis}: {_stated(dim, stated)} is stated, but the size is {size}{reject.message}"
            advice = ways_to(value, axis, stated, self._recorder.nodes, self._recorder.inputs)
            raise self._differs(shape, value, subject, detail, advice) from None

    def _too_many_axes(self, value: Value) -> tuple[str | None, tuple[Label, ...]]:
        """What to do where a value has more axes than were stated: advice, and the layer that it is about."""
        node = without_flatten(value, self._recorder.inputs, self._recorder.nodes)
        if node is not None:
            arriving = shape_text(node.inputs[0].shape)
            label = Label(node.span, f"this works on the last axis of {arriving}")
            return f"put `flatten`, or `global_avgpool -> flatten`, before the `{node.op.name}`", (label,)
        if features(self._recorder.inputs, self._recorder.nodes).get(value, NONE).is_map:
            is_pooled = all(size == 1 for size in value.shape[SPATIAL:])
            missing = "flatten" if is_pooled else "global_avgpool -> flatten"
            return f"add `{missing}`, which leaves only the axis of the channels", ()
        return None, ()

    def _differs(
        self, shape: tree.Shape, value: Value, subject: str, detail: str, advice: str | None = None,
        labels: tuple[Label, ...] = (),
    ) -> Fault:  # fmt: skip
        return Fault(
            StatedShapeDiffers(
                span=shape.span,
                subject=subject,
                stated=shape.span.text,
                found=shape_text(value.shape),
                detail=detail,
                advice=advice,
                labels=labels,
            )
        )

    def _free_name(self, dim: tree.Expr, here: NetworkPlace) -> str | None:
        """A capitalised name that nothing binds: it stands for the size that is there."""
        if isinstance(dim, tree.Name) and dim.text[0].isupper() and here.env.lookup(dim.text) is MISSING:
            return dim.text
        return None

    def _size(self, dim: tree.Expr, here: NetworkPlace) -> Size:
        size = self._evaluator.evaluate(dim, here)
        if not is_size(size) or (not isinstance(size, Dim) and size < 0):
            what = "a dimension must be a size"
            raise Fault(WrongKind(span=dim.span, what=what, found=f"this is {describe(size)}"))
        return size

    def _dtype(self, shape: tree.Shape) -> DType:
        if shape.dtype is None:
            return "float32"
        name = shape.dtype.text
        known: Mapping[str, DType] = {each: each for each in get_args(DType)}
        if name not in known:
            what = f"unknown element type `{name}`"
            advice = "use one of " + ", ".join(f"`{t}`" for t in known)
            raise Fault(
                WrongKind(span=shape.dtype.span, what=what, advice=advice, edits=respelt(shape.dtype.span, name, known))
            )
        return known[name]


def _is_wildcard(dim: tree.Expr) -> bool:
    return isinstance(dim, tree.Name) and dim.text == "_"


def _stated(dim: tree.Expr, size: Size) -> str:
    text = dim.span.text
    return text if text == str(size).replace("_", "") else f"{text} (= {size})"
