"""A network as an ONNX file, written directly from the checked graph.

onnx is imported by the functions here when they run, so that importing this package costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.files import MissingExtra
from archdsl.emit.onnx.report import Report
from archdsl.errors import SpecError
from archdsl.graph import Graph

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from torch import nn

__all__ = ["Report", "export", "to_model", "verify"]


def export(
    graph: Graph,
    weights: Mapping[str, Any],
    path: str | PathLike[str],
    *,
    fold_bn: bool = False,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write the network at inference as an ONNX file and return its path.

    Args:
        graph: the network.
        weights: its state dict, of torch tensors or numpy arrays. What only training outputs need may be left out.
        path: the file. Weights of more than 2 GB lie beside it, in a file ``<path>.<digest>.data``.
        fold_bn: put each batch norm into the layer before it, where there is one that takes it.
        metadata: what the file says of itself, such as where the weights come from.

    Raises:
        SpecError: weights are missing or do not fit, the file cannot be written, or onnx is not installed. No file is
            touched then.
    """
    model, arrays = _checked(graph, weights, fold_bn)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    from archdsl.emit.onnx.file import write

    write(model, arrays, Path(path))
    return Path(path)


def to_model(graph: Graph, weights: Mapping[str, Any], *, fold_bn: bool = False) -> onnx.ModelProto:
    """The same in memory.

    Raises:
        SpecError: weights are missing or do not fit, or onnx is not installed.
    """
    model, arrays = _checked(graph, weights, fold_bn)
    from archdsl.emit.onnx.file import with_weights

    return with_weights(model, arrays)


def verify(graph: Graph, module: nn.Module, path: str | PathLike[str], batch_sizes: Sequence[int] = (1, 3)) -> Report:
    """Compare an exported file, run by ONNX Runtime, with the module in torch, and find the layer that differs.

    Args:
        graph: the network that was exported.
        module: the same in torch, with the weights that were exported, on the CPU.
        path: the file.
        batch_sizes: sizes of the batch, for each of which both are run.

    Raises:
        SpecError: ONNX Runtime cannot run the file, or onnx, onnxruntime or torch is not installed.
    """
    for package in ("torch", "onnx", "onnxruntime"):
        with _needing(package):
            import_module(package)
    from archdsl.emit.onnx.compare import compare

    return compare(graph, module, Path(path), batch_sizes)


def _checked(graph: Graph, weights: Mapping[str, Any], fold_bn: bool) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """The model, found right, without its weights, and their contents."""
    with _needing("onnx"):
        import_module("onnx")
    from archdsl.emit.onnx.check import check
    from archdsl.emit.onnx.fold import fold_batch_norms
    from archdsl.emit.onnx.lower import lower
    from archdsl.emit.onnx.weights import arrays

    lowered = lower(graph)
    contents = arrays(lowered.weights, weights)
    if fold_bn:
        fold_batch_norms(lowered.model, contents)
    check(lowered.model, contents)
    return lowered.model, contents


@contextmanager
def _needing(package: str) -> Iterator[None]:
    """Around an import of an extra.

    Raises:
        SpecError: it is not installed.
    """
    try:
        yield
    except ImportError:
        raise SpecError([MissingExtra(span=None, what="exporting to ONNX", package=package, extra="onnx")]) from None
