"""Messages name things of the language, one for each fault, with a way out that can be typed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
import re

import pytest

import archdsl
from archdsl.checks.report import check
from archdsl.compiler import from_buffers, from_text, library_root
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.elsewhere import STANDS_FOR
from archdsl.evaluate.builtins import BUILTINS

VALUES = [
    "1", "1.5", '"s"', "[1, 2]", "[x, x]", "[relu, x]", "0..3", "0..H", "x", "relu", "linear(3)", "conv", "none",
    "zeros", "normal(0.1)", "exp", "sum", "f", "B", "{ relu }", "seq { relu }", "d", "ds", "x.shape", "H", "unknown",
    "true", "[[x]]", "[]", "(relu -> tanh)", "(x -> relu)", "params", "P",
]  # fmt: skip
PLACES = [
    "@", "x -> @", "@ -> relu", "@ + 1", "1 - @", "x * @", "-@", "not @", "@ and true", "@ == 1", "@ < 2", "x == @",
    "@[0]", "x[@]", "x[:, @:]", "[1, 2][@]", "@(x)", "@(1)", "@(axis=1)", "c: conv(@, 3)", "c: conv(8, 3, bias=@)",
    "relu(@)", "exp(@)", "sum(@)", "max(@, 2)", "f(@)", "b: B(@)", "for i in @ { relu }", "if @ { relu }",
    "relu if @ else tanh", "for i in 0..@ { relu }", "let [p, q] = @\n p + q", "add { @; it }", "@ -> concat", "a: @",
    "let a: @\n a", "param w: [@] = zeros\n x * w", "param w: [1] = @\n x * w", "buffer w: [2] = @\n x * w",
    "x as y: [@, _, _, _]", "assert @", "with @(bias=false)", "n{@}: relu", "@.shape", "@.view", "output z = @",
    "residual { @ }", "let l = [i for i in @]\n l[0]", 'resize(like=@, mode="nearest")', "@ ** 2", "x // @",
    'einsum(@, x, "a b c d, a b c d -> a b")', "softmax(axis=@)", "g: groupnorm(@)", "rearrange(@)", "mul { @ }",
    "P(@)",     'reduce("n c h w -> n c", @)', "l: linear(3, init=@)",
]  # fmt: skip
AROUND = (
    "fn f(n) = 2 * n\nblock B(v = 3) {{ input x: [N, C, _, _]; conv1: conv(v, 1) }}\nblock P(v) {{ relu }}\n"
    "model M {{\n input x: [N, 4, H, H]\n let d: linear(3)\n let ds: [relu, tanh]\n it -> d -> ds[0] -> ds[1]\n"
    " x\n {0}\n output y\n}}"
)


def inner_names() -> re.Pattern[str]:
    """Names of the package's classes, and how Python shows an object."""
    found: set[str] = set()
    for module in pkgutil.walk_packages(archdsl.__path__, "archdsl."):
        if ".training" not in module.name and not module.name.endswith("__main__"):
            members = vars(importlib.import_module(module.name)).values()
            found |= {c.__name__ for c in members if inspect.isclass(c) and c.__module__.startswith("archdsl")}
    return re.compile(rf"\b({'|'.join(sorted(found))})\b|\bat 0x|%\d|<archdsl|<class|object at")


def texts(found: Diagnostic) -> str:
    return "\n".join([found.message, found.note, found.help, *found.notes, *(label.text for label in found.labels)])


def errors(text: str) -> list[Diagnostic]:
    return [d for d in check(from_text(text)).diagnostics if d.severity == "error"]


@pytest.mark.parametrize("place", PLACES)
def test_no_message_has_a_name_of_the_inside_and_a_fault_has_one(place: str) -> None:
    inside = inner_names()
    for value in VALUES:
        found = errors(AROUND.format(place.replace("@", value)))
        assert len(found) <= 1, (value, [d.message for d in found])
        for diagnostic in found:
            assert inside.search(texts(diagnostic)) is None, (value, texts(diagnostic))
            assert diagnostic.message


# ---- one fault, one message --------------------------------------------------------------------------------

SPECS = ["lenet5", "alexnet", "googlenet", "resnet", "mlp_mixer", "torchvision/vit", "torchvision/squeezenet"]
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_]\w*|\d[\d_.]*|->|[^\s\w]')


