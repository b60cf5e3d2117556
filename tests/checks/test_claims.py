"""Claims: what is true is proved, what is false is refuted by the least example, what asserts nothing is an error."""

from __future__ import annotations

import pytest

from archdsl.checks.claims import ClaimResult
from archdsl.checks.report import check
from archdsl.compiler import from_text


def decided(claim: str, before: str = "") -> ClaimResult:
    """What becomes of the only claim."""
    (result,) = check(from_text(f"arch 1\n{before}\n{claim}\n")).claims
    return result


def asserted(condition: str, before: str = "") -> ClaimResult:
    """What becomes of one assertion about A, B and C."""
    return decided(f'claim(A, B, C) "it" {{ assert {condition} }}', before)


def example(result: ClaimResult) -> str:
    """The sizes that refute the claim, as the message shows them."""
    (diagnostic,) = result.diagnostics
    assert diagnostic.code == "A0401"
    sizes, _, needed = diagnostic.detail.rpartition(" is false at ")[2].partition(":")  # type: ignore[attr-defined]
    assert not needed or "must be" in needed
    return sizes


REFUTED = [
    ("A != 3", "A = 3"),
    ("A != B", "A = 1, B = 1"),
    ("A != 2 * B", "A = 2, B = 1"),
    ("A + B != 40", "A = 20, B = 20"),
    ("A * B != 91", "A = 7, B = 13"),
    ("A % 7 != 5", "A = 5"),
    ("max(A, B) != 6", "A = 1, B = 6"),
    ("A // B != 5", "A = 5, B = 1"),
    ("A != 123456", "A = 123456"),
    ("[A, B] != [B, A]", "A = 1, B = 1"),
    ("conv(A) != conv(3)", "A = 3"),
    ("[A] != [3.0]", "A = 3"),
    ("A > 1", "A = 1"),
    ("not A >= 1", "A = 1"),
    ("2 * A == 2 * B + 1 or A < 1", "A = 1, B = 1"),
    ("A >= 2", "A = 1"),
    ("A < 10", "A = 10"),
    ("A + B > 2", "A = 1, B = 1"),
    ("A * A > A", "A = 1"),
    ("A // 2 < A // 3", "A = 1"),
    ("(B - A) * (B - A - 2) * A + 100 >= 0", "A = 101, B = 102"),
    ("A == 1 or A >= 3", "A = 2"),
    ("A == 1 or B == 1", "A = 2, B = 2"),
    ("A < 2 or B <= 3 * A", "A = 2, B = 7"),
    ("not A == 7", "A = 7"),
    ("not (A == B and B == 5)", "A = 5, B = 5"),
    ("A >= 1 and B != 4", "A = 1, B = 4"),
    ("A != 9 and A != 4", "A = 4"),
    ("A % 2 == 0 or A % 3 == 0 or A % 5 == 0", "A = 1"),
    ("A < 1000000 or A > 1000000", "A = 1000000"),
    ("(A if A > B else B) == A", "A = 1, B = 2"),
    ("(A > B) == (B < A + 1)", "A = 1, B = 1"),
    ("C < 4 or A <= B", "A = 2, B = 1, C = 4"),
]


@pytest.mark.parametrize(("condition", "least"), REFUTED)
def test_refuted_by_the_least_example(condition: str, least: str) -> None:
    result = asserted(condition)
    assert result.standing == "fails"
    assert example(result) == least


PROVED = [
    "2 * A != 2 * B + 1",
    "A + B != A",
    "A * A % 4 != 2",
    "A * A + B * B != 4 * C + 3",
    "max(A, B) + 1 != min(A, B)",
    "[A, B] != [A, B + 1]",
    "[A] != [-2.0]",
    "conv(A) != conv(A + 1)",
    "conv(A) == conv(A)",
    "A + B > A",
    "A < A + B",
    "A % B < B",
    "A - 1 < 2 * (A // 2) + 1",
    "A == 1 or A >= 2",
    "A <= B or A > B",
    "not A < B or A + 1 <= B",
    "not A % 6 == 0 or A % 3 == 0",
    "A % 2 == 0 or (A + 1) % 2 == 0",
    "not (A < 1 or B < 1)",
    "(A if A > B else B) == max(A, B)",
    "(A > B) == (B < A)",
    "not (A >= B and B >= C) or A >= C",
    "A * A >= 1 and A * B >= A and A + B >= 2",
    "A // B <= A",
    "A // (B + C) <= A // B",
    "A // B + C // B <= (A + C) // B",
    "(3 * B - 4 * A) ** 2 + A > 0",
    "max(A, B) // 3 == max(A // 3, B // 3)",
]


