"""Recording stand-ins for torch: what source that runs on them computes, as terms that can be compared.

A stand-in tensor is the number of a term: an operation with its arguments, equal terms having one number. Both sides of
the comparison make terms in one `Ledger`: the emitted source by running, the checked graph by what its operators say.
"""

from __future__ import annotations

import operator
import re
import types
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from archdsl.dims import Dim, Size


class Refused(Exception):
    """The source did what no emitted source should do, or not what the graph says."""


class Ledger:
    """The terms of both sides; counts how often each was computed, and in which order."""

    def __init__(self) -> None:
        self._terms: dict[Hashable, int] = {}
        self.shapes: dict[int, tuple[Size, ...]] = {}
        """Shapes of the checked graph's values."""
        self.parts: dict[int, int] = {}
        """How many values a term gives, where it is several."""
        self.defaults: dict[str, dict[str, Hashable]] = {}
        """Keyword arguments of each function with torch's defaults, as parts of terms."""
        self.by_place: dict[str, dict[int, Any]] = {}
        """The same of arguments by position."""
        self.log: list[int] = []
        """Terms in the order in which they were computed."""

    def term(self, *key: Hashable) -> int:
        return self._terms.setdefault(key, len(self._terms))

    def learn(self, callee: str, place: int | str, default: Any) -> None:
        """Note torch's default of an argument, by its place or keyword."""
        if isinstance(place, int):
            self.by_place.setdefault(callee, {})[place] = default
        else:
            self.defaults.setdefault(callee, {})[place] = plain(default)

    def call(self, callee: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Recorded:
        """A function, method or module called."""
        key = self.term("call", callee, self.complete(callee, args, keywords))
        self.log.append(key)
        return Recorded(self, key)

    def complete(self, callee: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Hashable, Hashable]:
        """All arguments, those at their default too."""
        rank = _window_rank(callee)
        if rank:
            args = [_narrowed(a, rank) for a in args]
            keywords = {name: _narrowed(value, rank) for name, value in keywords.items()}
        places = self.by_place.get(callee)
        if places:
            args = [*args, *(places[k] for k in range(len(args), max(places) + 1) if k in places)]
        known = self.defaults.get(callee)
        if not known and not keywords:
            return plain(args), ()
        given = {**(known or {}), **{k: plain(v) for k, v in keywords.items()}}
        if "ool" in callee and "stride" in given and "stride" not in keywords:
            given["stride"] = plain(args[1 if callee.startswith("F.") else 0])  # the stride of a pool is its kernel
        return plain(args), tuple(sorted(given.items()))

    def counts(self) -> Counter[int]:
        return Counter(self.log)


WINDOWED = re.compile(r"nn\.(?:Conv|ConvTranspose|MaxPool|AvgPool)([123])d")
"""Layers with sizes for each spatial axis, of which one may stand for all."""


@lru_cache
def _window_rank(callee: str) -> int:
    """The spatial axes of such a layer; 0 for anything else."""
    found = WINDOWED.fullmatch(callee)
    return int(found[1]) if found else 0


def _narrowed(value: Any, rank: int) -> Any:
    """One size for all axes as a number, which is how the checked graph has it."""
    is_same = isinstance(value, tuple) and len(value) == rank and all(type(v) is int and v == value[0] for v in value)
    return value[0] if is_same else value


def plain(value: Any) -> Hashable:
    """A value as part of a term. Numbers of different types differ; a list is as good as a tuple."""
    if type(value) in _ATOMS:
        return type(value).__name__, value
    match value:
        case Recorded():
            return "tensor", value.key
        case list() | tuple():
            return tuple(map(plain, value))
        case slice():
            return "slice", plain(value.start), plain(value.stop), plain(value.step)
        case Dim():
            return "size", value
        case Device():
            return ("device",)
        case TypeOf(key=key):
            return "type", key
    raise Refused(f"{value!r} is no argument")


_ATOMS = frozenset({type(None), bool, int, float, str})


@dataclass(frozen=True)
class TypeOf:
    """The element type of a tensor: the tensor's term."""

    key: int


class Device:
    """Where tensors are: the same place for all of a network."""


# ---- tensors -----------------------------------------------------------------------------------------------


class Recorded:
    """A tensor: the number of its term."""

    def __init__(self, ledger: Ledger, key: int) -> None:
        self.ledger = ledger
        self.key = key

    @property
    def shape(self) -> tuple[Size, ...]:
        found = self.ledger.shapes.get(self.key)
        if found is None:
            raise Refused("the shape of a value that the graph does not have")
        return found

    @property
    def dtype(self) -> TypeOf:
        return TypeOf(self.key)

    @property
    def device(self) -> Device:
        return Device()

    def __getattr__(self, name: str) -> Callable[..., Recorded]:
        return lambda *args, **keywords: self.ledger.call(f".{name}", (self, *args), keywords)

    def __getitem__(self, index: Any) -> Recorded:
        count = self.ledger.parts.get(self.key)
        if count is not None and isinstance(index, int):  # one of several values, no cells of one
            return Recorded(self.ledger, self.ledger.term("part", self.key, range(count)[index]))
        index = index if isinstance(index, tuple) else (index,)
        return self.ledger.call("[]", (self, index), {})

    def __iter__(self) -> Iterator[Recorded]:
        count = self.ledger.parts.get(self.key)
        if count is None:
            raise Refused("a value is unpacked that is one")
        return (Recorded(self.ledger, self.ledger.term("part", self.key, k)) for k in range(count))

    def __bool__(self) -> NoReturn:
        raise Refused("the truth of a tensor")


def _infix(symbol: str) -> tuple[Callable[..., Recorded], Callable[..., Recorded]]:
    def forward(self: Recorded, other: Any) -> Recorded:
        return self.ledger.call(symbol, (self, other), {})

    def backward(self: Recorded, other: Any) -> Recorded:
        return self.ledger.call(symbol, (other, self), {})

    return forward, backward


_ARITHMETIC = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
for _word, _symbol in _ARITHMETIC.items():
    _forward, _backward = _infix(_symbol)
    setattr(Recorded, f"__{_word}__", _forward)
    setattr(Recorded, f"__r{_word}__", _backward)
for _word, _symbol in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(Recorded, f"__{_word}__", _infix(_symbol)[0])
for _word, _symbol in {"neg": "neg", "invert": "invert"}.items():
    setattr(Recorded, f"__{_word}__", lambda self, _symbol=_symbol: self.ledger.call(_symbol, (self,), {}))
Recorded.__hash__ = object.__hash__  # type: ignore[method-assign]


# ---- modules -----------------------------------------------------------------------------------------------


class Blank:
    """A new tensor, for a parameter: its shape and how it was filled."""

    def __init__(self, shape: tuple[Any, ...], fill: float | None) -> None:
        self.shape = shape
        self.fill = fill


class Weight(Recorded):
    """A parameter or buffer of a module. ``init`` is the last distribution that it was drawn from."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, -1)
        self.init: tuple[str, tuple[Any, ...], dict[str, Any]] | None = None
        self.blank: Blank | None = None
        self.contents: Recorded | None = None

    @property
    def data(self) -> NoReturn:
        raise Refused("the data of a weight")


class Module:
    """``nn.Module``."""

    training: bool = False
    _modules: dict[str, Module]
    _parameters: dict[str, Weight]
    _buffers: dict[str, Weight]
    _constants: dict[str, Recorded]

    def __init__(self) -> None:
        vars(self).update(_modules={}, _parameters={}, _buffers={}, _constants={})

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(self, "_modules"):
            raise Refused("an attribute before super().__init__()")
        if isinstance(value, Module):
            self.add_module(name, value)
        elif isinstance(value, Weight):
            self.register_parameter(name, value)
        else:
            object.__setattr__(self, name, value)

    def add_module(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            raise Refused(f"{name} is no module")
        self._new(name, self._modules, module)

    def register_parameter(self, name: str, value: Weight) -> None:
        self._new(name, self._parameters, value)

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        if not isinstance(value, Recorded):
            raise Refused(f"the buffer {name} is no tensor")
        if not persistent:
            self._new(name, self._constants, value)
            return
        held = Weight(value.ledger)
        held.contents = value
        self._new(name, self._buffers, held)

    def _new(self, name: str, kind: dict[str, Any], value: Any) -> None:
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

    def get_buffer(self, name: str) -> Recorded:
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

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.forward(*args, **keywords)

    def forward(self, *args: Any) -> Any:
        raise Refused(f"{type(self).__name__} has no forward")


class Sequential(Module):
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

    def forward(self, *args: Any) -> Any:
        (x,) = args
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleList(Sequential):
    def __init__(self, modules: Sequence[Module] = ()) -> None:
        super().__init__(*modules)

    def __getitem__(self, index: int) -> Module:
        return self._modules[str(operator.index(index))]

    def forward(self, *args: Any) -> Any:
        raise Refused("a list of modules is called")


INNER = {"nn.MultiheadAttention": {"out_proj": "Linear"}}
"""The layers that a layer of torch's is made of: a loop over ``modules()`` meets them too."""


class Leaf(Module):
    """A layer of torch's: its class, how it was made, its weights."""

    callee: str
    ledger: Ledger
    layers: Layers
    _inner: list[Module]
    path: str | None
    made: tuple[Hashable, Hashable]
    own: tuple[str, ...]
    """Its weights."""
    weights: Callable[[str, Hashable], Sequence[str]]

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__()
        made = self.ledger.complete(self.callee, args, keywords)
        own = tuple(type(self).weights(self.callee, made))
        vars(self).update(made=made, path=None, _inner=[], own=own)
        for name in own:
            holder, _, last = name.rpartition(".")
            target = self._holder(holder) if holder else self
            object.__setattr__(target, last, Weight(self.ledger))
        if not hasattr(self, "bias"):
            object.__setattr__(self, "bias", None)

    def _holder(self, name: str) -> Any:
        """The layer within that holds weights; it is no part of the network of its own."""
        if not hasattr(self, name):
            kind = getattr(self.layers, INNER[self.callee][name])
            inner = kind.__new__(kind)
            Module.__init__(inner)
            vars(inner).update(path=None, _inner=[], own=(), bias=None)
            self._inner.append(inner)
            object.__setattr__(self, name, inner)
        return getattr(self, name)

    def within(self) -> list[Module]:
        return self._inner

    def get_parameter(self, path: str) -> Weight:
        return operator.attrgetter(path)(self)

    def forward(self, *args: Any, **keywords: Any) -> Recorded:
        return self.ledger.call(f"module {self.path}", args, keywords)


# ---- torch's modules ---------------------------------------------------------------------------------------


class Functions(types.ModuleType):
    """``torch`` and ``torch.nn.functional``: any function is recorded."""

    def __init__(self, prefix: str, ledger: Ledger) -> None:
        super().__init__(prefix)
        self._prefix = prefix
        self._ledger = ledger

    def __getattr__(self, name: str) -> Callable[..., Recorded]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **keywords: self._ledger.call(f"{self._prefix}.{name}", args, keywords)


class InitFunctions(types.ModuleType):
    """``nn.init``: notes on a weight what it is drawn from."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)

        def note(weight: Any, *args: Any, **keywords: Any) -> None:
            if not isinstance(weight, Weight):
                raise Refused(f"nn.init.{name} on what is no weight")
            weight.init = (name, args, keywords)

        return note


class Layers(types.ModuleType):
    """``torch.nn``: any class is a layer that is recorded."""

    Module, Sequential, ModuleList = Module, Sequential, ModuleList

    def __init__(self, ledger: Ledger, weights: Callable[[str, Hashable], Sequence[str]]) -> None:
        super().__init__("nn")
        self._ledger = ledger
        self._weights = staticmethod(weights)
        self.init = InitFunctions("init")

    def Parameter(self, blank: Blank) -> Weight:
        weight = Weight(self._ledger)
        weight.blank = blank
        return weight

    def __getattr__(self, name: str) -> type[Leaf]:
        if name.startswith("_"):
            raise AttributeError(name)
        made = self.leaf(f"nn.{name}")
        setattr(self, name, made)
        return made

    def leaf(self, callee: str) -> type[Leaf]:
        fields = {"callee": callee, "ledger": self._ledger, "layers": self, "weights": self._weights}
        return type(callee.rpartition(".")[2], (Leaf,), fields)


def torch_for(ledger: Ledger, weights: Callable[[str, Hashable], Sequence[str]]) -> dict[str, types.ModuleType]:
    """The modules that an emitted file imports, by their names."""
    torch, functional = Functions("torch", ledger), Functions("F", ledger)
    torch.Tensor = Recorded  # type: ignore[attr-defined]
    torch.nn = Layers(ledger, weights)  # type: ignore[attr-defined]
    torch.nn.functional = functional  # type: ignore[attr-defined]
    torch.empty = lambda *shape: Blank(_shape(shape), None)  # type: ignore[attr-defined]
    torch.zeros = lambda *shape: Blank(_shape(shape), 0.0)  # type: ignore[attr-defined]
    torch.ones = lambda *shape: Blank(_shape(shape), 1.0)  # type: ignore[attr-defined]
    torch.full = _full  # type: ignore[attr-defined]
    return {"torch": torch, "torch.nn.functional": functional}


def _shape(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape that torch takes from its arguments: sizes, or one tuple of them, but not nothing at all."""
    if not given:
        raise Refused("a tensor without a shape")
    return tuple(given[0]) if isinstance(given[0], tuple) else given


def _full(shape: tuple[Any, ...], value: Any) -> Blank:
    if not isinstance(value, float):
        raise Refused("a parameter that is not float32")
    return Blank(tuple(shape), value)
