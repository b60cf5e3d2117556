"""What a network did when it ran: a tree of module calls, with the functions that each called, on numbered values.

Sizes that depend on the batch are expressions of the symbol ``N``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from archdsl.dims import Dim, Size, symbol
from archdsl.record import record

BATCH = symbol("N")

Kind: TypeAlias = Literal["input", "computed", "parameter", "buffer", "constant"]


@dataclass(eq=False)
class Value:
    """A tensor. ``path`` is its name in the state dict; ``numbers`` are those of a small constant or buffer."""

    kind: Kind
    shape: tuple[Size, ...]
    dtype: str
    path: str | None = None
    numbers: Numbers | None = None

    @property
    def flows(self) -> bool:
        """Is it computed from the network's inputs?"""
        return self.kind in ("input", "computed")

    @property
    def is_owned(self) -> bool:
        return self.kind in ("parameter", "buffer")


Numbers: TypeAlias = "int | float | bool | tuple[Numbers, ...]"


@record
class Cut:
    """A slice of one axis."""

    start: Argument
    stop: Argument
    step: Argument


Argument: TypeAlias = "Value | int | float | bool | str | Dim | Cut | tuple[Argument, ...] | None"


@dataclass(eq=False)
class FunctionCall:
    """A call of a function of torch: its name, its arguments by torch's names, and its results.

    ``line`` is the Python line that made it.
    """

    name: str
    arguments: Mapping[str, Argument]
    outputs: tuple[Value, ...]
    line: str = ""
    gives_list: bool = False


@record
class OwnTensor:
    """A tensor that a module owns: its shape and type, how it is initialized, and the numbers of a buffer."""

    kind: Literal["parameter", "buffer"]
    shape: tuple[int, ...]
    dtype: str
    initial: str
    numbers: Numbers | None = None


@dataclass(frozen=True, eq=False)
class ModuleFacts:
    """What is known of a Python module beside what it does.

    ``forward`` is ``chain`` where it runs its children one after the other (``nn.Sequential``), ``list`` where it only
    holds them.
    """

    class_name: str
    forward: Literal["chain", "list", "own"]
    children: Mapping[str, ModuleFacts] = field(default_factory=dict[str, "ModuleFacts"])
    tensors: Mapping[str, OwnTensor] = field(default_factory=dict[str, OwnTensor])


@dataclass(eq=False)
class ModuleCall:
    """One run of a module: the values that it was given, what it called, and what it gave."""

    path: str
    facts: ModuleFacts
    inputs: list[Value]
    events: list[FunctionCall | ModuleCall] = field(default_factory=list["FunctionCall | ModuleCall"])
    outputs: list[Value] = field(default_factory=list[Value])


def values_of(argument: object) -> Iterator[Value]:
    """The tensors in an argument."""
    if isinstance(argument, Value):
        yield argument
    elif isinstance(argument, tuple):
        for item in argument:
            yield from values_of(item)
    elif isinstance(argument, Cut):
        yield from values_of((argument.start, argument.stop, argument.step))


def parent(path: str) -> str:
    """``layer1.0`` of ``layer1.0.conv1``."""
    return path.rpartition(".")[0]


def last(path: str) -> str:
    """``conv1`` of ``layer1.0.conv1``."""
    return path.rpartition(".")[2]


def below(path: str, scope: str) -> str:
    """A path without that of the scope that it is below."""
    return path[len(scope) + 1 :] if scope else path


class Unsupported(Exception):
    """The network cannot be imported: ``operation`` in the module ``path`` at a Python line, and the fix."""

    def __init__(self, reason: str, operation: str = "", path: str = "", line: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.operation = operation
        self.path = path
        self.line = line
