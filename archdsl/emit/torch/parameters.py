"""Parameters of a model that are arguments of its class, such as ``classes``.

What depends on them the same model with other values for them shows. Tried are those with a default that are rates, or
sizes of outputs: what shapes the network is what this network is, and stays so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from archdsl.graph import Graph
from archdsl.syntax import tree


def other_values(graph: Graph) -> dict[str, Any]:
    """Parameters that may be arguments, each with another value than it has."""
    definition = graph.instance.scope.definition
    if definition is None or not isinstance(definition.body, tree.Body):
        return {}
    shapes = [s.shape for s in definition.body.statements if isinstance(s, tree.Output) and s.shape is not None]
    stated = {n.text for shape in shapes for n in tree.walk(shape) if isinstance(n, tree.Name)}
    sizes = {size for output in graph.outputs for size in output.value.shape[1:]}
    found: dict[str, Any] = {}
    for param in definition.params:
        name, value = param.name.text, graph.instance.arguments.get(param.name.text)
        if param.default is None or isinstance(value, bool):
            continue
        if isinstance(value, int) and (name in stated or value in sizes):
            found[name] = value + 1
        elif isinstance(value, float):
            found[name] = value / 2 + 0.05
    return found


def fewer(values: Mapping[str, Any], blamed: Collection[str]) -> dict[str, Any]:
    """The values to try next: without those that cannot be arguments; if it is not known which, only ``classes``."""
    kept = {name: value for name, value in values.items() if name not in blamed}
    if len(kept) < len(values):
        return kept
    return {"classes": values["classes"]} if "classes" in values and len(values) > 1 else {}
