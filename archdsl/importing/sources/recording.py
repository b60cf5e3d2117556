"""Runs a torch module and records what it calls, function by function, inside the module call that it happens in.

The module runs twice, with other batch sizes: a number that differs is an expression of the batch size. Nothing is
traced symbolically, so anything that runs can be recorded. Importing runs the module's Python code.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archdsl.importing.calls import (
    BATCH,
    Argument,
    Cut,
    FunctionCall,
    Kind,
    ModuleCall,
    ModuleFacts,
    Numbers,
    OwnTensor,
    Unsupported,
    Value,
    values_of,
)
from archdsl.importing.sources.signatures import bound, name_of

SMALL = 64
"""The most numbers of a constant that are kept."""
FRESH = {
    "new_zeros", "new_ones", "new_full", "new_tensor", "new_empty", "zeros_like", "ones_like", "full_like",
    "empty_like",
}  # fmt: skip
"""Functions that make a constant of a tensor's shape or type alone."""
Inputs: TypeAlias = Sequence[Tensor]


def recorded(module: nn.Module, runs: Sequence[Inputs], *, training: bool) -> ModuleCall:
    """What a module does on two lists of inputs that differ in the batch size alone.

    Raises:
        Unsupported: the runs differ in more than sizes that grow with the batch.
    """
    first, second = (_run(module, inputs, training) for inputs in runs)
    _Merging(runs[0][0].shape[0], runs[1][0].shape[0]).call(first, second)
    return first


def _run(module: nn.Module, inputs: Inputs, training: bool) -> ModuleCall:
    module = copy.deepcopy(module).train(training)  # some modules keep tables from their first call
    recorder = _Recorder(module)
    original = nn.Module.__call__

    def call(called: nn.Module, *args: Any, **keywords: Any) -> Any:
        return recorder.module(called, args, keywords, original)

    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    nn.Module.__call__ = call
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), recorder:
            module(*inputs)
    except Exception as error:
        raise Unsupported(f"it raises {type(error).__name__} on inputs of these shapes: {error}") from error
    finally:
        nn.Module.__call__ = original
        torch.backends.mha.set_fastpath_enabled(fast)
    assert recorder.root is not None
    return recorder.root


