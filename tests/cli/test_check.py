"""``archdsl check``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import archdsl as package
from archdsl.cli.fixes import Fix, changes
from archdsl.cli.github import annotation
from archdsl.diagnostics.files import CannotRead
from archdsl.source import Source


def test_claims_are_marked_with_how_they_were_decided(archdsl) -> None:
    ran = archdsl("check", "stacked3x3")
    assert ran.code == 0
    assert "✓ two stacked 3x3 filters see what one 5x5 sees" in ran.out
    assert "proved for every C, N, H and W" in ran.out


def test_a_claim_that_fails(archdsl, spec) -> None:
    ran = archdsl("check", spec("""
claim(C, K) "separable is always cheaper" {
  input x: [N, C, H, W]
  let whole = conv(K, 3, pad=1, bias=false)
  let separable = { conv(C, 3, pad=1, groups=C, bias=false) -> conv(K, 1, bias=false) }
  assert params(separable) < params(whole)
}
"""))  # fmt: skip
    assert ran.code == 1
    assert "✗ separable is always cheaper" in ran.out
    assert "error[A0401]" in ran.err
    assert "C * K + 9 * C < 9 * C * K is false at C = 1, K = 1" in ran.err
    assert "K must be at least 2" in ran.err


def test_a_claim_about_a_faulty_network_is_not_said_to_fail(archdsl, spec) -> None:
    ran = archdsl("check", spec("""
model A { input x: [N, 3, 8, 8]; c: conv(4, 9); output y }
claim "small" { assert params(A) < 1000 }
"""))  # fmt: skip
    assert ran.code == 1
    assert "? small: undecided: see the errors" in ran.out
    assert ran.err.count("error[") == 1


def test_all_errors_of_all_files_in_one_run(archdsl, spec) -> None:
    first = spec("model A { input x: [N, 3, 8, 8]; c: conv(4, 9); d: nonsense; output y }", "a.arch")
    second = spec("model B { input x: [N, 3, 8, 8]; relu tanh }\nmodel C { input x: [N]; output y = foo }", "b.arch")
    ran = archdsl("check", first, second, "no/file.arch")
    assert ran.code == 1
    assert [w for w in ("A0302", "A0201", "A0102", "A0601") if w not in ran.err] == []
    assert ran.err.count("error[") == 5


def test_facts_as_json(archdsl, spec) -> None:
    path = spec('model A { input x: [N, 3, H, 8]; c: conv(4, 3, stride=2); output y }\nclaim "c" { assert 1 == 1 }')
    ran = archdsl("check", path, "--format", "json")
    facts = json.loads(ran.out)
    assert facts["ok"] is True
    (model,) = facts["specs"][0]["models"]
    assert model["inputs"] == {"x": {"shape": ["N", 3, "H", 8], "dtype": "float32"}}
    assert model["preconditions"] == ["H must be at least 3"]
    assert facts["specs"][0]["claims"] == [{"claim": "c", "standing": "holds", "how": "evaluated"}]


def test_errors_as_json(archdsl, spec) -> None:
    ran = archdsl("check", spec("model A { input x: [N, 3]; d: nonsense; output y }"), "--format", "json")
    assert ran.code == 1
    (problem,) = json.loads(ran.out)["diagnostics"]
    assert problem["code"] == "A0201"
    assert problem["place"]["line"] == 1
    assert problem["place"]["column"] == 31


def test_files_that_use_others(archdsl, spec) -> None:
    spec('use A from "b.arch"\nblock B { A }', "c.arch")
    spec('use B from "c.arch"\nblock A { B }', "b.arch")
    ran = archdsl("check", spec('use A from "b.arch"\nmodel M { input x: [N, 3]; a: A; output y }', "a.arch"))
    assert ran.code == 1
    assert "A0603" in ran.err
    assert "b.arch → c.arch → b.arch" in ran.err


def test_a_spec_cannot_reach_out_of_its_folder(archdsl, spec, tmp_path) -> None:
    (tmp_path / "secret.arch").write_text("let a = 1")
    for path in ("../secret.arch", "/etc/passwd", "../../../../etc/passwd"):
        ran = archdsl("check", spec(f'use a from "{path}"\nmodel M {{ input x: [N, a]; output y }}', "inner/m.arch"))
        assert ran.code == 1
        assert "A0602" in ran.err


def test_a_link_out_of_the_folder_is_not_followed(archdsl, spec, tmp_path) -> None:
    (tmp_path / "secret.arch").write_text("let a = 1")
    path = spec('use a from "link.arch"\nmodel M { input x: [N, a]; output y }', "inner/m.arch")
    (path.parent / "link.arch").symlink_to(tmp_path / "secret.arch")
    ran = archdsl("check", path)
    assert ran.code == 1
    assert "A0602" in ran.err


def test_unused_names_and_dead_layers(archdsl, spec) -> None:
    path = spec("""
