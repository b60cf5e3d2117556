"""Activations along one axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from archdsl.arguments import AXIS, axis_of
from archdsl.layout import Laid, contiguous, elementwise
from archdsl.op import (
    Look,
    Memory,
    Needs,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    Op,
    Step,
    Tensor,
    Window,
    arg,
    pointwise,
)
from archdsl.ops.activation import Activation, Keep
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Distribution(Activation):
    """Base of the activations that make a distribution of the numbers along one axis."""

    keywords: ClassVar[Mapping[str, str]] = {"axis": "dim"}
    kept: ClassVar[tuple[Keep, ...]] = ("output",)

    axis: int = arg("axis that sums to 1", AXIS)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        axis_of(self.axis, inputs[0].rank)
        return inputs

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (Laid(contiguous(memory.shapes[0])),)

    def _rows(self, tensor: Tensor) -> Size:
        """Number of distributions."""
        return Tensor(tensor.shape[: self.axis] + tensor.shape[self.axis % tensor.rank + 1 :]).numel

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return (pointwise(inputs[0], Window(self.axis % inputs[0].rank, None)),)


@record
class Softmax(Distribution):
    """Positive numbers that add up to 1 along the axis: ``exp(x) / sum(exp(x))``.

    Example:
        input scores: [N, 10]
        softmax(axis=-1)
    """

    name: ClassVar[str] = "softmax"
    module: ClassVar[str] = "Softmax"
    function: ClassVar[str] = "F.softmax"

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """The largest (that exp does not overflow), differences, exps, their sum, quotients."""
        return 5 * inputs[0].numel - 2 * self._rows(inputs[0])

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("Softmax", (OnnxIn(),), {"axis": self.axis}),)


@record
class LogSoftmax(Distribution):
    """The logarithm of ``softmax``, without its loss of precision: ``x - log(sum(exp(x)))``.

    Example:
        input scores: [N, 10]
        log_softmax(axis=-1)
    """

    name: ClassVar[str] = "log_softmax"
    module: ClassVar[str] = "LogSoftmax"
    function: ClassVar[str] = "F.log_softmax"

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """The largest, differences, exps, their sum, its log, differences."""
        return 5 * inputs[0].numel - self._rows(inputs[0])

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (OnnxNode("LogSoftmax", (OnnxIn(),), {"axis": self.axis}),)


@record
class GLU(Activation):
    """Gated linear unit: the first half along the axis times the sigmoid of the second half.

    Example:
        input x: [N, 128, 100]
        glu(axis=1)
        output y: [N, 64, 100]
    """

    name: ClassVar[str] = "glu"
    module: ClassVar[str] = "GLU"
    function: ClassVar[str] = "F.glu"
    keywords: ClassVar[Mapping[str, str]] = {"axis": "dim"}
    kept: ClassVar[tuple[Keep, ...]] = ("input",)

    axis: int = arg("axis to halve", AXIS, -1)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        require_float(inputs[0])
        axis = axis_of(self.axis, inputs[0].rank)
        before, (size, *after) = inputs[0].shape[:axis], inputs[0].shape[axis:]
        needs.multiple(size, 2, f"axis (={self.axis}) has size {size}, which is not even", arg="axis")
        return (Tensor((*before, size // 2, *after)),)

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        (layout,), (shape,) = memory.layouts, memory.shapes
        axis = axis_of(self.axis, len(shape))
        return (Laid(elementwise((layout.narrowed(axis, shape[axis]),))),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """A sigmoid and a product."""
        return 5 * outputs[0].numel

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        axis = axis_of(self.axis, inputs[0].rank)
        half = outputs[0].shape[axis]
        steps = [(Step(at, 1, size),) for at, size in enumerate(outputs[0].shape)]
        return (Look(tuple(steps), (Window(axis, 2, half),)),)

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        return (
            OnnxNode("Split", (OnnxIn(),), {"axis": self.axis, "num_outputs": 2}, ("value", "scores")),
            OnnxNode("Sigmoid", (OnnxLocal("scores"),), outputs=("gate",)),
            OnnxNode("Mul", (OnnxLocal("value"), OnnxLocal("gate"))),
        )


OPS: tuple[type[Op], ...] = (Softmax, LogSoftmax, GLU)
