"""Is a spec the network that it was imported from? Answered for the state dict, by terms, and by numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from archdsl.importing.sources.recording import tensors_in
from archdsl.importing.sources.terms import TermTable, Undecided, outputs_of
from archdsl.record import record

Level: TypeAlias = Literal["terms", "numbers"]
TOLERANCE = 1e-6
"""The largest difference of outputs in double precision, relative to the largest output."""
SINGLE_TOLERANCE = 1e-3
"""The same in single precision."""
OTHER_BATCH = 5
"""The size of a batch for which no run was recorded."""


@record
class Proof:
    """How it is known that two networks are equal: ``terms`` for all weights and inputs, ``numbers`` on random ones."""

    inference: Level
    training: Level | None


class Different(Exception):
    """The networks differ; the message says how."""


def proved(original: nn.Module, rebuilt: nn.Module, inputs: Sequence[Tensor]) -> Proof:
    """The proof that two networks are equal on inputs of these shapes, whose first axis is the batch.

    Raises:
        Different: they are not equal at inference.
    """
    _same_state(original, rebuilt)
    inference = by_terms(original, rebuilt, inputs, training=False)
    if inference is False:
        inference = None
    dtype = torch.float32 if inference else torch.float64  # the numbers are then a second check only
    others = [x[torch.arange(OTHER_BATCH) % x.shape[0]] for x in inputs]
    for given in (inputs, others):
        if not _same_numbers(original, rebuilt, given, dtype, training=False):
            raise Different(f"its outputs are not those of the original for a batch of {given[0].shape[0]}")
    training = by_terms(original, rebuilt, inputs, training=True)
    level: Level | None = "terms" if training else None
    if level is None and _runs_alike(original, rebuilt, inputs):
        level = "numbers"
    return Proof("terms" if inference else "numbers", level)


def _same_state(original: nn.Module, rebuilt: nn.Module) -> None:
    """
    Raises:
        Different: names, shapes, element types or order of the state dicts differ.
    """
    wanted, found = (
        [(name, tuple(t.shape), t.dtype) for name, t in m.state_dict().items()] for m in (original, rebuilt)
    )
    if wanted == found:
        return
    missing = [entry for entry in wanted if entry not in set(found)]
    extra = [entry for entry in found if entry not in set(wanted)]
    if missing:
        raise Different(f"`{missing[0][0]}` of shape {list(missing[0][1])} is missing or differs")
    if extra:
        raise Different(f"`{extra[0][0]}` of shape {list(extra[0][1])} is not in the original")
    first = next(a for a, b in zip(wanted, found, strict=True) if a != b)
    raise Different(f"`{first[0]}` has another place in the state dict")


def by_terms(original: nn.Module, rebuilt: nn.Module, inputs: Sequence[Tensor], *, training: bool) -> bool | None:
    """Do two networks compute equal terms? None if that cannot be said."""
    table = TermTable()
    try:
        wanted, found = (outputs_of(m, inputs, table, training=training) for m in (original, rebuilt))
    except Undecided:
        return None
    return wanted == found


def _runs_alike(original: nn.Module, rebuilt: nn.Module, inputs: Sequence[Tensor]) -> bool:
    try:
        return _same_numbers(original, rebuilt, inputs, torch.float64, training=True)
    except Exception:  # whatever a network does not allow in training
        return False


def _same_numbers(
    original: nn.Module, rebuilt: nn.Module, inputs: Sequence[Tensor], dtype: torch.dtype, *, training: bool
) -> bool:
    """Are the outputs equal for random weights, in arithmetic of a type?"""
    original = _perturbed(original, dtype).train(training)
    rebuilt = copy.deepcopy(rebuilt).to(dtype).train(training)
    rebuilt.load_state_dict(original.state_dict(), strict=True)
    given = [x.to(dtype) if x.is_floating_point() else x for x in inputs]
    results: list[list[Tensor]] = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for module in (original, rebuilt):
            torch.manual_seed(0)
            results.append(list(tensors_in(module(*given))))
    wanted, found = results
    tolerance = TOLERANCE if dtype == torch.float64 else SINGLE_TOLERANCE
    return len(wanted) == len(found) and all(_close(a, b, tolerance) for a, b in zip(wanted, found, strict=True))


def _close(wanted: Tensor, found: Tensor, tolerance: float) -> bool:
    if wanted.shape != found.shape:
        return False
    if wanted.numel() == 0:
        return True
    wanted, found = wanted.double(), found.double()
    difference = (wanted - found).abs().max().item()
    return difference <= tolerance * max(1.0, wanted.abs().max().item())


def _perturbed(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy in which no weights are all equal, which would hide mistakes."""
    module = copy.deepcopy(module).to(dtype)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() and parameter.min() == parameter.max():
                parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.1)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(torch.randn(buffer.shape, generator=generator, dtype=buffer.dtype) * 0.1)
            elif name.endswith("running_var"):
                buffer.mul_(1 + 0.2 * torch.rand(buffer.shape, generator=generator, dtype=buffer.dtype))
    return module
