"""What all commands have: help, exit codes, SPEC arguments."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.cli import COMMANDS
from archdsl.compiler import Spec, choose, open_spec
from archdsl.evaluate.values import BlockLayer

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


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("densenet121", "densenet121"),
        ("swin_t", "swin_t"),
        ("Swin-T", "swin_t"),
        ("mobilenet_v2", "mobilenet_v2"),
        ("inception_v3", "inception_v3"),
        ("regnet_x_16gf", "regnet_x_16gf"),
        ("regnet_x_1_6gf", "regnet_x_1_6gf"),
        ("vgg16", "VGG16"),  # the first level of the library comes before its folders
        ("torchvision/vgg16", "vgg16"),
    ],
)
def test_a_model_of_a_shipped_file_is_found_by_its_name_alone(name: str, model: str) -> None:
    spec = open_spec(name)
    assert isinstance(spec, Spec)
    assert spec.model == model
    assert isinstance(choose(spec), BlockLayer)


def test_a_name_that_two_shipped_files_have_is_answered_with_both(monkeypatch, tmp_path: Path, archdsl) -> None:
    """And a model of a file that has several is named as one types it."""
    model = "model {} {{\n  input x: [N, 3, 8, 8]\n  c: conv(1, 1)\n  output y\n}}\n"
    for folder in ("left", "right"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nets.arch").write_text(model.format("Twin") + model.format(f"Only{folder}"))
    monkeypatch.setattr("archdsl.compiler.library_root", lambda: tmp_path)
    ran = archdsl("summary", "twin")
    assert ran.code == 1
    assert "name one: `left/nets:Twin`, `right/nets:Twin`" in ran.err
    assert archdsl("summary", "left/nets:Twin").code == 0
    assert archdsl("summary", "only_left").out.startswith("Onlyleft: ")
    ran = archdsl("summary", "left/nets")
    assert ran.code == 1
    assert "error[A0605]: `left/nets` defines 2 models" in ran.err
    assert "name one: `left/nets:Twin`, `left/nets:Onlyleft`" in ran.err
    assert "did you mean `onlyright`?" in archdsl("summary", "onlyrigth").err


def test_what_a_file_offers_is_named_as_one_types_it(archdsl, spec, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = archdsl("compile", "torchvision/inception", "-o", "x.py")
    assert ran.code == 1
    assert "`torchvision/inception:inception_v3`" in ran.err
    spec("model F(width) { input x: [N, 3, 8, 8]; c: conv(width, 3); output y }", "family.arch")
    ran = archdsl("summary", "family.arch")
    assert "without arguments" in ran.err
    assert "`family.arch:F`" in ran.err
    spec("let one = 1", "none.arch")
    assert "`none.arch` defines no model" in archdsl("summary", "none.arch").err


READERS = (
    ("check", "{}"),
    ("check", "{}", "--format", "json"),
    ("check", "{}", "--format", "sarif"),
    ("summary", "{}", "--set", "classes=3"),
    ("compare", "{}", "lenet5"),
    ("compile", "{}", "-o", "-"),
    ("compile", "{}", "-o", "net.onnx"),
    ("viz", "{}", "-o", "net.dot"),
    ("gradients", "{}", "--data", "digits", "--steps", "0", "--batch-size", "4"),
    ("bench", "{}", "--batches", "1", "--seconds", "0.01"),
)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
@pytest.mark.parametrize("command", READERS, ids=lambda command: "_".join(command).replace("/", ""))
def test_every_command_that_takes_a_spec_reads_standard_input(
    archdsl, monkeypatch, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    head = "global_avgpool -> flatten; fc: linear(classes)"
    text = TINY.replace("3, 8, 8", "1, 8, 8").replace("c: conv(classes, 3)", head)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ran = archdsl(*(part.format(name) for part in command))
    assert ran.code == 0, ran.err
    assert "Tiny" in ran.out or "sarif" in command or Path("net.onnx").is_file()


def test_a_model_of_standard_input(archdsl, monkeypatch) -> None:
    text = TINY + "\n" + TINY.replace("Tiny", "Other")
    for name, code, says in (
        ("/dev/stdin:Other", 0, "Other: x"),
        ("-", 1, "name one: `/dev/stdin:Tiny`, `/dev/stdin:Other`"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        ran = archdsl("summary", name)
        assert (ran.code, says in ran.out + ran.err) == (code, True), ran


def test_standard_input_uses_files_of_the_working_folder(archdsl, spec, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec("let wide = 4\n", "part.arch")
    text = 'use wide from "part.arch"\n' + TINY.replace("(classes, 3)", "(wide, 3)")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ran = archdsl("check", "-")
    assert (ran.code, "y [N, 4, 6, 6]" in ran.out) == (0, True), ran.err


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
        (b"model", "<stdin>:1:"),
        (b"", "no model"),
    ],
    ids=["bytes", "large", "wrong", "empty"],
)
def test_standard_input_that_is_no_spec(archdsl, monkeypatch, raw: bytes, says: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    ran = archdsl("summary", "-")
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err


def test_a_file_with_a_colon_in_its_name(archdsl, spec) -> None:
    path = spec(TINY + "\n" + TINY.replace("Tiny", "Other"), "a:b.arch")
    assert archdsl("check", path).code == 0
    assert archdsl("summary", f"{path}:Other").out.startswith("Other: ")


@pytest.mark.skipif(not os.path.exists("/dev/fd/0"), reason="no such files here")
def test_a_pipe_that_the_shell_has_opened(archdsl) -> None:
    """As in ``archdsl check <(generate)``."""
    reading, writing = os.pipe()
    os.write(writing, TINY.encode())
    os.close(writing)
    ran = archdsl("check", f"/dev/fd/{reading}")
    os.close(reading)
    assert (ran.code, "Tiny" in ran.out) == (0, True), ran.err
    assert archdsl("check", "/dev/fd/999999").code == 1


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
