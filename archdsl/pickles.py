"""Modules of loaded models in pickles.

A pickle of a module carries its source and the spec that this was made from. Another process defines the classes anew,
and first proves the source equal to the network of the spec: text from a pickle that is not proved is never executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.compiler import Spec, build
from archdsl.diagnostics.lowering import UnprovedPickle
from archdsl.dims import Size
from archdsl.errors import SpecError
from archdsl.evaluate.workspace import Bundle

if TYPE_CHECKING:
    from archdsl.emit.torch.load import Recreate
    from archdsl.graph import Graph


class Recipe(NamedTuple):
    """What a network is built from, in values that pickle."""

    files: Bundle
    model: str
    parameters: tuple[tuple[str, Any], ...]
    inputs: tuple[tuple[str | None, tuple[Size, ...]], ...]

    @classmethod
    def of(
        cls, spec: Spec, model: str, parameters: Mapping[str, Any], inputs: Mapping[str | None, tuple[Size, ...]]
    ) -> Recipe:
        return cls(Bundle.of(spec.scope), model, tuple(parameters.items()), tuple(inputs.items()))

    def graph(self) -> Graph | None:
        """The network; None if there is none."""
        spec = Spec(self.files.open(), self.model, ())
        found = spec.models.get(self.model)
        return None if found is None else build(spec, found, dict(self.parameters), dict(self.inputs)).graph


def recreating(source: str, class_name: str, recipe: Recipe) -> Recreate:
    """How another process makes instances of the classes of a source."""
    return _empty_instance, (source, class_name, recipe)


def _empty_instance(source: str, class_name: str, recipe: Recipe, part: str) -> Any:
    """An instance of a class of a source, without its state; called by unpickling and by `copy.deepcopy`.

    Raises:
        SpecError: the source is not proved to be the recipe's network.
    """
    from archdsl.emit.torch.load import load_source, loaded_source

    module = loaded_source(source, class_name)
    if module is None:
        reason = _unproved(source, class_name, recipe)
        if reason is not None:
            raise SpecError([UnprovedPickle(span=None, network=class_name, reason=reason)])
        module = load_source(source, class_name, recreating(source, class_name, recipe))
    cls = getattr(module, part)
    return cls.__new__(cls)


def _unproved(source: str, class_name: str, recipe: Recipe) -> str | None:
    """Why a source is not proved to be the network of a recipe; None if it is."""
    from archdsl.emit.torch.verify import Case, verify

    try:
        graph = recipe.graph()
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # a recipe that archdsl did not write
        return f"{type(error).__name__}: {error}"
    if graph is None:
        return "this version of archdsl finds faults in the spec"
    failure = verify(source, class_name, [Case(graph)])
    return None if failure is None else str(failure)
