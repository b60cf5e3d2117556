"""What a diagnostic is sure of: its edit fixes that fault and makes no other; `check --fix` applies it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.checks.fixing import fixed_texts
from archdsl.checks.report import check
from archdsl.compiler import Spec, from_buffers, open_spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.edits import edited, edited_lines
from archdsl.diagnostics.nearest import certain, nearest

HERE = Path(__file__).parent
SPECS = [*sorted((HERE / "cases").glob("*.arch")), *sorted((HERE / "examples").glob("*/wrong.arch"))]


def found_in(path: Path, texts: dict[Path, str] | None = None) -> tuple[Diagnostic, ...]:
    spec = from_buffers(path, texts or {})
    assert isinstance(spec, Spec)
    return check(spec).diagnostics


def reported(found: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    return Counter((d.code, d.message) for d in found)


def cases() -> Iterator[tuple[Path, Diagnostic]]:
    for path in SPECS:
        if path.stem == "absurd":
            continue  # seconds of work, and nothing in it has one way to be edited
        for diagnostic in found_in(path):
            if diagnostic.edits:
                yield path, diagnostic


CASES = list(cases())


@pytest.mark.parametrize(("path", "diagnostic"), CASES, ids=[f"{p.parent.name}-{d.span}" for p, d in CASES])
def test_an_edit_mends_its_fault_and_makes_no_other(path: Path, diagnostic: Diagnostic) -> None:
    source = diagnostic.edits[0].span.source
    text = edited(source, [diagnostic])
    assert text != source.text
    before, after = reported(found_in(path)), reported(found_in(path, {Path(source.name).resolve(): text}))
    key = (diagnostic.code, diagnostic.message)
    assert after[key] == before[key] - 1
    assert {code for code, _ in after - before} <= BEHIND.get(f"{diagnostic.span}".rpartition("/")[2], set())


BEHIND = {
    "habits.arch:4:21": {"A0203"},  # arguments of a block whose default was unknown
    "several.arch:15:14": {"A0203"},
    "several.arch:19:14": {"A0422"},  # the model could not be built
    "mends.arch:7:1": {"A0224"},  # the model could not be read
    "mends.arch:33:13": {"A0101"},  # another character on its line
    "newcomer.arch:2:1": {"A0102"},  # a statement of the model
    "newcomer.arch:7:1": {"A0601"},  # there is no such file
    "syntax.arch:17:5": {"A0211"},  # the name that was given is not read
}
"""What came to light behind a fault: it was wrong before, and could not be seen."""


def test_the_edits_of_all_codes_that_have_one_are_tried() -> None:
    assert {d.code for _, d in CASES} == {
        "A0101", "A0102", "A0201", "A0202", "A0203", "A0206", "A0211", "A0229", "A0304", "A0410", "A0411", "A0418",
        "A0601", "A0604",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "diagnostic"), CASES, ids=[f"{p.parent.name}-{d.span}" for p, d in CASES])
def test_the_lines_that_are_shown_are_those_of_the_mended_text(path: Path, diagnostic: Diagnostic) -> None:
    source = diagnostic.edits[0].span.source
    lines = edited(source, [diagnostic]).split("\n")
    for line in edited_lines(diagnostic.edits):
        assert line.is_removed or lines[line.number - 1] == line.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dropuot", "dropout"),
        ("clases", "classes"),
        ("BatchNorm2d", "batchnorm"),
        ("ReLU", "relu"),
        ("padding", "pad"),
        ("rleu", "relu"),
        ("atention", "attention"),
        ("conv2", None),  # another number is another thing
        ("skip_b", None),
        ("depth", None),  # so is the singular
        ("rely", None),  # and a short word with another letter
        ("reshape", None),  # `rearrange` serves instead, and is written in another way
        ("nothing", None),
    ],
)
def test_only_what_is_certain_is_mended(name: str, meant: str | None) -> None:
    known = ["dropout", "classes", "batchnorm", "relu", "pad", "attention", "conv1", "skip_a", "depths", "rearrange"]
    assert certain(name, known) == meant


def test_of_two_that_can_be_meant_none_is_certain() -> None:
    assert certain("blok", ["block", "bloke"]) is None
    assert nearest("blok", ["block", "bloke"]) is not None


# ---- check --fix -------------------------------------------------------------------------------------------


def mended_spec(folder: Path, **texts: str) -> dict[str, str]:
    """New texts of files by name, after `check --fix` of `net`."""
    for name, text in texts.items():
        (folder / f"{name}.arch").write_text(text, encoding="utf-8")
    spec = open_spec(str(folder / "net.arch"))
    assert isinstance(spec, Spec)
    return {path.stem: text for path, text in fixed_texts(spec).items()}


NET = "model Net {{ input x: [N, 3, 8, 8]\n  {}\n  output y }}\n"


def test_what_a_mend_brings_to_light_is_mended_too(tmp_path: Path) -> None:
    found = mended_spec(tmp_path, net=NET.format("k = 4\n  c: Conv2d(k, kernel_size=3) relu"))
    assert found["net"] == NET.format("let k = 4\n  c: conv(k, kernel=3) -> relu")


def test_files_that_are_used_are_mended(tmp_path: Path) -> None:
    block = "block Unit(width) { conv: conv(width, 3, padding=1) }\n"
    found = mended_spec(tmp_path, net=f'use Unit from "unit.arch"\n{NET.format("u: Unit(8)")}', unit=block)
    assert found == {"unit": block.replace("padding", "pad")}


def test_the_shipped_library_is_never_mended(tmp_path: Path) -> None:
    spec = open_spec("vgg16")
    assert isinstance(spec, Spec)
    assert fixed_texts(spec) == {}


def test_a_mend_that_would_break_a_claim_is_left(tmp_path: Path) -> None:
    layers = "c: conv(8, 3) -> n: batchnorm -> r: relu as unread"
    free = mended_spec(tmp_path, net=NET.format(layers))
    assert free["net"] == NET.format("c: conv(8, 3, bias=false) -> n: batchnorm -> r: relu")
    claim = 'claim "the published size" { assert params(Net) == 240 }\n'
    held = mended_spec(tmp_path, net=NET.format(layers) + claim)
    assert held["net"] == NET.format("c: conv(8, 3) -> n: batchnorm -> r: relu") + claim


def test_a_bias_goes_only_where_every_use_of_it_is_in_vain(tmp_path: Path) -> None:
    block = "block Unit(norm) { conv: conv(8, 3) -> n: norm }\n"
    both = block + NET.format("a: Unit(batchnorm) -> b: Unit(none)")
    assert mended_spec(tmp_path, net=both) == {}
    assert "bias=false" in mended_spec(tmp_path, net=both.replace("none", "batchnorm"))["net"]


@pytest.mark.parametrize("call", ["conv(8, 3, bias=3 > 2)", "conv(8, 3, 1, 0, 1, 1, 3 > 2)"])
def test_a_bias_that_a_formula_decides_is_left(tmp_path: Path, call: str) -> None:
    assert mended_spec(tmp_path, net=NET.format(f"c: {call} -> n: batchnorm")) == {}