class _Recorder(TorchFunctionMode):
    """Records one run. Tensors are known by identity, so all of them are kept until the end."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.root: ModuleCall | None = None
        self._paths = {id(m): path for path, m in module.named_modules()}
        self._facts = {id(m): facts_of(m) for m in module.modules()}
        stored = set(module.state_dict(keep_vars=True))
        self._owned: dict[int, tuple[Kind, str]] = {id(p): ("parameter", n) for n, p in module.named_parameters()}
        for name, buffer in module.named_buffers():
            self._owned[id(buffer)] = ("buffer" if name in stored else "constant", name)
        self._values: dict[int, Value] = {}
        self._kept: list[Tensor] = []
        self._stack: list[ModuleCall] = []
        self._paused = 0

    # ---- values ----

    def _value(self, tensor: Tensor) -> Value:
        if id(tensor) not in self._values:
            kind, path = self._owned.get(id(tensor), ("constant", None))
            self._new(tensor, kind, path)
        return self._values[id(tensor)]

    def _new(self, tensor: Tensor, kind: Kind, path: str | None = None) -> Value:
        numbers = numbers_of(tensor) if kind in ("constant", "buffer") else None
        value = Value(kind, tuple(tensor.shape), dtype_name(tensor.dtype), path, numbers)
        self._values[id(tensor)] = value
        self._kept.append(tensor)
        return value

    def _argument(self, given: Any) -> Argument:
        match given:
            case Tensor():
                return self._value(given)
            case tuple() | list():
                return tuple(map(self._argument, given))
            case slice():
                return Cut(*map(self._argument, (given.start, given.stop, given.step)))
            case torch.dtype():
                return dtype_name(given)
            case int() | float() | str() | None:
                return given
        return str(given)

    # ---- functions ----

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        keywords = dict(kwargs or {})
        if self._paused or not self._stack:
            return func(*args, **keywords)
        name = name_of(func)
        given = {k: self._argument(v) for k, v in bound(func, args, keywords).items()}  # before it writes in place
        result = func(*args, **keywords)
        tensors = list(tensors_in(result))
        if name == "setitem":
            tensors = [args[0]]
        if not tensors:
            return result
        is_constant = all(v.kind == "constant" for a in given.values() for v in values_of(a)) or name in FRESH
        in_place = getattr(func, "__name__", "").endswith("_") or name == "setitem"
        if not is_constant and not in_place and any(t is a for a in tensors_in((args, keywords)) for t in tensors):
            result = _alias(result)  # dropout at inference gives its input as it came
            tensors = [result]
        outputs = tuple(self._new(t, "constant" if is_constant else "computed") for t in tensors)
        if not is_constant or name == "bernoulli":
            self._stack[-1].events.append(
                FunctionCall(name, given, outputs, _line(), gives_list=not isinstance(result, Tensor))
            )
        return result

    # ---- modules ----

    def module(
        self, called: nn.Module, args: tuple[Any, ...], keywords: dict[str, Any], original: Callable[..., Any]
    ) -> Any:
        path = self._paths.get(id(called))
        if self._paused or path is None:
            return original(called, *args, **keywords)
        inputs = [self._value(t) for t in tensors_in((args, keywords))]
        call = ModuleCall(path, self._facts[id(called)], inputs)
        if self._stack:
            self._stack[-1].events.append(call)
        else:
            self.root = call
            for value in inputs:
                value.kind, value.numbers = "input", None
        if type(called) is nn.MultiheadAttention:
            return self._attention(called, call, args, keywords, original)
        self._stack.append(call)
        try:
            result = original(called, *args, **keywords)
        finally:
            self._stack.pop()
        if isinstance(result, Tensor) and any(result is t for t in tensors_in((args, keywords))) and not call.events:
            given = self._value(result)
            result = _alias(result)
            made = self._new(result, given.kind if given.kind == "constant" else "computed")
            call.events.append(FunctionCall("identity", {"input": given}, (made,)))
        call.outputs = [self._value(t) for t in tensors_in(result)]
        return result

    def _attention(
        self, called: nn.MultiheadAttention, call: ModuleCall, args: Any, keywords: Any, original: Callable[..., Any]
    ) -> Any:
        """Attention is an operator that has no form but the module."""
        names = bound(type(called).forward, (called, *args), keywords)
        given = {name: self._argument(value) for name, value in names.items() if name != "self"}
        given |= {"heads": called.num_heads, "dropout": float(called.dropout), "bias": called.in_proj_bias is not None}
        given["batch_first"] = called.batch_first
        self._paused += 1
        try:
            result = original(called, *args, **keywords)
        finally:
            self._paused -= 1
        outputs = (self._new(result[0], "computed"),)
        call.events.append(FunctionCall("MultiheadAttention", given, outputs, _line()))
        call.outputs = list(outputs)
        return result


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)


def _alias(tensor: Tensor) -> Tensor:
    with torch._C.DisableTorchFunction():
        return torch.ops.aten.alias(tensor)


def _line() -> str:
    """The innermost line of Python that is not torch's."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if "/torch/" not in file and "/archdsl/importing/" not in file:
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def dtype_name(dtype: torch.dtype) -> str:
    """``float32`` of ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def numbers_of(tensor: Tensor) -> Numbers | None:
    """The numbers of a constant, one number if all are equal; None if they are too many."""
    if tensor.numel() == 0:
        return None
    with torch._C.DisableTorchFunction():
        first = tensor.flatten()[0]
        if bool((tensor == first).all()):
            return first.item()
        return _nested(tensor.tolist()) if tensor.numel() <= SMALL else None


def _nested(value: Any) -> Numbers:
    return tuple(map(_nested, value)) if isinstance(value, list) else value


def facts_of(module: nn.Module) -> ModuleFacts:
    """What is known of a module beside its runs."""
    kind = type(module)
    is_chain = isinstance(module, nn.Sequential) and kind.forward is nn.Sequential.forward
    forward = "chain" if is_chain else "list" if isinstance(module, nn.ModuleList | nn.ModuleDict) else "own"
    children = {name: facts_of(child) for name, child in module.named_children()}
    tensors = {name: _own(p, "parameter") for name, p in module._parameters.items() if p is not None}
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            tensors[name] = _own(buffer, "buffer")
    return ModuleFacts(kind.__name__, forward, children, tensors)


def _own(tensor: Tensor, kind: Any) -> OwnTensor:
    tensor = tensor.detach()
    numbers = numbers_of(tensor) if kind == "buffer" else None
    return OwnTensor(kind, tuple(tensor.shape), dtype_name(tensor.dtype), _initial(tensor), numbers)


def _initial(tensor: Tensor) -> str:
    """The initial value that a parameter seems to have."""
    if tensor.numel() == 0 or not tensor.is_floating_point():
        return "zeros"
    low, high = tensor.min().item(), tensor.max().item()
    if low == high:
        return {0.0: "zeros", 1.0: "ones"}.get(low, f"constant({round(low, 9)!r})")
    return f"normal(std={float(f'{tensor.float().std().item():.1g}')})"


class _Merging:
    """Makes one record of two runs: numbers that differ are expressions of the batch size."""

    def __init__(self, first: int, second: int) -> None:
        self._first = first
        self._step = second - first
        self._seen: set[Value] = set()

    def call(self, ours: ModuleCall, theirs: ModuleCall) -> None:
        if ours.path != theirs.path or len(ours.events) != len(theirs.events):
            raise Unsupported("it calls other modules or functions for another batch size", path=ours.path)
        for a, b in zip([*ours.inputs, *ours.outputs], [*theirs.inputs, *theirs.outputs], strict=True):
            self._value(a, b)
        for event, other in zip(ours.events, theirs.events, strict=True):
            if isinstance(event, ModuleCall) and isinstance(other, ModuleCall):
                self.call(event, other)
            elif isinstance(event, FunctionCall) and isinstance(other, FunctionCall) and event.name == other.name:
                self._function(event, other, ours.path)
            else:
                raise Unsupported("it calls other functions for another batch size", path=ours.path)

    def _function(self, ours: FunctionCall, theirs: FunctionCall, path: str) -> None:
        try:
            pairs = ((name, ours.arguments[name], theirs.arguments[name]) for name in ours.arguments)
            ours.arguments = {name: self._both(a, b) for name, a, b in pairs}
            for a, b in zip(ours.outputs, theirs.outputs, strict=True):
                self._value(a, b)
        except (KeyError, ValueError):
            raise Unsupported("its arguments depend on the numbers of the input", ours.name, path, ours.line) from None

    def _value(self, ours: Value, theirs: Value) -> Value:
        if ours not in self._seen:
            self._seen.add(ours)
            ours.shape = tuple(self._number(a, b) for a, b in zip(ours.shape, theirs.shape, strict=True))
            if ours.kind == "constant" and any(not isinstance(size, int) for size in ours.shape):
                ours.numbers = ours.numbers if not isinstance(ours.numbers, tuple) else None
        return ours

    def _both(self, ours: Argument, theirs: Argument) -> Argument:
        match ours, theirs:
            case Value(), Value():
                return self._value(ours, theirs)
            case tuple(), tuple():
                return tuple(self._both(a, b) for a, b in zip(ours, theirs, strict=True))
            case Cut(), Cut():
                ends = zip((ours.start, ours.stop, ours.step), (theirs.start, theirs.stop, theirs.step), strict=True)
                return Cut(*(self._both(a, b) for a, b in ends))
            case int(), int() if not isinstance(ours, bool):
                return self._number(ours, theirs)
        if isinstance(ours, Value) or isinstance(theirs, Value) or ours != theirs:
            raise ValueError
        return ours

    def _number(self, ours: Any, theirs: Any) -> Any:
        if ours == theirs:
            return ours
        factor, rest = divmod(theirs - ours, self._step)
        if rest:
            raise ValueError
        return factor * BATCH + (ours - factor * self._first)
