"""What two networks compute, as terms: equal terms are equal numbers, whatever the weights and inputs are.

A network runs on tensors of torch's *meta* device, which have shapes and no numbers; each ATen operator that it calls
becomes a term, and equal terms are one number. Terms are normal forms under equations that hold exactly in floating
point: sums and products commute, views of views are one view, a concatenation of concatenations is one.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from archdsl.importing.sources.recording import tensors_in

Term: TypeAlias = int
RANDOM = frozenset({"bernoulli", "native_dropout", "dropout", "rand", "rand_like", "uniform", "normal"})
SAME = frozenset({"alias", "detach", "clone", "contiguous", "lift_fresh", "_to_copy", "_reshape_alias"})
"""Operators that give their input's numbers, if the type stays."""
RESHAPES = frozenset({"view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "flatten", "unflatten"})
COMMUTE = frozenset({"add", "mul", "maximum", "minimum"})


class Undecided(Exception):
    """A network has no terms: it reads what was written by a view, or does not run without numbers."""


@dataclass
class TermTable:
    """Numbers terms: equal ones are one."""

    numbers: dict[Hashable, Term] = field(default_factory=dict[Hashable, Term])
    terms: list[tuple[Any, ...]] = field(default_factory=list["tuple[Any, ...]"])
    types: dict[Term, tuple[tuple[int, ...], str]] = field(default_factory=dict[Term, "tuple[tuple[int, ...], str]"])
    """Shape and element type of each term."""

    def number(self, term: tuple[Hashable, ...]) -> Term:
        if term not in self.numbers:
            self.numbers[term] = len(self.terms)
            self.terms.append(term)
        return self.numbers[term]


def outputs_of(
    module: nn.Module, inputs: Sequence[Tensor], table: TermTable, *, training: bool
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """The terms of a network's outputs, and those of the tensors of its state dict after the run.

    Raises:
        Undecided: it has none.
    """
    try:
        copied = copy.deepcopy(module).to("meta").train(training)
        given = [torch.empty_like(x, device="meta") for x in inputs]
        tracer = _Tracer(table)
        for name, tensor in copied.state_dict(keep_vars=True).items():
            tracer.know(tensor, table.number(("weight", name)))
        for position, tensor in enumerate(given):
            tracer.know(tensor, table.number(("input", position)))
        with torch.no_grad(), tracer:
            result = copied(*given)
        outputs = tuple(tracer.term(t) for t in tensors_in(result))
        state = tuple(tracer.term(t) for t in copied.state_dict(keep_vars=True).values())
    except Undecided:
        raise
    except Exception as error:  # whatever it needs numbers for
        raise Undecided(f"{type(error).__name__}: {error}") from error
    return outputs, state


class _Tracer(TorchDispatchMode):
    """Gives each tensor of a run its term."""

    def __init__(self, table: TermTable) -> None:
        super().__init__()
        self._table = table
        self._known: dict[int, Term] = {}
        self._kept: list[Tensor] = []
        self._stored: dict[int, list[Tensor]] = {}
        self._random = 0

    def know(self, tensor: Tensor, term: Term) -> None:
        self._known[id(tensor)] = term
        self._table.types[term] = tuple(tensor.shape), str(tensor.dtype)
        self._kept.append(tensor)
        self._stored.setdefault(tensor.untyped_storage()._cdata, []).append(tensor)

    def term(self, tensor: Tensor) -> Term:
        if id(tensor) not in self._known:
            raise Undecided("it reads a tensor that is made elsewhere, or whose view was written into")
        return self._known[id(tensor)]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = dict(kwargs or {})
        name = str(func.overloadpacket).rpartition(".")[2]
        in_place = name.endswith("_") and not name.endswith("__")
        plain = name.removesuffix("_")
        arguments = self._arguments(func, args, keywords)
        if "pool" in plain and len(arguments) > 2 and arguments[2] == ():
            arguments = (*arguments[:2], arguments[1], *arguments[3:])  # the stride is the kernel then
        if plain in RANDOM:
            self._random += 1
            arguments = (*arguments, ("draw", self._random))
        result = func(*args, **keywords)
        tensors = list(tensors_in(result))
        if in_place:
            tensors = [*tensors, *self._aliases(args[0])]
        is_one = isinstance(result, Tensor)
        normal = self._normal(plain, arguments, tensors[0]) if is_one else self._table.number((plain, arguments))
        for position, tensor in enumerate([*tensors]):
            self.know(tensor, normal if is_one else self._table.number(("part", normal, position)))
        return result

    def _aliases(self, tensor: Tensor) -> list[Tensor]:
        """The tensors that are the same memory as one that is written into. Other views of it are unknown from here."""
        same: list[Tensor] = []
        for other in self._stored.get(tensor.untyped_storage()._cdata, []):
            if _geometry(other) == _geometry(tensor):
                same.append(other)
            else:
                self._known.pop(id(other), None)
        return same

    def _arguments(self, func: Any, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[Hashable, ...]:
        """All arguments of a call in the order of its schema, defaults filled in."""
        given = {a.name: v for a, v in zip(func._schema.arguments, args, strict=False)} | keywords
        skipped = ("device", "layout", "pin_memory", "memory_format", "generator")
        names = (a for a in func._schema.arguments if a.name not in skipped)
        return tuple(self._plain(given.get(a.name, a.default_value)) for a in names)

    def _plain(self, value: Any) -> Hashable:
        if isinstance(value, Tensor):
            return ("term", self.term(value))
        if isinstance(value, list | tuple):
            return tuple(map(self._plain, value))
        return (type(value).__name__, value) if isinstance(value, bool | float) else value

    # ---- normal forms ----

    def _normal(self, name: str, arguments: tuple[Hashable, ...], result: Tensor) -> Term:
        shape, dtype = tuple(result.shape), str(result.dtype)
        first = arguments[0] if arguments else None
        if name in ("empty", "new_empty", "empty_like"):
            return self._table.number(("empty", shape, dtype))
        if isinstance(first, tuple) and first[:1] == ("term",):
            source = int(str(first[1]))
            given_shape, given_dtype = self._table.types[source]
            if name in SAME and dtype == given_dtype:
                return source
            if name in RESHAPES and dtype == given_dtype:  # a view of other bits has other numbers
                return self._reshaped(source, shape)
            if name in ("permute", "transpose", "t"):
                return self._permuted(source, _order(name, arguments, len(shape)))
            if name == "channel_shuffle" and isinstance(groups := arguments[1], int):
                apart = (shape[0], groups, shape[1] // groups, *shape[2:])
                turned = self._permuted(self._reshaped(source, apart), (0, 2, 1, *range(3, len(apart))))
                return self._reshaped(turned, shape)
            if name == "expand" and given_shape == shape:
                return source
            if name in ("mean", "sum", "amax") and isinstance(arguments[1], tuple):
                rank = len(given_shape)
                axes = tuple(sorted(a % rank for a in arguments[1] if isinstance(a, int)))
                arguments = (first, axes, *arguments[2:])
        if name == "cat" and isinstance(first, tuple):
            items = self._joined(first, arguments[1], len(shape))
            if len(items) == 1 and isinstance(items[0], tuple):
                return int(str(items[0][1]))
            arguments = (items, _wrapped(arguments[1], len(shape)))
        if name in COMMUTE and len(arguments) > 1 and arguments[2:] in ((), (1,)):  # y + 2 x is not x + 2 y
            arguments = (*sorted(arguments[:2], key=repr), *arguments[2:])
        return self._table.number((name, arguments))

    def _reshaped(self, source: Term, shape: tuple[int, ...]) -> Term:
        """A view of a view is a view of the first; one that changes nothing is none."""
        made = self._table.terms[source]
        if made[0] == "reshape":
            source = made[1]
        if self._table.types[source][0] == shape:
            return source
        return self._typed(("reshape", source, shape), shape, source)

    def _typed(self, made: tuple[Hashable, ...], shape: tuple[int, ...], like: Term) -> Term:
        """A term of a shape, of the element type of another."""
        term = self._table.number(made)
        self._table.types.setdefault(term, (shape, self._table.types[like][1]))
        return term

    def _permuted(self, source: Term, order: tuple[int, ...]) -> Term:
        made = self._table.terms[source]
        if made[0] == "permute":
            source, order = made[1], tuple(made[2][i] for i in order)
        shape = self._table.types[source][0]
        if order == tuple(range(len(order))):
            return source
        return self._typed(("permute", source, order), tuple(shape[i] for i in order), source)

    def _joined(self, items: tuple[Any, ...], axis: Hashable, rank: int) -> tuple[Hashable, ...]:
        found: list[Hashable] = []
        for item in items:
            made: tuple[Any, ...] = self._table.terms[item[1]] if isinstance(item, tuple) else ("none",)
            is_same = made[0] == "cat" and made[1][1] == _wrapped(axis, rank)
            found += made[1][0] if is_same else [item]
        return tuple(found)


def _geometry(tensor: Tensor) -> tuple[Hashable, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset()


def _wrapped(axis: Hashable, rank: int) -> int:
    return axis % rank if isinstance(axis, int) else 0


def _order(name: str, arguments: tuple[Hashable, ...], rank: int) -> tuple[int, ...]:
    order = list(range(rank))
    if name == "permute" and isinstance(arguments[1], tuple):
        return tuple(_wrapped(a, rank) for a in arguments[1])
    i, j = (_wrapped(a, rank) for a in arguments[1:3]) if name == "transpose" else (rank - 2, rank - 1)
    order[i], order[j] = order[j], order[i]
    return tuple(order)