@pytest.mark.parametrize("condition", PROVED)
def test_proved_for_every_size(condition: str) -> None:
    result = asserted(condition)
    assert result.how == "proved for every A, B and C"
    assert result.standing == "holds"


@pytest.mark.parametrize("condition", ["1 == 1 or A > 4", "not 1 > 2", "2 > 1 and 3 != 4"])
def test_numbers_alone_are_evaluated(condition: str) -> None:
    assert asserted(condition).how == "evaluated"


@pytest.mark.parametrize("condition", ["1 == 2", "2 != 2", "1 == 2 or 3 < 2", "not 1 == 1", "2 > 1 and 3 == 4"])
def test_numbers_alone_are_refuted(condition: str) -> None:
    result = asserted(condition)
    assert result.standing == "fails"
    assert " at " not in result.diagnostics[0].detail  # type: ignore[attr-defined]


def test_no_proof_and_no_counterexample_is_undecided() -> None:
    """That 91 is 7 times 13 only is beyond the methods; the counterexample of the second lies far out."""
    for condition in ("A * B != 91 or A <= 1 or B <= 1 or A + B == 20", "A ** 3 + B ** 3 != C ** 3"):
        result = asserted(condition)
        assert result.standing == "undecided"
        assert [d.code for d in result.diagnostics] == ["A0403"]


def test_one_error_for_an_assertion_of_several_terms() -> None:
    """The term that fails at the least sizes is the one that is shown."""
    result = asserted("A >= 2 and B != 1 and C < 5")
    assert [d.span.text for d in result.diagnostics if d.span] == ["A >= 2"]


def test_a_bound_that_is_exact_is_named() -> None:
    """Where it holds for other sizes too, no bound is."""
    (diagnostic,) = asserted("A >= 2").diagnostics
    assert diagnostic.detail == "A >= 2 is false at A = 1: A must be at least 2"  # type: ignore[attr-defined]
    (diagnostic,) = asserted("A != 3").diagnostics
    assert diagnostic.detail == "A != 3 is false at A = 3"  # type: ignore[attr-defined]


def test_two_assertions_fail_apart() -> None:
    result = decided('claim(A) "it" { assert A > 1; assert A != 5 }')
    assert [d.span.text for d in result.diagnostics if d.span] == ["A > 1", "A != 5"]


def test_a_condition_in_a_claim_is_decided_case_by_case() -> None:
    halves = 'claim(A) "it" { if A % 2 == 0 { assert A // 2 * 2 == A } else { assert A // 2 * 2 == A - 1 } }'
    assert decided(halves).how == "proved for every A"
    result = decided('claim(A, B) "it" { if A > B { assert A >= B + 2 } else { assert B >= A } }')
    assert example(result) == "A = 2, B = 1"


def test_conditions_of_functions_and_blocks_are_decided_case_by_case() -> None:
    before = "fn even(n) = n % 2 == 0\nfn big(n) = n if n > 8 else 8\n"
    assert asserted("even(A) or even(A + 1)", before).standing == "holds"
    assert asserted("big(A) >= A and big(A) >= 8", before).standing == "holds"
    assert example(asserted("big(A) == A", before)) == "A = 1"
    block = "block B { if it.shape[1] > 4 { conv(8, 1) } else { conv(4, 1) } }\n"
    claim = 'claim(K) "it" { input x: [N, K, H, W]; assert params(B) %s }'
    assert decided(claim % ">= 8", block).standing == "holds"
    assert example(decided(claim % "!= 40 + 8", block)) == "K = 5"


def test_examples_meet_what_the_layers_need() -> None:
    claim = 'claim(C) "it" { input x: [N, C, H, W]; assert shape(conv(C, 3))[2] %s }'
    assert example(decided(claim % "> 1")) == "H = 3"
    assert example(decided(claim % "!= 4 or C == 1")) == "C = 2, H = 6"
    assert decided(claim % ">= 1 or C == 7").how == "proved for every C, N, H and W (H and W must be at least 3)"


MEASURED = [
    "params(two) < params(one)",
    "not params(two) >= params(one)",
    "macs(two) != macs(one)",
    "shape(two) == shape(one) and receptive_field(two) == receptive_field(one)",
    "min(params(one), params(two)) == params(two)",
    "shape(pooled)[2] == (H + 1) // 2 and shape(pooled)[2] != H + 1",
    "2 * shape(pooled)[2] - H <= 1",
    "shape(two) != shape(pooled) or H == 1",
    "params(one) % (2 * C + 1) <= 2 * C",
    "params(grouped) * 2 == params(one) or C % 2 == 1",
]


