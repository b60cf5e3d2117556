"""The base of all operators: one frozen record with every facet of it in one place.

An operator's fields are its arguments. Its facets return *data*: shapes, weights, costs, torch calls, ONNX nodes; so an
operator's file knows no back end, and the bugs that matter (ONNX pads against torch padding) sit on one screen. Facets
know no place in the text either: they raise ``Reject``, and the elaborator adds the span and the trace.

Sizes are ``int | Dim`` (see ``archdsl.dims``): a facet must not branch on a size that may be symbolic. It asks
``needs`` instead, which proves, adopts a precondition of the model, or rejects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache, cached_property
from typing import Any, ClassVar, Literal, cast

from archdsl.dims import Dim, Size
from archdsl.layout import Laid, contiguous
from archdsl.op.arguments import Doubt, Order, Parameter
from archdsl.op.facets import Kept, Memory, Weight
from archdsl.op.field import Look
from archdsl.op.needs import Needs
from archdsl.op.onnx import OnnxNode
from archdsl.op.tensor import Tensor
from archdsl.op.torch import Call, Hole, ListExpr, Torch
from archdsl.record import record

Palette = Literal["conv", "linear", "attention", "pool", "norm", "act", "reshape", "merge", "other"]


@record
class Op(ABC):
    """Base of all operators. Subclasses are frozen dataclasses, final, and set ``name`` and ``palette``.

    The class docstring is the operator's documentation. It ends with an example in the language, under
    ``Example:``, which documents, shows on hover and is run as a test.
    """

    name: ClassVar[str]
    """The word of the language."""
    palette: ClassVar[Palette]
    """Kind of layer, for diagrams."""
    takes_axes: ClassVar[bool] = False
    """Takes keywords of any name, each with a size, in the field ``axes: tuple[tuple[str, Size], ...]``."""
    is_internal: ClassVar[bool] = False
    """Not a word of the language: the builder makes it from expressions (``a + b``, ``x[0]``)."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs that may arrive on the stream (None: any number). The builder checks it."""
    is_random: ClassVar[bool] = False
    """Draws random numbers in training: never reordered."""
    gives_list: ClassVar[bool] = False
    """Its outputs are a list, though there be one only."""

    keeps_about: ClassVar[bool] = False
    """The memory saved for backward depends on the kernel that torch chooses: ``keeps`` is an estimate."""

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        """Orders in which other libraries take the arguments, torch's first."""
        return ()

    def doubt(self, inputs: tuple[Tensor, ...], given: Mapping[str, bool]) -> Doubt | None:
        """An argument that was probably meant as another one; ``given`` are all, each by position (true) or by name."""
        return None

    @classmethod
    def instead(cls, argument: str, value: Any, accepted: Mapping[str, Any]) -> str | None:
        """What to write instead of a value that an argument refuses, beside those accepted before it, if known."""
        return None

    @abstractmethod
    def infer(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, ...]:
        """Types of the outputs.

        Raises:
            Reject: the inputs do not fit.
        """

    def weights(self, inputs: tuple[Tensor, ...]) -> tuple[Weight, ...]:
        """Tensors that the layer owns: parameters, then buffers, in torch's order."""
        return ()

    @abstractmethod
    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Multiply-accumulates of convolutions, linears and matrix products: torch's flop counter / 2."""

    @abstractmethod
    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Arithmetic besides those, at inference.

        1 for each sum, difference, product, quotient, remainder, comparison, minimum, maximum, absolute value, sign,
        rounding, selection (with its comparison), power, root, exp, log, sine, tanh and erf of an element. To sum k
        elements, or to find the largest, takes k - 1; so a mean takes k. Nothing is counted for moving data, nor for
        what depends on the weights alone (a batch norm is one product and one sum). A bias takes 1 for each output
        element.
        """

    @abstractmethod
    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], memory: Memory) -> Kept:
        """Tensors saved for backward, in training, on the CPU."""

    def lays(self, memory: Memory) -> tuple[Laid, ...]:
        """How the outputs lie in memory: unless stated, contiguous, each in memory of its own."""
        return tuple(Laid(contiguous(shape)) for shape in memory.shapes)

    @abstractmethod
    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Look | None, ...]:
        """Receptive field: for each input, what the positions of the outputs see of it (all look alike).

        None for an input of which only the shape is read.
        """

    @abstractmethod
    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        """The same in PyTorch."""

    @abstractmethod
    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """The same in ONNX (opset 18), at inference. No nodes: the identity.

        Raises:
            Reject: ONNX cannot say it, as where it takes an attribute and the size is symbolic.
        """

    def caption(self, inputs: tuple[Tensor, ...]) -> str:
        """As a paper's figure says it: ``conv 3×3, 64, /2``."""
        return self.name


class Facets:
    """An operator on inputs of known types: what it says of itself, asked once for all layers that are equal."""

    def __init__(
        self, op: Op, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], weights: tuple[Weight, ...]
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.weights = weights
        """The tensors that the layer owns: parameters, then buffers."""

    @cached_property
    def torch(self) -> Torch:
        """What the layer is in PyTorch.

        A module is made before the network has an input: what depends on its size is a function where it can be.
        """
        said = self.op.torch(self.inputs)
        if said.module is not None and said.function is not None and open_sizes(said.module):
            return Torch(function=said.function)
        return said


def open_sizes(module: Call) -> list[Dim]:
    """The symbolic sizes among the arguments of a module."""
    holes = (
        hole for arg in module.args for hole in (arg.value.items if isinstance(arg.value, ListExpr) else (arg.value,))
    )
    return [size for hole in holes if isinstance(hole, Hole) for size in symbolic_sizes(hole.value)]


def symbolic_sizes(value: Any) -> Iterator[Dim]:
    """The symbolic sizes in an argument that was accepted."""
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from symbolic_sizes(item)


@cache
def parameters(op: type[Op]) -> tuple[Parameter, ...]:
    """The arguments of an operator, in the order in which they are given by position."""
    return tuple(
        Parameter(f.name, f.metadata["doc"], f.metadata["kind"], f.default) for f in fields(op) if "kind" in f.metadata
    )
