"""A model on disk: the weights are written from where they lie in memory, never copied."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper

from archdsl.diagnostics.files import CannotWrite
from archdsl.errors import SpecError
from archdsl.files import whole

LIMIT = 2**31 - 1
"""The most bytes of a protobuf message."""
PAGE = 4096
"""Tensors of an external file begin at multiples of it, so that they can be mapped into memory."""
LARGEST_MODEL = 1 << 28
"""Bytes of a model beyond which it surely has its weights in itself."""
SMALL = 1024
"""Bytes up to which a tensor stays in the model all the same."""

_GRAPH = onnx.ModelProto.GRAPH_FIELD_NUMBER
_INITIALIZER = onnx.GraphProto.INITIALIZER_FIELD_NUMBER
_RAW_DATA = TensorProto.RAW_DATA_FIELD_NUMBER


def with_weights(model: onnx.ModelProto, weights: Mapping[str, np.ndarray]) -> onnx.ModelProto:
    """The whole model in memory."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for name, array in weights.items():
        tensor = _header(name, array)
        tensor.raw_data = array.tobytes()
        whole.graph.initializer.append(tensor)
    return whole


def write(model: onnx.ModelProto, weights: Mapping[str, np.ndarray], path: Path, limit: int = LIMIT) -> None:
    """Write one file; where it would exceed the limit, the larger weights lie beside it in ``<name>.<digest>.data``.

    The digest is of the weights: a model only ever names the file that holds its own. That file is there before the
    model takes the place of another one, whose weights go last. So at each moment the model at ``path`` and the weights
    that it names belong together, whoever reads them, and whenever the process is killed.

    Raises:
        SpecError: it cannot be written.
    """
    size = model.ByteSize() + sum(array.nbytes + len(name) + 64 for name, array in weights.items())
    before = _data_of(path)
    beside: Path | None = None
    with whole(path) as temporary:
        if size < limit:
            _write_model(model, weights, temporary)
        else:
            beside = _beside(path, weights)
            with whole(beside) as data:
                split = _split(model, weights, data, beside.name)
            _write_model(*split, temporary)
    for old in before:
        if old != beside:
            with suppress(OSError):
                old.unlink()


# ---- one file ----------------------------------------------------------------------------------------------


def _write_model(model: onnx.ModelProto, weights: Mapping[str, np.ndarray], path: Path) -> None:
    """The bytes of a protobuf message are those of its fields in any order: so the model's own, then its graph with the
    weights at the end."""
    graph = model.graph.SerializeToString(deterministic=True)
    rest = onnx.ModelProto()
    rest.CopyFrom(model)
    rest.ClearField("graph")
    heads = {name: _initializer_head(name, array) for name, array in weights.items()}
    length = len(graph) + sum(len(heads[name]) + array.nbytes for name, array in weights.items())
    with path.open("wb") as file:
        file.write(rest.SerializeToString(deterministic=True) + _head(_GRAPH, length) + graph)
        for name, array in weights.items():
            file.write(heads[name])
            file.write(array.data)


def _initializer_head(name: str, array: np.ndarray) -> bytes:
    """What stands before a weight's own bytes."""
    header = _header(name, array).SerializeToString(deterministic=True) + _head(_RAW_DATA, array.nbytes)
    return _head(_INITIALIZER, len(header) + array.nbytes) + header


def _head(field: int, length: int) -> bytes:
    """The tag and length before a field of bytes: https://protobuf.dev/programming-guides/encoding."""
    return _varint(field << 3 | 2) + _varint(length)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes((*digits, number))


def _header(name: str, array: np.ndarray) -> TensorProto:
    """A tensor without its contents."""
    return TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))


# ---- two files ---------------------------------------------------------------------------------------------


def _beside(path: Path, weights: Mapping[str, np.ndarray]) -> Path:
    """The file for the larger weights of a model.

    Raises:
        SpecError: a reader of ``path`` would not find it.
    """
    target = Path(os.path.realpath(path))
    reason = None
    if path.exists() and not path.is_file():
        reason = "the weights need a second file, which is impossible next to a device or a pipe"
    elif target.parent != Path(os.path.realpath(path.parent)):
        reason = f"the weights need a second file, and this is a link into another folder: use `{target}`"
    if reason is not None:
        raise SpecError([CannotWrite(span=None, path=str(path), reason=reason)])
    digest = hashlib.sha256()
    for name, array in weights.items():
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(array.data)
    return target.with_name(f"{target.name}.{digest.hexdigest()[:16]}.data")


def _data_of(path: Path) -> list[Path]:
    """The files that hold the weights of the model at ``path``, of those that are named after it."""
    target = Path(os.path.realpath(path))
    named = {file.name: file for file in target.parent.glob(f"{glob.escape(target.name)}.*data")}
    if not named or not target.is_file() or target.stat().st_size > LARGEST_MODEL:
        return []
    try:
        model = onnx.load(target, load_external_data=False)
    except (OSError, DecodeError):
        return []
    places = {e.value for tensor in model.graph.initializer for e in tensor.external_data if e.key == "location"}
    return [named[place] for place in sorted(places & named.keys())]


def _split(
    model: onnx.ModelProto, weights: Mapping[str, np.ndarray], data: Path, location: str
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """Write the larger weights into a file of their own: the model that says where they lie, and the others."""
    inside: dict[str, np.ndarray] = {}
    split = onnx.ModelProto()
    split.CopyFrom(model)
    with data.open("wb") as file:
        for name, array in weights.items():
            if array.nbytes <= SMALL:
                inside[name] = array
                continue
            file.write(bytes(-file.tell() % PAGE))
            tensor = _header(name, array)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in ("location", location), ("offset", file.tell()), ("length", array.nbytes):
                tensor.external_data.add(key=key, value=str(value))
            split.graph.initializer.append(tensor)
            file.write(array.data)
    return split, inside
