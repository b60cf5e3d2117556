"""What an operator is: one frozen dataclass with every facet of it in one place.

An operator's fields are its arguments. Its facets return *data*: shapes, weights, costs, torch calls, ONNX nodes; so
an operator's file knows no back end, and the bugs that matter (ONNX pads against torch padding) sit on one screen.
Facets know no place in the text either: they raise ``Reject``, and the builder adds the span and the trace.

Sizes are ``int | Dim`` (see ``archdsl.dims``): a facet must not branch on a size that may be symbolic. It asks
``needs`` instead, which proves, adopts a precondition of the model, or rejects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from archdsl.arguments import Kind
    from archdsl.dims import Size
    from archdsl.init import Init

DType = Literal["float32", "int64", "bool"]
Palette = Literal["conv", "linear", "attention", "pool", "norm", "act", "reshape", "merge", "other"]


class Tensor(NamedTuple):
    """The type of a value: its sizes, outermost first, and its element type."""

    shape: tuple[Size, ...]
    dtype: DType = "float32"

    @property
    def rank(self) -> int:
        return len(self.shape)


class Reject(Exception):
    """An operator cannot take these arguments or this input. ``arg`` names the argument at fault, if one is."""

    def __init__(self, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.arg = arg
        self.help = help


class Needs(Protocol):
    """Questions about sizes that an operator may ask while it infers its shape. The builder answers them."""

    def require(
        self, left: Size, op: Literal["==", ">="], right: Size, message: str, *, arg: str | None = None,
        help: str | None = None,
    ) -> None:
        """Hold ``left op right`` for every size that the model accepts; else raise ``Reject(message, …)``.

        On plain integers it is a comparison. On symbolic sizes it is proved, or adopted as a precondition of the
        model, or rejected with the least size at which it fails appended to the message.
        """
        ...

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        """Hold ``size % of == 0``, likewise."""
        ...  # fmt: skip


# ---- arguments ---------------------------------------------------------------------------------------------


class Operand(NamedTuple):
    """Stands in an argument for a value given there: input number ``index`` of the operator (``resize(like=x)``)."""

    index: int


def arg(doc: str, kind: Kind, default: Any = MISSING) -> Any:
    """A field that is an argument: what it means, what it may be (``archdsl.arguments``), its default.

    An argument without a default is required. The default is torch's, where torch has one.
    """
    return field(default=default, metadata={"doc": doc, "kind": kind})


class Parameter(NamedTuple):
    """An argument of an operator as the language shows it."""

    name: str
    doc: str
    kind: Kind
    default: Any

    @property
    def required(self) -> bool:
        return self.default is MISSING


# ---- what facets return ------------------------------------------------------------------------------------


class Weight(NamedTuple):
    """A tensor that a layer owns. ``name`` may be dotted (``out_proj.weight``). A buffer is not trained.

    ``init`` is its distribution at the start; ``by_torch`` says that torch's constructor draws exactly that already.
    """

    name: str
    shape: tuple[Size, ...]
    init: Init
    by_torch: bool = True
    dtype: DType = "float32"
    buffer: bool = False


class Kept(NamedTuple):
    """What backward keeps of one run: inputs and outputs by number, and tensors that are neither (masks, indices)."""

    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    extra: tuple[Tensor, ...] = ()


# torch ------------------------------------------------------------------------------------------------------


REQUIRED = MISSING


@dataclass(frozen=True, slots=True)
class Hole:
    """A value in emitted source, with where it came from: the emitter may write it in terms of that.

    ``source`` is the name of the operator's argument, or (input number, axis) of an input's size.
    """

    value: Any
    source: str | tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class In:
    """Input number ``index`` of the operator."""

    index: int = 0


@dataclass(frozen=True, slots=True)
class Training:
    """``self.training``."""


@dataclass(frozen=True, slots=True)
class This:
    """The layer's own module."""


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of a torch call; left out where its value equals torch's ``default`` for that call."""

    value: Hole | TorchExpr
    keyword: str | None = None
    default: Any = REQUIRED


@dataclass(frozen=True, slots=True)
class Call:
    """``callee(*args)``; ``callee`` is dotted as the source writes it: ``nn.Conv2d``, ``F.relu``, ``torch.cat``."""

    callee: str | This
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """``receiver.name(*args)``."""

    receiver: TorchExpr
    name: str
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Infix:
    """``left op right``, ``op`` a Python operator."""

    op: str
    left: TorchExpr | Hole
    right: TorchExpr | Hole


