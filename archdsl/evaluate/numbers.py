"""Arithmetic and comparison of numbers and sizes, and the exact quotients that a claim may make of sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from archdsl.diagnostics.base import Edit
from archdsl.diagnostics.names import BadArithmetic, WrongKind
from archdsl.diagnostics.shapes import SizeDivided, SizeTooLarge, Undecided
from archdsl.dims import Dim, Operator, Size, TooLarge, truth
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.quotient import OPERATIONS, Exact, Quotient, as_quotient
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import Builtin, Env, Function, Number, Sides, SpecValue, describe, is_size
from archdsl.op import Reject
from archdsl.source import Span
from archdsl.syntax import tree

MAX_MAGNITUDE = 10**60
"""No number of a network is larger; without a limit, powers could exhaust the machine."""
MAGNITUDE = "numbers have at most 60 digits"

Decide: TypeAlias = Callable[[Size, Operator, Size, tree.Node], bool]
"""Whether a comparison of sizes holds, one of which is symbolic."""
Run: TypeAlias = Callable[[Sequence[SpecValue]], SpecValue]
"""Computes a function for arguments."""


class Numbers(Protocol):
    """What numbers do."""

    def operate(self, op: str, left: Exact, right: Exact, node: tree.Node, sides: Sides) -> Exact:
        """``left op right``."""
        ...

    def compare(self, left: Exact, op: Operator, right: Exact, node: tree.Node) -> bool:
        """Whether ``left op right`` holds."""
        ...

    def decide(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        """Whether a comparison of sizes holds, one of which is symbolic."""
        ...

    def known(self, size: Size, node: tree.Node) -> Size:
        """A size where a plain number is wanted: the end of a range, a part of a name."""
        ...

    def call(
        self, function: Function | Builtin, values: Sequence[SpecValue], run: Run, node: tree.Node, env: Env
    ) -> SpecValue:
        """The result of a function for these arguments, which ``run`` computes; ``env`` is where the call stands."""
        ...


class SizeNumbers:
    """Plain numbers and sizes. A comparison of sizes must hold, or fail, for every input that the model accepts."""

    def __init__(self, session: Session, decide: Decide | None = None) -> None:
        self._session = session
        self._decide = decide if decide is not None else self._for_every_input

    def operate(self, op: str, left: Exact, right: Exact, node: tree.Node, sides: Sides) -> Number:
        if isinstance(left, Dim) or isinstance(right, Dim):
            self._check_sizes(op, right, node, sides)
        elif op == "**" and isinstance(left, int) and abs(left) > 1 and isinstance(right, int | float) and right > 200:
            raise _too_large(node)
        try:
            result = _OPERATIONS[op](left, right)
        except ZeroDivisionError:
            raise _divides_by_zero(op, left, right, node) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (OverflowError, ValueError, TypeError):
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value")) from None
        if isinstance(result, complex):
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` is not a real number"))
        if not isinstance(result, Dim) and not abs(result) < MAX_MAGNITUDE:
            raise _too_large(node)
        return result

    def compare(self, left: Exact, op: Operator, right: Exact, node: tree.Node) -> bool:
        if isinstance(left, int | float) and isinstance(right, int | float):
            return ORDER[op](left, right)
        if is_size(left) and is_size(right):
            return self._decide(left, op, right, node)
        what = f"`{op}` between {describe(left)} and {describe(right)}"
        raise Fault(WrongKind(span=node.span, what=what))

    def decide(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        return self._decide(left, op, right, node)

    def known(self, size: Size, node: tree.Node) -> Size:
        return size

    def call(
        self, function: Function | Builtin, values: Sequence[SpecValue], run: Run, node: tree.Node, env: Env
    ) -> SpecValue:
        return run(values)

    def require_positive(self, divisor: Dim, node: tree.Node) -> None:
        """A symbolic divisor is at least 1 for every input that the model accepts."""
        try:
            self._session.questions(node).require(divisor, ">=", 1, "")
        except Reject:
            raise Fault(BadArithmetic(span=node.span, reason=f"the divisor {divisor} can be less than 1")) from None

    def _check_sizes(self, op: str, right: Exact, node: tree.Node, sides: Sides) -> None:
        """Raises:
        Fault: symbolic sizes are divided, or by what can be 0.
        """
        if op == "/":
            raise Fault(SizeDivided(span=node.span, edits=_rounding_down(sides[1])))
        if op in ("//", "%") and isinstance(right, Dim):
            self.require_positive(right, node)

    def _for_every_input(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        answer = truth(left, op, right, self._session.needs.facts)
        if answer is None:
            raise Fault(Undecided(span=node.span, condition=node.span.text, detail=f"{left} {op} {right}"))
        return answer

    def apply(self, function: Builtin, values: Sequence[SpecValue], node: tree.Node) -> SpecValue:
        return function.run(*values)


class QuotientNumbers:
    """Numbers, sizes and their exact quotients, for a claim: nothing of it has to be a whole number."""

    def __init__(self, sizes: SizeNumbers) -> None:
        self._sizes = sizes

    def operate(self, op: str, left: Exact, right: Exact, node: tree.Node, sides: Sides) -> Exact:
        if not _makes_quotient(op, left, right):
            return self._sizes.operate(op, left, right, node, sides)
        try:
            first, second = as_quotient(left), as_quotient(right)
            if op in ("/", "//", "%") and isinstance(second.num, Dim):
                self._sizes.require_positive(second.num, node)
            result = OPERATIONS[op](first, second)
        except ZeroDivisionError:
            raise _divides_by_zero(op, left, right, node) from None
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except (KeyError, ValueError):
            advice = "in a claim, sizes and their quotients support `+ - * / // %`"
            raise Fault(
                BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value", advice=advice)
            ) from None
        return result.num if result.den == 1 else result

    def compare(self, left: Exact, op: Operator, right: Exact, node: tree.Node) -> bool:
        """Quotients are compared without dividing."""
        if not _makes_quotient("<", left, right):
            return self._sizes.compare(left, op, right, node)
        try:
            first, second = as_quotient(left), as_quotient(right)
            return self._sizes.compare(first.num * second.den, op, second.num * first.den, node)
        except TooLarge:
            raise Fault(SizeTooLarge(span=node.span)) from None
        except ValueError:
            raise Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` has no value")) from None

    def decide(self, left: Size, op: Operator, right: Size, node: tree.Node) -> bool:
        return self._sizes.decide(left, op, right, node)

    def known(self, size: Size, node: tree.Node) -> Size:
        return size

    def call(
        self, function: Function | Builtin, values: Sequence[SpecValue], run: Run, node: tree.Node, env: Env
    ) -> SpecValue:
        return run(values)


def _makes_quotient(op: str, left: Exact, right: Exact) -> bool:
    """Whether ``left op right`` is about a quotient of sizes, or makes one."""
    sides = (left, right)
    if any(isinstance(side, Quotient) for side in sides):
        return True
    return any(isinstance(side, Dim) for side in sides) and (
        op == "/" or any(isinstance(side, float) for side in sides)
    )


def _too_large(node: tree.Node) -> Fault:
    return Fault(BadArithmetic(span=node.span, reason="this number is too large", advice=MAGNITUDE))


def _divides_by_zero(op: str, left: Exact, right: Exact, node: tree.Node) -> Fault:
    return Fault(BadArithmetic(span=node.span, reason=f"`{left} {op} {right}` divides by zero"))


def _rounding_down(divisor: tree.Node) -> tuple[Edit, ...]:
    """The edit of ``/`` before a divisor to ``//``; none where something stands between them."""
    source = divisor.span.source
    end = len(source.text[: divisor.span.start].rstrip(" \t("))
    return (Edit(Span(source, end - 1, end), "//"),) if source.text[:end].endswith("/") else ()


_OPERATIONS: dict[str, Callable[[Any, Any], Number | complex]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": operator.mod,
    "**": lambda left, right: left**right,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
"""Comparisons of plain numbers and of strings."""
