"""Faults caught at the statement that they make unknown."""

from __future__ import annotations

from archdsl.elaborate.place import NetworkPlace
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.interfaces import ReadsNames
from archdsl.evaluate.names import family
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import ERROR, MISSING, Env
from archdsl.syntax import tree


class Faults:
    """Reports faults, and makes error values of what they leave unknown."""

    def __init__(self, session: Session, names: ReadsNames) -> None:
        self._session = session
        self._names = names

    def catching(
        self, here: NetworkPlace, binds: tuple[tree.Pattern | None, ...] = (), shape: tree.Shape | None = None
    ) -> Catching:
        """Catch the faults of a statement: the stream, the names it would bind and the sizes it names become ERROR."""
        return Catching(self, here, binds, shape)

    def report(self, fault: Fault) -> None:
        self._session.report(fault.diagnostic)

    def make_unknown(self, here: NetworkPlace, patterns: tuple[tree.Pattern | None, ...]) -> None:
        """The stream, and the names of patterns, are ERROR from here on."""
        self._session.is_incomplete = True
        here.stream = ERROR
        for pattern in patterns:
            match pattern:
                case tree.Name():
                    here.env.bind(pattern.text, ERROR)
                case tree.Unpack():
                    self.make_unknown(here, pattern.items)
                case tree.Computed():
                    self._make_computed_unknown(pattern, here)
                case None:
                    pass

    def _make_computed_unknown(self, pattern: tree.Computed, here: NetworkPlace) -> None:
        try:
            here.env.bind(self._names.computed_text(pattern, here), ERROR)
        except (Fault, UsesErrorValue):
            self._session.lost_families.append(family(pattern))


class Catching:
    """See ``Faults.catching``; a class of its own costs less than a generator, and every statement has one."""

    __slots__ = ("_binds", "_faults", "_here", "_shape")

    def __init__(
        self, faults: Faults, here: NetworkPlace, binds: tuple[tree.Pattern | None, ...], shape: tree.Shape | None
    ) -> None:
        self._faults = faults
        self._here = here
        self._binds = binds
        self._shape = shape

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Fault | UsesErrorValue):
            return False
        if isinstance(error, Fault):
            self._faults.report(error)
        self._faults.make_unknown(self._here, (*self._binds, *_sizes_named(self._shape, self._here.env)))
        return True


def _sizes_named(shape: tree.Shape | None, env: Env) -> list[tree.Name]:
    """The names in a stated shape that it would have bound."""
    dims = shape.dims if shape is not None else ()
    return [d for d in dims if isinstance(d, tree.Name) and d.text[:1].isupper() and env.lookup(d.text) is MISSING]
