"""Terms: what is computed, as numbers of a table. Traced tensors, sizes and element types stand for values.

A term is an operation with its arguments; equal terms have one number in a `TermTable`. What is traced with one table
can be compared: source by running it on traced tensors, a checked graph by evaluating what its operators are in torch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from archdsl.dims import Dim, Size, truth
from archdsl.emit.torch.operators import BINARY, COMPARISONS, UNARY, window_axes
from archdsl.emit.torch.verify.interpreter import Expression, subexpressions
from archdsl.op import REQUIRED, Call, Method, This

T = TypeVar("T")
Made = tuple[str, Hashable, Hashable]
"""How a layer is made: its class, with all arguments by position and by keyword."""


class Refused(Exception):
    """The source does something that has no meaning in terms, or that depends on more than its arguments."""


class TermTable:
    """The terms of everything that is to be compared."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._keys: list[tuple[Hashable, ...]] = []
        self.shapes: dict[int, tuple[Size, ...]] = {}
        """Shapes of the values of checked graphs."""
        self.parts: dict[int, int] = {}
        """How many values a term gives, where it gives several."""
        self.weights: dict[Made, tuple[str, ...]] = {}
        """The weights of layers, by how they are made."""
        self.callees: set[str] = set()
        """The names of torch that the operators of graphs use, in any of their forms."""
        self._keywords: dict[str, dict[str, Hashable]] = defaultdict(dict)
        """Keyword arguments of each function with torch's defaults, as parts of terms."""
        self._places: dict[str, dict[int, object]] = defaultdict(dict)
        """The same of arguments by position."""
        self._steps: list[int] = []

    def term(self, *key: Hashable) -> int:
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self._keys):
            self._keys.append(key)
        return number

    def show(self, term: int) -> str:
        """A term in words, for messages: the operation, without what its arguments are made of."""
        match self._keys[term]:
            case ("call", str(callee), *_):
                return f"`{callee}`"
            case (kind, str(name)):
                return f"the {kind} `{name}`"
            case _:
                return "a value"

    def learn(self, expression: Expression) -> None:
        """Note the names in an expression, and torch's defaults of all arguments."""
        for part in subexpressions(expression):
            match part:
                case Method(name=name, args=args):
                    callee, first = f".{name}", 1  # place 0 is the receiver
                case Call(callee=callee, args=args):
                    callee, first = ("This" if isinstance(callee, This) else callee), 0
                    self.callees.add(callee)
                case _:
                    continue
            for place, arg in enumerate(args, first):
                if arg.default is REQUIRED:
                    continue
                if arg.keyword is not None:
                    self._keywords[callee][arg.keyword] = plain(arg.default)
                else:
                    self._places[callee][place] = arg.default

    # ---- computing ----

    @contextmanager
    def recorded(self) -> Iterator[list[int]]:
        """The terms computed within, in order."""
        before, self._steps = self._steps, []
        try:
            yield self._steps
        finally:
            self._steps = before

    def call(self, callee: str, args: Sequence[object], keywords: Mapping[str, object]) -> TracedTensor:
        """A function, method or module called."""
        term = self.term("call", callee, self.complete(callee, args, keywords))
        self._steps.append(term)
        return TracedTensor(self, term)

    def complete(
        self, callee: str, args: Sequence[object], keywords: Mapping[str, object]
    ) -> tuple[Hashable, Hashable]:
        """All arguments, those at their default too."""
        axes = window_axes(callee)
        if axes:
            args = [_narrowed(a, axes) for a in args]
            keywords = {name: _narrowed(value, axes) for name, value in keywords.items()}
        places = self._places.get(callee)
        if places:
            args = [*args, *(places[k] for k in range(len(args), max(places) + 1) if k in places)]
        known = self._keywords.get(callee)
        if not known and not keywords:
            return plain(args), ()
        given = {**(known or {}), **{k: plain(v) for k, v in keywords.items()}}
        if "ool" in callee and "stride" in given and "stride" not in keywords:
            given["stride"] = plain(args[1 if callee.startswith("F.") else 0])  # the stride of a pool is its kernel
        return plain(args), tuple(sorted(given.items()))


def _narrowed(value: object, axes: int) -> object:
    """One size for all axes as a number, which is how a checked graph has it."""
    if isinstance(value, tuple) and len(value) == axes and all(type(v) is int and v == value[0] for v in value):
        return value[0]
    return value


def plain(value: object) -> Hashable:
    """A value as part of a term. Numbers of different types differ; a list is as good as a tuple.

    Raises:
        Refused: it is no argument of any operation.
    """
    if type(value) in _ATOMS:
        return type(value).__name__, value
    match value:
        case TracedTensor():
            return "tensor", value.term
        case list() | tuple():
            return tuple(map(plain, value))
        case slice():
            return "slice", plain(value.start), plain(value.stop), plain(value.step)
        case TracedSize():
            return "size", value.size
        case Dim():
            return "size", value
        case Device():
            return ("device",)
        case ElementType(of=of):
            return "type", of
    raise Refused(f"{value!r} is no argument")


