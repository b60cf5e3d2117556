"""Imports a torch module: records it, writes the spec, and proves that it is the module."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from archdsl.compiler import from_text
from archdsl.diagnostics.importing import CannotImport, ImportNotProved
from archdsl.errors import SpecError
from archdsl.importing.calls import ModuleCall, Unsupported
from archdsl.importing.sources.proof import Different, Proof, by_terms, proved
from archdsl.importing.sources.recording import recorded
from archdsl.importing.spec_text import spec_text
from archdsl.model import Model, open_model
from archdsl.record import record

BATCHES = (2, 3)
"""The batch sizes of the two recorded runs."""
NOT_IN_TRAINING = "# Proved at inference only: in training, this network may differ from the imported one."
LARGER = 32
"""How much larger the input of the second proof is, for a spec with open height and width."""


@record
class Imported:
    """An imported network: the text of its spec, its model, and how it is proved."""

    text: str
    model: Model
    proof: Proof


def import_module(module: nn.Module, inputs: Sequence[Tensor], name: str) -> Imported:
    """A torch module as a spec.

    Args:
        module: any module whose inputs are tensors.
        inputs: examples, of any batch size; axis 0 is the batch.
        name: that of the model.

    Raises:
        SpecError: it cannot be imported, or the spec could not be proved to be the module.
    """
    name = re.sub(r"\W", "_", name)
    name = name if name[:1].isalpha() else f"net_{name}"
    runs = [[_batch(x, size) for x in inputs] for size in BATCHES]
    try:
        call = recorded(module, runs, training=False)
        text = spec_text(call, name, _drop_rates(module, call, runs))
        imported = _checked(text, module, runs[0])
    except Unsupported as error:
        raise SpecError([_refusal(name, error)]) from None
    except Different as error:
        raise SpecError([ImportNotProved(span=None, network=name, reason=str(error))]) from None
    return _with_open_sizes(imported, module, inputs)


def _batch(tensor: Tensor, size: int) -> Tensor:
    """The examples of a tensor, as many as wanted."""
    return tensor[torch.arange(size) % tensor.shape[0]]


def _refusal(name: str, error: Unsupported) -> CannotImport:
    at = f"`{error.operation}` in `{error.path or name}`" if error.operation else f"`{error.path or name}`"
    line = f" ({error.line})" if error.line else ""
    return CannotImport(span=None, network=name, at_call=f"{at}{line}", reason=error.reason)


def _checked(text: str, module: nn.Module, inputs: Sequence[Tensor]) -> Imported:
    """The spec, loaded and proved.

    Raises:
        Different: it is not the module.
        SpecError: it is no spec.
    """
    model = open_model(from_text(text), {}, {})
    proof = proved(module, model.module(), inputs)
    if proof.training is None:
        text = f"{NOT_IN_TRAINING}\n{text}"
        model = open_model(from_text(text), {}, {})
    return Imported(text, model, proof)


# ---- stochastic depth --------------------------------------------------------------------------------------


def _drop_rates(module: nn.Module, call: ModuleCall, runs: Sequence[Sequence[Tensor]]) -> dict[str, float]:
    """The rates of modules that do nothing at inference, and drop whole examples in training."""
    idle = {c.path for c in _calls(call) if [getattr(e, "name", "") for e in c.events] == ["identity"]}
    if not idle:
        return {}
    try:
        training = recorded(module, runs, training=True)
    except Unsupported:  # a network need not run in training; then its training is not proved
        return {}
    rates: dict[str, float] = {}
    for inner in _calls(training):
        for event in inner.events if inner.path in idle else ():
            if not isinstance(event, ModuleCall) and event.name == "bernoulli":
                shape, kept = event.outputs[0].shape, event.arguments.get("p")
                if isinstance(kept, float) and all(size == 1 for size in shape[1:]):
                    rates[inner.path] = complement(kept)
    return rates


def complement(kept: float) -> float:
    """The shortest number of which ``1 - number`` is the rate that is kept."""
    return next((r for k in range(1, 18) if 1 - (r := round(1 - kept, k)) == kept), 1 - kept)


def _calls(call: ModuleCall) -> list[ModuleCall]:
    return [call, *(c for event in call.events if isinstance(event, ModuleCall) for c in _calls(event))]


# ---- open sizes --------------------------------------------------------------------------------------------

_IMAGE = re.compile(r"^(  input \w+: \[N, \d+), (\d+), (\d+)\]$", re.MULTILINE)

_MAP = re.compile(r"^(  output \w+): \[N(?:, \d+){2,}\]$", re.MULTILINE)


def _with_open_sizes(imported: Imported, module: nn.Module, inputs: Sequence[Tensor]) -> Imported:
    """The same spec with open height and width, if it is the module at another size too; as it is otherwise."""
    if len(inputs) != 1 or inputs[0].dim() != 4 or not _IMAGE.search(imported.text):
        return imported
    text = _MAP.sub(r"\1", _IMAGE.sub(r"\1, H, W]", imported.text))
    *front, height, width = inputs[0].shape
    other = torch.zeros(2, *front[1:], height + LARGER, width + 2 * LARGER)
    try:
        model = open_model(from_text(text), {}, {})
        rebuilt = model.module()
    except SpecError:
        return imported
    same = [
        by_terms(module, rebuilt, [x], training=training)
        for x in (_batch(inputs[0], 2), other)
        for training in (False, True)
        if training is False or imported.proof.training == "terms"
    ]
    return Imported(text, model, imported.proof) if all(same) else imported
