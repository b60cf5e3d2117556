"""What a network is and computes, in terms, and the comparison of two of them. Nothing is run here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archdsl.emit.torch.verify.terms import Made, TermTable

Distribution: TypeAlias = tuple[str, tuple[tuple[str, float | str], ...]]
"""A function of ``torch.nn.init`` with all its arguments behind the tensor."""
What: TypeAlias = Literal[
    "text", "execution", "modules", "layer", "tensors", "initial values", "buffer", "constructor", "outputs",
    "steps", "order",
]  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A tensor of a module that is drawn. ``shape`` is None where the layer decides it.

    ``initial`` are its distribution, and None where torch's constructor draws it so already.
    """

    shape: Hashable
    initial: frozenset[Distribution | None]


@dataclass(frozen=True)
class TracedModule:
    """A module. ``made`` says how a layer of torch's is made; it is None for a scope.

    ``buffers`` are the terms of what they hold. An ``optional`` module owns nothing, and one network may have it where
    the other has not.
    """

    path: str
    made: Made | None
    parameters: Mapping[str, Parameter]
    buffers: Mapping[str, int]
    optional: bool = False


@dataclass(frozen=True)
class Computation:
    """What ``forward`` computes, in one of its two modes.

    Args:
        outputs: terms.
        steps: the terms that are computed, in order.
        needed: those that must be computed, and how often. The others may be left out.
        random: terms whose order matters.
    """

    outputs: tuple[int, ...]
    steps: tuple[int, ...]
    needed: Counter[int]
    random: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Traced:
    """A network: its modules in the order of its state dict, and what it computes.

    ``constructed`` are the terms that its constructor computes; ``constructible`` those that it may compute.
    """

    table: TermTable
    modules: tuple[TracedModule, ...]
    constructed: frozenset[int]
    constructible: frozenset[int]
    inference: Computation
    training: Computation


@dataclass(frozen=True)
class Difference:
    """The first place where two networks differ: of what kind, the path of the module, and what it is."""

    what: What
    place: str
    message: str

    def __str__(self) -> str:
        return self.message


def equivalent(given: Traced, expected: Traced) -> Difference | None:
    """The first difference of a network from the one that is expected, traced with the same table; None if none is.

    It says nothing about names of classes and arguments, nor about the order of steps that draw no random numbers.
    """
    assert given.table is expected.table
    return next(_differences(given, expected), None)


def _differences(given: Traced, expected: Traced) -> Iterator[Difference]:
    yield from _modules(given, expected)
    for term in given.constructed - expected.constructible:
        yield Difference("constructor", "", f"its constructor computes {given.table.show(term)}, which no buffer holds")
    yield from _computations(given.table, given.inference, expected.inference, "at inference")
    yield from _computations(given.table, given.training, expected.training, "in training")


# ---- modules -----------------------------------------------------------------------------------------------


def _modules(given: Traced, expected: Traced) -> Iterator[Difference]:
    by_path = [{m.path: m for m in each.modules} for each in (given, expected)]
    optional = {m.path for m in (*given.modules, *expected.modules) if m.optional}
    optional = {path for path in optional if any(path not in each for each in by_path)}
    left, right = ([m.path for m in each.modules if m.path not in optional] for each in (given, expected))
    if left != right:
        at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
        wrong, wanted = left[at : at + 1], right[at : at + 1]
        path = (wanted or wrong)[0]
        yield Difference("modules", path, f"its module {wrong} stands where {wanted} should")
    for module in given.modules:
        other = by_path[1].get(module.path)
        if other is not None:
            yield from _module(module, other)
        elif module.parameters or module.buffers:
            yield Difference("tensors", module.path, f"{module.path} owns tensors")


def _module(given: TracedModule, expected: TracedModule) -> Iterator[Difference]:
    path = given.path or "the network"
    if given.made != expected.made:
        if expected.made is None:
            yield Difference("layer", path, f"{path} is a layer of its own")
        else:
            yield Difference("layer", path, f"{path} is not made as {expected.made[0]} is in the graph")
    same = list(given.parameters) == list(expected.parameters) and list(given.buffers) == list(expected.buffers)
    if not same:
        owned, wanted = ([*each.parameters, *each.buffers] for each in (given, expected))
        yield Difference("tensors", path, f"{path} owns {owned}, not {wanted}")
    for name, parameter in given.parameters.items():
        other = expected.parameters.get(name, parameter)
        label = f"{given.path}.{name}" if given.path else name
        if parameter.shape != other.shape:
            yield Difference("tensors", label, f"{label} has another shape")
        if not parameter.initial & other.initial:
            found, wanted = map(_shown, (parameter, other))
            yield Difference("initial values", label, f"{label} is drawn from {found}, not {wanted}")
    for name, contents in given.buffers.items():
        if contents != expected.buffers.get(name, contents):
            label = f"{given.path}.{name}" if given.path else name
            yield Difference("buffer", label, f"the buffer {label} holds other numbers")


def _shown(parameter: Parameter) -> str:
    """The distribution of a parameter, in words."""
    for distribution in parameter.initial:
        if distribution is not None:
            function, args = distribution
            return f"{function}({', '.join(f'{name}={value}' for name, value in args)})"
    return "torch's default"


# ---- what forward computes ---------------------------------------------------------------------------------


def _computations(table: TermTable, given: Computation, expected: Computation, when: str) -> Iterator[Difference]:
    if given.outputs != expected.outputs:
        yield Difference("outputs", "", f"its outputs {when} are not the graph's")
    done, most = Counter(given.steps), Counter(expected.steps)
    for term in {**done, **most, **given.needed}:
        if given.needed[term] > most[term] or expected.needed[term] > done[term]:
            times = f"{done[term]} times, not {expected.needed[term]}"
            yield Difference("steps", "", f"a step, {table.show(term)}, is computed {times} {when}")
    random = given.random | expected.random
    left = [term for term in given.steps if term in random and most[term]]
    right = [term for term in expected.steps if term in random and done[term]]
    if left != right:
        yield Difference("order", "", f"what is random runs in another order {when}")
