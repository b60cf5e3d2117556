"""Changes of inputs, outputs and preconditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from archdsl.evaluate.values import shape_text
from archdsl.graph import Graph
from archdsl.op import Tensor
from archdsl.record import record

Role: TypeAlias = Literal["input", "output", "training output", "precondition"]


@record
class InterfaceChange:
    """An input, output or precondition that is new (``before`` is empty), gone (``after`` is empty) or another.

    ``before`` and ``after`` are its name and type, or the text of the precondition.
    """

    role: Role
    before: str
    after: str


def interface_changes(before: Graph, after: Graph) -> tuple[InterfaceChange, ...]:
    """All changes: inputs, outputs, preconditions."""
    roles: tuple[tuple[Role, Mapping[str, Tensor], Mapping[str, Tensor]], ...] = (
        ("input", _inputs(before), _inputs(after)),
        ("output", _outputs(before, False), _outputs(after, False)),
        ("training output", _outputs(before, True), _outputs(after, True)),
    )
    found = [change for role in roles for change in _changes(*role)]
    ours, theirs = _preconditions(before), _preconditions(after)
    found += [InterfaceChange("precondition", text, "") for text in ours if text not in theirs]
    found += [InterfaceChange("precondition", "", text) for text in theirs if text not in ours]
    return tuple(found)


def _changes(role: Role, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> list[InterfaceChange]:
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    if len(gone) == len(new) and len(before) == len(after):
        pairs = list(zip(before, after, strict=True))  # names are changed, at the same places
    else:
        pairs = [(name, name) for name in before if name in after]
        pairs += [(name, "") for name in gone] + [("", name) for name in new]
    texts = [(_text(x, before), _text(y, after)) for x, y in pairs]
    return [InterfaceChange(role, x, y) for x, y in texts if x != y]


def _text(name: str, tensors: Mapping[str, Tensor]) -> str:
    if name not in tensors:
        return ""
    tensor = tensors[name]
    dtype = "" if tensor.dtype == "float32" else f" {tensor.dtype}"
    return f"{name} {shape_text(tensor.shape)}{dtype}"


def _inputs(graph: Graph) -> dict[str, Tensor]:
    return {i.name: i.value.type for i in graph.inputs}


def _outputs(graph: Graph, when_training: bool) -> dict[str, Tensor]:
    return {o.name: o.value.type for o in graph.outputs if o.when_training is when_training}


def _preconditions(graph: Graph) -> list[str]:
    return [p.text for p in graph.needs.preconditions()]