model A {
  input x: [N, 3, 8, 8]
  c: conv(4, 3) as wide
  let n = 3
  relu as stated: [N, C, _, _]
  d: conv(4, 3) as [_, rest]
  x -> e: conv(4, 3) as kept
  output y = kept
}""")
    ran = archdsl("check", path)
    assert ran.code == 1
    assert "`wide` is never used" in ran.err
    assert "`n` is never used" in ran.err
    assert "`stated`" not in ran.err
    ran = archdsl("check", spec("model A { input x: [N, 3, 8, 8]; c: conv(4, 3); output y = x }"))
    assert ran.code == 1
    assert "the result of this `conv` is unused" in ran.err


def test_a_terminal_cannot_be_driven_by_a_spec(archdsl, spec) -> None:
    ran = archdsl("check", spec('model A { input x: [N, 3]; "\x1b[31mred": relu; output y }'))
    assert ran.code == 1
    assert "\x1b" not in ran.err


def test_a_file_of_which_nothing_is_built_says_so(archdsl, spec) -> None:
    family = archdsl("check", spec("model Net(n, k) { input x: [N, n]; relu; output y }"))
    assert family.code == 0
    assert "Net needs arguments, so only names were checked; set n, k with --set" in family.out
    assert "no model and no claim" in archdsl("check", spec("block B { relu }")).out


def test_an_input_that_does_not_fit_makes_no_others_unknown(archdsl) -> None:
    ran = archdsl("check", "resnet50", "--input", "3x224")
    assert ran.code == 1
    assert "the input `image` has 4 axes, 2 sizes are given" in ran.err
    assert ran.err.count("error[") == 1


def test_a_size_is_at_least_one(archdsl) -> None:
    assert archdsl("check", "resnet50", "--input", "0x3x224x224").code == 2


def test_what_has_one_way_to_be_mended_is_mended(archdsl, spec) -> None:
    path = spec("model A {\n  input x: [N, 3, 8, 8]\n  k = 4\n  c: conv(k, 3)\n  output y\n}\n")
    assert archdsl("check", path).code == 1
    assert archdsl("check", path, "--fix").code == 0
    text = path.read_text()
    assert "  let k = 4\n" in text
    assert archdsl("check", path, "--fix").code == 0
    assert path.read_text() == text


def test_what_cannot_be_mended_is_left_as_it_is(archdsl, spec) -> None:
    path = spec("model A {\r\n  input x: [N, 3, 8, 8]\r\n  k = 4\r\n  output y\r\n}\r\n")
    before = path.read_bytes()
    assert archdsl("check", path, "--fix").code == 1
    assert path.read_bytes() == before


FIXABLE = "model A {\n  input x: [N, 3, 8, 8]\n  k = 4\n  c: conv(k, 3) -> reluu\n  output y\n}\n"


def test_fixes_are_reported(archdsl, spec) -> None:
    path, right = spec(FIXABLE), spec(FIXABLE.replace("k = 4", "let k = 4").replace("reluu", "relu"), "right.arch")
    ran = archdsl("check", path, right, "--fix")
    assert ran.code == 0
    assert ran.out.splitlines()[:4] == [
        f"fixed {path}",
        "  line 3: `k = 4` is now `let k = 4`",
        "  line 4: `c: conv(k, 3) -> reluu` is now `c: conv(k, 3) -> relu`",
        str(path),
    ]
    assert ran.out.count("fixed") == 1
    path.write_text(FIXABLE)
    facts = json.loads(archdsl("check", path, "--fix", "--format", "json").out)
    assert facts["ok"]
    assert facts["fixed"] == [
        {
            "file": str(path),
            "changes": [
                {"line": 3, "before": "k = 4", "after": "let k = 4"},
                {"line": 4, "before": "c: conv(k, 3) -> reluu", "after": "c: conv(k, 3) -> relu"},
            ],
        }
    ]


def test_the_difference_that_fixes_would_make(archdsl, spec) -> None:
    path = spec(FIXABLE)
    for argv in (("check", path, "--diff"), ("check", path, "--fix", "--diff")):
        ran = archdsl(*argv)
        assert (ran.code, ran.err) == (1, "")
        assert ran.out.splitlines()[:2] == [f"--- {path}", f"+++ {path}"]
        assert "-  k = 4\n" in ran.out
        assert "+  let k = 4\n" in ran.out
        assert path.read_text() == FIXABLE
    archdsl("check", path, "--fix")
    assert (archdsl("check", path, "--diff").code, archdsl("check", path, "--diff").out) == (0, "")


@pytest.mark.parametrize(
    ("before", "after", "listed"),
    [
        ("a\nb\nc\n", "a\nc\n", [(2, "b", None)]),
        ("a\nc\n", "a\nb\nc\n", [(2, None, "b")]),
        ("a\nb\nc\n", "a\nx\ny\nc\n", [(2, "b", "x"), (3, None, "y")]),
        ("a\nb\nc\nd\n", "a\nx\nd\n", [(2, "b", "x"), (3, "c", None)]),
        ("a\n", "a\n", []),
    ],
)
def test_changed_lines(before: str, after: str, listed: list) -> None:
    assert list(changes(Fix(Path("a"), Source("a", before), after))) == listed


# ---- folders, denied warnings, annotations ---------------------------------------------------------------------


def test_a_folder_is_all_specs_below_it(archdsl, spec, tmp_path: Path) -> None:
    path = spec("model A { input x: [N, 3, 8, 8]; c: conv(4, 9); output y }", "deep/er/a.arch")
    other = spec("model B { input x: [N, 3, 8, 8]; c: conv(4, 3); output y }", "b.arch")
    ran = archdsl("check", tmp_path, path)
    assert ran.code == 1
    assert [line for line in ran.out.splitlines() if line.endswith(".arch")] == [str(other), str(path)]
    assert ran.err.count("error[A0302]") == 1
    (tmp_path / "none").mkdir()
    ran = archdsl("check", tmp_path / "none")
    assert (ran.code, "there is no `.arch` file in this folder" in ran.err) == (1, True)


WARNED = "model A {\n  input x: [N, 3, 8, 8]\n  let idle = 3\n  c: conv(8, 3) -> b: batchnorm -> relu\n  output y\n}\n"
"""Two warnings: `unused-name`, and a bias before a batch norm."""


@pytest.mark.parametrize(
    ("deny", "code", "errors"),
    [
        ((), 0, 0),
        (("--deny", "warnings"), 1, 2),
        (("--deny", "bias-before-norm"), 1, 1),
        (("--deny", "dense-head"), 0, 0),
        (("--deny", "bias-before-norm", "--deny", "dense-head"), 1, 1),
    ],
)
def test_denied_warnings_are_errors(archdsl, spec, deny: tuple[str, ...], code: int, errors: int) -> None:
    path = spec(WARNED)
    ran = archdsl("check", path, *deny)
    assert ran.code == code
    assert (ran.err.count("error["), ran.err.count("warning[")) == (errors, 2 - errors)
    facts = json.loads(archdsl("check", path, *deny, "--format", "json").out)
    assert facts["ok"] is (code == 0)
    assert [d["severity"] for d in facts["diagnostics"]].count("error") == errors
    sarif = json.loads(archdsl("check", path, *deny, "--format", "sarif").out)
    assert [r["level"] for r in sarif["runs"][0]["results"]].count("error") == errors
    annotated = archdsl("check", path, *deny, "--format", "github")
    assert (annotated.code, annotated.out.count("::error "), annotated.out.count("::warning ")) == (
        code, errors, 2 - errors,
    )  # fmt: skip


def test_annotations_of_github(archdsl, spec) -> None:
    path = spec("model A {\n  input x: [N, 3, 8, 8]\n  c: conv(4, 9)\n  output y\n}\n", "a,b:c%.arch")
    ran = archdsl("check", path, "--format", "github")
    assert (ran.code, ran.err) == (1, "")
    (line,) = ran.out.splitlines()
    head, _, text = line.removeprefix("::error ").partition("::")
    facts = dict(pair.split("=", 1) for pair in head.split(","))
    assert facts == {
        "title": "archdsl A0302", "file": f"{path.parent}/a%2Cb%3Ac%25.arch", "line": "3", "endLine": "3", "col": "6",
        "endColumn": "16",
    }  # fmt: skip
    assert "%0Ahelp: " in text
    ran = archdsl("check", path.with_name("none.arch"), "--format", "github")
    assert ran.out.startswith("::error title=archdsl A0601::cannot read ")
    assert archdsl("check", "lenet5", "--format", "github").out == ""


@pytest.mark.parametrize("name", ["%0A::error::x", "a\n::error::x", "\r::warning::"])
def test_no_text_of_a_spec_is_a_command_of_github(name: str) -> None:
    found = annotation(CannotRead(span=None, path=name, reason="there is no such file"))
    assert "\n" not in found
    assert "\r" not in found
    assert found.count("%0A") == name.count("\n")


# ---- bounded output ----------------------------------------------------------------------------------------

BOUND = 100_000
"""Bytes that a command prints at most, whatever is wrong."""


def test_thousands_of_errors_are_counted(archdsl, spec) -> None:
    lines = "\n".join(f"  let a{i} = conv(unknown{i}, 1)" for i in range(3_000))
    path = spec(f"model M {{\n  input x: [N, 3, 8, 8]\n{lines}\n  relu\n  output y\n}}")
    ran = archdsl("check", path)
    assert ran.code == 1
    assert len(ran.err.encode()) < BOUND
    assert "3,000 errors" in ran.err
    shown = ran.err.count("\nerror[") + ran.err.startswith("error[") + ran.err.count("\nwarning[")
    left_out = int(re.search(r"… and ([\d,]+) more", ran.err)[1].replace(",", ""))
    told = json.loads(archdsl("check", path, "--format", "json").out)["diagnostics"]
    assert shown + left_out == len(told)
    assert "--format json" in ran.err
    with pytest.raises(package.SpecError) as caught:
        package.load(str(path))
    assert len(str(caught.value).encode()) < BOUND
    assert len(caught.value.diagnostics) >= 3_000


def test_a_few_errors_are_all_shown(archdsl, spec) -> None:
    lines = "\n".join(f"  let a{i} = conv(unknown{i}, 1)" for i in range(30))
    ran = archdsl("check", spec(f"model M {{\n  input x: [N, 3, 8, 8]\n{lines}\n  relu\n  output y\n}}"))
    assert ran.err.count("error[A0201]") == 30
    assert "more" not in ran.err


def test_one_message_is_bounded(archdsl, spec) -> None:
    ran = archdsl("check", spec(f"model M {{\n  input x: [N, 3, 8, 8]\n  {'x' * 400_000}\n  output y\n}}"))
    assert ran.code == 1
    assert len(ran.err.encode()) < BOUND


def test_thousands_of_outputs_and_claims_are_counted(archdsl, spec) -> None:
    outputs = "\n".join(f"  output y{i} = x -> relu" for i in range(2_000))
    claims = "\n".join(f'claim "{i}" {{ assert {i} == {i} }}' for i in range(3_000))
    path = spec(f"model M {{\n  input x: [N, 3, 8, 8]\n{outputs}\n}}\n{claims}")
    ran = archdsl("check", path)
    assert ran.code == 0
    assert len(ran.out.encode()) < BOUND
    assert "(2,000 in all)" in ran.out
    assert "2,502 more lines" in ran.out
    facts = json.loads(archdsl("check", path, "--format", "json").out)["specs"][0]
    assert (len(facts["claims"]), len(facts["models"][0]["outputs"])) == (3_000, 2_000)
