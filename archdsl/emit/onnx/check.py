"""What ONNX itself says of a model: its checker, with strict inference of all shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper

from archdsl.diagnostics.lowering import RefusedByChecker
from archdsl.errors import SpecError


def check(model: onnx.ModelProto, weights: Mapping[str, np.ndarray]) -> None:
    """Check a model whose weights are not in it: for the checker they are inputs, of which it needs the types only.

    Types and shapes that ONNX infers must agree with those stated in the model. What it infers of tensors within an
    operator, of which the graph knows nothing, is added to the model.

    Raises:
        SpecError: the checker refuses the model.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    whole.graph.input.extend(
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in weights.items()
    )
    try:
        inferred = onnx.shape_inference.infer_shapes(whole, check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(whole, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SpecError([RefusedByChecker(span=None, reason=str(error).strip())]) from None
    _add_inferred(model.graph, inferred.graph)


def _add_inferred(graph: onnx.GraphProto, inferred: onnx.GraphProto) -> None:
    """Add what was inferred of tensors of which nothing is said; without the names that ONNX invents for sizes."""
    said = (*graph.input, *graph.value_info, *graph.output)
    names = {info.name for info in said}
    sizes = {dim.dim_param for info in said for dim in info.type.tensor_type.shape.dim}
    for info in inferred.value_info:
        if info.name not in names:
            for dim in info.type.tensor_type.shape.dim:
                if dim.dim_param not in sizes:
                    dim.ClearField("dim_param")
            graph.value_info.append(info)
