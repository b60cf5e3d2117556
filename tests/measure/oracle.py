"""What torch itself counts and keeps when it runs a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from archdsl.emit.torch.verify.runner import GraphRunner
from archdsl.graph import Graph, Value

DTYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool}


def weights(graph: Graph, device: str = "cpu") -> dict[str, Tensor]:
    """A state dict, drawn; running variances are positive."""
    torch.manual_seed(0)
    made: dict[str, Tensor] = {}
    for name, weight in graph.weights.items():
        tensor = torch.zeros(weight.shape, dtype=DTYPES[weight.dtype], device=device)
        if weight.dtype == "float32":
            tensor.uniform_(0.01, 0.1)
        made[name] = tensor if weight.buffer or weight.dtype != "float32" else nn.Parameter(tensor)
    return made


def inputs(graph: Graph, batch: int, device: str = "cpu") -> dict[str, Tensor]:
    return {given.name: _contents(given.value, batch, device) for given in graph.inputs}


def _contents(value: Value, batch: int, device: str) -> Tensor:
    """A tensor for an input: what is symbolic is the batch."""
    shape = [size if isinstance(size, int) else batch for size in value.shape]
    if value.dtype == "float32":
        return torch.randn(shape, device=device)
    return torch.zeros(shape, dtype=DTYPES[value.dtype], device=device)


def saved_bytes(graph: Graph, batch: int) -> int:
    """Bytes that torch's autograd holds when the forward pass of training has ended, but for weights."""
    state = weights(graph)
    runner = GraphRunner(graph, state, training=True)
    given = inputs(graph, batch)
    return held_bytes(lambda: runner.outputs(given), state.values())


def held_bytes(forward: Callable[[], object], state: Iterable[Tensor]) -> int:
    """Bytes that autograd holds after a forward pass, in tensors that are not of the state."""
    own = {tensor.untyped_storage().data_ptr() for tensor in state}
    saved: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = forward()  # noqa: F841  (what is saved lives as long as the outputs)
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in saved}
    return sum(size for pointer, size in storages.items() if pointer not in own)


def counted_macs(graph: Graph, batch: int = 1) -> int:
    """Half of what torch's flop counter says of a run on the meta device."""
    with torch.device("meta"):
        runner = GraphRunner(graph, weights(graph, "meta"))
        given = inputs(graph, batch, "meta")
        return macs_of(lambda: runner.outputs(given))


def macs_of(forward: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        forward()
    assert counter.get_total_flops() % 2 == 0
    return counter.get_total_flops() // 2
