"""A03xx: sizes that do not fit."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class StatedShapeDiffers(Diagnostic):
    code = "A0301"
    title = "{subject} is stated as {stated}, but it is {found}"
    at = "{detail}"
    hint = "{advice}"

    subject: str
    stated: str
    found: str
    detail: str | None = None
    advice: str | None = None


@record(kw_only=True)
class DoesNotFit(Diagnostic):
    code = "A0302"
    title = "{reason}"
    at = "{arrives}"
    hint = "{advice}"

    reason: str
    arrives: str | None = None
    advice: str | None = None


@record(kw_only=True)
class Undecided(Diagnostic):
    code = "A0303"
    title = "whether `{condition}` holds depends on the input's size"
    at = "{detail}"
    hint = "decide it before, with `assert {condition}` (or its contrary), or fix the input's size"

    condition: str
    detail: str | None = None


@record(kw_only=True)
class SizeDivided(Diagnostic):
    code = "A0304"
    title = "a symbolic size cannot be divided with `/`"
    at = "this depends on the input's size"
    hint = "write `//`, which rounds down"


@record(kw_only=True)
class SizeTooLarge(Diagnostic):
    code = "A0305"
    title = "this size grows beyond what can be decided"
    hint = "state the input's size in numbers"


@record(kw_only=True)
class SharedDiffers(Diagnostic):
    code = "A0306"
    title = "the shared module `{path}` would need parameters of two shapes"
    at = "{detail}"
    hint = "a shared module owns one set of parameters: it can only run on inputs that fit them"

    path: str
    detail: str | None = None


@record(kw_only=True)
class TensorTooLarge(Diagnostic):
    code = "A0307"
    title = "{what} would have {count} entries"
    at = "{shape}"
    hint = "a tensor has fewer than 2**63"

    what: str
    count: str
    shape: str


@record(kw_only=True)
class SidesDiffer(Diagnostic):
    code = "A0311"
    title = "the two sides of this `{op}` {difference}"
    at = "{detail}"
    hint = "sizes must be equal, or one of them 1"

    op: str
    difference: str
    detail: str


@record(kw_only=True)
class BranchesDiffer(Diagnostic):
    code = "A0312"
    title = "the branches of this {kind} {difference}"
    at = "{detail}"
    hint = "{advice}"

    kind: str
    difference: str
    detail: str | None = None
    advice: str | None = None
