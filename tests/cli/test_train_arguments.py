"""``archdsl train``: its arguments and what it refuses. Whole runs are in tests/training."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.cli.train import configure, given_settings
from archdsl.training import recipe
from archdsl.training.config import RESUMABLE, Config


def test_help_names_every_setting(archdsl) -> None:
    ran = archdsl("train", "--help")
    assert ran.code == 0
    for name in Config.__dataclass_fields__.keys() - {"lr_of"}:  # told by --lr
        assert f"--{name.replace('_', '-')}" in ran.out or f"--no-{name}" in ran.out
    assert {"epochs", "workers"} < RESUMABLE < Config.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("lenet5", "--optimizer", "magic"),
        ("lenet5", "--schedule", "never"),
        ("lenet5", "--epochs", "0"),
        ("lenet5", "--epochs", "1.5"),
        ("lenet5", "--batch-size", "-1"),
        ("lenet5", "--seed", "-1"),
        ("lenet5", "--seed", str(2**63)),
        ("lenet5", "--epochs", str(10**30)),
        ("lenet5", "--workers", "-1"),
        ("lenet5", "--lr", "0"),
        ("lenet5", "--lr", "nan"),
        ("lenet5", "--lr", "inf"),
        ("lenet5", "--lr", "fc.*=0"),
        ("lenet5", "--lr", "=0.1"),
        ("lenet5", "--augment", "much"),
        ("lenet5", "--ema", "1"),
        ("lenet5", "--momentum", "1"),
        ("lenet5", "--weight-decay", "-0.1"),
        ("lenet5", "--warmup", "-1"),
        ("lenet5", "--size", "0"),
        ("lenet5", "--out", "a", "--resume", "b"),
        ("lenet5", "--sed", "3", "--nonsense"),
    ],
)
def test_wrong_usage(argv: tuple[str, ...], archdsl) -> None:
    ran = archdsl("train", *argv)
    assert ran.code == 2
    assert "usage: archdsl" in ran.err


def test_flags_mean_what_a_recipe_says(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    flags = "x --freeze a --freeze b.* --lr 0.1 --lr fc=0.2 --lr b.*=0.3 --no-decay-norms --no-augment --devices 2"
    (tmp_path / "r.toml").write_text(
        "freeze = ['a', 'b.*']\nlr = 0.1\ndecay_norms = false\naugment = 'none'\ndevices = 2\n"
        "[lr_of]\nfc = 0.2\n'b.*' = 0.3\n"
    )
    assert given_settings(parser.parse_args(flags.split())) == recipe.read(str(tmp_path / "r.toml"))


def test_the_classes_are_the_datas(archdsl) -> None:
    ran = archdsl("train", "lenet5", "--set", "classes=5")
    assert ran.code == 1
    assert "`classes` is set to the number of classes in the data" in ran.err


def test_a_fault_of_the_spec_comes_first(archdsl, spec) -> None:
    ran = archdsl("train", spec("model M { input x: [N, 3, 8, 8]; conv(4, 9) }"), "--data", "/nowhere")
    assert ran.code == 1
    assert "/nowhere" not in ran.err


def test_training_describes_itself_without_torch(tmp_path: Path) -> None:
    """``--help``, wrong usage and a fault of the spec are answered before anything heavy is imported."""
    code = (
        "import sys; from archdsl.cli import main; code = main(['train', 'none']);"
        "assert code == 1; print([m for m in ('torch', 'lightning', 'numpy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["torch", "lightning"])
def test_a_missing_package_says_what_to_install(package: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; from archdsl.cli import main;"
        "sys.exit(main(['train', 'lenet5', '--format', 'json']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    (found,) = json.loads(ran.stdout)["diagnostics"]
    assert f"`{package}`" in found["message"]
    assert found["help"] == "pip install 'archdsl[train]'"


def test_data_that_are_not_there(archdsl, tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    ran = archdsl("train", "lenet5", "--data", tmp_path / "none", "--out", tmp_path / "run")
    assert ran.code == 1
    assert f"no such folder: `{tmp_path}/none`" in ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "text",
    ["input x: [N, 3]; fc: linear(3); output y", "input x: [N, 3, 8, 8]; input y: [N, 3, 8, 8]; output z = x + y"],
)
def test_networks_that_take_no_picture(text: str, archdsl, spec) -> None:
    pytest.importorskip("lightning")
    ran = archdsl("train", spec(f"model M {{ {text} }}"))
    assert ran.code == 1
    assert "its input is not images" in ran.err


def test_a_folder_without_a_run(archdsl, tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    ran = archdsl("train", "lenet5", "--resume", tmp_path)
    assert ran.code == 1
    assert "cannot be resumed: it has no last.ckpt" in ran.err
