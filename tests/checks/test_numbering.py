"""Numbers in a seq: values take none; where version 0.1 counted them, a warning has the old names."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.checks.fixing import fixed_texts
from archdsl.checks.report import check
from archdsl.compiler import Spec, build, choose, from_text, open_spec
from archdsl.diagnostics.lints import NumbersChanged


def body(text: str, before: str = "") -> str:
    return f"{before}\nmodel M {{\n input x: [N, 8]\n{text}\n output y\n}}\n"


def keys(spec: Spec) -> list[str]:
    model = choose(spec)
    graph = build(spec, model, {}, {}).graph  # type: ignore[arg-type]
    assert graph is not None
    return [name for name in graph.weights if name.endswith("weight")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("s: seq { it * 2.0 + 1.0 -> linear(8) }", ["s.0.weight"]),
        ("s: seq { it[:, 0:4] -> linear(8); -it -> linear(8) }", ["s.0.weight", "s.1.weight"]),
        ("s: seq { exp(it) -> linear(8) }", ["s.0.weight"]),
        ("s: seq { exp -> linear(8) }", ["s.1.weight"]),
        ("s: seq { relu; linear(8); relu; linear(8) }", ["s.1.weight", "s.3.weight"]),
        ("s: seq { [1, 2, 3, 4, 5, 6, 7, 8] as t; it + x -> linear(8) }", ["s.0.weight"]),
        ("s: seq { let a = it -> relu; a -> linear(8) }", ["s.0.weight"]),
        ("s: seq { let a = it -> linear(8) -> relu; a -> linear(8) }", ["s.0.weight", "s.1.weight"]),
        ("s: seq { (it -> relu, it -> tanh) -> concat(axis=1) -> linear(8) }", ["s.0.weight"]),
        ("s: seq { twice(it); linear(8) }", ["s.0.weight"]),
        ("s: seq { for i in 0..2 { if i == 1 { it + 1.0 }; linear(8) } }", ["s.0.weight", "s.1.weight"]),
        ("s: seq { { it * 2.0 -> linear(8) }; add { it; relu }; linear(8) }", ["s.0.weight", "s.2.weight"]),
        ("s: seq { it * 2.0; seq { it * 2.0; linear(8) }; named: linear(8); linear(8) }",
         ["s.0.0.weight", "s.named.weight", "s.2.weight"]),
        ('s: seq { buffer b: [8] = [i for i in 0..8] -> rearrange("a -> a"); it + b -> linear(8) }', ["s.0.weight"]),
        ("s: seq { none; it; identity; linear(8) }", ["s.1.weight"]),
    ],
)  # fmt: skip
def test_values_take_no_number(text: str, names: list[str]) -> None:
    assert keys(from_text(body(text, "fn twice(v) = v * 2.0 -> relu"))) == names


def test_a_value_beside_labels_takes_none_of_them() -> None:
    text = """
    block Unit { it -> fc: linear(8) }
    fn with_token(x, token) = (token -> rearrange("1 1 c -> n 1 c", n=x.shape[0]), x) -> concat(axis=1)
    model M {
      param cls: [1, 1, 8] = zeros
      input x: [N, 4, 8]
      blocks: seq { for i in 0..3 { if i == 2 { with_token(it, cls) }; "{i}": Unit } }
      output y
    }"""
    spec = from_text(text)
    assert check(spec).diagnostics == ()
    assert keys(spec) == [f"blocks.{i}.fc.weight" for i in range(3)]


RENUMBERED = {
    "a member": ("s: seq { it * 2.0 -> linear(8) -> relu }", ["s.1"], '"1": linear(8) -> "2": relu'),
    "a loop": ("s: seq { for i in 0..2 { it * 2.0 -> linear(8) } }", ["s.1", "s.3"], '"{2 * i + 1}": linear(8)'),
    "a loop from 1": ("s: seq { for i in 1..3 { it * 2.0 -> linear(8) } }", ["s.1", "s.3"], '"{2 * i - 1}": linear(8)'),
    "a loop without a name": ("s: seq { for _ in 0..2 { it * 2.0 -> linear(8) } }", ["s.1", "s.3"], "for i in 0..2 {"),
    "a loop over a list": ("s: seq { for w in [8, 4] { it * 2.0 -> linear(w) } }", ["s.1", "s.3"],
                           "for i, w in enumerate([8, 4]) {"),
    "loops in loops": ("s: seq { for i in 0..2 { relu; for k in 0..2 { it + 1.0 -> linear(8) } } }",
                       ["s.2", "s.4", "s.7", "s.9"], '"{5 * i + 2 * k + 2}": linear(8)'),
    "a loop whose first turn has none": ("s: seq { for i in 0..4 { if i >= 2 { it * 2.0 -> linear(8) } } }",
                                         ["s.1", "s.3"], '"{2 * i - 3}": linear(8)'),
    "a loop whose first number stays": ("s: seq { for i in 0..2 { if i == 1 { it * 2.0 }; linear(8) } }",
                                        ["s.0", "s.2"], '"{2 * i}": linear(8)'),
    "a block": ("s: seq { it * 2.0; Unit }", ["s.1.fc"], '"1": Unit'),
    "a seq in it": ("s: seq { it * 2.0; seq { it * 3.0; linear(8) } }", ["s.1.1"],
                    '"1": seq { it * 3.0; "1": linear(8) }'),
    "a function": ("s: seq { scaled(it) -> relu; linear(8) }", ["s.1", "s.4"], None),
}  # fmt: skip
BEFORE = "block Unit { it -> fc: linear(8) }\nfn scaled(v) = v * 2.0 -> linear(8) -> tanh"


@pytest.mark.parametrize(("text", "old", "label"), RENUMBERED.values(), ids=list(RENUMBERED))
def test_fix_writes_the_old_numbers_as_labels(text: str, old: list[str], label: str | None, tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(body(text, BEFORE))
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    found = check(spec).diagnostics
    assert found
    assert all(isinstance(d, NumbersChanged) for d in found)
    assert any(f"`{name.removesuffix('.fc').removesuffix('.1.1')}" in d.note for d in found for name in old)
    (fixed,) = fixed_texts(spec).values()
    assert label is None or label in fixed
    path.write_text(fixed)
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    assert keys(spec) == [f"{name}.weight" for name in old]
    assert check(spec).diagnostics == ()


@pytest.mark.parametrize(
    "text",
    [
        "s: seq { it * 2.0 -> relu; fc: linear(8) }",
        "s: seq { it * 2.0 -> relu }\nfc: linear(8)",
        's: seq { it * 2.0 -> "1": linear(8) }',
        "s: seq { linear(8); it * 2.0 }",
        "s: seq { relu; add { it; relu }; linear(8) }",
        "# allow: numbers-changed (trained anew)\ns: seq { it * 2.0; linear(8) }",
    ],
)
def test_no_warning_where_no_weight_has_another_name(text: str) -> None:
    assert check(from_text(body(text))).diagnostics == ()


@pytest.mark.parametrize("loops", ["part; for i in 0..2 { part }", "for i in 0..2 { part }; part", "part; part"])
def test_no_labels_where_a_text_runs_in_several_loops(loops: str) -> None:
    text = body(f"let part = {{ it * 2.0 -> linear(8) }}\ns: seq {{ {loops} }}")
    (found,) = check(from_text(text)).diagnostics
    assert isinstance(found, NumbersChanged)
    assert found.edits == ()


def test_no_labels_where_none_fits_all_runs() -> None:
    """The one text runs under the old numbers 1 and 2."""
    text = body("a: Twice(1)\nb: Twice(2)", "block Twice(n) = seq { for i in 0..n { it * 2.0 }; linear(8) }")
    (found,) = check(from_text(text)).diagnostics
    assert isinstance(found, NumbersChanged)
    assert found.edits == ()
    assert "`a.1` is now `a.0`" in found.note
    assert "`b.2` is now `b.0`" in found.note
