"""ONNX with every size left open: one model without a plain size, run at the sizes of the case."""

from __future__ import annotations

import pytest

from archdsl.dims import Dim
from archdsl.errors import SpecError
from archdsl.op import Op, Reject, Tensor

from .harness import Case, OnnxRun, Symbolic, accepted, for_all, infer, module_of, symbolic
from .test_contract import CASES, compare

pytest.importorskip("onnxruntime")


ONNX_NEEDS_SIZES = ("adaptive_avgpool", "adaptive_maxpool", "instancenorm")
"""Operators that say that ONNX cannot do them without some plain sizes."""


@pytest.mark.parametrize("name", sorted(CASES))
def test_sizes_may_all_be_symbolic(name: str) -> None:
    for_all(CASES[name], prove_dynamic, share=0.5)


def prove_dynamic(case: Case) -> None:
    if accepted(case) is None:
        return
    inputs, _ = opened(case)
    outputs = infer(case.op, inputs)
    if isinstance(outputs, Reject):  # a size that must be known
        return
    module = module_of(case)
    try:
        model = OnnxRun(case.op, inputs, outputs, module.state_dict() if module is not None else {})
    except SpecError:
        assert case.op.name in ONNX_NEEDS_SIZES
        return
    compare(model, case)


def opened(case: Case) -> Symbolic:
    """A symbol on every axis on which no weight depends."""

    def name_of(number: int, axis: int) -> str | None:
        name = f"S{number}{axis}"
        alone = symbolic(case.inputs, lambda i, a: name if (i, a) == (number, axis) else None).inputs
        return None if (number, axis) in case.known or owns_symbols(case.op, alone) else name

    return symbolic(case.inputs, name_of)


def owns_symbols(op: Op, inputs: tuple[Tensor, ...]) -> bool:
    return any(isinstance(size, Dim) for weight in op.weights(inputs) for size in weight.shape)
