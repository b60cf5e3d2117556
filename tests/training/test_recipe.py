"""Recipes: what they may say, what is told of what they may not, and that a run can be repeated from its own."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cli import main
from archdsl.diagnostics.render import render
from archdsl.errors import SpecError
from archdsl.training import recipe
from archdsl.training.config import SETTINGS, Config


def told(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        recipe.read(str(path))
    return render(caught.value.diagnostics)


def test_a_misspelt_key_names_the_nearest_and_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(Path("my.toml"), "epochs = 3\nlerning_rate = 1\n\n  wramup = 2 # epochs\n").splitlines() == [
        "error[A0722]: unknown setting `lerning_rate` in the recipe",
        " --> my.toml:2:1",
        "  |",
        "2 | lerning_rate = 1",
        "  | ^^^^^^^^^^^^",
        "",
        "error[A0722]: unknown setting `wramup` in the recipe",
        " --> my.toml:4:3",
        "  |",
        "4 |   wramup = 2 # epochs",
        "  |   ^^^^^^",
        "  = help: did you mean `warmup`?",
        "4 +   warmup = 2 # epochs",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("epochs = 0", "`epochs` must be an integer from 1"),
        ("epochs = 1.5", "`epochs` must be an integer from 1"),
        ("epochs = true", "`epochs` must be an integer from 1"),
        ("epochs = '3'", "`epochs` must be an integer from 1"),
        ("lr = nan", "`lr` must be a number above 0"),
        ("optimizer = 'magic'", "`optimizer` must be one of sgd, adamw"),
        ("compile = 1", "`compile` must be true or false"),
        ("freeze = 3", "`freeze` must be a list of texts"),
        ("[lr_of]\n'a.*' = 0", "`lr_of` must be a table of learning rates above 0 by selector"),
        ("epochs = [", "this recipe is not valid TOML"),
        ("[optimization]\nepochs = 3", "unknown setting `optimization` in the recipe"),
    ],
)
def test_refused(text: str, line: str, tmp_path: Path) -> None:
    shown = told(tmp_path / "r.toml", text)
    assert line in shown
    assert f"{tmp_path / 'r.toml'}:1:" in shown


@pytest.mark.parametrize(
    ("text", "line", "column", "marked"),
    [
        ("lr = 1\nepochs = = 3\n", 2, 10, "="),
        ("lr = 1\n  epochs: 3\n", 2, 9, ":"),
        ('lr = 1\n"\\u0065pochs" = 0\n', 1, 1, ""),
    ],
    ids=["one letter", "one letter, indented", "the top, where the key is not found as it is written"],
)
def test_the_place_of_a_fault(text: str, line: int, column: int, marked: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    assert f"{path}:{line}:{column}\n" in told(path, text)
    with pytest.raises(SpecError) as caught:
        recipe.read(str(path))
    (fault,) = caught.value.diagnostics
    assert fault.span is not None
    assert fault.span.text == marked


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1\n" * 300_000])
def test_what_is_no_recipe_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(SpecError):
        recipe.read(str(tmp_path / "r.toml"))


def test_a_recipe_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(SpecError) as caught:
        recipe.read("imagenet-moden")
    assert caught.value.diagnostics[0].help == "did you mean `imagenet-modern`?"


def test_flags_go_before_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("epochs = 7\nbatch-size = 4\n[lr_of]\n'features.*' = 0.001\n")
    config = recipe.resolved(str(tmp_path / "r.toml"), {"epochs": 9})
    assert (config.epochs, config.batch_size, config.lr_of) == (9, 4, {"features.*": 0.001})
    assert config.optimizer == Config().optimizer


def test_shipped_recipes() -> None:
    assert set(recipe.shipped()) == {"lab", "imagenet-classic", "imagenet-modern"}
    modern = recipe.resolved("imagenet-modern", {})
    assert (modern.schedule, modern.warmup, modern.label_smoothing) == ("cosine", 5, 0.1)
    assert (modern.mixup, modern.cutmix, modern.augment, modern.decay_norms) == (0.2, 1.0, "trivial", False)
    assert modern.ema > 0.9999
    classic = recipe.resolved("imagenet-classic", {})
    assert (classic.optimizer, classic.schedule, classic.epochs, classic.learning_rate) == ("sgd", "step", 90, 0.1)


@given(st.data())
def test_a_written_recipe_reads_back(data: st.DataObject) -> None:
    import tempfile

    drawn: dict[str, Any] = {
        "data": data.draw(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"]))),
        "epochs": data.draw(st.integers(1, 10**6)),
        "lr": data.draw(st.none() | st.floats(1e-9, 1e3)),
        "freeze": tuple(data.draw(st.lists(st.text("ab.*\"'\\é\n", min_size=1), max_size=3))),
        "lr_of": data.draw(st.dictionaries(st.text("ab.*\"'", min_size=1), st.floats(1e-9, 1e3), max_size=3)),
        "compile": data.draw(st.booleans()),
    }
    config = Config(**drawn)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.toml"
        path.write_text(recipe.text(config), encoding="utf-8", newline="")
        assert recipe.resolved(str(path), {}) == config


def test_every_setting_is_declared() -> None:
    assert list(SETTINGS) == [f.name for f in fields(Config)]
    assert recipe.resolved(None, {}) == Config() == replace(Config())


def test_a_run_is_repeated_from_its_folder(tmp_path: Path) -> None:
    """The recipe and the spec that it keeps give the same log."""
    (tmp_path / "net.arch").write_text(
        'use Body from "parts/body.arch"\n'
        "model Net(classes = 10, width = 4) { input x: [N, 1, 8, 8]; body: Body(width); fc: linear(classes); output y }"
    )
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "body.arch").write_text(
        "block Body(width) { input x: [N, C, H, W]; conv: conv(width, 3) -> relu -> flatten }"
    )
    first, second = tmp_path / "first", tmp_path / "second"
    flags = ["--epochs", "1", "--batch-size", "64", "--lr", "0.01", "--lr", "fc=0.02", "--optimizer", "sgd"]
    argv = ["train", str(tmp_path / "net.arch"), "--set", "width=3", *flags, "--out", str(first)]
    assert main(argv) == 0
    assert (first / "spec" / "net.arch").read_text() == (tmp_path / "net.arch").read_text()
    again = [str(first / "spec" / "net.arch"), "--set", "width=3", "--recipe", str(first / "recipe.toml")]
    assert main(["train", *again, "--out", str(second)]) == 0
    rows = [(run / "log.csv").read_text().rpartition(",")[0] for run in (first, second)]
    assert rows[0] == rows[1]
