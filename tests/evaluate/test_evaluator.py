"""Expressions evaluated in the text alone: no model, no block, no tensor.

Each test evaluates an expression at the end of a small file, as settings and the ``let``s of a file are.
"""

from __future__ import annotations

import pytest

from archdsl.compiler import from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.names import BadArithmetic, BadIndex, EmptyStream, Misplaced, UnknownName, WrongKind
from archdsl.diagnostics.shapes import Undecided
from archdsl.dims import Needs, symbol
from archdsl.evaluate.evaluator import Evaluator, evaluator_of_text
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.numbers import QuotientNumbers, SizeNumbers
from archdsl.evaluate.place import TextPlace
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import (
    ERROR,
    NONE,
    BlockLayer,
    BodyLayer,
    ChainLayer,
    Env,
    LabelledLayer,
    OpLayer,
    SpecValue,
    SymbolicRange,
    describe,
)
from archdsl.init import Normal
from archdsl.ops.conv import Conv
from archdsl.source import Source
from archdsl.syntax import tree
from archdsl.syntax.parse import parse_expression

FILE = """
let widths = [16, 32, 64]
let [small, large] = [8, 128]
fn double(x, times=2) = x * times
block Unit(width) { c: conv(width, 3) }
"""


def parsed(text: str) -> tree.Expr:
    expression = parse_expression(Source("<expression>", text))
    assert not isinstance(expression, Diagnostic), expression.message
    return expression


def value(text: str, evaluator: Evaluator | None = None, **names: SpecValue) -> SpecValue:
    """The value of an expression in ``FILE``, with these names bound."""
    scope = from_text(FILE).scope
    place = TextPlace(Env(scope.env, names=names))
    return (evaluator or evaluator_of_text()).evaluate(parsed(text), place)


def fault(text: str, **names: SpecValue) -> Diagnostic:
    with pytest.raises(Fault) as raised:
        value(text, **names)
    return raised.value.diagnostic


# ---- what an expression may be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2", 3),
        ("2 ** 10", 1024),
        ("true and not false", True),
        ('"same"', "same"),
        ("[1, [2, 3]]", [1, [2, 3]]),
        ("0..4", range(4)),
        ("widths", [16, 32, 64]),
        ("widths[-1] if large > small else 0", 64),
        ("[w // 2 for w in widths if w > 16]", [16, 32]),
        ("[a * b for a in 1..3 for b in widths]", [16, 32, 64, 32, 64, 128]),
        ("double(4)", 8),
        ("double(4, times=3)", 12),
        ("sum([i for i, w in enumerate(widths)])", 3),
        ("([1, 2, 3] -> it[1:])", [2, 3]),
        ("[[1, 2], [3, 4]].shape", [2, 2]),
    ],
)
def test_numbers_strings_and_lists(text: str, expected: object) -> None:
    assert value(text) == expected


def test_sizes_are_symbolic() -> None:
    height = symbol("H")
    assert value("(H - 1) // 2 + 1", H=height) == (height + 1) // 2
    assert value("2..H", H=height) == SymbolicRange(2, height)


def test_layers_are_values_that_hold_their_arguments() -> None:
    layer = value("conv(64, 3, bias=false)")
    assert isinstance(layer, OpLayer)
    assert layer.op is Conv
    assert [given.value for given in layer.positional] == [64, 3]
    assert {name: given.value for name, given in layer.named.items()} == {"bias": False}
    again = value("unit(8)", unit=value("Unit"))
    assert isinstance(again, BlockLayer)
    assert again.name == "Unit"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("{ relu -> tanh }", BodyLayer), ("(relu -> tanh)", ChainLayer), ("seq { relu }", BodyLayer)],
)
def test_bodies_and_chains_of_layers_wait_until_they_are_applied(text: str, kind: type) -> None:
    assert type(value(text)) is kind


def test_a_label_waits_with_its_layer() -> None:
    labelled = value("[stem: conv(8, 3)][0]")
    assert isinstance(labelled, LabelledLayer)
    assert labelled.label == "stem"
    assert isinstance(labelled.layer, OpLayer)


def test_no_layer_and_initial_values() -> None:
    assert value("none") is NONE
    assert value("normal(std=0.02)") == Normal(0.02)


# ---- what an expression may not be -------------------------------------------------------------------------


def test_nothing_runs_outside_of_a_network() -> None:
    for text in ("([1.0, 2.0] -> relu)", "exp([1.0, 2.0])", "([1.0] -> { tanh })", "[1, 2] * 2"):
        assert isinstance(fault(text), Misplaced), text
    assert value("([1, 2] -> none)") == [1, 2]  # which runs nothing


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 / 0", BadArithmetic),
        ("10 ** 400", BadArithmetic),
        ("widths[3]", BadIndex),
        ("widths[0.5]", BadIndex),
        ('widths["a":]', BadIndex),
        ("widht", UnknownName),
        ("it", EmptyStream),
        ('1 + "a"', WrongKind),
        ("1(2)", WrongKind),
        ("0..0.5", WrongKind),
        ("1 if relu else 2", WrongKind),
    ],
)
def test_faults_are_raised_with_their_diagnostic(text: str, kind: type[Diagnostic]) -> None:
    assert isinstance(fault(text), kind)


def test_what_a_fault_made_unknown_is_no_second_fault() -> None:
    for text in ("x + 1", "[x][0] + 1", "double(x)", "x.shape"):
        with pytest.raises(UsesErrorValue):
            value(text, x=ERROR)
    with pytest.raises(UsesErrorValue):
        describe([1, ERROR])


# ---- what numbers do is decided elsewhere ------------------------------------------------------------------


def test_a_comparison_must_hold_for_every_size() -> None:
    height = symbol("H")
    assert value("H >= 1", H=height) is True
    assert isinstance(fault("H > 7", H=height), Undecided)


def test_another_way_of_deciding_can_be_given() -> None:
    session = Session(Needs())
    asked: list[str] = []

    def decide(left: object, op: str, right: object, node: tree.Node) -> bool:
        asked.append(f"{left} {op} {right}")
        return True

    evaluator = Evaluator(session, numbers=SizeNumbers(session, decide))
    assert value("1 if H > 7 else 2", evaluator, H=symbol("H")) == 1
    assert asked == ["H > 7"]


def test_claims_have_exact_quotients_of_sizes() -> None:
    session = Session(Needs())
    evaluator = Evaluator(session, numbers=QuotientNumbers(SizeNumbers(session)))
    width = symbol("W")
    assert str(value("W / 3", evaluator, W=width)) == "W / 3"
    assert value("W / 3 * 3 == W", evaluator, W=width) is True
    assert value("0.5 * W < W", evaluator, W=width) is True


# ---- work is counted ---------------------------------------------------------------------------------------


def test_calls_on_plain_numbers_are_evaluated_once_and_paid_for_once() -> None:
    session = Session(Needs())
    evaluator = Evaluator(session)
    scope = from_text("fn table(n) = [i * i for i in 0..n]").scope
    place = TextPlace(Env(scope.env))
    call = parsed("table(100)")
    first = evaluator.evaluate(call, place)
    assert evaluator.evaluate(call, place) is first
