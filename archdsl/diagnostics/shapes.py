"""A03xx: shapes that do not match."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class StatedShapeDiffers(Diagnostic):
    """A stated shape that differs from the inferred shape.

    Shapes after `as` and `output` are checked against the inferred ones.
    """

    code = "A0301"
    title = "{subject} is stated as {stated}, but is {found}"
    at = "{detail}"
    hint = "{advice}"

    subject: str
    stated: str
    found: str
    detail: str | None = None
    advice: str | None = None


@record(kw_only=True)
class DoesNotFit(Diagnostic):
    """A layer that cannot take its input.

    Each operator has requirements on its input: a number of axes, channels divisible by the groups, an image no smaller
    than the kernel.
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
    """A condition that depends on a symbolic size.

    One graph is built for all input sizes, so an `if` on a symbolic size must have the same result for all of them.
    """

    code = "A0303"
    title = "the condition `{condition}` depends on the input size"
    at = "{detail}"
    hint = "add `assert {condition}` (or the opposite) before it, or fix the input size"

    condition: str
    detail: str | None = None


@record(kw_only=True)
class SizeDivided(Diagnostic):
    """A symbolic size divided with `/`.

    Sizes are integers: `//` divides and rounds down.
    """

    code = "A0304"
    title = "a symbolic size cannot be divided with `/`"
    at = "this depends on the input size"
    hint = "write `//`, which rounds down"


@record(kw_only=True)
class SizeTooLarge(Diagnostic):
    """A size expression that is too large.

    Sizes are exact expressions of the symbols. Beyond a limit, comparing them takes too long.
    """

    code = "A0305"
    title = "the expression of this size is too large"
    hint = "fix the input size"


@record(kw_only=True)
class SharedDiffers(Diagnostic):
    """A shared module whose second call needs other parameters or arguments.

    A module that is declared once has one set of parameters and the same arguments, wherever it is called.
    """

    code = "A0306"
    title = "the shared module `{path}` would need other parameters or arguments here"
    at = "{detail}"
    hint = "declare a second module, or call it only on inputs that fit the first"

    path: str
    detail: str | None = None


@record(kw_only=True)
class TensorTooLarge(Diagnostic):
    """A tensor that is too large."""

    code = "A0307"
    title = "{what} would have {count} elements"
    at = "{shape}"
    hint = "choose smaller sizes: a tensor has fewer than 2**63 elements"

    what: str
    count: str
    shape: str


@record(kw_only=True)
class SidesDiffer(Diagnostic):
    """Operands that do not broadcast.

    As in torch: aligned at the right, sizes must be equal, or one of them 1.
    """

    code = "A0311"
    title = "the operands of this `{op}` {difference}"
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
    """Branches with incompatible shapes.

    `add`, `mul`, `residual` and `stack` need equal shapes; `concat` needs shapes that differ only along its axis. The
    message shows where the different sizes come from.
    """

    code = "A0312"
    title = "the branches of this {kind} {difference}"
    at = "{detail}"
    hint = "{advice}"

    kind: str
    difference: str
    detail: str | None = None
    advice: str | None = None
