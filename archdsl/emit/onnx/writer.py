"""The graph of an ONNX model being written: nodes, constants, and what their tensors are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from archdsl.dims import Size
from archdsl.emit.onnx.names import Lineage, Unique
from archdsl.op import DType, Tensor

AttrType = onnx.defs.OpSchema.AttrType

OPSET = 18
ELEMENT = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
LISTED = 8
"""A constant of so many elements has them in its name."""


class Writer:
    """Writes nodes and constants. ``taken`` are the names that inputs, outputs and weights have."""

    def __init__(self, name: str, taken: Iterable[str]) -> None:
        self.graph: onnx.GraphProto = onnx.GraphProto(name=name)
        self.fresh: Unique = Unique(taken)
        """Names of tensors."""
        self._fresh_node = Unique()
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def node(
        self,
        type: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        name: str,
        lineage: Lineage,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a node, with the scopes that viewers nest it by."""
        proto = self.graph.node.add(op_type=type, name=self._fresh_node(name), input=inputs, output=outputs)
        for key, value in sorted((attributes or {}).items()):
            proto.attribute.append(_attribute(type, key, value))
        for key, value in _scopes(lineage):
            proto.metadata_props.add(key=key, value=value)

    def constant(self, array: np.ndarray) -> str:
        """The name of an initializer with this content; equal ones are one."""
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            name = self._constants[key] = self.fresh(f"constant/{_described(array)}")
            self.graph.initializer.append(numpy_helper.from_array(array, name))
        return self._constants[key]


def _described(array: np.ndarray) -> str:
    """The elements of a small constant, the type of a larger one."""
    if array.size > LISTED:
        return f"{array.dtype}{list(array.shape)}".replace(" ", "")
    return np.array2string(array, separator=",", threshold=LISTED).replace(" ", "").replace("\n", "")


def value_info(name: str, tensor: Tensor) -> onnx.ValueInfoProto:
    """A tensor's name, element type and shape; symbolic sizes by their text."""
    return helper.make_tensor_value_info(name, ELEMENT[tensor.dtype], [_dim(size) for size in tensor.shape])


@lru_cache(maxsize=4096)
def _dim(size: Size) -> int | str:
    return size if isinstance(size, int) else str(size)


def array(value: Any, dtype: DType) -> np.ndarray:
    """Nested numbers as an array."""
    return np.array(value, dtype=dtype)


def _scopes(lineage: Lineage) -> tuple[tuple[str, str], ...]:
    """Where a node stands, under the keys of torch's exporter: viewers nest nodes by ``namespace``."""
    return (
        ("namespace", "/".join(f"{path}: {kind}" for path, kind in lineage)),
        ("pkg.torch.onnx.class_hierarchy", str([kind for _, kind in lineage])),
        ("pkg.torch.onnx.name_scopes", str([path for path, _ in lineage])),
    )


# ---- attributes --------------------------------------------------------------------------------------------


def _attribute(type: str, key: str, value: Any) -> AttributeProto:
    """An attribute in the type that the operator's schema states: ``alpha=1`` is a float all the same."""
    if key == "to":  # the only one that is an element type
        return helper.make_attribute(key, ELEMENT[value])
    kind = _schema(type).attributes[key].type
    if kind == AttrType.FLOAT:
        value = float(value)
    elif kind == AttrType.FLOATS:
        value = [float(item) for item in value]
    return helper.make_attribute(key, value)


@cache
def _schema(type: str) -> onnx.defs.OpSchema:
    return onnx.defs.get_schema(type, max_inclusive_version=OPSET)
