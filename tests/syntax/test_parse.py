"""The parser: what is a statement, where things stand, and that faults are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diagnostics.syntax import (
    NestedTooDeep,
    NumberTooLarge,
    UnexpectedCharacter,
    UnexpectedToken,
    UnpairedBracket,
    UnsupportedVersion,
)
from archdsl.source import Source
from archdsl.syntax import grammar, tree
from archdsl.syntax.parse import parse

ROOT = Path(__file__).parents[2]


def parsed(text: str) -> tree.File:
    file, problems = parse(Source("<test>", text))
    assert not problems, [(p.code, p.message) for p in problems]
    return file


def faults(text: str) -> list:
    return parse(Source("<test>", text))[1]


def statements(text: str) -> tuple[tree.Statement, ...]:
    (block,) = parsed(f"block A {{\n{text}\n}}").definitions
    assert isinstance(block, tree.Block)
    assert isinstance(block.body, tree.Body)
    return block.body.statements


@pytest.mark.parametrize(
    "text",
    [
        "block A {\n conv(1, 3) ->\n relu\n}",
        "block A {\n conv(1, 3)  # one\n # two\n\n   -> relu # three\n}",
        "block A { a: relu; b: relu; }",
        "block A {\n # nothing\n}\n",
        "# nothing\n\n",
        "",
        "block A(n) {\n if n > 1 { relu }\n\n # why\n else if n < 0 { tanh }\n else { gelu }\n}",
        "block A {\n residual { relu }\n shortcut { tanh }\n}",
        "block A {\n block: relu\n input: relu\n in: relu\n seq: seq { relu }\n add: relu\n}",
        "block A {\r\n relu\r\n tanh\r\n}\r\n",
        "block A {\n for i in 0..3 { enc{i}: relu as skip{i} }\n concat { skip{2 - 1}; it }\n}",
        "block A { concat{ relu; it } }",
        "let a = [61_706, 1e-3, 0..n, 1.5e-2, 2 ** -1, -2 ** 2, 0..n + 1]",
        "let a = b[lo:hi]\nlet c = d[:, 1:, ::2, -1]",
        "block A { concat{a} }",  # a computed name: a body's brace has a space before it
        "block A { [relu, tanh] -> concat(axis=1) -> add }",
        "block A { m: concat { a: relu; b: tanh } }",
        "block A(p) { (relu if p else tanh) -> gelu }",
        "block A {\n let f: [\n  { conv(1, 3)\n    relu },\n  seq {\n    tanh\n    gelu\n  },\n ]\n}",
        "block A { relu as [a, b]; tanh as x: [N, _, H // 2] ; it as y: [N, L] int64 }",
        'claim(C, K) "t" { input x: [N, C, H, W]; assert params(conv(K, 3)) == 9 * C * K + K }',
        "block A { for i in [1, 2] { if i == 1 { { relu } } } }",
        'use A, B from "b.arch"\narch 1',
        'block A { "block{s}-{i}": relu }',
        "model M = F(1,\n  2,\n)",
        "fn f(a, b = 2) = [a * x for x in 0..b if x != 1 for y in [x]]",
    ],
)
def test_reads(text: str) -> None:
    parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "block A { relu tanh }",
        "let a = 1 < b < 3",
        "block A { let x 3 }",
        "let = 3",
        "model M { output }",
        "block A { for i 0..3 { relu } }",
    ],
)
def test_refuses(text: str) -> None:
    (fault,) = faults(text)
    assert isinstance(fault, UnexpectedToken)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("let a = 1\nlet skip{i + } = 3", "}"),
        ("let a = 1\nlet skip{1 $ 2} = 3", "$"),
        ("let a = 1\nlet skip{x + 1" + "0" * 50 + "} = 3", "1" + "0" * 50),
        ('block A {\n "stage{a b}": conv(1)\n}', "b"),
        ("block A {\n let y{(1} = 3 }", "("),
    ],
)
def test_a_fault_within_a_computed_name_has_its_place(text: str, place: str) -> None:
    (fault,) = faults(text)
    assert fault.span.start == text.rindex(place, 0, text.rindex("}") + 1)
    assert fault.span.text == place


def test_statements_end_at_newlines_and_semicolons() -> None:
    assert len(statements("relu; tanh\ngelu ->\n silu\n  -> mish")) == 3


def test_spans_are_the_text_of_the_node() -> None:
    text = "model M(k = 2) {\n  conv1: conv(64, (k + 1) * 2, pad=[1, 2]) -> relu as x: [N, C]\n  skip{k - 1}\n}"
    (model,) = parsed(text).definitions
    texts = {n.span.text for n in tree.walk(model)}
    assert {"conv(64, (k + 1) * 2, pad=[1, 2])", "(k + 1) * 2", "pad=[1, 2]", "[N, C]", "k - 1", "k = 2"} <= texts
    assert model.span.text == text


def test_chains_and_sums_are_flat() -> None:
    (step,) = statements("relu -> " * 500 + "relu")
    assert isinstance(step, tree.Step)
    assert isinstance(step.chain, tree.Chain)
    assert len(step.chain.items) == 501
    (let,) = parsed("let a = " + "1 + " * 5000 + "1").definitions
    assert isinstance(let, tree.Let)
    assert isinstance(let.value, tree.Arithmetic)
    assert len(let.value.rest) == 5000


def test_unary_minus_binds_tighter_than_modulo_and_looser_than_power() -> None:
    (a, b) = (d.value for d in parsed("let a = -H % p\nlet b = -2 ** 2").definitions)  # type: ignore[union-attr]
    assert isinstance(a, tree.Arithmetic)
    assert isinstance(a.first, tree.Negative)
    assert isinstance(b, tree.Negative)
    assert isinstance(b.operand, tree.Power)


def test_a_computed_name_holds_its_expressions() -> None:
    (step,) = statements('"b{s + 1}-{i}": relu')
    assert isinstance(step, tree.Step)
    assert isinstance(step.chain, tree.Labelled)
    label = step.chain.label
    assert isinstance(label, tree.Computed)
    first, sum_, dash, i = label.parts
    assert (first, dash) == ("b", "-")
    assert isinstance(sum_, tree.Arithmetic)
    assert sum_.span.text == "s + 1"
    assert isinstance(i, tree.Name)


def test_comments_are_kept_and_strings_hold_no_comment() -> None:
    file = parsed('## what it is\nlet a = "# no comment"  # why\n')
    assert [c.text for c in file.comments] == ["## what it is", "# why"]


# ---- faults ----


def test_one_fault_in_each_of_several_definitions() -> None:
    found = faults("block A {\n conv(3\n}\nblock B { relu tanh }\nblock C { relu }\nmodel D { a = b }\n")
    assert [(type(f), f.span.source.position(f.span.start).line) for f in found] == [
        (UnpairedBracket, 3),
        (UnexpectedToken, 4),
        (UnexpectedToken, 6),
    ]


def test_definitions_around_a_fault_are_still_read() -> None:
    file, problems = parse(Source("<test>", "let a = 1\nlet b = =\nlet c = 3\n"))
    assert len(problems) == 1
    assert [type(d) for d in file.definitions] == [tree.Let, tree.Lost, tree.Let]


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("let a = 'x'", UnexpectedCharacter, "double quotes"),
        ("let a = 2 ^ 3", UnexpectedCharacter, "**"),
        ("block A { input: x\n", UnpairedBracket, "never closed"),
        ("let a = [1, 2)", UnpairedBracket, "does not close"),
        ("let a = 1)", UnpairedBracket, "closes nothing"),
        ("block input {}", UnexpectedToken, "choose another name"),
        ("let a = 1 = 2", UnexpectedToken, "=="),
        ("let a = " + "(" * 101 + "1" + ")" * 101, NestedTooDeep, "100"),
        ("let a = " + "9" * 50, NumberTooLarge, "50 digits"),
        ("arch 2\nlet a = 1", UnsupportedVersion, "version 2"),
    ],
)
def test_a_fault_says_what_is_wrong(text: str, kind: type, says: str) -> None:
    (fault,) = faults(text)
    assert isinstance(fault, kind)
    assert says in " ".join((fault.message, fault.note, fault.help, *(la.text for la in fault.labels)))


@given(st.text(alphabet="abit[](){}\n;:=->.,#\"'{}0129 _*/+<>!\\\t\r", max_size=60))
def test_any_text_gives_a_tree_or_faults_within_it(text: str) -> None:
    file, problems = parse(Source("<any>", text))
    assert isinstance(file, tree.File)
    for problem in problems:
        assert problem.span is not None
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
        assert problem.message


# ---- the manual ----


def test_the_manual_shows_the_grammar_as_it_is() -> None:
    assert grammar.text().rstrip() in (ROOT / "docs/language.md").read_text(encoding="utf-8")


# ---- what is left of a broken text -------------------------------------------------------------------------


def outline(text: str) -> str:
    """What could be read: `A(input, ?c, step)`, with `?` and the names that are bound before what could not."""

    def name(node: tree.Node) -> str:
        names = " ".join(n.text for n in getattr(node, "names", ()))
        return f"?{names}" if isinstance(node, tree.Broken | tree.Lost) else type(node).__name__.lower()

    found = []
    for definition in parse(Source("<test>", text))[0].definitions:
        if isinstance(definition, tree.Block) and isinstance(definition.body, tree.Body):
            found.append(f"{definition.name.text}({', '.join(map(name, definition.body.statements))})")
        else:
            found.append(name(definition))
    return " ".join(found)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("block A {\n input x: [N]\n c: linear(3\n relu\n}\nblock B { relu }", "A(input, ?c, step) B(step)"),
        ("block A {\n a\n c: conv(3, \n}\nblock B { b }", "A(step, ?c) B(step)"),
        ("block A {\n a b\n c\n d e\n f\n}", "A(?b, step, ?e, step)"),
        ("block A {\n x:\n relu\n let k =\n output y\n}", "A(?x, step, ?k)"),
        ("block A {\n let x = [\n  [1, 2 3],\n  [4],\n ]\n c\n}", "A(?x, step)"),
        ("block A {\n a\n residual {\n  b\n d\n}\nblock C { c }", "A(step, step) C(step)"),
        ("block A {\n a\n for 3 in x {\n  b\n }\n c\n}", "A(step, ?, step, step)"),
        ("block A( {\n a\n}\nmodel C { c }", "?A C(step)"),
        ("let a = 'x'\nlet b = [\n  1 2,\n  3,\n]\nuse X, Y frm \"a\"\nblock B { b }", "?a ?b ?X Y B(step)"),
    ],
)
def test_the_rest_of_a_broken_text_is_read(text: str, left: str) -> None:
    assert faults(text)
    assert outline(text) == left


def test_what_is_broken_makes_no_other_faults() -> None:
    from archdsl.checks.report import check
    from archdsl.compiler import from_text

    text = """\