@pytest.mark.parametrize("condition", MEASURED)
def test_measures_are_compared(condition: str) -> None:
    result = decided(
        f"""claim(C) "it" {{
  input x: [N, 2 * C, H, W]
  let two = {{ conv(2 * C, 3, pad=1, bias=false) -> conv(2 * C, 3, pad=1, bias=false) }}
  let one = conv(2 * C, 5, pad=2, bias=false)
  let grouped = conv(2 * C, 5, pad=2, bias=false, groups=2)
  let pooled = maxpool(3, stride=2, pad=1)
  assert {condition}
}}"""
    )
    assert result.how == "proved for every C, N, H and W"


EMPTY = [
    'claim "it" { }',
    'claim(A) "it" { let x = A }',
    'claim "it" { for i in [] { assert i == 1 } }',
    'claim "it" { for i in 3..3 { assert i == 1 } }',
    'claim "it" { if 1 > 2 { assert 1 == 1 } }',
    'claim(A) "it" { if A < 1 { assert A == 7 } }',
    'claim(A) "it" { if A >= 1 { } else { assert A == 7 } }',
    'claim(A) "it" { if A < B { } }'.replace("B", "2 * A - A"),
]


@pytest.mark.parametrize("claim", EMPTY)
def test_a_claim_that_asserts_nothing_is_an_error(claim: str) -> None:
    result = decided(claim)
    assert (result.standing, result.how) == ("undecided", "asserts nothing")
    assert [d.code for d in result.diagnostics] == ["A0404"]


def test_an_assertion_in_one_case_is_enough() -> None:
    assert decided('claim(A) "it" { if A > 5 { assert A >= 6 } }').how == "proved for every A"
    assert decided('claim(A) "it" { for i in 0..2 { if i == 1 { assert A >= i } } }').how == "proved for every A"


def test_a_faulty_claim_is_not_said_to_be_empty() -> None:
    result = decided('claim "it" { for i in nothing { assert i == 1 } }')
    assert [d.code for d in result.diagnostics] == ["A0201"]


OPEN = "A ** 3 + B ** 3 != C ** 3"
"""What is neither proved nor refuted."""


def test_one_assertion_that_fails_is_enough() -> None:
    result = decided(f'claim(A, B, C) "it" {{ assert {OPEN}; assert A > 1 }}')
    assert (result.standing, result.how) == ("fails", "fails")
    assert [d.code for d in result.diagnostics] == ["A0403", "A0401"]


def test_an_error_beside_what_is_undecided_is_pointed_out() -> None:
    assert decided(f'claim(A, B, C) "it" {{ assert {OPEN} }}').how == "undecided"
    result = decided(f'claim(A, B, C) "it" {{ assert {OPEN}; let x = nothing }}')
    assert (result.standing, result.how) == ("undecided", "undecided: see the errors")
    assert [d.code for d in result.diagnostics] == ["A0403", "A0201"]


def test_a_case_that_cannot_be_judged_leaves_the_claim_undecided() -> None:
    """The fault is reported once, at its place, and not by the second claim; the other case holds."""
    first = 'claim "first" { assert broken == 1 }'
    second = 'claim(A) "it" { if A < 4 { assert A >= 1 } else { assert broken > A } }'
    report = check(from_text(f"arch 1\nlet broken = nothing\n{first}\n{second}\n"))
    assert [d.code for d in report.diagnostics] == ["A0201"]
    assert report.claims[1].diagnostics == ()
    assert (report.claims[1].standing, report.claims[1].how) == ("undecided", "undecided: see the errors")


def test_a_claim_is_proved_if_one_of_its_cases_is() -> None:
    """Of the block that is measured one case has parameters by the size of its input, the other a number."""
    block = "block B { if it.shape[1] > 4 { c: conv(8, 1) } else { relu } }\n"
    claim = 'claim(K) "it" { input x: [N, K, H, W]; assert params(B) >= 0 }'
    assert decided(claim, block).how == "proved for every K, N, H and W"


def test_what_a_faulty_layer_measures_is_not_compared() -> None:
    """It has values on its stream all the same: the fault is reported, and no Python assertion fails."""
    block = "block B { c: conv(4, 1); let x = nothing }\n"
    result = decided('claim "it" { input x: [N, 4, H, W]; assert params(B) == 1 }', block)
    assert result.standing == "undecided"
    assert [d.code for d in result.diagnostics] == ["A0201"]