def broken(text: str, chance: random.Random) -> str:
    """A text with one word doubled, left out or exchanged; brackets stay as they are."""
    words = [m for m in TOKEN.finditer(text) if m[0][0] not in '#()[]{}"']
    word = chance.choice(words)
    new = chance.choice([f"{word[0]} {word[0]}", "", "->", "="])
    return text[: word.start()] + new + text[word.end() :]


@pytest.mark.parametrize("name", SPECS)
def test_a_syntax_error_has_no_errors_that_follow_from_it(name: str) -> None:
    path = (library_root() / f"{name}.arch").resolve()
    text = path.read_text(encoding="utf-8")
    chance = random.Random(f"one fault of {name}")
    faults = 0
    while faults < 8:
        changed = broken(text, chance)
        spec = from_buffers(path, {path: changed})
        assert not isinstance(spec, Diagnostic)
        if not any(d.code.startswith("A01") for d in spec.diagnostics):
            continue
        faults += 1
        found = [d for d in check(spec).diagnostics if d.severity == "error"]
        assert len(found) == 1, [(d.code, str(d.span), d.message) for d in found]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("concat { relu; tanh tanh; sigmoid }\n output y: [N, 24, 4, 4]", "A0102"),
        ("with conv(kernel 3)\n c: conv(8)\n d: conv(8)\n output y", "A0102"),
        ("with conv(kernl=3)\n c: conv(8)\n d: conv(8)\n output y", "A0203"),
        ("for i in 0..2 { relu relu as skip{i} }\n skip0 + skip1\n output y", "A0102"),
        ("unknown as skip\n skip + 1.0\n unknown + unknown\n output y", "A0201"),
        ("relu 3 as z: [N, K, _, _]\n c: linear(K)\n output y", "A0102"),
        ("relu(unknown, 3) * 2.0\n output y", "A0201"),
        ("c: conv(8, 3, pad=1, groups8)\n output y", "A0201"),
    ],
)
def test_what_a_fault_spoils_is_left_out_in_silence(body: str, code: str) -> None:
    assert [d.code for d in errors(f"model M {{\n input x: [N, 8, 4, 4]\n {body}\n}}")] == [code]


@pytest.mark.parametrize(
    "head", ["modle Fam(classes) {", "zzz Fam(classes) {", "model model Fam(classes) {", "block Fam(classes classes) {"]
)
def test_a_definition_that_cannot_be_read_still_has_its_name(head: str) -> None:
    text = f"{head}\n input x: [N, 3]\n l: linear(classes)\n output y\n}}\nmodel A = Fam(3)\nmodel B = Fam(4)\n"
    assert [d.code for d in errors(text)] == ["A0102"]


# ---- words of other libraries ------------------------------------------------------------------------------

CODE = re.compile(r"`([^`]*)`")
PLACED = {
    "where(x > 0.0, x, 0.0)": "@",
    "where(mask, a, b)": "x as a\n x as b\n let mask = x > 0.0\n @",
    "exp(cumsum(log(x), axis=1))": "@",
    "cumsum(axis=1)": "x -> @",
    "lstm(64)": "x -> rearrange(\"n c h w -> n h (w c)\")\n cell: @",
    "(q, k, v) -> attend(causal=true)": "x as q\n x as k\n x as v\n @",
    "x * (x * x -> reduce(\"n t d -> n t 1\", \"mean\") -> rsqrt)": "x -> rearrange(\"n c h w -> n c (h w)\") as x\n @",
    "(x - m) ** 2.0 -> reduce(\"n c h w -> n c\", \"mean\")": "x -> reduce(\"n c h w -> n c 1 1\", \"mean\") as m\n @",
    "(a, b) -> einsum(\"n i k, n k j -> n i j\")": "x -> rearrange(\"n c h w -> n c (h w)\") as a\n"
    " a -> rearrange(\"n c d -> n d c\") as b\n @",
    "concat { a; b }": "x as a\n x as b\n @",
    "concat(axis=2) { a; b }": "x as a\n x as b\n @",
    "rearrange(\"n c 1 1 -> n c\")": "global_avgpool -> @",
    "rearrange(\"n c -> n c 1 1\")": "global_avgpool -> flatten -> @",
    "rearrange(\"n c -> n r c\", r=2)": "global_avgpool -> flatten -> @",
    "rearrange(\"n c h w -> n (h w) c\")": "x -> @",
    "x[:, 2:4]": "@",
    "split(2) as [a, b]": "@\n a + b",
    "seq { conv(8, 3) -> relu }": "s: @",
    "let blocks: [linear(8) for i in 0..3]": "@\n for b in blocks { b }",
    "param scale: [8] = ones": "@\n x * scale",
    "buffer steps: [8] = 0..8": "@\n x * steps",
    "for i in 0..3 { … }": "for i in 0..3 { relu }",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STANDS_FOR))
