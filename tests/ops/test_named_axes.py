"""Named axes against einops, the library whose notation they use."""

from __future__ import annotations

import pytest
import torch

from archdsl.ops.einops import Rearrange, Reduce

from .cases_einops import CASES
from .harness import Case, accepted, for_all, run, tensors, values

einops = pytest.importorskip("einops")


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_result_is_einops_s(name: str) -> None:
    for_all(CASES[name], prove_same, share=4)


def prove_same(case: Case) -> None:
    outputs = accepted(case)
    (x,) = values(case)
    found = by_einops(case, x)
    if outputs is None:
        assert found is None or case.inputs[0].dtype != "float32"  # einops takes bools
        return
    (result,) = tensors(run(case, [x], None))
    torch.testing.assert_close(result, found)


def by_einops(case: Case, x: torch.Tensor) -> torch.Tensor | None:
    """What einops gives, or None if it refuses."""
    op = case.op
    assert isinstance(op, Rearrange | Reduce)
    try:
        if isinstance(op, Reduce):
            return einops.reduce(x, op.pattern, op.operation, **op.given)
        return einops.repeat(x, op.pattern, **op.given)  # and rearranges
    except (einops.EinopsError, NotImplementedError):
        return None
