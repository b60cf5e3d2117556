"""Sums of products of two values, their axes named: matrix products of every form."""

from __future__ import annotations

import string
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from archdsl.arguments import TEXT
from archdsl.layout import Laid, Layout, contiguous, elementwise
from archdsl.op import (
    Arg,
    Call,
    Hole,
    Input,
    Kept,
    Look,
    Memory,
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
    Window,
    arg,
)
from archdsl.ops.pattern import MAX_NAMES, split_sides, unique
from archdsl.ops.sliding import require_float
from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

Names = tuple[str, ...]


class Product(NamedTuple):
    """The axes of two values and of the sum of their products."""

    left: Names
    right: Names
    out: Names

    @property
    def batch(self) -> Names:
        """Axes of all three, in the order of the output."""
        return tuple(n for n in self.out if n in self.left and n in self.right)

    @property
    def summed(self) -> Names:
        return tuple(n for n in self.left if n in self.right and n not in self.out)

    def alone(self, side: Names) -> Names:
        """Axes of one side and the output, in the order of the output."""
        return tuple(n for n in self.out if n in side and n not in self.batch)


@lru_cache(maxsize=1024)
def parse(text: str) -> Product:
    """``n h i d, n h j d -> n h i j``.

    Raises:
        Reject: it is not of this form.
    """
    before, after = split_sides(text)
    sides = before.split(",")
    if len(sides) != 2:
        message = f"it takes two values, but the pattern has {len(sides)}"
        raise Reject(message, arg="pattern", help="for three values chain two `einsum`")
    product = Product(_names(sides[0]), _names(sides[1]), _names(after))
    if max(map(len, product)) > MAX_NAMES:
        raise Reject(f"a value of more than {MAX_NAMES} axes", arg="pattern")
    for names in product:
        unique(names)
    for name in product.out:
        if name not in product.left + product.right:
            raise Reject(f"no value has the axis `{name}` of the output", arg="pattern")
    for name in product.left + product.right:
        if name not in product.out and name not in product.summed:
            message = f"the axis `{name}` is of one value alone, and would be summed before the product"
            raise Reject(message, arg="pattern", help=f'say so: `reduce("… {name} … -> …", "sum")`')
    return product


def _names(side: str) -> Names:
    names = tuple(side.split())
    for name in names:
        if not name.isidentifier():
            message = f"`{name}`: the axes in a pattern of einsum are names"
            raise Reject(message, arg="pattern", help="split and merge axes with `rearrange`")
    return names


