"""What all commands have: help, exit codes, SPEC arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from archdsl.cli import COMMANDS

TINY = "model Tiny(classes = 10) { input x: [N, 3, 8, 8]; c: conv(classes, 3); output y }"


@pytest.mark.parametrize("command", [name for name, _ in COMMANDS])
def test_every_command_explains_itself(archdsl, command: str) -> None:
    ran = archdsl(command, "--help")
    assert ran.code == 0
    assert f"archdsl {command}" in ran.out


def test_without_a_command_it_shows_them(archdsl) -> None:
    ran = archdsl()
    assert ran.code == 2
    assert all(name in ran.out for name, _ in COMMANDS)


@pytest.mark.parametrize(
    "argv",
    [
        ("nonsense",),
        ("check",),
        ("check", "lenet5", "--nonsense"),
        ("check", "lenet5", "--set", "act"),
        ("check", "lenet5", "--input", "1by2"),
        ("compile", "lenet5", "--to", "tensorflow"),
    ],
)
def test_wrong_usage_is_2(archdsl, argv: tuple[str, ...]) -> None:
    ran = archdsl(*argv)
    assert ran.code == 2
    assert "usage:" in ran.err


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("resnet50", "ResNet50"),
        ("lenet5", "LeNet5"),
        ("resnet18", "ResNet18"),
        ("vgg16_bn", "VGG16_BN"),
        ("resnet:ResNet34", "ResNet34"),
        ("torchvision/resnet50", "resnet50"),
        ("plain34", "Plain34"),
        ("inception_naive", "InceptionNaive"),
    ],
)
def test_shipped_specs_have_names(archdsl, name: str, model: str) -> None:
    ran = archdsl("check", name, "--format", "json")
    assert ran.code == 0
    assert [m["model"] for s in json.loads(ran.out)["specs"] for m in s["models"]] == [model]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet5", "resnet50"),
        ("no/such/file.arch", "there is no such file"),
        ("resnet:ResNet5", "did you mean `ResNet"),
        ("../secret", "no shipped spec"),
    ],
)
def test_a_spec_that_is_not_there(archdsl, name: str, says: str) -> None:
    ran = archdsl("check", name)
    assert ran.code == 1
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_settings_and_input_shapes(archdsl, spec) -> None:
    path = spec(TINY)
    ran = archdsl("check", path, "--set", "classes=2 * 8 + 1", "--input", "4x3x10xW")
    assert ran.code == 0
    assert "x [4, 3, 10, W] -> y [4, 17, 8, W - 2]" in ran.out
    assert "needs: W must be at least 3" in ran.out


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--set", "clases=3", "did you mean `classes`?"),
        ("--set", "classes=relu", "expected a size"),
        ("--set", "classes=1 +", "syntax error"),
        ("--set", "classes=undefined", "unknown name"),
        ("--input", "3x8x8", "4 axes"),
        ("--input", "y=1x3x8x8", "no input `y`"),
        ("--input", "1x3x2x2", "kernel"),
    ],
)
def test_a_wrong_setting_is_1(archdsl, spec, option: str, value: str, says: str) -> None:
    ran = archdsl("check", spec(TINY), option, value)
    assert ran.code == 1
    assert says in ran.err


def test_a_terminal_that_cannot_show_every_sign() -> None:
    """Nor every name of a file: what it cannot show is escaped, where it was a traceback."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    argv = [sys.executable, "-m", "archdsl", "check", "lenet5"]
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\\u2713 LeNet-5 as published" in ran.stdout
