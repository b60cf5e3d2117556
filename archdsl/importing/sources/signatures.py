"""The arguments of torch's functions by their names, however a program gave them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any


class Unknown:
    """An argument of which only the place is known."""


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function without the marks of operators and of writing in place: ``relu_`` and ``__iadd__`` too."""
    found = _functional_names().get(id(function)) or getattr(function, "__name__", str(function))
    if found in ("__get__", "__set__"):
        found = str(getattr(function, "__self__", "")).split("'")[1:2] or [found]
        return found[0]
    plain = found.strip("_")
    return _OPERATORS.get(plain, plain)


_ARITHMETIC = ("add", "sub", "mul", "truediv", "pow", "matmul")
_OPERATORS = {f"i{name}": name for name in _ARITHMETIC}


@cache
def _functional_names() -> Mapping[int, str]:
    """The names of functions that are made by others, as ``F.max_pool2d`` is."""
    import torch.nn.functional as F

    found = {id(value): name for name, value in vars(F).items() if callable(value) and not name.startswith("_")}
    for name, value in vars(F).items():  # its two forms stand for the one that is called
        if name.endswith("_with_indices"):
            found[id(value)] = name.removesuffix("_with_indices")
            found[id(vars(F).get("_" + name.removesuffix("_with_indices")))] = name.removesuffix("_with_indices")
    return found


def bound(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, those that were not given left out; by number where the names are not known."""
    import torch.nn.functional as F

    name = name_of(function)
    written = getattr(F, name, None) or function
    if inspect.isfunction(written) and "kwargs" in inspect.signature(written).parameters:
        written = getattr(F, f"_{name}", written)  # one of two forms, which a dispatcher chooses
    if inspect.isfunction(written) or inspect.isclass(written):
        try:
            return dict(inspect.signature(written).bind(*args, **keywords).arguments)
        except (TypeError, ValueError):
            pass
    for names, kinds in _schemas(name):
        found = _as(names, kinds, args, keywords)
        if found is not None:
            return found
    return {**{str(i): arg for i, arg in enumerate(args)}, **keywords}


@cache
def _schemas(name: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The names and types of the arguments of each form of an ATen operator."""
    import torch

    packet = getattr(torch.ops.aten, name, None)
    if packet is None:
        return ()
    forms = [getattr(packet, overload)._schema for overload in packet.overloads()]
    return tuple(
        (tuple(a.name for a in form.arguments), tuple(str(a.type) for a in form.arguments))
        for form in forms
        if not any(a.is_out for a in form.arguments)
    )


def _as(
    names: Sequence[str], kinds: Sequence[str], args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The arguments of one form; None if they are not of it. Trailing numbers may stand for a list of them."""
    given = list(args)
    if (
        len(given) > 1
        and len(names) > 1
        and kinds[1] in ("List[int]", "int[]")
        and type(given[1]) is int
        and _is_whole(given[1:])
    ):
        given = [given[0], tuple(given[1:])]
    if len(given) > len(names) or not set(keywords) <= set(names[len(given) :]):
        return None
    found = {**dict(zip(names, given, strict=False)), **keywords}
    types = dict(zip(names, kinds, strict=True))
    return found if all(_fits(value, types[name]) for name, value in found.items()) else None


def _is_whole(values: Sequence[Any]) -> bool:
    return all(type(value) is int for value in values)


def _fits(value: Any, kind: str) -> bool:
    """May a value be of a type of a schema?"""
    import torch

    kind = kind.replace("SymInt", "int")
    if isinstance(value, Unknown) or (value is None and kind.startswith("Optional")):
        return True
    kind = kind.removeprefix("Optional[").removesuffix("]") if kind.startswith("Optional") else kind
    if isinstance(value, torch.Tensor):
        return kind in ("Tensor", "number")
    if isinstance(value, bool):
        return kind in ("bool", "number")
    if isinstance(value, int):
        return kind in ("int", "number", "float", "List[int]", "int[]")
    if isinstance(value, float):
        return kind in ("float", "number", "List[float]")
    if isinstance(value, str):
        return kind == "str"
    if isinstance(value, tuple | list):
        of = "Tensor" if value and isinstance(value[0], torch.Tensor) else "int"
        return kind.startswith(("List[", "int[", "Tensor[")) and (not value or of in kind or "float" in kind)
    return True
