"""Cases of operators, and the judges that nobody here wrote: torch, its flop counter, its hooks, ONNX Runtime."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy
from support.interpret import make_module, run_function, run_module
from torch import nn

from archdsl.arguments import require_sizes
from archdsl.dims import Needs as Preconditions
from archdsl.dims import Size, Violated, evaluate, symbol
from archdsl.graph import Graph, GraphInput, GraphOutput, Module, Node, Value
from archdsl.layout import Layout
from archdsl.op import Facets, Memory, Op, Reject, Tensor
from archdsl.source import Source, Span
from archdsl.syntax import tree

EXAMPLES = 200 if os.environ.get("ARCHDSL_LONG") else 25
"""Cases drawn for each facet of each operator."""

DTYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool}
REFUSED = (RuntimeError, ValueError, IndexError, TypeError, AssertionError, NotImplementedError, OverflowError)
"""How torch says no."""


class Case(NamedTuple):
    """An operator and the types of its inputs, operands given as arguments included.

    Numbers are drawn from ``low`` to ``high``. The axes in ``known`` (number of the input, axis) stay plain numbers
    where others become symbols. Where torch takes more than we do (a pad beyond half the kernel of
    some pools, whole numbers), ``is_stricter`` says so: our rejection then stands by itself.
    ``is_folded``: at its edges the value is reflected or continued, so that one offset cannot explain where all
    positions look.
    """

    op: Op
    inputs: tuple[Tensor, ...]
    low: float = -2.0
    high: float = 2.0
    known: tuple[tuple[int, int], ...] = ()
    is_stricter: bool = False
    is_folded: bool = False

    def __repr__(self) -> str:
        return f"{self.op} on {', '.join(f'{list(t.shape)} {t.dtype}' for t in self.inputs)}"


def case(op: Op, *shapes: Sequence[Size], **more: Any) -> Case:
    """A case with float32 inputs of these shapes."""
    return Case(op, tuple(Tensor(tuple(shape)) for shape in shapes), **more)


def for_all(cases: SearchStrategy[Case], prove: Callable[[Case], None], share: float = 1.0) -> None:
    """Prove it for the cases drawn; ``share`` of their usual number."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    count = max(1, round(share * EXAMPLES))
    settings(max_examples=count)(given(cases)(prove))()


# ---- shapes ------------------------------------------------------------------------------------------------


class Asked:
    """Answers an operator's questions about sizes: ``archdsl.op.Needs`` by ``archdsl.dims``."""

    def __init__(self) -> None:
        self.preconditions = Preconditions()

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
        if isinstance(self.preconditions.require(left, op, right), Violated):
            raise Reject(message, arg=arg, help=help)

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        if isinstance(self.preconditions.require_multiple(size, of), Violated):
            raise Reject(message, arg=arg, help=help)


def infer(op: Op, inputs: tuple[Tensor, ...], asked: Asked | None = None) -> tuple[Tensor, ...] | Reject:
    """The outputs' types, or why there are none."""
    asked = asked or Asked()
    try:
        require_sizes(op, asked)
        return op.infer(inputs, asked)
    except Reject as reject:
        return reject


def accepted(case: Case) -> tuple[Tensor, ...] | None:
    """The outputs' types, if the case is not rejected: what most facets are asked about."""
    outputs = infer(case.op, case.inputs)
    return None if isinstance(outputs, Reject) else outputs


class Symbolic(NamedTuple):
    """The inputs of a case with symbols for some sizes, and the sizes that the symbols stand for."""

    inputs: tuple[Tensor, ...]
    values: dict[str, int]


def symbolic(inputs: tuple[Tensor, ...], name_of: Callable[[int, int], str | None]) -> Symbolic:
    """Put a symbol on each axis (by number of the input and of the axis) that has a name."""
    values: dict[str, int] = {}
    types = []
    for number, tensor in enumerate(inputs):
        shape: list[Size] = []
        for axis, size in enumerate(plain(tensor.shape)):
            name = name_of(number, axis)
            if name is not None:
                values[name] = size
            shape.append(size if name is None else symbol(name))
        types.append(Tensor(tuple(shape), tensor.dtype))
    return Symbolic(tuple(types), values)


def at(tensor: Tensor, values: dict[str, int]) -> Tensor:
    """The type with numbers for its symbols."""
    return Tensor(tuple(evaluate(size, values) for size in tensor.shape), tensor.dtype)


