"""The checked graph run in torch, node by node: what emitted forms of a network are compared with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

from archdsl.dims import Dim, evaluate
from archdsl.graph import Graph, Module, Node, Value
from archdsl.op import (
    Arg,
    Attribute,
    Call,
    Cut,
    Hole,
    In,
    Infix,
    Item,
    Method,
    Own,
    Prefix,
    Several,
    This,
    TorchExpr,
    Training,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

PREFIX: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "~": operator.invert}
INFIX: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": operator.and_,
    "|": operator.or_,
}


class Interpreter:
    """A graph with weights, ready to run.

    ``weights`` is its state dict. In training, modules update their buffers and draw random numbers.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, torch.Tensor], training: bool = False) -> None:
        self.graph = graph
        self.training = training
        self._weights = weights
        self._live = graph.live(training)
        self._modules: dict[Module | Node, nn.Module] = {}

    def run(self, inputs: Mapping[str, torch.Tensor]) -> Iterator[tuple[Node, tuple[torch.Tensor, ...]]]:
        """Run the network: each node with what it gives, in order.

        Args:
            inputs: a tensor for each input of the graph, by name.
        """
        known: dict[Value, torch.Tensor] = {given.value: inputs[given.name] for given in self.graph.inputs}
        sizes = _sizes(known)
        for node in self.graph.nodes:
            if node not in self._live:
                continue
            found = _Run(self, node, [known[value] for value in node.inputs], sizes).result()
            results = (found,) if len(node.outputs) == 1 else tuple(found)
            known.update(zip(node.outputs, results, strict=True))
            yield node, results

    def outputs(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the network gives, by name of the output; training outputs only in training."""
        known: dict[Value, torch.Tensor] = {given.value: inputs[given.name] for given in self.graph.inputs}
        for node, results in self.run(inputs):
            known.update(zip(node.outputs, results, strict=True))
        return {o.name: known[o.value] for o in self.graph.outputs if self.training or not o.when_training}

    def module(self, node: Node, construct: Callable[[], nn.Module]) -> nn.Module:
        """The torch module of a node with its weights; two runs of a shared layer have one."""
        key = node.module or node
        if key not in self._modules:
            import torch

            with torch.device("meta"):  # its own initial values are not wanted
                made = construct()
            names = [weight.name for weight in node.op.weights(node.input_types)]
            made.load_state_dict({name: self.weight(node, name) for name in names}, strict=True, assign=True)
            self._modules[key] = made.train(self.training)
        return self._modules[key]

    def weight(self, node: Node, name: str) -> torch.Tensor:
        """A tensor that a node owns."""
        assert node.module is not None
        return self._weights[node.module.join(name)]


class _Run:
    """One run of a node: evaluates what its operator says in torch."""

    def __init__(
        self, interpreter: Interpreter, node: Node, inputs: Sequence[torch.Tensor], sizes: Mapping[str, int]
    ) -> None:
        self._interpreter = interpreter
        self._node = node
        self._inputs = inputs
        self._sizes = sizes

    def result(self) -> Any:
        said = self._node.op.torch(self._node.input_types)
        if said.function is not None:
            return self._value(said.function)
        if said.run is not None:
            return self._value(said.run)
        return self._this(*self._inputs)

    @cached_property
    def _this(self) -> nn.Module:
        made = self._node.op.torch(self._node.input_types).module
        assert made is not None, "an operator is a function or a module"
        return self._interpreter.module(self._node, lambda: self._value(made))

    def _value(self, said: TorchExpr | Hole | Cut) -> Any:
        match said:
            case Hole(value=value):
                return self._plain(value)
            case In(index=index):
                return self._inputs[index]
            case Own(name=name):
                return self._interpreter.weight(self._node, name)
            case Training():
                return self._interpreter.training
            case Call(callee=callee, args=args):
                return self._apply(self._this if isinstance(callee, This) else _torch_name(callee), args)
            case Method(receiver=receiver, name=name, args=args):
                return self._apply(getattr(self._value(receiver), name), args)
            case Prefix(op=op, value=value):
                return PREFIX[op](self._value(value))
            case Infix(op=op, left=left, right=right):
                return INFIX[op](self._value(left), self._value(right))
            case Attribute(value=value, name=name):
                return getattr(self._value(value), name)
            case Item(value=value, subscripts=subscripts):
                return self._value(value)[tuple(map(self._value, subscripts))]
            case Cut(start=start, stop=stop, step=step):
                return slice(*(None if end is None else self._value(end) for end in (start, stop, step)))
            case Several(items=items, is_tuple=is_tuple):
                return (tuple if is_tuple else list)(map(self._value, items))

    def _apply(self, function: Callable[..., Any], args: Sequence[Arg]) -> Any:
        positional = [self._value(arg.value) for arg in args if arg.keyword is None]
        return function(*positional, **{arg.keyword: self._value(arg.value) for arg in args if arg.keyword})

    def _plain(self, value: Any) -> Any:
        """The value in a hole; symbolic sizes as numbers."""
        if isinstance(value, Dim):
            return evaluate(value, self._sizes)
        if isinstance(value, tuple | list):
            return type(value)(map(self._plain, value))
        return value


def _sizes(inputs: Mapping[Value, torch.Tensor]) -> dict[str, int]:
    """The symbols' values, read off the inputs."""
    return {
        str(size): actual
        for value, tensor in inputs.items()
        for size, actual in zip(value.shape, tensor.shape, strict=True)
        if isinstance(size, Dim)
    }


def _torch_name(name: str) -> Any:
    """What a dotted name means in an emitted file: ``nn.Conv2d``, ``F.pad``, ``torch.cat``."""
    import torch
    from torch import nn
    from torch.nn import functional

    first, *rest = name.split(".")
    return reduce(getattr, rest, {"torch": torch, "nn": nn, "F": functional}[first])
