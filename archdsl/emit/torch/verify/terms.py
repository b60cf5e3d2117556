"""Terms: what is computed, as numbers of a table. Traced tensors, sizes and element types stand for values.

A term is an operation with its arguments; equal terms have one number in a `TermTable`. What is traced with one table
can be compared: source by running it on traced tensors, a checked graph by evaluating what its operators are in torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from archdsl.dims import Dim, Operator, Size, truth
from archdsl.emit.torch.operators import BINARY, COMPARISONS, UNARY, window_axes
from archdsl.emit.torch.verify.interpreter import Expression, subexpressions
from archdsl.op import REQUIRED, Call, Method, SelfModule

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
                    callee, first = ("SelfModule" if isinstance(callee, SelfModule) else callee), 0
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
    def recorded(self) -> Generator[list[int]]:
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
    sizes = items(value)
    if sizes is None or len(sizes) != axes or any(type(size) is not int for size in sizes):
        return value
    return sizes[0] if all(size == sizes[0] for size in sizes) else value


def plain(value: object) -> Hashable:
    """A value as part of a term. Numbers of different types differ; a list is as good as a tuple.

    Raises:
        Refused: it is no argument of any operation.
    """
    if type(value) in _ATOMS:
        return type(value).__name__, value
    if isinstance(value, TracedTensor):
        return "tensor", value.term
    parts = items(value)
    if parts is not None:
        return tuple(map(plain, parts))
    match value:
        case slice():
            ends = cast("slice[object, object, object]", value)
            return "slice", plain(ends.start), plain(ends.stop), plain(ends.step)
        case TracedSize():
            return "size", value.size
        case Dim():
            return "size", value
        case Device():
            return ("device",)
        case ElementType(of=of):
            return "type", of
        case _:
            raise Refused(f"{value!r} is no argument")


def items(value: object) -> Sequence[object] | None:
    """What is in a list or tuple; None for anything else."""
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else None


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


class _Operand(ABC):
    """A value that computes operators by three methods, which get them as text."""

    @abstractmethod
    def binary(self, op: str, left: object, right: object) -> object: ...

    @abstractmethod
    def compare(self, op: str, other: object) -> object: ...

    @abstractmethod
    def unary(self, op: str) -> object: ...


def _forward(op: str) -> Callable[[_Operand, object], object]:
    return lambda self, other: self.binary(op, self, other)


def _backward(op: str) -> Callable[[_Operand, object], object]:
    return lambda self, other: self.binary(op, other, self)


def _comparison(op: str) -> Callable[[_Operand, object], object]:
    return lambda self, other: self.compare(op, other)


def _unary(op: str) -> Callable[[_Operand], object]:
    return lambda self: self.unary(op)


def _operators() -> Iterator[tuple[str, Callable[..., object]]]:
    """The methods of Python's operators, by their names."""
    for op, binary in BINARY.items():
        yield f"__{binary.method}__", _forward(op)
        yield f"__r{binary.method}__", _backward(op)
    for op, comparison in COMPARISONS.items():
        if comparison.method is not None:
            yield f"__{comparison.method}__", _comparison(op)
    for op, unary in UNARY.items():
        if unary.method is not None:
            yield f"__{unary.method}__", _unary(op)


for _name, _method in _operators():
    setattr(_Operand, _name, _method)


class TracedSize(_Operand):
    """A symbolic size of a traced tensor. A comparison that depends on the input's size is refused."""

    def __init__(self, size: Dim) -> None:
        self.size = size

    def binary(self, op: str, left: object, right: object) -> object:
        return sized(BINARY[op].apply(unsized(left), unsized(right)))

    def unary(self, op: str) -> object:
        return sized(UNARY[op].apply(self.size))

    def compare(self, op: str, other: object) -> object:
        if isinstance(other, TracedTensor):
            return NotImplemented  # as an int does: Python then asks the tensor
        size = unsized(other)
        if not isinstance(size, int | Dim):
            raise Refused("a size is compared with something that is none")
        answer = truth(self.size, cast(Operator, op), size)
        if answer is None:
            raise Refused(f"a comparison that depends on the size {self.size} of the input")
        return answer

    def __bool__(self) -> NoReturn:
        raise Refused(f"the truth of the size {self.size}")


def sized(value: object) -> object:
    """A value in which sizes that are symbolic are traced."""
    if isinstance(value, Dim):
        return TracedSize(value)
    parts = items(value)
    return value if parts is None else tuple(map(sized, parts))


def unsized(value: object) -> Any:
    """A value in which sizes are those of `archdsl.dims`."""
    if isinstance(value, TracedSize):
        return value.size
    parts = items(value)
    return value if parts is None else tuple(map(unsized, parts))


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


class TracedTensor(_Operand):
    """A tensor: the number of its term."""

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
        subscripts = cast("tuple[object, ...]", index) if isinstance(index, tuple) else (index,)
        return self.table.call("[]", (self, subscripts), {})

    def __iter__(self) -> Iterator[TracedTensor]:
        count = self.table.parts.get(self.term)
        if count is None:
            raise Refused("one value is unpacked as several")
        return map(self._part, range(count))

    def _part(self, index: int) -> TracedTensor:
        return TracedTensor(self.table, self.table.term("part", self.term, index))

    def __bool__(self) -> NoReturn:
        raise Refused("the truth of a tensor")