block Part(n {
  conv(n, 3)
}
model A {
  input x: [N, 3, 8, 8]
  let w = 3 *
  c: conv(w, 1)
  part: Part(3)
  relu as r
  d: conv(4, 9)
  output y
}
model B {
  input x: [N, 3, 8, 8]
  d: conv(4, 9)
  output y
}
"""
    assert [d.code for d in check(from_text(text)).diagnostics] == ["A0102", "A0102", "A0302"]


def test_a_broken_claim_is_undecided_and_not_empty() -> None:
    from archdsl.checks.report import check
    from archdsl.compiler import from_text

    report = check(from_text('claim "c" {\n  for i in [1, 2,, 3] {\n    assert i > 0\n  }\n}\n'))
    assert [d.code for d in report.diagnostics] == ["A0102"]
    report = check(from_text('claim "d" {\n  let x = 3 *\n  assert x == 3\n}\n'))
    assert [d.code for d in report.diagnostics] == ["A0102"]
    assert [claim.standing for claim in report.claims] == ["undecided"]


@given(st.text(alphabet="ab:(){}[]=,;->\n \"'#", max_size=60))
@settings(max_examples=200)
def test_any_text_is_read_without_failing(text: str) -> None:
    parse(Source("<test>", f"block A {{\n a\n {text}\n b\n}}\nblock B {{ b }}"))
