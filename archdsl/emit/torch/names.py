"""Names in emitted source: which a label may bear, and which are still free."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from archdsl.emit.torch.operators import BUILTINS, EXITS, OTHER_BUILTINS, ROOTS

RESERVED = frozenset(["self", "_", *ROOTS, *BUILTINS, *OTHER_BUILTINS])
"""Names that an emitted file uses as they are: no argument, variable or definition may hide one."""


def is_identifier(text: str) -> bool:
    """May it stand after ``self.``?"""
    return text.isidentifier() and text.isascii() and not keyword.iskeyword(text) and text not in EXITS


def identifier(text: str, fallback: str) -> str:
    """A text of the spec made a name of Python: what it cannot bear is left out."""
    kept = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")
    kept = kept if kept and not kept[0].isdigit() else ""
    if not kept:
        return fallback
    return f"the_{kept}" if keyword.iskeyword(kept) or kept in RESERVED else kept


def snake(text: str) -> str:
    """``expandedWidth`` and ``C`` as variables are written: ``expanded_width``, ``c``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()


def class_name(label: str) -> str:
    """A class for what stands under a label: its words capitalised, without their numbers (``layer_norm1``)."""
    words = re.split(r"[^A-Za-z]+", label)
    joined = "".join(w[:1].upper() + w[1:] for w in words if w)
    return f"{joined}Part" if not joined or keyword.iskeyword(joined) else joined


def class_name_at(path: str) -> str:
    """A class for what stands at a path: named by its label, or as a part of what has one."""
    *parents, label = path.split(".")
    if not label.isdigit():
        return class_name(label)
    around = next((p for p in reversed(parents) if not p.isdigit()), "")
    return class_name(around) + "Part" if around else "Part"


def network_name(model: str) -> str:
    """A class for a model; the numbers are part of its name (``inception_v3``)."""
    words = re.split(r"[^A-Za-z0-9]+", model)
    joined = "".join(w[:1].upper() + w[1:] for w in words if w)
    return joined if joined[:1].isalpha() and not keyword.iskeyword(joined) else f"Net{joined}"


class Names:
    """Names in use in one place; gives each thing one of its own."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, text: str) -> bool:
        return text in self._taken

    def copy(self) -> Names:
        return Names(self._taken)

    def take(self, *wishes: str) -> str:
        """The first of the wishes that is free; else the last with a number."""
        found = next((w for w in wishes if w not in self._taken), None)
        number = 2
        while found is None:
            numbered = f"{wishes[-1]}{number}"
            found = None if numbered in self._taken else numbered
            number += 1
        self._taken.add(found)
        return found
