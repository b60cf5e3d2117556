"""Names in scope. An environment is lexical: a definition sees its parameters and its file, never its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.op import Facets


class Env:
    """Names bound in one body and, through ``parent``, around it.

    ``freeze`` gives the environment as it is at a point of the text, at the cost of a copy only if names are bound
    later: closures and events keep such a view.
    """

    __slots__ = ("_shared", "names", "owner", "parent", "stream")

    def __init__(self, parent: Env | None, owner: object = None, names: dict[str, Any] | None = None) -> None:
        self.names: dict[str, Any] = {} if names is None else names
        self.parent = parent
        self.owner = owner if owner is not None or parent is None else parent.owner
        """The instance whose text the names stand in (None: a file)."""
        self.stream: Any = None
        """What ``it`` was, in a frozen view."""
        self._shared = False

    def bind(self, name: str, value: Any) -> None:
        if self._shared:
            self.names = dict(self.names)
            self._shared = False
        self.names[name] = value

    def lookup(self, name: str) -> Any:
        """The innermost value of a name; ``MISSING`` if nothing around binds it."""
        env: Env | None = self
        while env is not None:
            if name in env.names:
                return env.names[name]
            env = env.parent
        return MISSING

    def freeze(self, stream: Any) -> Env:
        """This environment at this point, with what is on the stream."""
        self._shared = True
        frozen = Env(self.parent, self.owner, self.names)
        frozen._shared = True
        frozen.stream = stream
        return frozen

    def visible(self) -> set[str]:
        """All names that can be seen, for suggestions."""
        names: set[str] = set()
        env: Env | None = self
        while env is not None:
            names.update(env.names)
            env = env.parent
        return names


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
        self.used: list[FileScope] = []
        """The files that this one uses."""
        self.facets: dict[object, Facets] = {}
        """What operators said of themselves in models of this file, by their arguments and types of their inputs."""
