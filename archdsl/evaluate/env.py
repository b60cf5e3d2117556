"""Names in scope. An environment is lexical: a definition sees its parameters and its file, never its caller."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from archdsl.evaluate.memory import Memory
from archdsl.evaluate.names import Names
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.op import Facets


class Env:
    """Names bound in one body and, through ``parent``, around it.

    ``freeze`` gives the environment as it is at a point of the text: closures and events keep such a view. It costs
    nothing, since what is bound later stands beside what was bound before, with the moment at which it was.
    """

    __slots__ = ("_bound", "_until", "owner", "parent", "stream")

    def __init__(self, parent: Env | None, owner: object = None, names: Mapping[str, Any] | None = None) -> None:
        self._bound = _Bindings(names or {})
        self._until = _ALWAYS
        self.parent = parent
        self.owner = owner if owner is not None or parent is None else parent.owner
        """The instance whose text the names stand in (None: a file)."""
        self.stream: Any = None
        """What ``it`` was, in a frozen view."""

    @property
    def names(self) -> dict[str, Any]:
        """The names that are bound here, in the order in which they first were."""
        here = {name: self._of(values) for name, values in self._bound.values.items()}
        return {name: value for name, value in here.items() if value is not MISSING}

    def bind(self, name: str, value: Any) -> None:
        if self._until != _ALWAYS:  # a view that goes on by itself
            self._bound, self._until = _Bindings(self.names), _ALWAYS
        self._bound.add(name, value)

    def lookup(self, name: str) -> Any:
        """The innermost value of a name; ``MISSING`` if nothing around binds it."""
        env: Env | None = self
        while env is not None:
            values = env._bound.values.get(name)
            if values is not None and (value := env._of(values)) is not MISSING:
                return value
            env = env.parent
        return MISSING

    def _of(self, values: list[tuple[int, Any]]) -> Any:
        """The last of a name's values that was bound before the moment of this view."""
        moment, value = values[-1]
        if moment < self._until:
            return value
        before = bisect_left(values, self._until, key=itemgetter(0))
        return values[before - 1][1] if before else MISSING

    def freeze(self, stream: Any) -> Env:
        """This environment at this point, with what is on the stream."""
        frozen = Env.__new__(Env)
        frozen._bound, frozen._until = self._bound, min(self._until, self._bound.moment)
        frozen.parent, frozen.owner, frozen.stream = self.parent, self.owner, stream
        return frozen

    def visible(self) -> set[str]:
        """All names that can be seen, for suggestions."""
        names: set[str] = set()
        env: Env | None = self
        while env is not None:
            names.update(env.names)
            env = env.parent
        return names


class _Bindings:
    """The values that each name of a body has had, with the moments at which they were bound: 0, 1, 2, …"""

    __slots__ = ("moment", "values")

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.moment = 0
        self.values: dict[str, list[tuple[int, Any]]] = {}
        for name, value in names.items():
            self.add(name, value)

    def add(self, name: str, value: Any) -> None:
        self.values.setdefault(name, []).append((self.moment, value))
        self.moment += 1


_ALWAYS = sys.maxsize
"""A moment after all others."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class FileScope:
    """One file as its definitions see it: its own names and those it uses from others.

    ``env`` maps names to definitions; top-level ``let``s are evaluated when first asked for.
    """

    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.env = Env(None)
        self.places: dict[str, tree.Name] = {}
        """Where each name was bound."""
        self.circles: Mapping[tree.Node, Mapping[tree.Node, list[tree.Node]]] | None = None
        """For definitions that lead back to themselves, those on the way with what each names; None: not asked yet."""
        self._names: dict[tree.Node, Names] = {}
        self.used: list[FileScope] = []
        """The files that this one uses."""
        self.memory = Memory()
        """What functions and comprehensions gave in models of this file."""
        self.facets: dict[object, Facets] = {}
        """What operators said of themselves in models of this file, by their arguments and types of their inputs."""

    def names_in(self, definition: tree.Block | tree.Fn | tree.Claim) -> Names:
        """The names that a definition of the file binds and reads, found once."""
        found = self._names.get(definition)
        if found is None:
            found = self._names[definition] = Names(definition)
        return found
