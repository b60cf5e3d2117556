"""The arguments of an operator: what they mean, what they may be, and how other libraries order them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, field
from typing import Any, NamedTuple, cast

from archdsl.init import Init
from archdsl.op.needs import Reject
from archdsl.record import record


@record
class Operand:
    """Stands in an argument for a value given there (``resize(like=x)``): input number ``index``."""

    index: int


class Kind(ABC):
    """A kind of argument; ``expected`` says it in words, ``words`` are the strings that it may be."""

    expected: str
    words: tuple[str, ...] = ()

    @abstractmethod
    def accept(self, value: object) -> object:
        """The value in its final form.

        Raises:
            Reject: the value is of another kind.
        """

    def reject(self, value: object) -> Reject:
        return Reject(f"expected {self.expected}, got {show(value)}")


def show(value: object) -> str:
    """A value as a message names it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list() | tuple():
            items = cast("Sequence[object]", value)
            inner = ", ".join(map(show, items[:6]))
            return f"[{inner}, …]" if len(items) > 6 else f"[{inner}]"
        case Operand():
            return "a value"
        case Init():
            return value.text
        case type():  # of an initial value, given without its arguments
            return f"`{cast('type[Init]', value).name}`"
        case _:
            return str(value)


def arg(doc: str, kind: Kind, default: Any = MISSING) -> Any:
    """A field that is an argument: what it means, what it may be (``archdsl.arguments``), its default.

    An argument without a default is required. The default is torch's, where torch has one.
    """
    return field(default=default, metadata={"doc": doc, "kind": kind})


class Parameter(NamedTuple):
    """An argument of an operator as the language shows it."""

    name: str
    doc: str
    kind: Kind
    default: Any

    @property
    def required(self) -> bool:
        return self.default is MISSING


# ---- orders of other libraries -----------------------------------------------------------------------------


@record
class Arriving:
    """An argument of another library that repeats a size of the input, which is inferred here.

    ``axis`` is the input's axis whose size it is. ``what`` names it: ``channels``. A list of several sizes is those of
    the last axes, and ``lists`` the argument that takes their numbers here. ``sets`` are arguments that it stands for.
    """

    what: str
    axis: int = 1
    lists: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict[str, Any])


@record
class Dropped:
    """An argument of another library without a counterpart, left out where it has one of ``values`` (None: any)."""

    values: tuple[Any, ...] | None = None


@record
class Order:
    """The order in which another library takes an operator's arguments by position.

    ``arguments`` maps its names, in its order, to ours. ``of`` names the class or function. ``implied`` are arguments
    that it has a default for and that are required here.
    """

    of: str
    arguments: Mapping[str, str | Arriving | Dropped]
    implied: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Doubt(NamedTuple):
    """An argument whose value hardly any network has, so that another may have been meant.

    ``is_sure``: the value makes no sense for the argument even where no other order of the arguments fits.
    """

    argument: str
    is_sure: bool = False
    advice: str | None = None
