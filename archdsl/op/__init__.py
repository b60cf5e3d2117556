"""Operators: what one is. `base.py` has the class, the other files what its facets take and return."""

from archdsl.op.arguments import Arriving, Doubt, Dropped, Kind, Operand, Order, Parameter, arg, show
from archdsl.op.base import Facets, Op, Palette, open_sizes, parameters, symbolic_sizes
from archdsl.op.facets import Kept, Memory, Weight, drawn
from archdsl.op.field import Look, Step, Taps, Window, pointwise
from archdsl.op.needs import Needs, Reject
from archdsl.op.onnx import OnnxConst, OnnxIn, OnnxLocal, OnnxNode, OnnxRef, OnnxSizes, OnnxWeight
from archdsl.op.tensor import DType, Tensor
from archdsl.op.torch import (
    REQUIRED,
    Arg,
    Attribute,
    Call,
    Cut,
    Hole,
    In,
    Infix,
    Item,
    Method,
    Own,
    Prefix,
    Required,
    Several,
    This,
    Torch,
    TorchExpr,
    Training,
)

__all__ = [
    "REQUIRED", "Arg", "Arriving", "Attribute", "Call", "Cut", "DType", "Doubt", "Dropped", "Facets", "Hole",
    "In", "Infix", "Item", "Kept", "Kind", "Look", "Memory", "Method", "Needs", "OnnxConst", "OnnxIn",
    "OnnxLocal", "OnnxNode", "OnnxRef", "OnnxSizes", "OnnxWeight", "Op", "Operand", "Order", "Own", "Palette",
    "Parameter", "Prefix", "Reject", "Required", "Several", "Step", "Taps", "Tensor", "This", "Torch",
    "TorchExpr", "Training", "Weight", "Window", "arg", "drawn", "open_sizes", "parameters", "pointwise", "show",
    "symbolic_sizes",
]  # fmt: skip