@dataclass(frozen=True, slots=True)
class Item:
    """``value[subscripts]``; a subscript is an int, a ``slice`` of holes, or an expression."""

    value: TorchExpr
    subscripts: tuple[Hole | slice | TorchExpr, ...]


@dataclass(frozen=True, slots=True)
class Several:
    """A list or tuple of expressions, as ``torch.cat`` takes it."""

    items: tuple[TorchExpr, ...]


TorchExpr: TypeAlias = In | Training | Call | Method | Infix | Item | Several


@dataclass(frozen=True, slots=True)
class Torch:
    """How torch says an operator: as a module, as an expression, or either.

    ``module`` constructs it; ``run`` applies it (``This`` called on the inputs, unless stated). ``function`` is the
    form without a module. An operator that owns weights has no ``function``. ``helper`` names a definition that the
    emitted file needs besides (``archdsl.emit.torch.helpers``).
    """

    module: Call | None = None
    run: TorchExpr | None = None
    function: TorchExpr | None = None
    helper: str | None = None


# onnx -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnnxIn:
    """Input number ``index`` of the operator."""

    index: int = 0


@dataclass(frozen=True, slots=True)
class OnnxWeight:
    """The initializer of one of the layer's weights."""

    name: str


@dataclass(frozen=True, slots=True)
class OnnxConst:
    """A constant tensor: nested numbers (or one number: a scalar)."""

    value: Any
    dtype: DType


@dataclass(frozen=True, slots=True)
class OnnxSizes:
    """A one-dimensional int64 tensor of sizes, computed at run time where they are symbolic."""

    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class OnnxLocal:
    """The output called ``name`` of an earlier node of the same operator."""

    name: str


OnnxRef: TypeAlias = OnnxIn | OnnxWeight | OnnxConst | OnnxSizes | OnnxLocal | None
"""What a node reads; None is an optional input left out."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One ONNX node. Its outputs are local names; those of the last node are the operator's outputs, in order."""

    type: str
    inputs: tuple[OnnxRef, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("y",)


# receptive field --------------------------------------------------------------------------------------------


class Look(NamedTuple):
    """What one step along an output axis sees of an input axis: ``extent`` cells, ``stride`` cells apart per step.

    ``extent`` None: the whole axis. ``stride`` may be a fraction (transposed convolution, resizing).
    """

    axis: int
    extent: Size | None = 1
    stride: Any = 1


Looks: TypeAlias = tuple[tuple[Look, ...], ...]
"""For each output axis, the input axes that its position stands for or mixes (several where axes were merged)."""


def pointwise(tensor: Tensor) -> Looks:
    """Each position sees itself."""
    return tuple((Look(axis),) for axis in range(tensor.rank))


# ---- the operator ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Op(ABC):
    """Base of all operators. Subclasses are frozen dataclasses, final, and set ``name`` and ``palette``.

    The class docstring is the operator's documentation. It ends with an example in the language, under ``Example:``,
    which documents, shows on hover and is run as a test.
    """

    name: ClassVar[str]
    """The word of the language."""
    palette: ClassVar[Palette]
    """Kind of layer, for diagrams."""
    is_view: ClassVar[bool] = False
    """The output shares the input's memory."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs that may arrive on the stream (None: any number). The builder checks it."""
    is_random: ClassVar[bool] = False
    """Draws random numbers in training: never reordered."""

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
        """Multiply-accumulates of convolutions, linears and matrix products, as torch's flop counter has them / 2."""

    @abstractmethod
    def operations(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Arithmetic besides the multiply-accumulates, at inference: one for each elementary operation on an element."""

    @abstractmethod
    def keeps(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Kept:
        """What backward keeps, in training, on the CPU."""

    @abstractmethod
    def looks(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Looks, ...]:
        """Receptive field: for each input, what the positions of the (first) output see of it."""

    @abstractmethod
    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        """The same in PyTorch."""

    @abstractmethod
    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[OnnxNode, ...]:
        """The same in ONNX (opset 18), at inference. No nodes: the identity."""

    def caption(self) -> str:
        """As a paper's figure says it: ``conv 3×3, 64, /2``."""
        return self.name


@cache
def parameters(op: type[Op]) -> tuple[Parameter, ...]:
    """The arguments of an operator, in the order in which they are given by position."""
    return tuple(
        Parameter(f.name, f.metadata["doc"], f.metadata["kind"], f.default) for f in fields(op) if "kind" in f.metadata
    )
