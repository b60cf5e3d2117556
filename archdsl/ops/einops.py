"""Axes by name: laid out anew (``rearrange``), or combined along some of them (``reduce``)."""

from __future__ import annotations

from dataclasses import field
from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from archdsl.arguments import SIZE, TEXT, choice
from archdsl.layout import Laid, Layout, contiguous, reshaped
from archdsl.op import (
    Arg,
    Hole,
    Input,
    Kept,
    ListExpr,
    Look,
    Memory,
    Method,
    Needs,
    OnnxIn,
    OnnxLocal,
    OnnxNode,
    OnnxRef,
    Op,
    Palette,
    Reject,
    Step,
    Tensor,
    Torch,
    TorchExpr,
    Window,
    arg,
)
from archdsl.ops.multiples import padded_to
from archdsl.ops.pattern import Axis, Group, Pattern, fit, flat, parse
from archdsl.ops.shape import reshape_sizes, sizes_ref
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size


@record
class Named(Op):
    """Base of the operators on one value whose axes a pattern names."""

    takes_axes: ClassVar[bool] = True

    pattern: str = arg("axes of the input and the output", TEXT)
    axes: tuple[tuple[str, Size], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        """What can be said before an input is seen.

        Raises:
            Reject: the pattern makes no sense, a size is missing, or one is given that it does not name.
        """
        pattern = self.parsed
        for name, size in self.axes:
            if name not in pattern.left_names + pattern.right_names:
                raise Reject(f"the pattern has no axis `{name}`", arg=name)
            try:
                SIZE.accept(size)
            except Reject as reject:
                raise Reject(reject.message, arg=name) from None
        for group in pattern.left:
            unknown = [name for name in group if name not in self.given]
            if len(unknown) > 1:
                message = f"the sizes of {' and '.join(f'`{n}`' for n in unknown)} cannot both be inferred"
                raise Reject(message, arg="pattern", help=f"give one: `{unknown[-1]}=…`")
        for name in pattern.new:
            if name not in self.given:
                raise Reject(
                    f"the size of the new axis `{name}` is unknown", arg="pattern", help=f"give it: `{name}=…`"
                )

    @property
    def parsed(self) -> Pattern:
        return parse(self.pattern)

    @property
    def given(self) -> dict[str, Size]:
        return dict(self.axes)

    def check(self, x: Tensor, needs: Needs) -> None:
        """Require that the input has the axes of the pattern.

        Raises:
            Reject: it has not.
        """
        pattern, given = self.parsed, self.given
        if len(pattern.left) != x.rank:
            raise Reject(f"the pattern has {len(pattern.left)} axes, the value has {x.rank}", arg="pattern")
        for name, size in given.items():
            needs.require(size, ">=", 1, f"the axis `{name}` is {size}", arg=name)
        for axis, (group, size) in enumerate(zip(pattern.left, x.shape, strict=True)):
            text = " ".join(group) or "1"
            known = prod(given[name] for name in group if name in given)
            if all(name in given for name in group):
                needs.require(size, "==", known, f"axis {axis} is {size}, `{text}` is {known}")
            elif known != 1:
                message = f"axis {axis} of size {size} is not a multiple of {known} (`{text}`)"
                needs.multiple(size, known, message, help=padded_to(axis, size, known))

    def sizes(self, x: Tensor) -> dict[str, Size]:
        """The size of every named axis, for an input that fits."""
        sizes = self.given
        for group, size in zip(self.parsed.left, x.shape, strict=True):
            known = prod(sizes[name] for name in group if name in sizes)
            sizes |= {name: size if known == 1 else size // known for name in group if name not in sizes}
        return sizes

    def shape_of(self, x: Tensor, axes: tuple[Axis, ...]) -> tuple[Size, ...]:
        """The sizes of axes that are not merged."""
        sizes = self.sizes(x)
        return tuple(1 if axis is None else sizes[axis] for axis in axes)

    def output_shape(self, x: Tensor) -> tuple[Size, ...]:
        return tuple(prod(self.shape_of(x, group)) for group in self.parsed.right)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    # ---- receptive field ----

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        pattern, digits = self.parsed, self._digits(inputs[0])
        windows: list[Window] = []
        for axis, group in enumerate(pattern.left):
            gone = [digits[name] for name in group if name in pattern.gone]
            if gone and len(gone) == len(group):
                windows.append(Window(axis, None))
            else:
                windows += [Window(axis, digit.size, digit.stride) for digit in gone]
        steps = (
            () if set(group) <= set(pattern.new) else tuple(digits[name] for name in group) for group in pattern.right
        )
        return (Look(tuple(steps), tuple(windows)),)

    def _digits(self, x: Tensor) -> dict[str, Step]:
        """How a step along each named axis moves in the input."""
        pattern, sizes = self.parsed, self.sizes(x)
        digits = {name: Step(None, 0, sizes[name]) for name in pattern.new}
        for axis, group in enumerate(pattern.left):
            stride: Size = 1
            for name in reversed(group):
                digits[name] = Step(axis, stride, sizes[name])
                stride = stride * sizes[name]
        return digits

    # ---- torch ----

    def split(self) -> TorchExpr:
        """The input with every axis of the pattern for itself."""
        x: TorchExpr = Input()
        for axis, group in reversed(list(enumerate(self.parsed.left))):
            if len(group) > 1:
                sizes = ListExpr(tuple(self._hole(name, -1) for name in group), is_tuple=True)
                x = Method(x, "unflatten", (Arg(Hole(axis)), Arg(sizes)))
        return x

    def arrange(self, x: TorchExpr, axes: tuple[Axis, ...]) -> TorchExpr:
        """``x``, which has these axes, with those of the output, merged as the output has them."""
        pattern = self.parsed
        target = flat(pattern.right)
        spare, missing = fit(axes, target, pattern.kept)
        if spare:
            x = Method(x, "squeeze", (dims(spare),))
        x = permute(x, [axis for axis in axes if axis in pattern.kept], pattern.kept)
        in_front = pattern.new and missing == tuple(range(len(missing)))  # expand adds these by itself
        for place in () if in_front else missing:
            x = Method(x, "unsqueeze", (Arg(Hole(place)),))
        if pattern.new:
            sizes = (self._hole(axis, 1 if in_front and place in missing else -1) for place, axis in enumerate(target))
            x = Method(x, "expand", tuple(map(Arg, sizes)))
        return merge(x, pattern.right)

    def _hole(self, axis: Axis, other: int) -> Hole:
        """The size of a new axis or of one that is split, if it is given."""
        return Hole(self.given[axis], axis) if axis in self.given else Hole(other)

    # ---- memory ----

    def numbers(self, memory: Memory) -> dict[str, int]:
        """The size of every named axis."""
        sizes = self.sizes(Tensor(memory.layouts[0].shape))
        return {name: memory.number(size) for name, size in sizes.items()}

    def split_layout(self, memory: Memory) -> Layout:
        """The input with every name an axis of its own."""
        sizes = self.numbers(memory)
        layout = memory.layouts[0].viewed(tuple(sizes[name] for name in self.parsed.left_names))
        assert layout is not None, "an axis can always be split"
        return layout

    def arranged(self, layout: Layout, names: tuple[str, ...], memory: Memory, of: int) -> Laid:
        """A value, which has the axes ``names`` of the input, with those of the output: a view where it can be."""
        pattern, sizes = self.parsed, self.numbers(memory)
        layout = layout.permuted([names.index(name) for name in pattern.kept])
        for axis, name in enumerate(pattern.right_names):
            if name in pattern.new:
                layout = layout.unsqueezed(axis)
        layout = layout.expanded(tuple(sizes[name] for name in pattern.right_names))
        return reshaped(layout, memory.shapes[0], of)

    # ---- onnx ----

    def onnx_split(self, x: Tensor) -> tuple[list[OnnxNode], OnnxRef]:
        """Nodes that give every named axis for itself, without those of size 1; and their result."""
        if all(len(group) == 1 for group in self.parsed.left):
            return [], OnnxIn()
        target = reshape_sizes(x.shape, self.shape_of(x, self.parsed.left_names))
        return [OnnxNode("Reshape", (OnnxIn(), target), outputs=("split",))], OnnxLocal("split")

    def onnx_arrange(self, ref: OnnxRef, axes: tuple[str, ...], x: Tensor) -> tuple[OnnxNode, ...]:
        """Nodes that bring ``ref``, which has these axes of the input ``x``, into the form of the output."""
        pattern, nodes = self.parsed, list[OnnxNode]()
        now, after = self.shape_of(x, pattern.kept), self.output_shape(x)
        if axes != pattern.kept:
            perm = [axes.index(name) for name in pattern.kept]
            nodes.append(OnnxNode("Transpose", (ref,), {"perm": perm}, ("moved",)))
            ref = OnnxLocal("moved")
        if pattern.new:
            nodes += self._onnx_stretch(ref, now, x)
            ref, now = OnnxLocal("stretched"), self.shape_of(x, flat(pattern.right))
        if len(now) != len(after) or any(len(group) > 1 for group in pattern.right):
            nodes.append(OnnxNode("Reshape", (ref, reshape_sizes(now, after)), outputs=("merged",)))
        return tuple(nodes)

    def _onnx_stretch(self, ref: OnnxRef, now: tuple[Size, ...], x: Tensor) -> tuple[OnnxNode, ...]:
        """The new axes, first with size 1."""
        target, new = flat(self.parsed.right), self.parsed.new
        sizes = list(zip(target, self.shape_of(x, target), strict=True))
        ones = tuple(1 if axis in new else size for axis, size in sizes)
        counts = tuple(size if axis in new else 1 for axis, size in sizes)
        return (
            OnnxNode("Reshape", (ref, reshape_sizes(now, ones)), outputs=("room",)),
            OnnxNode("Expand", (OnnxLocal("room"), sizes_ref(*counts)), outputs=("stretched",)),
        )


@record
class Rearrange(Named):
    """Splits, moves, merges and repeats axes, which the pattern names.

    ``(h p)`` is one axis made of two, h the outer one; the size of one of them is inferred. ``1`` is an axis of
    size 1. A name that only the output has is a new axis, along which the value is repeated. Sizes are given as
    arguments of those names.

    Example:
        input x: [N, 21, 28, 64]
        rearrange("n (h p) (w q) c -> n (h w) (p q) c", p=7, q=7) as windows: [N, 12, 49, 64]
        rearrange("n (h w) (p q) c -> n (h p) (w q) c", h=3, p=7)
        output y: [N, 21, 28, 64]
    """

    name: ClassVar[str] = "rearrange"
    palette: ClassVar[Palette] = "reshape"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.parsed.gone:
            advice = "to sum or average along an axis, use `reduce`"
            raise Reject(f"the output lacks the axis `{name}`", arg="pattern", help=advice)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        self.check(x, needs)
        return (x._replace(shape=self.output_shape(x)),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        return Kept()

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        return (self.arranged(self.split_layout(memory), self.parsed.left_names, memory, of=0),)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=self.arrange(self.split(), flat(self.parsed.left)))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        split, ref = self.onnx_split(inputs[0])
        return (*split, *self.onnx_arrange(ref, self.parsed.left_names, inputs[0]))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return self.pattern


Reduction = Literal["mean", "sum", "max", "min", "prod"]
METHODS = {"mean": "mean", "sum": "sum", "max": "amax", "min": "amin", "prod": "prod"}


@record
class Reduce(Named):
    """Combines a value along the axes that the output lacks, by their mean, sum, greatest, least or product.

    What is left is laid out as by ``rearrange``.

    Example:
        input x: [N, 64, H, W]
        reduce("n c h w -> n c", "mean")
        output y: [N, 64]
    """

    name: ClassVar[str] = "reduce"
    palette: ClassVar[Palette] = "pool"

    operation: Reduction = arg("reduction along the axes", choice(*METHODS))

    def __post_init__(self) -> None:
        for name in self.parsed.new:
            advice = "to repeat along an axis, use `rearrange`"
            raise Reject(f"the input lacks the axis `{name}`", arg="pattern", help=advice)
        super().__post_init__()

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        (x,) = inputs
        self.check(x, needs)
        if x.dtype == "bool":
            raise Reject("takes numbers, not bool", help="multiply by 1 first: `1 * x`")
        if x.dtype == "int64" and self.operation == "mean":
            raise Reject("the mean of whole numbers", help="multiply by a float first: `1.0 * x`")
        return (x._replace(shape=self.output_shape(x)),)

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        (x,) = inputs
        if not self.parsed.gone:
            return 0
        return x.numel if self.operation == "mean" else x.numel - outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        (x,) = inputs
        if self.operation in ("mean", "sum") or not self.parsed.gone:
            return Kept()
        between = self._products(x)[:-1] if self.operation == "prod" else ()
        if self._reduced(memory).of is not None:
            return Kept(inputs=(0,), outputs=(0,), extra=between)
        return Kept(inputs=(0,), extra=(*between, outputs[0]))  # the result is copied when it is laid out

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        laid = self._reduced(memory)
        return (laid if not self.parsed.gone else laid._replace(of=None),)

    def _reduced(self, memory: Memory) -> Laid:
        """The output as laid out from the reduced value, which is contiguous; ``of`` is None where it is copied."""
        pattern = self.parsed
        if not pattern.gone:
            return self.arranged(self.split_layout(memory), pattern.left_names, memory, of=0)
        sizes = self.numbers(memory)
        left = tuple(name for name in pattern.left_names if name not in pattern.gone)
        return self.arranged(contiguous(tuple(sizes[name] for name in left)), left, memory, of=0)

    def _products(self, x: Tensor) -> tuple[Tensor, ...]:
        """The results of multiplying along one axis after the other, the last axis first."""
        names, results = list(self.parsed.left_names), list[Tensor]()
        for name in reversed(self.parsed.gone):
            names.remove(name)
            results.append(x._replace(shape=self.shape_of(x, tuple(names))))
        return tuple(results)

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        pattern = self.parsed
        axes = flat(pattern.left)
        places = tuple(place for place, axis in enumerate(axes) if axis in pattern.gone)
        ones = tuple(None if axis in pattern.gone else axis for axis in axes)
        keepdim = fit(ones, flat(pattern.right), pattern.kept) == ((), ())
        left = ones if keepdim else tuple(axis for axis in axes if axis not in pattern.gone)
        # torch multiplies along one axis at a time
        steps = [(place,) for place in reversed(places)] if self.operation == "prod" else [places] if places else []
        x = self.split()
        for step in steps:
            x = Method(x, METHODS[self.operation], (dims(step), Arg(Hole(keepdim), "keepdim", False)))
        return Torch(function=self.arrange(x, left))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        pattern = self.parsed
        nodes, ref = self.onnx_split(inputs[0])
        if pattern.gone:
            places = sizes_ref(*(pattern.left_names.index(name) for name in pattern.gone))
            kind = f"Reduce{self.operation.capitalize()}"
            nodes.append(OnnxNode(kind, (ref, places), {"keepdims": 0}, ("reduced",)))
            ref = OnnxLocal("reduced")
        left = tuple(name for name in pattern.left_names if name not in pattern.gone)
        return (*nodes, *self.onnx_arrange(ref, left, inputs[0]))

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return f"{self.operation} {self.pattern}"


def dims(places: tuple[int, ...]) -> Arg:
    """One axis, or several."""
    return Arg(Hole(places[0] if len(places) == 1 else places))


def permute(x: TorchExpr, axes: list[Axis], order: tuple[str, ...]) -> TorchExpr:
    """The axes in another order."""
    sources = [axes.index(name) for name in order]
    moved = [place for place, source in enumerate(sources) if place != source]
    if not moved:
        return x
    if len(moved) == 2:
        return Method(x, "transpose", tuple(Arg(Hole(place)) for place in moved))
    return Method(x, "permute", tuple(Arg(Hole(source)) for source in sources))


def merge(x: TorchExpr, groups: tuple[Group, ...]) -> TorchExpr:
    """Neighboring axes merged, the last ones first."""
    rank = end = len(flat(groups))
    for group in reversed(groups):
        start = end - max(1, len(group))
        if len(group) > 1:
            bounds = () if (start, end) == (0, rank) else (start,) if end == rank else (start, end - 1)
            x = Method(x, "flatten", tuple(Arg(Hole(place)) for place in bounds))
            rank -= len(group) - 1
        end = start
    return x


OPS: tuple[type[Op], ...] = (Rearrange, Reduce)
