"""Names that a value is bound to: ``p``, ``skip{i}``, ``[q, k, v]``."""

from __future__ import annotations

from archdsl.diagnostics.names import CannotUnpack
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.interfaces import ReadsNames
from archdsl.evaluate.network import Network
from archdsl.evaluate.place import Place
from archdsl.evaluate.values import Env, SpecValue, Value, describe, is_list
from archdsl.ops.shape import Unbind
from archdsl.syntax import tree


class Patterns:
    """Binds values to patterns."""

    def __init__(self, names: ReadsNames, network: Network) -> None:
        self._names = names
        self._network = network

    def bind_all(
        self, patterns: tuple[tree.Pattern, ...], item: SpecValue, env: Env, place: Place, site: tree.Node
    ) -> dict[str, SpecValue]:
        """Bind one item to ``p`` or to ``p, q``; the names and values that were bound."""
        if len(patterns) == 1:
            return self.bind(patterns[0], item, env, place)
        return self._unpack(patterns, item, env, place, site)

    def bind(self, pattern: tree.Pattern, value: SpecValue, env: Env, place: Place) -> dict[str, SpecValue]:
        """Bind a value to a pattern; the names and values that were bound."""
        if isinstance(pattern, tree.Unpack):
            return self._unpack(pattern.items, value, env, place, pattern)
        name = self._names.computed_text(pattern, place)
        env.bind(name, value)
        return {name: value}

    def _unpack(
        self, patterns: tuple[tree.Pattern, ...], value: SpecValue, env: Env, place: Place, site: tree.Node
    ) -> dict[str, SpecValue]:
        if isinstance(value, Value):
            value = [*self._network.run_op(Unbind(len(patterns)), (value,), place, site)]
        if not is_list(value) or len(value) != len(patterns):
            names = f"{len(patterns)} names"
            raise Fault(CannotUnpack(span=site.span, found=describe(value), names=names))
        bound: dict[str, SpecValue] = {}
        for pattern, item in zip(patterns, value, strict=True):
            bound.update(self.bind(pattern, item, env, place))
        return bound
