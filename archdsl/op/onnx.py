"""How an operator reads in ONNX: nodes as data, which the back end for ONNX writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeAlias

from archdsl.dims import Size
from archdsl.op.tensor import DType
from archdsl.record import record


@record
class OnnxIn:
    """Input number ``index`` of the operator."""

    index: int = 0


@record
class OnnxWeight:
    """The initializer of one of the layer's weights."""

    name: str


@record
class OnnxConst:
    """A constant tensor: nested numbers (or one number: a scalar)."""

    value: Any
    dtype: DType


@record
class OnnxSizes:
    """A one-dimensional int64 tensor of sizes, computed at run time where they are symbolic.

    Plain numbers stand for themselves, so that a Reshape may hold its 0 (as the input) and -1 (what is left).
    """

    sizes: tuple[Size, ...]


@record
class OnnxLocal:
    """The output called ``name`` of an earlier node of the same operator."""

    name: str


OnnxRef: TypeAlias = OnnxIn | OnnxWeight | OnnxConst | OnnxSizes | OnnxLocal | None
"""What a node reads; None is an optional input left out."""


@record
class OnnxNode:
    """One ONNX node. Its outputs are local names. The attribute ``to`` of a Cast is a ``DType``.

    Of the outputs of all nodes in order, the last ones, as many as the operator has, are the operator's.
    """

    type: str
    inputs: tuple[OnnxRef, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: tuple[str, ...] = ("y",)