@pytest.mark.parametrize(
    ("stream", "standing"), [("(x, y)", "holds"), ("(x, 3)", "undecided"), ("(3, 4)", "undecided")]
)
def test_every_item_of_a_stream_that_is_measured_is_a_value(stream: str, standing: str) -> None:
    body = f"input x: [N, 4, H, W]; input y: [N, 4, H, W]; {stream}; assert params(seq {{ add }}) == 0"
    assert decided(f'claim "it" {{ {body} }}').standing == standing


def test_the_number_of_cases_is_bounded() -> None:
    conditions = " or ".join(f"A % {p} == B % {q}" for p in (3, 5, 7, 11) for q in (2, 13, 17))
    result = decided(f'claim(A, B) "it" {{ assert {conditions} }}')
    assert result.standing in ("undecided", "fails")
    many = "\n".join(f"  if A % {n} == 0 {{ assert A >= {n} }}" for n in range(2, 40))
    result = decided(f'claim(A) "it" {{\n{many}\n}}')
    assert result.standing == "undecided"
    assert "cases" in result.diagnostics[0].detail  # type: ignore[attr-defined]


EXACT = [
    "A * 0.5 <= A",
    "A / 2 <= A",
    "A / B <= A",
    "1 / A <= 1",
    "A * 0.1 * 10 == A",
    "A * 0.7 < A",
    "A * 1e-30 <= A",
    "A * 0.5 + B * 0.25 <= A + B",
    "A / 2 + A / 2 == A",
    "A / 3 * 3 == A",
    "A * 6 / 3 == 2 * A",
    "(A + B) / (C + 1) * (C + 1) == A + B",
    "A / 2 != 0.25",
    "A >= 0.5 and A > 0.99",
    "A * -0.5 < 0",
    "A / -2 < 0",
    "A // 0.5 == 2 * A",
    "A % 1.5 < 1.5",
    "floor(A / 2) == A // 2",
    "ceil(A / 2) == (A + 1) // 2",
    "abs(A - B) == abs(B - A) and abs(A - B) >= A - B",
    "abs(A - B) == max(A, B) - min(A, B)",
]


@pytest.mark.parametrize("condition", EXACT)
def test_floats_and_quotients_of_sizes_are_exact_in_a_claim(condition: str) -> None:
    """A float is the decimal fraction that is written: 0.1 is one tenth."""
    assert asserted(condition).how == "proved for every A, B and C"


INEXACT = [
    ("A * 0.5 != 2", "A = 4"),
    ("A / 2 != 4.5", "A = 9"),
    ("A < 2.5", "A = 3"),
    ("A / B < 3", "A = 3, B = 1"),
    ("A / B != 1.5", "A = 3, B = 2"),
    ("A * 0.75 <= B", "A = 2, B = 1"),
    ("ceil(A / 2) == A // 2", "A = 1"),
    ("abs(A - 5) > 0", "A = 5"),
    ("A % 1.5 != 0.5", "A = 2"),
]


@pytest.mark.parametrize(("condition", "least"), INEXACT)
def test_floats_and_quotients_are_refuted_by_the_least_example(condition: str, least: str) -> None:
    assert example(asserted(condition)) == least


@pytest.mark.parametrize("condition", ["A / 0 > 1", "A / 0.0 > 1", "A % 0 > 1", "A ** 0.5 < A", "round(A / 3) > 0"])
def test_what_has_no_value_is_an_error(condition: str) -> None:
    result = asserted(condition)
    assert result.standing == "undecided"
    assert [d.code for d in result.diagnostics] == ["A0218"]


def test_a_symbolic_divisor_of_a_quotient_becomes_a_condition() -> None:
    result = asserted("A / (B - 3) > 0")
    assert result.how == "proved for every A, B and C (B must be at least 4)"


def test_ratios_of_measures_are_compared() -> None:
    claim = """claim(C) "it" {
  input x: [N, C, H, W]
  let two = { conv(C, 3, pad=1, bias=false) -> conv(C, 3, pad=1, bias=false) }
  let one = conv(C, 5, pad=2, bias=false)
  assert params(two) %s params(one)
}"""
    assert decided(claim % "== 0.72 *").how == "proved for every C, N, H and W"
    assert decided(claim % "/ 18 == 0.04 *").how == "proved for every C, N, H and W"
    assert example(decided(claim % "< 0.7 *")) == "C = 1"


def test_sizes_of_a_model_are_not_divided() -> None:
    (diagnostic,) = check(from_text("arch 1\nmodel M { input x: [N, H]; linear(8 + H / 2); output y }")).diagnostics
    assert diagnostic.code == "A0304"
