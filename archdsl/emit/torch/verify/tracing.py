"""Traced modules and functions: what emitted source imports as torch, so that running it records what it computes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, cast

from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.operators import BUILTINS, INNER_LAYERS
from archdsl.emit.torch.verify.terms import Made, Refused, TermTable, TracedTensor, sized, unsized
from archdsl.evaluate.builtins import NUMERIC


class Blank:
    """A new tensor, for a parameter: its shape and how it was filled."""

    def __init__(self, shape: tuple[object, ...], fill: float | None) -> None:
        self.shape = shape
        self.fill = fill


class Weight(TracedTensor):
    """A parameter or buffer of a module. ``initial`` is the last distribution that it was drawn from."""

    def __init__(self, table: TermTable, blank: Blank | None = None, contents: TracedTensor | None = None) -> None:
        super().__init__(table, -1)  # its term is its path, which it learns when the network is complete
        self.initial: tuple[str, tuple[object, ...], dict[str, object]] | None = None
        self.blank = blank
        self.contents = contents

    @property
    def data(self) -> NoReturn:
        raise Refused("the data of a weight")


# ---- modules -----------------------------------------------------------------------------------------------


class Module:
    """``nn.Module``."""

    training: bool = True
    _modules: dict[str, Module]
    _parameters: dict[str, Weight]
    _buffers: dict[str, Weight]
    _constants: dict[str, TracedTensor]

    def __init__(self) -> None:
        vars(self).update(_modules={}, _parameters={}, _buffers={}, _constants={})

    def __setattr__(self, name: str, value: object) -> None:
        if not hasattr(self, "_modules"):
            raise Refused("an attribute before super().__init__()")
        if isinstance(value, Module):
            self.add_module(name, value)
        elif isinstance(value, Weight):
            self.register_parameter(name, value)
        else:
            object.__setattr__(self, name, value)

    def add_module(self, name: str, module: object) -> None:
        if not isinstance(module, Module):
            raise Refused(f"{name} is no module")
        self._new(name, self._modules, module)

    def register_parameter(self, name: str, value: Weight) -> None:
        self._new(name, self._parameters, value)

    def register_buffer(self, name: str, value: object, persistent: bool = True) -> None:
        if not isinstance(value, TracedTensor):
            raise Refused(f"the buffer {name} is no tensor")
        if persistent:
            self._new(name, self._buffers, Weight(value.table, contents=value))
        else:
            self._new(name, self._constants, value)

    def _new(self, name: str, kind: dict[str, Any], value: object) -> None:
        taken = (self._modules, self._parameters, self._buffers, self._constants)
        if not name or "." in name or any(name in each for each in taken):
            raise Refused(f"{name} is set twice")
        if hasattr(type(self), name) or self.__dict__.get(name) is not None:
            raise Refused(f"{name} hides what a module has")
        kind[name] = value
        object.__setattr__(self, name, value)

    def get_submodule(self, path: str) -> Module:
        found = self
        for name in path.split("."):
            found = found._modules[name]
        return found

    def get_parameter(self, path: str) -> Weight:
        name, _, rest = path.partition(".")
        return self._modules[name].get_parameter(rest) if rest else self._parameters[name]

    def get_buffer(self, name: str) -> TracedTensor:
        return self._buffers[name]

    def children(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def modules(self) -> Iterator[Module]:
        stack: list[Module] = [self]
        while stack:
            module = stack.pop()
            yield module
            stack.extend(reversed(module.within()))

    def within(self) -> list[Module]:
        """The modules right below this one, as torch counts them."""
        return list(self._modules.values())

    def __call__(self, *args: object, **keywords: object) -> object:
        return self.forward(*args, **keywords)

    def forward(self, *args: object) -> object:
        raise Refused(f"{type(self).__name__} has no forward")


class Members(NamedTuple):
    """What a module holds, by name, in the order in which it got it."""

    modules: Mapping[str, Module]
    parameters: Mapping[str, Weight]
    buffers: Mapping[str, Weight]


def members(module: Module) -> Members:
    held = vars(module)
    return Members(held["_modules"], held["_parameters"], held["_buffers"])


class Sequential(Module):
    """``nn.Sequential``."""

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Sequential:
        self.add_module(str(len(self._modules)), module)
        return self

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, index: int) -> Module:
        return list(self._modules.values())[operator.index(index)]

    def forward(self, *args: object) -> object:
        (x,) = args
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleList(Sequential):
    """``nn.ModuleList``."""

    def __init__(self, modules: Sequence[Module] = ()) -> None:
        super().__init__(*modules)

    def forward(self, *args: object) -> object:
        raise Refused("a list of modules is called")


class Layer(Module):
    """A layer of torch's: how it was made, and its weights. Subclasses stand for torch's classes."""

    callee: str
    table: TermTable
    layers: Layers
    _inner: list[Module]
    path: str | None
    made: Made
    own: list[str]
    """The names of its weights."""

    def __init__(self, *args: object, **keywords: object) -> None:
        super().__init__()
        made = (self.callee, *self.table.complete(self.callee, args, keywords))
        known = self.table.weights.get(made)
        vars(self).update(made=made, path=None, _inner=[], own=list(known or ()))
        for name in self.own:
            holder, _, last = name.rpartition(".")
            target = self._holder(holder) if holder else self
            object.__setattr__(target, last, Weight(self.table))
        if known is not None and "bias" not in vars(self):
            object.__setattr__(self, "bias", None)

    def __getattr__(self, name: str) -> Weight:
        """A weight of a layer that no graph has: it owns those that are asked for."""
        if name.startswith("_") or self.made in self.table.weights:
            raise AttributeError(f"{self.callee} has no {name}")
        weight = Weight(self.table)
        self.own.append(name)
        object.__setattr__(self, name, weight)
        return weight

    def _holder(self, name: str) -> Module:
        """The layer within that holds weights; it is no part of the network of its own."""
        if name not in vars(self):
            kind: type[Layer] = getattr(self.layers, INNER_LAYERS[self.callee][name])
            inner = kind.__new__(kind)
            Module.__init__(inner)
            vars(inner).update(path=None, _inner=[], made=self.made, own=[], bias=None)
            self._inner.append(inner)
            object.__setattr__(self, name, inner)
        return getattr(self, name)

    def within(self) -> list[Module]:
        return self._inner

    def get_parameter(self, path: str) -> Weight:
        return operator.attrgetter(path)(self)

    def forward(self, *args: object, **keywords: object) -> TracedTensor:
        return self.table.call(f"module {self.path}", args, keywords)


# ---- torch's names -----------------------------------------------------------------------------------------


class Functions:
    """``torch.nn.functional``: any function is recorded."""

    def __init__(self, prefix: str, table: TermTable) -> None:
        self._prefix = prefix
        self._table = table

    def __getattr__(self, name: str) -> Callable[..., TracedTensor]:
        if name.startswith("_"):
            raise AttributeError(name)
        made = traced_function(f"{self._prefix}.{name}", self._table)
        setattr(self, name, made)
        return made


def traced_function(callee: str, table: TermTable) -> Callable[..., TracedTensor]:
    """A function whose calls are recorded."""
    return lambda *args, **keywords: table.call(callee, args, keywords)


class Initializers:
    """``nn.init``: notes on a weight what it is drawn from."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)

        def note(weight: object, *args: object, **keywords: object) -> None:
            if not isinstance(weight, Weight):
                raise Refused(f"nn.init.{name} on what is no weight")
            weight.initial = (name, args, keywords)

        return note