_ATOMS = frozenset({type(None), bool, int, float, str})

# ---- values ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Device:
    """Where tensors are: the same place for all of a network."""


@dataclass(frozen=True, eq=False)
class ElementType:
    """The element type of a tensor, which is that of a term. Whether two are one type is not known."""

    of: int

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ElementType) and other.of == self.of:
            return True
        raise Refused("a comparison of element types")

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def _has_operators(cls: type[T]) -> type[T]:
    """Let a class compute all operators by its methods ``binary`` (both sides), ``compare`` and ``unary``."""

    def of_both(op: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
        return lambda self, other: self.binary(op, self, other), lambda self, other: self.binary(op, other, self)

    def comparison(op: str) -> Callable[..., Any]:
        return lambda self, other: self.compare(op, other)

    def unary(op: str) -> Callable[..., Any]:
        return lambda self: self.unary(op)

    for op, entry in BINARY.items():
        forward, backward = of_both(op)
        setattr(cls, f"__{entry.method}__", forward)
        setattr(cls, f"__r{entry.method}__", backward)
    for op, compared in COMPARISONS.items():
        if compared.method is not None:
            setattr(cls, f"__{compared.method}__", comparison(op))
    for op, alone in UNARY.items():
        if alone.method is not None:
            setattr(cls, f"__{alone.method}__", unary(op))
    return cls


@_has_operators
class TracedSize:
    """A symbolic size of a traced tensor. A comparison that depends on the input's size is refused."""

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, size: Dim) -> None:
        self.size = size

    @staticmethod
    def binary(op: str, left: object, right: object) -> object:
        return sized(BINARY[op].apply(unsized(left), unsized(right)))

    def unary(self, op: str) -> object:
        return sized(UNARY[op].apply(self.size))

    def compare(self, op: str, other: object) -> bool:
        size = unsized(other)
        if not isinstance(size, int | Dim):
            raise Refused("a size is compared with something that is none")
        answer = truth(self.size, op, size)  # type: ignore[arg-type]
        if answer is None:
            raise Refused(f"a comparison that depends on the size {self.size} of the input")
        return answer

    def __bool__(self) -> NoReturn:
        raise Refused(f"the truth of the size {self.size}")


def sized(value: object) -> object:
    """A value in which sizes that are symbolic are traced."""
    if isinstance(value, Dim):
        return TracedSize(value)
    return tuple(map(sized, value)) if isinstance(value, list | tuple) else value


def unsized(value: object) -> Any:
    """A value in which sizes are those of `archdsl.dims`."""
    if isinstance(value, TracedSize):
        return value.size
    return type(value)(map(unsized, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, eq=False)
class _Attribute:
    """An attribute of a traced tensor, which can only be called."""

    tensor: TracedTensor
    name: str

    def __call__(self, *args: object, **keywords: object) -> TracedTensor:
        return self.tensor.table.call(f".{self.name}", (self.tensor, *args), keywords)

    def __eq__(self, other: object) -> NoReturn:
        raise Refused(f"the attribute {self.name} of a tensor is compared")

    def __bool__(self) -> NoReturn:
        raise Refused(f"the truth of the attribute {self.name} of a tensor")


@_has_operators
class TracedTensor:
    """A tensor: the number of its term."""

    __hash__ = object.__hash__

    def __init__(self, table: TermTable, term: int) -> None:
        self.table = table
        self.term = term

    @property
    def shape(self) -> tuple[object, ...]:
        found = self.table.shapes.get(self.term)
        if found is None:
            raise Refused("the shape of a value that the graph does not have")
        return tuple(map(sized, found))

    @property
    def dtype(self) -> ElementType:
        return ElementType(self.term)

    @property
    def device(self) -> Device:
        return Device()

    def __getattr__(self, name: str) -> _Attribute:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Attribute(self, name)

    def binary(self, op: str, left: object, right: object) -> TracedTensor:
        return self.table.call(op, (left, right), {})

    def compare(self, op: str, other: object) -> TracedTensor:
        return self.table.call(op, (self, other), {})

    def unary(self, op: str) -> TracedTensor:
        return self.table.call(f"unary {op}", (self,), {})

    def __getitem__(self, index: object) -> TracedTensor:
        count = self.table.parts.get(self.term)
        if count is not None and isinstance(index, int):  # one of several values, not elements of one
            return self._part(range(count)[index])
        return self.table.call("[]", (self, index if isinstance(index, tuple) else (index,)), {})

    def __iter__(self) -> Iterator[TracedTensor]:
        count = self.table.parts.get(self.term)
        if count is None:
            raise Refused("one value is unpacked as several")
        return map(self._part, range(count))

    def _part(self, index: int) -> TracedTensor:
        return TracedTensor(self.table, self.table.term("part", self.term, index))

    def __bool__(self) -> NoReturn:
        raise Refused("the truth of a tensor")
