"""Specs made to exhaust their reader, or to be code where they are written: each gets its diagnostic."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.checks.report import check
from archdsl.cli import main
from archdsl.compiler import Spec, from_text, open_spec
from archdsl.diagnostics.render import render

from .survive import bounded, survive

PATIENCE = 20
"""CPU seconds after which a test gives up. The figure that is promised, 2 s, is measured by `tests.fuzz.long`."""


def model(body: str) -> str:
    return f"model M {{ input x: [N, 3, 8, 8]; {body}\n output y }}"


def doubling(depth: int, line: str, first: str) -> str:
    return "\n".join([first, *(line.format(this=i + 1, last=i) for i in range(depth)), ""])


MANY = 24_000
HOSTILE = {
    "a range of 10^12": (model("for i in 0..10**12 { relu }"), "A0218"),
    "a list of 10^12": (model("let a = [i for i in 0..10**12]\n conv(a[0], 1)"), "A0218"),
    "nested loops": (model("for i in 0..1000 { for j in 0..1000 { for k in 0..1000 { relu } } }"), "A0220"),
    "nested comprehensions": (model("let a = [[1 for j in 0..999] for i in 0..999]\n it + a"), "A0220"),
    "many layers": (model("for i in 0..99_000 { c{i}: conv(3, 3, pad=1) }"), "A0220"),
    "blocks that use each other": ("block A { B }\nblock B { A }\n" + model("a: A"), "A0212"),
    "a function of itself": ("fn f(n) = f(n - 1) + f(n - 2)\n" + model("conv(f(90), 1)"), "A0212"),
    "blocks that double": (
        doubling(50, "block B{this} {{ a: B{last}; b: B{last} }}", "block B0 { relu }") + model("a: B50"), "A0220",
    ),
    "blocks that double a fault": (
        doubling(50, "block B{this} {{ a: B{last}; b: B{last} }}", "block B0 { conv(3, 1) }") + model("a: B50"),
        "A0208",
    ),
    "lists that double": (doubling(60, "let a{this} = [a{last}, a{last}]", "let a0 = 1") + model("it + a60"), "A0218"),
    "lists of lists of lists": (
        f"let a = [{'0,' * 1000}]\nlet b = [{'a,' * 1000}]\nlet c = [{'b,' * 1000}]\n" + model("it + c"), "A0218",
    ),
    "brackets 24,000 deep": (model("(" * MANY + "relu" + ")" * MANY), "A0104"),
    "braces 24,000 deep": (model("{\n" * MANY), "A0104"),
    "24,000 signs": (model(f"let a = {'-' * MANY}1"), "A0107"),
    "24,000 powers": (model(f"let a = {'2 ** ' * MANY}1"), "A0107"),
    "16,000 indices": (model(f"let a = x{'[0]' * 16_000}"), "A0107"),
    "24,000 calls": (model(f"let a = relu{'()' * MANY}"), "A0107"),
    "10,000 conditions": (model(f"let a = {'1 if true else ' * 10_000}1"), "A0107"),
    "6,000 else ifs": (model("if true { relu } else " * 6_000 + "{ relu }"), "A0107"),
    "9,000 operators": (model(f"let a = {'-' * 9_000}1\n conv(a, 1)"), "A0220"),
    "260,000 statements": (model("a\n" * 260_000), "A0107"),
    "a name of 900,000 letters": (model("a" * 900_000 + ": relu"), "A0108"),
    "a label of 900,000 letters": (model('"' + "a" * 900_000 + '": relu'), "A0217"),
    "a computed name of 16,000 parts": (model("a" + "{1}" * 16_000 + ": relu"), "A0108"),
    "a number of 900,000 digits": (model("conv(" + "9" * 900_000 + ", 1)"), "A0106"),
    "a tower of powers": (model("conv(9**9**9**9, 1)"), "A0218"),
    "a pattern of 24,000 axes": (model(f'rearrange("{"a " * MANY}-> a")'), "A0206"),
    "an exploding product": (
        f"model M {{ input x: [N, C, H, W]; let a = {' * '.join(f'(H + W + {i})' for i in range(200))}\n"
        "let b: conv(a, 3)\n b\n output y }",
        "A0305",
    ),
    "an exploding power": ("model M { input x: [N, C, H, W]; c: conv((H + W + C + N) ** 60, 3)\n output y }", "A0305"),
    "a file that is not there": ('use A from "../../etc/passwd"\n' + model("A"), "A0602"),
    "a file in no place": ('use A from "\x00"\n' + model("A"), "A0602"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_spec_gets_its_diagnostic(name: str) -> None:
    text, code = HOSTILE[name]
    with bounded(PATIENCE):
        diagnostics = survive(text)
    assert code in {d.code for d in diagnostics}


NAMES = (
    "class", "lambda", "__init__", "__class__", "forward", "self", "None", "none_", "True", "super", "torch", "nn", "F",
    "Tensor",
    "exec", "parameters", "ｎn", "ﬁ", "ſelf", "x̸", "\u202egnp", "a\u200bb", "µ",
)  # fmt: skip
TEXTS = (
    '"""', "'''", "a'b", "a\\", "\\n", '#{x}', "{{}}", "a.b", "a/b", "..", "<b>", "&amp;", "a|b", "]]>", "--><script>",
    "%s", "${x}", "a\tb", "\x1b[31m", "\x00", "\u202e", "a;b", "a,b", "💥", "",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_means_something_in_python_stays_a_name(name: str) -> None:
    """As the name of a value, a label, a parameter, a block, a model: written and proved, or refused."""
    for text in (
        f"model M {{ input {name}: [N, 3, 8, 8]; relu; output y }}",
        f"model M {{ input x: [N, 3, 8, 8]; {name}: conv(4, 1); output y }}",
        f"model M({name} = 4) {{ input x: [N, 3, 8, 8]; c: conv({name}, 1); output {name} }}",
        f"block {name} {{ c: conv(4, 1) }}\nmodel M {{ input x: [N, 3, 8, 8]; a: {name}; output y }}",
        f"model {name} {{ input x: [N, 3, 8, 8]; c: conv(4, 1) as {name}; {name} + 1; output y }}",
        f"model {name} {{ input x: [N, 3, 8, 8]; c: conv(4, 1); output y }}",
        f'model M {{ input x: [N, 3, 8, 8]; "{name}": {{ c: conv(4, 1) -> relu }}; output y }}',
        f"model M {{ input x: [N, 3, 8, 8]; param {name}: [3, 1, 1] = zeros\n it + {name}; output y }}",
    ):
        survive(text, emits=True)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_means_something_elsewhere_stays_a_text(text: str) -> None:
    """As a label, a claim's text, a comment, a documentation: in Python, DOT and on the terminal."""
    for spec in (
        f'model M {{ input x: [N, 3, 8, 8]; "{text}": conv(4, 1); output y }}',
        f'claim "{text}" {{ assert 1 == 2 }}',
        f"## {text}\nmodel M {{ input x: [N, 3, 8, 8]; c: conv(4, 1)  # {text}\n output y }}",
        f'model M {{ input x: [N, 3, 8, 8]; rearrange("{text}"); output y }}',
    ):
        diagnostics = survive(spec, emits=True)
        assert "\x1b" not in render(diagnostics)


