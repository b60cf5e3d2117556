"""What a file says of the network in it, held to its form before anything is done with it: the file is untrusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

LARGEST = 8_192
"""Pixels along a side of a picture that a file may ask for: a picture of more would exhaust the machine."""

_Check = Callable[[Any], bool]


def is_sound(facts: Any) -> bool:
    """Whether these are the classes and the input of a trained network."""
    return _has(facts, {"classes": _all(str, 1), "input": lambda given: _has(given, _INPUT) and _fits(given)})


def is_snapshot(saved: Any) -> bool:
    """Whether this is a spec as ``snapshot`` keeps it, whose files stay in their folder."""
    return _has(saved, _SNAPSHOT) and saved["main"] in saved["files"]


def _has(facts: Any, checks: Mapping[str, _Check]) -> bool:
    return isinstance(facts, Mapping) and all(name in facts and check(facts[name]) for name, check in checks.items())


def _all(kind: type | tuple[type, ...], least: int, most: int | None = None) -> _Check:
    """A list of at least and at most so many of a kind."""
    return lambda found: (
        isinstance(found, list | tuple)
        and least <= len(found) <= (len(found) if most is None else most)
        and all(isinstance(item, kind) for item in found)
    )


def _side(pixels: Any) -> bool:
    return type(pixels) is int and 1 <= pixels <= LARGEST


def _sides(size: Any) -> bool:
    return _all(int, 2, 2)(size) and all(map(_side, size))


def _fits(given: Mapping[str, Any]) -> bool:
    return len(given["mean"]) == len(given["std"]) and 0 not in given["std"]


def _is_inside(name: Any) -> bool:
    if not isinstance(name, str) or not name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool)


_INPUT: dict[str, _Check] = {
    "channels": lambda n: n in (1, 3),
    "size": _sides,
    "native": _sides,
    "mean": _all((int, float), 1, 3),
    "std": _all((int, float), 1, 3),
    "photographs": lambda told: isinstance(told, bool),
    "resize": lambda pixels: pixels is None or _side(pixels),
}
_SNAPSHOT: dict[str, _Check] = {
    "files": lambda files: (
        isinstance(files, Mapping) and all(_is_inside(n) and isinstance(text, str) for n, text in files.items())
    ),
    "main": _is_inside,
    "model": lambda name: isinstance(name, str) and name.isidentifier(),
    "parameters": lambda given: (
        isinstance(given, Mapping)
        and all(isinstance(n, str) and n not in ("spec", "input") and _is_plain(v) for n, v in given.items())
    ),
    "inputs": lambda shapes: (
        isinstance(shapes, Mapping) and all(isinstance(n, str) and isinstance(s, str) for n, s in shapes.items())
    ),
}
