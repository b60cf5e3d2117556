"""A03xx: sizes that do not fit."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class StatedShapeDiffers(Diagnostic):
    """A stated shape that is not the one found.

    Shapes after `input`, `as` and `output` are checked, not believed.
    """

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
    """A layer that cannot take what arrives.

    Each operator says what it needs of its input: so many axes, channels that divide into groups, an image no smaller
    than the filter.
    """

    code = "A0302"
    title = "{reason}"
    at = "{arrives}"
    hint = "{advice}"

    reason: str
    arrives: str | None = None
    advice: str | None = None


@record(kw_only=True)
class Undecided(Diagnostic):
    """A decision that depends on a size which is not known.

    One graph is built for all sizes of the input, so an `if` on a symbolic size must be decided by what is known of it.
    """

    code = "A0303"
    title = "whether `{condition}` holds depends on the input's size"
    at = "{detail}"
    hint = "decide it before, with `assert {condition}` (or its contrary), or fix the input's size"

    condition: str
    detail: str | None = None


@record(kw_only=True)
class SizeDivided(Diagnostic):
    """A symbolic size divided with `/`.

    Sizes are whole numbers: `//` divides and rounds down.
    """

    code = "A0304"
    title = "a symbolic size cannot be divided with `/`"
    at = "this depends on the input's size"
    hint = "write `//`, which rounds down"


@record(kw_only=True)
class SizeTooLarge(Diagnostic):
    """A size too large to be decided about.

    Sizes are exact expressions of the symbols. They are kept as long as questions about them can be answered.
    """

    code = "A0305"
    title = "this size grows beyond what can be decided"
    hint = "state the input's size in numbers"


@record(kw_only=True)
class SharedDiffers(Diagnostic):
    """A shared module that would need other parameters or other arguments where it runs again.

    A module that is declared once is made once: it owns one set of parameters and has the same arguments wherever it
    runs.
    """

    code = "A0306"
    title = "the shared module `{path}` would have to be another one here"
    at = "{detail}"
    hint = "a shared module is made once: it can only run on inputs that fit it"

    path: str
    detail: str | None = None


@record(kw_only=True)
class TensorTooLarge(Diagnostic):
    """A tensor with absurdly many entries."""

    code = "A0307"
    title = "{what} would have {count} entries"
    at = "{shape}"
    hint = "a tensor has fewer than 2**63"

    what: str
    count: str
    shape: str


@record(kw_only=True)
class SidesDiffer(Diagnostic):
    """Two sides of an operator that do not broadcast.

    As in torch: aligned at the right, sizes are equal or one of them is 1.
    """

    code = "A0311"
    title = "the two sides of this `{op}` {difference}"
    at = "{detail}"

    op: str
    difference: str
    detail: str
    advice: str | None = None

    @property
    def help(self) -> str:
        return self.advice or "sizes must be equal, or one of them 1"


@record(kw_only=True)
class BranchesDiffer(Diagnostic):
    """Branches that do not fit together.

    `add`, `mul`, `residual` and `stack` need equal shapes, `concat` shapes that differ in one axis only. The message
    shows where each of the sizes that differ comes from.
    """

    code = "A0312"
    title = "the branches of this {kind} {difference}"
    at = "{detail}"
    hint = "{advice}"

    kind: str
    difference: str
    detail: str | None = None
    advice: str | None = None