class Layers:
    """``torch.nn``: any class is a layer that is recorded."""

    Module: type[Module] = Module
    Sequential: type[Sequential] = Sequential
    ModuleList: type[ModuleList] = ModuleList

    def __init__(self, table: TermTable) -> None:
        self._table = table
        self.init: Initializers = Initializers()
        self.functional: Functions = Functions("F", table)

    def Parameter(self, blank: Blank) -> Weight:
        return Weight(self._table, blank)

    def __getattr__(self, name: str) -> type[Layer]:
        if name.startswith("_"):
            raise AttributeError(name)
        made = self.layer(f"nn.{name}")
        setattr(self, name, made)
        return made

    def layer(self, callee: str) -> type[Layer]:
        fields = {"callee": callee, "table": self._table, "layers": self}
        return type(callee.rpartition(".")[2], (Layer,), fields)


class Torch(Functions):
    """``torch``: any function is recorded; new tensors are for parameters."""

    Tensor = TracedTensor

    def __init__(self, table: TermTable) -> None:
        super().__init__("torch", table)
        self.nn: Layers = Layers(table)

    def empty(self, *shape: object) -> Blank:
        return Blank(_shape(shape), None)

    def zeros(self, *shape: object) -> Blank:
        return Blank(_shape(shape), 0.0)

    def ones(self, *shape: object) -> Blank:
        return Blank(_shape(shape), 1.0)

    def full(self, shape: tuple[object, ...], value: object) -> Blank:
        if not isinstance(value, float):
            raise Refused("a parameter that is not float32")
        return Blank(tuple(shape), value)


def _shape(given: tuple[object, ...]) -> tuple[object, ...]:
    """The shape that torch takes from its arguments: sizes, or one tuple of them, but not nothing at all."""
    if not given:
        raise Refused("a tensor without a shape")
    return cast("tuple[object, ...]", given[0]) if isinstance(given[0], tuple) else given


# ---- running -----------------------------------------------------------------------------------------------


def names(table: TermTable) -> dict[str, object]:
    """What the names in an emitted file mean when it is traced. A helper is recorded, not run."""
    torch = Torch(table)
    helpers = {n: torch.nn.layer(n) if n[0].isupper() else traced_function(n, table) for n in HELPERS}
    return {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "Tensor": TracedTensor, **helpers}


def run(code: Any, meanings: Mapping[str, object]) -> dict[str, Any]:
    """The names that a compiled file defines when it imports traced modules."""
    torch = meanings["torch"]

    def load(name: str, *_: object) -> object:
        if name not in ("torch", "torch.nn.functional"):
            raise Refused(f"it imports {name}")
        return torch

    namespace: dict[str, Any] = {"__name__": "emitted", "__builtins__": {**_BUILTINS, "__import__": load}}
    exec(code, namespace)
    namespace.update({n: meanings[n] for n in HELPERS if n in namespace})
    return namespace


def _of_sizes(function: Callable[..., object]) -> Callable[..., object]:
    """A function of numbers and sizes on traced sizes."""
    return lambda *args: sized(function(*map(unsized, args)))


def _is_instance(value: object, kinds: Any) -> bool:
    """``isinstance``, which emitted source asks of modules only: other values are of other classes when traced."""
    if not isinstance(value, Module):
        raise Refused("the class of a value that is no module")
    return isinstance(value, kinds)


class _Text(str):
    """``str``, of what reads the same whether it is traced or not."""

    def __new__(cls, value: object = "") -> str:
        if not isinstance(value, str | int | float):
            raise Refused("the text of a value that is no number")
        return str(value)


_BUILTINS: Mapping[str, Any] = {
    **BUILTINS, "__build_class__": __build_class__, "bool": bool, "float": float, "super": super,
    "isinstance": _is_instance, "str": _Text, **{name: _of_sizes(NUMERIC[name]) for name in ("max", "min")},
}  # fmt: skip
"""Names of Python that traced source may use."""