def memory_of(
    layouts: Sequence[Layout],
    outputs: Sequence[Tensor],
    numbers: dict[str, int] | None = None,
    wants: Sequence[bool] | None = None,
) -> Memory:
    """What a run is in plain numbers: how its inputs lie in memory, the outputs' shapes, and what symbols stand for.

    ``wants``: to which inputs a gradient flows; to all, unless stated.
    """
    shapes = tuple(plain(tensor.shape) for tensor in outputs)
    wanted = tuple(wants) if wants is not None else (True,) * len(layouts)
    return Memory(tuple(layouts), shapes, lambda size: evaluate(size, numbers or {}), wanted)


# ---- torch -------------------------------------------------------------------------------------------------


def plain(shape: tuple[Size, ...]) -> tuple[int, ...]:
    assert all(isinstance(size, int) for size in shape), shape
    return cast(tuple[int, ...], shape)


def values(case: Case, *, device: str = "cpu", seed: int = 0) -> list[torch.Tensor]:
    """Tensors for the inputs."""
    source = torch.Generator().manual_seed(seed)
    found = []
    for tensor in case.inputs:
        shape = plain(tensor.shape)
        if device == "meta":
            found.append(torch.empty(shape, dtype=DTYPES[tensor.dtype], device="meta"))
        elif tensor.dtype == "float32":
            found.append(torch.rand(shape, generator=source) * (case.high - case.low) + case.low)
        else:
            low, high = (0, 2) if tensor.dtype == "bool" else (math.ceil(case.low), math.floor(case.high) + 1)
            found.append(torch.randint(low, high, shape, generator=source).to(DTYPES[tensor.dtype]))
    return found


def tensors(result: Any) -> tuple[torch.Tensor, ...]:
    """The outputs of a run, however torch hands them out."""
    return (result,) if isinstance(result, torch.Tensor) else tuple(result)


def run(
    case: Case, inputs: Sequence[torch.Tensor], module: nn.Module | None, training: bool = False, drop: bool = True
) -> Any:
    """The operator in torch: by its module where it has been made, else by its function."""
    said = case.op.torch(case.inputs)
    if module is not None:
        return run_module(said, module.train(training), inputs)
    return run_function(said, inputs, training=training, drop=drop)


def train(
    case: Case, inputs: Sequence[torch.Tensor], module: nn.Module | None, drop: bool = True
) -> tuple[torch.Tensor, ...] | None:
    """The operator in training; None where torch refuses that: a batch norm of one number for each channel."""
    try:
        return tensors(run(case, inputs, module, training=True, drop=drop))
    except ValueError as error:
        if "more than 1 value" not in str(error):
            raise
        return None


def module_of(case: Case, *, device: str = "cpu", drop: bool = True) -> nn.Module | None:
    """The operator's module, with weights that are not at rest, if it has one."""
    said = case.op.torch(case.inputs)
    if said.module is None:
        return None
    with torch.device(device):
        module = make_module(said, drop=drop)
    if device != "meta":
        shake(module)
    return module


def shake(module: nn.Module) -> None:
    """Give weights and buffers values that show in the result: no zeros, no ones; variances positive."""
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=source)
                tensor.copy_(noise + 0.5 if name.endswith("var") else noise - 0.4)


# ---- ONNX --------------------------------------------------------------------------------------------------


class OnnxRun:
    """The operator as an ONNX model of its own, through the exporter, in ONNX Runtime."""

    def __init__(self, op: Op, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], state: dict[str, Any]) -> None:
        import onnxruntime

        from archdsl.emit.onnx import to_model

        graph = graph_of(op, inputs, outputs)
        self.model = to_model(graph, {f"op.{name}": tensor for name, tensor in state.items()})
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        data = self.model.SerializeToString()
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: Sequence[torch.Tensor]) -> list[np.ndarray]:
        named = {f"x{i}": tensor.numpy() for i, tensor in enumerate(inputs)}
        read = {given.name for given in self._session.get_inputs()}
        found = self._session.run(None, {name: array for name, array in named.items() if name in read})
        return [np.asarray(array) for array in found]


def graph_of(op: Op, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Graph:
    """The graph of one operator, as the builder would make it."""
    given = [Value(i, *tensor) for i, tensor in enumerate(inputs)]
    results = [Value(len(given) + i, *tensor) for i, tensor in enumerate(outputs)]
    module = Module("op", None, op, own={weight.name: weight for weight in op.weights(inputs)})
    site = tree.Name(Span(Source("<case>", op.name), 0, len(op.name)), op.name)
    node = Node(Facets(op, inputs, outputs, op.weights(inputs)), tuple(given), tuple(results), module, site, {})
    return Graph(
        name="Case",
        inputs=[GraphInput(f"x{i}", value) for i, value in enumerate(given)],
        outputs=[GraphOutput(f"y{i}", value, False) for i, value in enumerate(results)],
        nodes=[node],
        root=Module("", None, children={"op": module}),
        instance=cast(Any, SimpleNamespace(events=())),
        needs=Preconditions(),
    )
