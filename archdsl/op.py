"""What an operator is: one frozen dataclass with every facet of it in one place.

An operator's fields are its arguments. Its facets return *data*: shapes, weights, costs, torch calls, ONNX
nodes; so an operator's file knows no back end, and the bugs that matter (ONNX pads against torch padding) sit
on one screen. Facets know no place in the text either: they raise ``Reject``, and the builder adds the span
and the trace.

Sizes are ``int | Dim`` (see ``archdsl.dims``): a facet must not branch on a size that may be symbolic. It
asks ``needs`` instead, which proves, adopts a precondition of the model, or rejects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, field, fields
from functools import cache, cached_property
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from archdsl.dims import Dim
from archdsl.layout import Laid, Layout, Sizes, contiguous
from archdsl.record import record

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

    @property
    def numel(self) -> Size:
        """Number of elements."""
        return prod(self.shape)


class Reject(Exception):
    """An operator cannot take these arguments or this input. ``arg`` names the argument at fault, if any."""

    def __init__(self, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.arg = arg
        self.help = help


class Needs(Protocol):
    """Questions about sizes that an operator may ask while it infers its shape. The builder answers them."""

    def require(
        self,
        left: Size,
        op: Literal["==", ">="],
        right: Size,
        message: str,
        *,
        arg: str | None = None,
        help: str | None = None,
    ) -> None:
        """Hold ``left op right`` for every size that the model accepts; else raise ``Reject(message, …)``.

        On plain integers it is a comparison. On symbolic sizes it is proved, or adopted as a precondition of
        the model, or rejected with the least size at which it fails appended to the message.
        """
        ...

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        """Hold ``size % of == 0``, likewise."""
        ...  # fmt: skip


# ---- arguments ---------------------------------------------------------------------------------------------


@record
class Operand:
    """Stands in an argument for a value given there (``resize(like=x)``): input number ``index``."""

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


# ---- orders of other libraries -----------------------------------------------------------------------------


@record
class Arriving:
    """An argument of another library that repeats a size of the input, which is inferred here.

    ``axis`` is the input's axis whose size it is. ``what`` names it: ``channels``. A list of several sizes is those of
    the last axes, and ``lists`` the argument that takes their numbers here. ``sets`` are arguments that it stands for.
    """

    what: str
    axis: int = 1
    lists: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)


@record
class Dropped:
    """An argument of another library without a counterpart, left out where it has one of ``values`` (None: any)."""

    values: tuple[Any, ...] | None = None


@record
class Order:
    """The order in which another library takes an operator's arguments by position.

    ``arguments`` maps its names, in its order, to ours. ``of`` names the class or function. ``implied`` are arguments
    that it has a default for and that are required here.
    """

    of: str
    arguments: Mapping[str, str | Arriving | Dropped]
    implied: Mapping[str, Any] = field(default_factory=dict)


class Doubt(NamedTuple):
    """An argument whose value hardly any network has, so that another may have been meant.

    ``is_sure``: the value makes no sense for the argument even where no other order of the arguments fits.
    """

    argument: str
    is_sure: bool = False
    advice: str | None = None


# ---- what facets return ------------------------------------------------------------------------------------


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

    ``number`` gives the value of any size, which for a symbol is one of those that the network accepts.
    """

    layouts: tuple[Layout, ...]
    shapes: tuple[Sizes, ...]
    number: Callable[[Size], int]


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


# torch ------------------------------------------------------------------------------------------------------


class Required:
    """Stands for the default of an argument that torch requires."""


REQUIRED = Required()


@record
class Hole:
    """A value in emitted source, with where it came from: the emitter may write it in terms of that.

    ``source`` is the name of the operator's argument, or (input number, axis) of an input's size.
    """

    value: Any
    source: str | tuple[int, int] | None = None


@record
class In:
    """Input number ``index`` of the operator."""

    index: int = 0


@record
class Training:
    """``self.training``."""


@record
class This:
    """The layer's own module."""


@record
class Own:
    """``self.name`` of the module around: a tensor that the module itself owns."""

    name: str


@record
class Arg:
    """An argument of a torch call; left out where its value equals torch's ``default`` for that call."""

    value: Hole | TorchExpr
    keyword: str | None = None
    default: Any = REQUIRED


@record
class Call:
    """``callee(*args)``; ``callee`` is dotted as the source writes it: ``nn.Conv2d``, ``torch.cat``.

    One without a dot (``drop_path``) is defined by the emitted file itself: ``archdsl.emit.torch.helpers``.
    """

    callee: str | This
    args: tuple[Arg, ...]


@record
class Method:
    """``receiver.name(*args)``."""

    receiver: TorchExpr
    name: str
    args: tuple[Arg, ...]


@record
class Prefix:
    """``op value``, ``op`` a Python operator: ``-x``, ``~x``."""

    op: str
    value: TorchExpr


@record
class Infix:
    """``left op right``, ``op`` a Python operator."""

    op: str
    left: TorchExpr | Hole
    right: TorchExpr | Hole


@record
class Attribute:
    """``value.name``: ``x.shape``, or ``weight`` of the layer's own module."""

    value: TorchExpr | This
    name: str


@record
class Cut:
    """``start:stop:step`` in a subscript."""

    start: Hole | None = None
    stop: Hole | None = None
    step: Hole | None = None


@record
class Item:
    """``value[subscripts]``."""

    value: TorchExpr
    subscripts: tuple[Hole | Cut | TorchExpr, ...]


@record
class Several:
    """A list of expressions, as ``torch.cat`` takes it, or a tuple, as ``x.unflatten`` takes sizes."""

    items: tuple[Hole | TorchExpr, ...]
    is_tuple: bool = False