MEMBER = "model B { input x: [N, 3, 8, 8]; m: A; output y }\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither these devices nor links for everyone")
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a link to itself", "a folder", "a link to what is outside"])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given on the command line, and used by a spec."""
    monkeypatch.chdir(tmp_path)
    path = Path("a.arch")
    match kind:
        case "a pipe":
            os.mkfifo(path)
        case "a device":
            path.symlink_to("/dev/zero")
        case "a link to itself":
            path.symlink_to("a.arch")
        case "a folder":
            path.mkdir()
        case _:
            path.symlink_to("/etc/passwd")
    Path("b.arch").write_text(f'use A from "a.arch"\n{MEMBER}')
    for command in (["check"], ["fmt"], ["compile", "--to", "torch"], ["viz"]):
        assert main([*command, "a.arch"]) == 1
        assert "error[A0" in capsys.readouterr().err
    assert main(["check", "b.arch"]) == 1
    found = capsys.readouterr().err
    assert "error[A060" in found
    assert "root:" not in found  # as /etc/passwd begins
    assert sorted(p.name for p in Path().iterdir()) == ["a.arch", "b.arch"]


def test_files_that_use_each_other_through_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("up").symlink_to(".")
    Path("a.arch").write_text(f'use C from "up/up/a.arch"\n{MEMBER}')
    spec = open_spec("up/up/a.arch")
    assert isinstance(spec, Spec)
    assert "A0603" in {d.code for d in spec.diagnostics}


def test_all_of_a_text_is_read_once_more_after_a_limit() -> None:
    report = check(from_text(model("-" * 30_000 + "1") + "\nmodel B { input x: [N]; nonsense; output y }"))
    assert [d.code for d in report.diagnostics] == ["A0107", "A0201"]
