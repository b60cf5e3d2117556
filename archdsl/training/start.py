"""Initial weights from another training: all but the heads, where those are of other classes or missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from archdsl.errors import SpecError
from archdsl.training.trainable import Network
from archdsl.weights.load import Found, best, complete, differs, notes_on


def start(network: Network, source: str, name: str) -> list[str]:
    """Load the weights of ``FILE`` or ``FILE:PART`` into the network. Returns lines that report what was done.

    A head keeps its initial values where the file has it for another number of classes (the first axis of its tensors)
    or lacks it. A tensor of the file that the network lacks is reported; inside a module that the network has it is an
    error, for then the file is another network's.

    Raises: SpecError, where the file is no checkpoint of plain tensors, or of another network.
    """
    state = network.module.state_dict()
    wanted = {key: tuple(tensor.shape) for key, tensor in state.items()}
    found = best(source, wanted, name)
    if not _is_of(found, state, network.heads):
        raise SpecError([differs(found, wanted, source, name)])
    with torch.no_grad():
        network.module.load_state_dict(complete(found, wanted, fresh=state))
    there = {key: found.state[other] for key, other in found.match.reshaped.items()}
    return [
        f"{len(found.match.keys)} of {len(state)} weights from {source}",
        *(f"  {note}" for note in notes_on(found, source)),
        *(
            f"  replaced {key}: {_shape(there[key])} in the file, {_shape(state[key])} in the network"
            for key in sorted(there)
        ),
        *(f"  new {key}: the file has no such head" for key in sorted(found.match.missing)),
        *(f"  not used {key}" for key in found.match.unused),
    ]


def _is_of(found: Found, state: Mapping[str, Tensor], heads: Collection[str]) -> bool:
    """Is the file of this network, but for its heads?"""
    match = found.match
    if not match.keys or not {*match.missing, *match.reshaped} <= set(heads):
        return False
    if not all(_other_classes(state[key], found.state[there]) for key, there in match.reshaped.items()):
        return False
    replaceable = _modules_around(heads)
    kept = _modules_around(state) - replaceable
    return not any(_modules_around([key.removeprefix(match.prefix)]) & kept for key in match.unused)


def _modules_around(names: Collection[str]) -> set[str]:
    """The modules that own these tensors, and those around them."""
    return {name[:at] for name in names for at, letter in enumerate(name) if letter == "."}


def _other_classes(here: Tensor, there: Tensor) -> bool:
    return here.ndim == there.ndim > 0 and here.shape[1:] == there.shape[1:]


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