TorchExpr: TypeAlias = In | Training | Own | Call | Method | Prefix | Infix | Attribute | Item | Several


@record
class Torch:
    """How torch says an operator: as a module, as an expression, or either.

    ``module`` constructs it; ``run`` applies it (``This`` called on the inputs, unless stated). ``function``
    is the form without a module, which an operator that owns weights has not.
    """

    module: Call | None = None
    run: TorchExpr | None = None
    function: TorchExpr | None = None


# onnx -------------------------------------------------------------------------------------------------------


@record
class OnnxIn:
    """Input number ``index`` of the operator."""

    index: int = 0


@record
class OnnxWeight:
    """The initializer of one of the layer's weights."""

    name: str


@record
class OnnxConst:
    """A constant tensor: nested numbers (or one number: a scalar)."""

    value: Any
    dtype: DType


@record
class OnnxSizes:
    """A one-dimensional int64 tensor of sizes, computed at run time where they are symbolic.

    Plain numbers stand for themselves, so that a Reshape may hold its 0 (as the input) and -1 (what is left).
    """

    sizes: tuple[Size, ...]


@record
class OnnxLocal:
    """The output called ``name`` of an earlier node of the same operator."""

    name: str


OnnxRef: TypeAlias = OnnxIn | OnnxWeight | OnnxConst | OnnxSizes | OnnxLocal | None
"""What a node reads; None is an optional input left out."""


@record
class OnnxNode:
    """One ONNX node. Its outputs are local names. The attribute ``to`` of a Cast is a ``DType``.

    Of the outputs of all nodes in order, the last ones, as many as the operator has, are the operator's.
    """

    type: str
    inputs: tuple[OnnxRef, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("y",)


# receptive field --------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One digit of a position on an output axis: it counts from 0 to ``size - 1``.

    A step of it moves ``stride / per`` cells along input axis ``axis`` (None: it stays, all are copies).
    """

    axis: int | None
    stride: Size
    size: Size
    per: Size = 1


class Window(NamedTuple):
    """Cells of input axis ``axis`` that an output position sees: ``size`` of them, ``stride`` apart.

    ``size`` None: the whole axis, whatever its size.
    """

    axis: int
    size: Size | None
    stride: Size = 1


class Taps(NamedTuple):
    """Exactly the cells of an input axis that places of an output axis see, both being endless.

    Place ``q * len(cells) + r`` sees the cells ``q * shift + c`` for all ``c`` of ``cells[r]``.
    """

    shift: int
    cells: tuple[tuple[int, ...], ...]


class Look(NamedTuple):
    """Receptive field of one run: where output positions look in one input, and how much each sees there.

    ``steps`` holds for each output axis the digits of a position on it, outermost first: the position is the
    number that they write in the mixed radix of their sizes, whose product is the size of the axis. Most axes
    have one digit; an axis that merges others has one for each; an axis that is new, or along which the input
    is broadcast, has none. The cell of input axis ``a`` at which a position looks is, but for a constant
    offset (padding), the sum of ``digit * stride / per`` over all its digits on ``a``.

    ``windows`` holds what is seen from there. Several on one axis add up, each sliding over what the others
    see (their extents less 1 add). An axis without one is seen in one cell. So an axis with neither window
    nor step is indexed (``x[:, 0]``), and one with a whole window and no step is mixed and gone (a mean).

    What cannot be said so sees the whole axis: a roll, whose offset differs from place to place. The extent
    along an axis is an upper bound that some position reaches if the input is large enough.

    ===========================================  =============================  =============================
    operator                                     steps of that output axis      windows
    ===========================================  =============================  =============================
    conv(C, 3, stride=2, dilation=4) on axis 2   Step(2, 2, h)                  Window(2, 3, 4)
    transposed conv(C, 4, stride=2) on axis 2    Step(2, 1, h, per=2)           Window(2, 2)
    "n (h p) c -> n h (p c)", axis h             Step(1, p, h)
    the same, last axis                          Step(1, 1, p), Step(2, 1, c)
    softmax(axis=1)                              Step(1, 1, size)               Window(1, None)
    ===========================================  =============================  =============================
    """

    steps: tuple[tuple[Step, ...], ...]
    windows: tuple[Window, ...] = ()
    taps: tuple[tuple[int, Taps], ...] = ()
    """By input axis, where one output axis sees it in a way that is known to the cell. It replaces step and window."""
    rolled: tuple[tuple[int, Size], ...] = ()
    """Input axes that are rotated, and by how many cells: places on them are shifted, as on a circle."""


def pointwise(tensor: Tensor, *windows: Window) -> Look:
    """Each position looks at itself; ``windows`` is what it sees besides."""
    return Look(tuple((Step(axis, 1, size),) for axis, size in enumerate(tensor.shape)), windows)


# ---- the operator ------------------------------------------------------------------------------------------


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
        hole for arg in module.args for hole in (arg.value.items if isinstance(arg.value, Several) else (arg.value,))
    )
    return [size for hole in holes if isinstance(hole, Hole) for size in symbolic_sizes(hole.value)]


def symbolic_sizes(value: Any) -> Iterator[Dim]:
    """The symbolic sizes in an argument that was accepted."""
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from symbolic_sizes(item)


@cache
def parameters(op: type[Op]) -> tuple[Parameter, ...]:
    """The arguments of an operator, in the order in which they are given by position."""
    return tuple(
        Parameter(f.name, f.metadata["doc"], f.metadata["kind"], f.default) for f in fields(op) if "kind" in f.metadata
    )
