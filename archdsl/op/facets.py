"""What the facets of an operator return about its weights and its memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archdsl.dims import Size
from archdsl.init import Init
from archdsl.layout import Layout, Sizes
from archdsl.op.tensor import DType, Tensor


class Weight(NamedTuple):
    """A tensor that a layer owns. ``name`` may be dotted (``out_proj.weight``). A buffer is not trained.

    ``init`` is its distribution at the start; ``by_torch`` says that torch's constructor draws exactly that
    already.
    """

    name: str
    shape: tuple[Size, ...]
    init: Init
    by_torch: bool = True
    dtype: DType = "float32"
    buffer: bool = False


class Memory(NamedTuple):
    """One run of an operator in plain numbers: the layouts of its inputs, the shapes of its outputs.

    ``number`` gives the value of any size, which for a symbol is one of those that the network accepts. ``wants`` holds
    for each input whether a gradient flows to it.
    """

    layouts: tuple[Layout, ...]
    shapes: tuple[Sizes, ...]
    number: Callable[[Size], int]
    wants: tuple[bool, ...]


class Kept(NamedTuple):
    """What backward keeps of one run: inputs and outputs by number; and ``extra``, neither (masks, indices).

    ``cross`` holds pairs (kept, toward): an input, or a tensor that is neither (a copy of one), which is kept
    only where a gradient flows to input ``toward``, as each factor of a product is kept for the other. Each such
    tensor is one of its own. An operator to none of whose inputs or weights a gradient flows keeps nothing at all.
    """

    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    extra: tuple[Tensor, ...] = ()
    cross: tuple[tuple[int | Tensor, int], ...] = ()

    def toward(self, wanting: Callable[[int], bool]) -> Kept:
        """What is kept where a gradient flows to the inputs for which ``wanting`` holds."""
        crossed = [what for what, toward in self.cross if wanting(toward)]
        inputs = tuple(what for what in crossed if isinstance(what, int))
        extra = tuple(what for what in crossed if isinstance(what, Tensor))
        return Kept(self.inputs + inputs, self.outputs, self.extra + extra)


def drawn(name: str, shape: tuple[Size, ...], init: Init | None, default: Init) -> Weight:
    """A parameter drawn from ``init``, or as torch does from ``default``."""
    return Weight(name, shape, init or default, by_torch=init is None or init == default)
