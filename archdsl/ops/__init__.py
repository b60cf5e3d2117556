"""The operators of the language: one file a family, one frozen dataclass an operator (see ``archdsl.op``).

To add an operator, write its class in the file of its family, list it in that file's ``OPS``, and give it cases in
``tests/ops/cases_<family>.py``: the contract test then proves all its facets.
"""

from __future__ import annotations

from archdsl.op import Op
from archdsl.ops import (
    activation,
    attend,
    attention,
    conv,
    dropout,
    einops,
    einsum,
    elementwise,
    embedding,
    functions,
    linear,
    logic,
    lrn,
    merge,
    norm,
    order,
    padding,
    pool,
    ranges,
    recurrent,
    resample,
    shape,
    softmax,
)

FAMILIES = (
    conv,
    linear,
    norm,
    lrn,
    pool,
    activation,
    softmax,
    dropout,
    elementwise,
    functions,
    logic,
    merge,
    shape,
    order,
    ranges,
    padding,
    einops,
    einsum,
    resample,
    embedding,
    attention,
    attend,
    recurrent,
)

OPS: tuple[type[Op], ...] = tuple(op for family in FAMILIES for op in family.OPS)
"""All operators, those that the builder makes from expressions included."""

OPS_BY_NAME: dict[str, type[Op]] = {op.name: op for op in OPS if not op.is_internal}
"""The operators that are words of the language."""
