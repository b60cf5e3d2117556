"""Value classes that cost little to define.

`dataclasses.dataclass` writes and compiles source for each method of each class: half a millisecond a class, which some
three hundred classes would make a third of a start. A record is a dataclass too (`fields`, `replace` and `match` work
on it), but its fields are collected when they are first asked for, and each method is compiled when it is first called:
most of the classes that a start defines get no instance.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields, is_dataclass
from threading import RLock
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(
    *, kw_only: bool = False, frozen: bool = True, eq: bool = True, slots: bool = False
) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[Any] | None = None,
    /,
    *,
    kw_only: bool = False,
    frozen: bool = True,
    eq: bool = True,
    slots: bool = False,
) -> Any:
    """A class as a frozen dataclass, equal to another of its class with equal fields.

    The parameters are those of `dataclass`. Methods that the class or its bases write themselves are kept.
    """

    def define(cls: type[Any]) -> type[Any]:
        own = cls.__dict__
        if slots:  # which makes another class
            cls = dataclass(init=False, repr=False, eq=False, kw_only=kw_only, slots=True)(cls)
        else:
            for name in _OF_DATACLASSES:
                setattr(cls, name, _Pending(cls, name, kw_only))
        for name, method in methods.items():
            if name not in own and getattr(cls, name, None) in _REPLACED:
                setattr(cls, name, method)
        return cls

    methods = {**_ALWAYS, **(_EQ if eq else {}), **(_HASH if eq and frozen else {}), **(_FROZEN if frozen else {})}
    return define if cls is None else define(cls)


def exactly(value: Any) -> Hashable:
    """A value (a record, perhaps) as a key that tells apart what is equal but not the same: 1, 1.0 and true."""
    kind = type(value)
    if isinstance(value, tuple):
        return kind, tuple(map(exactly, value))
    if is_dataclass(value) and kind.__eq__ is not object.__eq__:
        return kind, tuple(exactly(getattr(value, f.name)) for f in fields(value) if f.compare)
    return kind, repr(value) if kind is float else value


# ---- fields, collected when first asked for ----------------------------------------------------------------

_OF_DATACLASSES = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
"""What `dataclasses` and `match` ask a class for."""
_LOCK = RLock()


class _Pending:
    """Stands in a class for an attribute that `dataclass` sets, until it is asked for."""

    def __init__(self, cls: type[Any], name: str, kw_only: bool) -> None:
        self.cls = cls
        self.name = name
        self.kw_only = kw_only

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        with _LOCK:  # a class whose fields are collected twice loses what `field(…)` states of them
            if self.cls.__dict__[self.name] is self:
                dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=self.kw_only)(self.cls)
                self.cls.__match_args__ = tuple(f.name for f in fields(self.cls) if not f.kw_only)
        return self.cls.__dict__[self.name]


# ---- methods, compiled for a class when first called -------------------------------------------------------


def _init_source(cls: type[Any]) -> tuple[str, dict[str, Any]]:
    """Source of ``__init__``, and the names that it uses: defaults, factories of defaults."""
    names: dict[str, Any] = {"_set": object.__setattr__}
    given: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for f in fields(cls):
        parameter = value = f.name
        if f.default_factory is not MISSING:
            names |= {f"_make_{f.name}": f.default_factory, "_absent": MISSING}
            parameter, value = f"{f.name}=_absent", f"_make_{f.name}() if {f.name} is _absent else {f.name}"
        elif f.default is not MISSING:
            names[f"_default_{f.name}"] = f.default
            parameter = f"{f.name}=_default_{f.name}"
        (named if f.kw_only else given).append(parameter)
        body.append(f" _set(self, {f.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    parameters = ", ".join(["self", *given, *(["*", *named] if named else [])])
    return "\n".join([f"def __init__({parameters}):", *(body or [" pass"])]), names


def _eq_source(cls: type[Any]) -> tuple[str, dict[str, Any]]:
    mine, theirs = ("(" + "".join(f"{x}.{f.name}, " for f in fields(cls) if f.compare) + ")" for x in ("self", "other"))
    return (
        "def __eq__(self, other):\n"
        " if type(other) is not type(self): return NotImplemented\n"
        f" return self is other or {mine} == {theirs}"
    ), {}


def _hash_source(cls: type[Any]) -> tuple[str, dict[str, Any]]:
    values = "".join(f", self.{f.name}" for f in fields(cls) if f.compare)
    return f"def __hash__(self): return hash((type(self){values}))", {}


def _lazy(name: str, source_of: Callable[[type[Any]], tuple[str, dict[str, Any]]]) -> Callable[..., Any]:
    """A method that compiles the one of its class, puts it in its own place, and calls it."""

    def method(self: Any, *args: Any, **named: Any) -> Any:
        # a subclass that is no record has the methods of the record that it extends
        owner = next((c for c in type(self).__mro__ if c.__dict__.get(name) is method), None)
        if owner is None:  # another thread was faster
            return getattr(type(self), name)(self, *args, **named)
        source, names = source_of(owner)
        exec(source, names)
        made = names[name]
        made.__qualname__ = f"{owner.__qualname__}.{name}"
        _REPLACED.add(made)
        setattr(owner, name, made)
        return made(self, *args, **named)

    return method


def _repr(self: Any) -> str:
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
    return f"{type(self).__name__}({shown})"


def _frozen(self: Any, name: str, *_: Any) -> None:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} is frozen")


def _restored(self: Any, state: Any) -> None:
    """Take over the fields of a copied or unpickled object."""
    values, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in {**(values or {}), **(slots or {})}.items():
        object.__setattr__(self, name, value)


_ALWAYS: dict[str, Callable[..., Any]] = {"__init__": _lazy("__init__", _init_source), "__repr__": _repr}
_EQ = {"__eq__": _lazy("__eq__", _eq_source)}
_HASH = {"__hash__": _lazy("__hash__", _hash_source)}
_FROZEN = {"__setattr__": _frozen, "__delattr__": _frozen, "__setstate__": _restored}
_REPLACED = {None, *(m for ms in (_ALWAYS, _EQ, _HASH, _FROZEN) for m in ms.values())}
_REPLACED |= {getattr(object, name, None) for ms in (_ALWAYS, _EQ, _HASH, _FROZEN) for name in ms}
"""Inherited methods that a record has its own of; others were written."""