def test_what_other_libraries_have_is_answered_with_what_stands_for_it(name: str) -> None:
    (called,) = errors(f"model M {{\n input x: [N, 8, 8, 8]\n x.{name}(1)\n output y\n}}")
    assert called.help == STANDS_FOR[name]
    if name not in BUILTINS and name.isidentifier():
        (found,) = errors(f"model M {{\n input x: [N, 8, 8, 8]\n r: {name}(3)\n output y\n}}")
        assert found.code == "A0201"
        assert found.help


@pytest.mark.parametrize("code", PLACED)
def test_what_stands_for_it_can_be_typed(code: str) -> None:
    assert any(code in CODE.findall(advice) for advice in STANDS_FOR.values()), "no message shows this"
    text = PLACED[code].replace("@", code)
    assert errors(f"model M {{\n input x: [N, 8, 8, 8]\n {text}\n output y\n}}") == []


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("nn.Conv2d(3, 64, 3)", "remove the prefix: write `conv`"),
        ("torch.nn.functional.relu(x)", "remove the prefix: write `relu`"),
        ("F.silu(x)", "remove the prefix: write `silu`"),
        ("x.relu()", "apply the layer with an arrow: `(x -> relu)`"),
        ("concat(x, x)", "write the branches in braces: `concat { x; x }`"),
        ("add([x, x])", "write the branches in braces: `add { x; x }`"),
        ("concat([x, x], axis=2)", "write the branches in braces: `concat(axis=2) { x; x }`"),
        ("max(x, x)", "of two values: `maximum(a, b)`"),
    ],
)
def test_calls_as_in_torch_are_answered_with_what_is_written_here(written: str, help: str) -> None:
    (found,) = errors(f"model M {{\n input x: [N, 8, 8, 8]\n {written}\n output y\n}}")
    assert found.help == help


def test_a_recurrent_cell_is_answered_with_the_layer() -> None:
    (found,) = errors("model M {\n input x: [N, 100, 24]\n rnn: lstmcell(64)\n output y\n}")
    assert "`lstm(64)`" in found.help


def test_a_shape_that_depends_on_data_is_refused_with_the_way_out() -> None:
    (found,) = errors("model M {\n input x: [N, 100]\n x.nonzero()\n output y\n}")
    assert "would depend on the data" in found.help
    assert "`topk(k)`" in found.help


@pytest.mark.parametrize(
    ("statement", "help"),
    [
        ("let it = 3", "`it` is the stream: choose another name"),
        ("relu as it", "`it` is the stream: choose another name"),
        ("let none = 3", "`none` is a keyword: choose another name"),
        ("relu as model", "`model` is a keyword: choose another name"),
        ("input = 5", "`input` is a keyword: choose another name"),
        ("x + input", "`input` is a keyword: choose another name"),
        ("let maxpool = 4\n maxpool(2)", "rename the `maxpool` of this spec: it hides the operator `maxpool`"),
        ("let linear = 3\n x -> linear", "rename the `linear` of this spec: it hides the operator `linear`"),
    ],
)
def test_words_of_the_language_are_no_names(statement: str, help: str) -> None:
    (found,) = errors(f"model M {{\n input x: [N, 8, 8, 8]\n {statement}\n output y\n}}")
    assert found.help == help


def test_a_declared_list_of_lists_has_a_way_out_that_checks() -> None:
    body = "let b: [[conv(4, 1) for j in 0..3] for i in 0..2]"
    (found,) = errors(f"model M {{\n input x: [N, 8, 8, 8]\n {body}\n output y\n}}")
    (declared, run) = CODE.findall(found.help)
    text = f"{declared}\n for i in 0..2 {{ for j in 0..3 {{ {run} }} }}"
    assert errors(f"model M {{\n input x: [N, 8, 8, 8]\n {text}\n output y\n}}") == []
