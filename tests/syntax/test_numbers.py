"""Which numbers are read: digits 0 to 9, no larger than a float, in specs and on the command line alike."""

from __future__ import annotations

import sys
import unicodedata
from argparse import ArgumentTypeError

import pytest

from archdsl.cli.bench import _batches
from archdsl.cli.settings import reader
from archdsl.compiler import from_text, parse_shape
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.syntax import NumberTooLarge, UnexpectedCharacter
from archdsl.model import load
from archdsl.source import Source
from archdsl.syntax.parse import parse, parse_expression
from archdsl.training.settings import ABOVE_ZERO, FROM_ZERO, POSITIVE, SEED, Kind

MODEL = "model M {{ input x: [N, 3, 8, 8]; {0}\n output y }}"
DIGITS = sorted({c for c in map(chr, range(sys.maxunicode + 1)) if c.isdecimal() and not c.isascii()})
LIKE_DIGITS = "²³¹⁴₂½¼①Ⅷⅷ一〇㊁৴"


def problem(text: str) -> Diagnostic:
    _, (found,) = parse(Source("m.arch", text))
    return found


@pytest.mark.parametrize("where", ["c: conv(1{0}, 1)", "c: conv({0}, 1)", "it * 0.{0}", "it * 1e{0}", "it[:, 0..{0}]"])
@pytest.mark.parametrize("digit", ["٣", "３", "߃", "३", "𝟛"])
def test_digits_of_other_scripts_are_no_digits(where: str, digit: str) -> None:
    text = MODEL.format(where.format(digit))
    found = problem(text)
    assert isinstance(found, UnexpectedCharacter)
    assert found.span is not None
    assert found.span.text == digit
    assert found.help == "numbers have the digits 0 to 9: write `3`"
    assert [e.replacement for e in found.edits] == ["3"]


def test_no_digit_of_any_script_is_read() -> None:
    for digit in DIGITS:
        found = parse_expression(Source("s", f"1{digit}"))
        assert isinstance(found, UnexpectedCharacter), f"U+{ord(digit):04X}"
        assert found.edits[0].replacement == str(unicodedata.decimal(digit))


@pytest.mark.parametrize("character", LIKE_DIGITS)
def test_superscripts_fractions_and_numerals_are_named(character: str) -> None:
    found = problem(MODEL.format(f"c: conv({character}, 1)"))
    assert isinstance(found, UnexpectedCharacter)
    assert found.span is not None
    assert found.span.text == character
    assert found.help == "numbers have the digits 0 to 9"


@pytest.mark.parametrize("name", ["größe", "h1", "h_2", "eà3", "x１y", "x٣"])
def test_names_have_letters_of_all_scripts_and_the_digits_0_to_9(name: str) -> None:
    _, problems = parse(Source("m.arch", MODEL.format(f"relu as {name}; {name} + 1.0")))
    assert bool(problems) is any(c in DIGITS for c in name)


@pytest.mark.parametrize("text", ["1e999", "1.0e400", "9.9e308", "1_0e999", "2e308"])
@pytest.mark.parametrize("where", ["it * {0}", "it * -{0}", "it + 2.0 * {0}", "let a = [{0}, 1.0]; it + a[1]"])
def test_a_number_beyond_all_floats_is_refused_where_it_stands(text: str, where: str) -> None:
    found = problem(MODEL.format(where.format(text)))
    assert isinstance(found, NumberTooLarge)
    assert found.span is not None
    assert found.span.text == text
    assert "too large" in found.message


@pytest.mark.parametrize("text", ["1.7e308", "1e-999", "3.4028234663852886e+38", "0.1e-3", "1_000", "007"])
def test_numbers_that_are_floats_are_read(text: str) -> None:
    _, problems = parse(Source("m.arch", MODEL.format(f"let a = -{text}; it * 2.0")))
    assert problems == []


def test_products_of_large_numbers_are_refused() -> None:
    from archdsl.checks.report import check

    found = check(from_text(MODEL.format("it * (1e300 * 1e300)"))).diagnostics
    assert [d.code for d in found] == ["A0218"]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), [1.0, float("inf")]])
def test_a_setting_from_python_is_finite(value: object) -> None:
    from archdsl.errors import SpecError

    with pytest.raises(SpecError, match="not finite"):
        load("lenet5", classes=value)


@pytest.mark.parametrize("kind", [POSITIVE, SEED, ABOVE_ZERO, FROM_ZERO])
@pytest.mark.parametrize("text", ["٣", "３", "1٣", "²", "1e999", "inf", "nan", ""])
def test_numbers_of_flags_and_recipes_follow_the_same_rule(kind: Kind, text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a"):
        reader(kind)(text)


def test_shapes_and_batches_follow_the_same_rule() -> None:
    assert parse_shape("1x3x2x4") == (1, 3, 2, 4)
    assert parse_shape("1x٣x2x4") is None
    assert parse_shape("１x3") is None
    assert parse_shape("²x3") is None
    assert _batches("1,2") == (1, 2)
    with pytest.raises(ArgumentTypeError, match="not a list of batch sizes"):
        _batches("1,２")
