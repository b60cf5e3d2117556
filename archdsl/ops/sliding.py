"""Windows that slide over the spatial axes of [N, C, spatial…]: what convolutions and pools share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.arguments import per_axis
from archdsl.dims import dmin, known
from archdsl.op import Look, Needs, Reject, Step, Taps, Tensor, Window

if TYPE_CHECKING:
    from archdsl.dims import Size

CHANNELS = 1
"""The axis of the channels."""
SPATIAL = 2
"""The first spatial axis."""


class Slide(NamedTuple):
    """How a window slides along one axis: ``kernel`` cells, ``dilation`` apart, moving ``stride`` cells at a time.

    The axis is padded by ``before`` and ``after`` cells.
    """

    kernel: Size
    stride: Size
    dilation: Size
    before: Size
    after: Size

    @property
    def extent(self) -> Size:
        """Cells from the first to the last that the window sees."""
        return self.dilation * (self.kernel - 1) + 1

    def taps(self) -> Taps | None:
        """Cells seen at each place; None where the numbers are not known."""
        numbers = known(self)
        if numbers is None:
            return None
        kernel, stride, dilation, before, _ = numbers
        return Taps(stride, (tuple(t * dilation - before for t in range(kernel)),))

    def steps(self, size: Size) -> Size:
        """Places for the window on an axis of ``size`` cells, all of it within the padding."""
        return (size + self.before + self.after - self.extent) // self.stride + 1

    def steps_beyond(self, size: Size) -> Size:
        """Places if the last window may hang over the end, so long as it begins in the input or the padding before.

        That is min(⌈(size + before + after - extent) / stride⌉ + 1, ⌈(size + before) / stride⌉), as torch has it.
        """
        over = dmin(0, self.after + self.stride - self.extent)
        return (size + self.before + over + self.stride - 1) // self.stride

    def require_fit(self, size: Size, axis: int, needs: Needs, hang: Size = 0) -> None:
        """Hold that there is a place for the window; it may hang over the end by ``hang`` cells.

        Raises:
            Reject: the window is larger than the padded axis.
        """
        spare = size + self.before + self.after + hang - self.extent
        if isinstance(spare, int) and spare >= 0:  # the common case takes no words
            return
        cells = f"kernel (={self.kernel})"
        if self.dilation != 1:
            cells += f", dilated to {self.extent},"
        message = f"{cells} is larger than axis {axis}, which has size {size} and padding {self.before + self.after}"
        missing = f"pad by {-(spare // 2)} more on each side, or use" if isinstance(spare, int) else "pad it, or use"
        needs.require(spare, ">=", 0, message, arg="kernel", help=f"{missing} a smaller kernel")


def spatial_axes(tensor: Tensor) -> int:
    """Number of spatial axes of [N, C, spatial…]: 1, 2 or 3.

    Raises:
        Reject: the value has another rank, or is not float32.
    """
    require_float(tensor)
    if not 3 <= tensor.rank <= 5:
        raise Reject(f"takes [N, C, W], [N, C, H, W] or [N, C, D, H, W], not {tensor.rank} axes")
    return tensor.rank - SPATIAL


def require_float(tensor: Tensor) -> None:
    """
    Raises:
        Reject: the value is not float32.
    """
    if tensor.dtype != "float32":
        raise Reject(f"takes float32, not {tensor.dtype}", help="multiply by a float first: `1.0 * x`")


def slides(axes: int, kernel: Any, stride: Any, dilation: Any, pad: Any) -> tuple[Slide, ...]:
    """The window along each of ``axes`` spatial axes, from arguments as they were accepted.

    Raises:
        Reject: a list of another length than the axes.
    """
    kernels, dilations = per_axis(kernel, axes, "kernel"), per_axis(dilation, axes, "dilation")
    if pad == "same":
        spans = [d * (k - 1) for k, d in zip(kernels, dilations, strict=True)]
        pads = [(span // 2, span - span // 2) for span in spans]
    else:
        pads = [p if isinstance(p, tuple) else (p, p) for p in per_axis(pad, axes, "pad")]
    rows = zip(kernels, per_axis(stride, axes, "stride"), dilations, pads, strict=True)
    return tuple(Slide(k, s, d, before, after) for k, s, d, (before, after) in rows)


def require_same(windows: Sequence[Slide], sizes: Sequence[Size], needs: Needs) -> None:
    """Hold that ``pad="same"`` is possible: only where windows move by one cell.

    Raises:
        Reject: they move further. The help is the padding that divides the size by the stride, rounded up.
    """
    for window in windows:
        if window.stride == 1:  # the common case takes no words
            continue
        needs.require(
            window.stride, "==", 1, 'pad="same" keeps the size only at stride 1', arg="stride",
            help=_strided_pad(windows, sizes),
        )  # fmt: skip


def _strided_pad(windows: Sequence[Slide], sizes: Sequence[Size]) -> str | None:
    """``pad=1`` gives 112 here: the padding of each axis with which a strided window gives ⌈size / stride⌉ places."""
    pads, given = [], []
    for window, size in zip(windows, sizes, strict=True):
        wanted = (size + window.stride - 1) // window.stride
        either = ((n, n) for n in range(window.extent + 1)) if isinstance(window.extent, int) else ()
        uneven = ((n, n + 1) for n in range(window.extent)) if isinstance(window.extent, int) else ()
        tried = (Slide(*window[:3], before, after) for before, after in (*either, *uneven))
        found = next((slide for slide in tried if slide.steps(size) == wanted), None)
        if found is None:
            return None
        pads.append(found.before if found.before == found.after else [found.before, found.after])
        given.append(wanted)
    pad = pads[0] if all(p == pads[0] for p in pads) and isinstance(pads[0], int) else pads
    sizes = given[:1] if len(set(given)) == 1 else given
    return f"`pad={pad}` gives {' and '.join(map(str, sizes))} here"


def require_known(windows: tuple[Slide, ...]) -> None:
    """
    Raises:
        Reject: ONNX cannot say these windows, whose numbers stand in the model as attributes.
    """
    for number in (number for window in windows for number in window):
        if not isinstance(number, int):
            raise Reject(f"ONNX needs windows of known sizes, not {number}", help="fix the input size")


def compact(values: tuple[Any, ...]) -> Any:
    """The one value for all axes, or all of them: as torch's arguments read best."""
    return values[0] if all(v == values[0] for v in values) else values


def spatial_look(
    output: Tensor,
    channel: tuple[Step, ...],
    moves: Sequence[tuple[Size, Size]],
    windows: tuple[Window, ...],
    taps: Sequence[Taps | None],
) -> Look:
    """What positions of ``output`` see of an input, both [N, C, spatial…].

    ``channel`` holds the digits of a channel; ``moves`` for each spatial axis the (stride, per) of one step on it, and
    ``taps`` the cells that are seen exactly, where they are known.
    """
    rows = zip(output.shape[SPATIAL:], moves, strict=True)
    steps = [(Step(axis, stride, size, per),) for axis, (size, (stride, per)) in enumerate(rows, SPATIAL)]
    known = tuple((axis, found) for axis, found in enumerate(taps, SPATIAL) if found is not None)
    return Look(((Step(0, 1, output.shape[0]),), channel, *steps), windows, known)