@record
class Einsum(Op):
    """The sum of products of two values: along axes of both that the output lacks, it sums; others stay.

    Example:
        input x: [N, 8, L, 64]
        (x, x) -> einsum("n h i d, n h j d -> n h i j")
        output scores: [N, 8, L, L]
    """

    name: ClassVar[str] = "einsum"
    palette: ClassVar[Palette] = "linear"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    pattern: str = arg("axes of both values and of the output", TEXT)

    def __post_init__(self) -> None:
        """Raises:
        Reject: the pattern makes no sense.
        """
        if len({*self.product.left, *self.product.right}) > MAX_NAMES:
            raise Reject(f"more than {MAX_NAMES} axes in all", arg="pattern")

    @property
    def product(self) -> Product:
        return parse(self.pattern)

    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        sizes: dict[str, Size] = {}
        for which, (names, tensor) in enumerate(zip(self.product, inputs, strict=False), 1):
            require_float(tensor)
            if len(names) != tensor.rank:
                message = f"the pattern gives {len(names)} axes to value {which}, which has {tensor.rank}"
                raise Reject(message, arg="pattern")
            for name, size in zip(names, tensor.shape, strict=True):
                if name in sizes:
                    message = f"the axis `{name}` is {sizes[name]} in one value and {size} in the other"
                    help = f"name the two axes apart, or bring both to one size: `-> project: linear({sizes[name]})`"
                    needs.require(sizes[name], "==", size, message, help=help if name == names[-1] else None)
                sizes.setdefault(name, size)
        return (Tensor(tuple(sizes[name] for name in self.product.out)),)

    def sizes(self, inputs: tuple[Tensor, ...]) -> dict[str, Size]:
        left, right, _ = self.product
        return dict(zip(right + left, inputs[1].shape + inputs[0].shape, strict=True))

    def _sums(self, inputs: tuple[Tensor, ...]) -> bool:
        """Whether anything is summed; else torch multiplies element by element."""
        sizes = self.sizes(inputs)
        return any(sizes[name] != 1 for name in self.product.summed)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return prod(self.sizes(inputs).values()) if self._sums(inputs) else 0

    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return 0 if self._sums(inputs) else outputs[0].numel

    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """Each factor for the other: as it is, or copied where torch lays it out for a batch of matrix products."""
        if not self._sums(inputs):
            return Kept(cross=((0, 1), (1, 0)))
        kept = (side if self._is_laid_out(side, memory) else inputs[side] for side in (0, 1))
        return Kept(cross=tuple((what, 1 - side) for side, what in enumerate(kept)))

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """As the product: the axes of both, those of the left value, those of the right."""
        left, right, out = self.product
        inputs = tuple(Tensor(layout.shape) for layout in memory.layouts)
        if not self._sums(inputs):
            sides = [self._aligned(names, layout) for names, layout in zip((left, right), memory.layouts, strict=True)]
            return (Laid(elementwise(sides)),)
        sizes = dict(zip(out, memory.shapes[0], strict=True))
        order = (*self._groups(0, inputs)[0], *self._groups(0, inputs)[1], *self._groups(1, inputs)[1])
        made = (*order, *(name for name in out if name not in order))
        product = contiguous(tuple(sizes[name] for name in made))
        return (Laid(product.permuted([made.index(name) for name in out])),)

    def _aligned(self, names: Names, layout: Layout) -> Layout:
        """An input with the axes of the output, for a product element by element."""
        present = [name for name in self.product.out if name in names]
        layout = layout.permuted([names.index(name) for name in present])
        for axis, name in enumerate(self.product.out):
            if name not in names:
                layout = layout.unsqueezed(axis)
        return layout

    def _groups(self, side: int, inputs: tuple[Tensor, ...]) -> tuple[list[str], list[str], list[str]]:
        """Axes of more than one cell of an input: of the batch, its own, and those that are summed."""
        product, sizes = self.product, self.sizes(inputs)
        letters = self._letters()
        groups = product.batch, product.alone(product[side]), sorted(product.summed, key=letters.__getitem__)
        batch, own, summed = ([name for name in group if sizes[name] != 1] for group in groups)
        return batch, own, summed

    def _is_laid_out(self, side: int, memory: Memory) -> bool:
        """Whether an input needs no copy to have three axes: of the batch, its own, and those that are summed."""
        layout, names = memory.layouts[side], self.product[side]
        batch, own, summed = self._groups(side, tuple(Tensor(layout.shape) for layout in memory.layouts))
        groups = (batch, own, summed) if side == 0 else (batch, summed, own)
        sizes = dict(zip(names, layout.shape, strict=True))
        turned = layout.permuted([names.index(name) for group in groups for name in group])
        return turned.viewed(tuple(prod(sizes[name] for name in group) for group in groups)) is not None

    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look, ...]:
        return tuple(self._look(names, tensor) for names, tensor in zip(self.product, inputs, strict=False))

    def _look(self, names: Names, tensor: Tensor) -> Look:
        steps = {
            name: (Step(axis, 1, size),) for axis, (name, size) in enumerate(zip(names, tensor.shape, strict=True))
        }
        windows = tuple(Window(names.index(name), None) for name in self.product.summed)
        return Look(tuple(steps.get(name, ()) for name in self.product.out), windows)

    def _letters(self) -> dict[str, str]:
        """One letter for each axis: its first, or the next that is free."""
        letters: dict[str, str] = {}
        for name in dict.fromkeys(self.product.left + self.product.right):
            taken = letters.values()
            letters[name] = next(
                c for c in (name[0], *string.ascii_letters) if c in string.ascii_letters and c not in taken
            )
        return letters

    def _equation(self) -> str:
        letters = self._letters()
        left, right, out = ("".join(letters[name] for name in names) for names in self.product)
        return f"{left},{right}->{out}"

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(function=Call("torch.einsum", (Arg(Hole(self._equation())), Arg(Input(0)), Arg(Input(1)))))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """A MatMul where it is one, but for the order of axes; else an Einsum."""
        product = self.product
        left, right = product.alone(product.left), product.alone(product.right)
        single = len(product.summed) == len(right) == 1 and left and (len(left) == 1 or not product.batch)
        if not single:
            return (OnnxNode("Einsum", (OnnxIn(0), OnnxIn(1)), {"equation": self._equation()}),)
        first, a = _ordered(OnnxIn(0), product.left, (*product.batch, *left, *product.summed), "left")
        second, b = _ordered(OnnxIn(1), product.right, (*product.batch, *product.summed, *right), "right")
        result = (*product.batch, *left, *right)
        last, _ = _ordered(OnnxLocal("product"), result, product.out, "y")
        return (*first, *second, OnnxNode("MatMul", (a, b), outputs=("product",)), *last)

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        return self.pattern


def _ordered(ref: OnnxRef, axes: Names, order: Names, name: str) -> tuple[tuple[OnnxNode, ...], OnnxRef]:
    """The nodes that bring axes into another order, and their result."""
    if axes == order:
        return (), ref
    perm = [axes.index(axis) for axis in order]
    return (OnnxNode("Transpose", (ref,), {"perm": perm}, (name,)),), OnnxLocal(name)


OPS: tuple[type[Op], ...] = (Einsum,)
