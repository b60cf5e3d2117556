"""``archdsl viz``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_a_picture_named_as_the_model(archdsl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = archdsl("viz", "lenet5")
    assert ran.code == 0
    assert ran.out == "wrote lenet5.svg: LeNet5. 61,706 parameters, 416,520 MACs at 32×32.\n"
    assert ran.err == ""
    assert "<svg" in (tmp_path / "lenet5.svg").read_text()


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("dot", b"digraph"), ("SVG", b"<?xml")])
def test_the_ending_says_the_format(archdsl, tmp_path: Path, ending: str, begins: bytes) -> None:
    path = tmp_path / f"net.{ending}"
    assert archdsl("viz", "lenet5", "-o", path).code == 0
    assert path.read_bytes().startswith(begins)


def test_what_is_opened_folded_and_how_deep(archdsl, tmp_path: Path) -> None:
    path = tmp_path / "net.dot"
    assert archdsl("viz", "resnet50", "-o", path, "--open", "layer3.0", "--fold", "layer2", "--theme", "dark").code == 0
    text = path.read_text()
    assert "A  Bottleneck, layer3.0" in text
    assert "<B>layer2</B>" in text
    assert "#14181D" in text
    assert archdsl("viz", "resnet_cifar:ResNetCifar20", "-o", path, "--depth", "3").code == 0
    assert path.read_text().count('[label="+"') == 9


def test_settings_and_inputs(archdsl, tmp_path: Path) -> None:
    path = tmp_path / "net.dot"
    assert archdsl("viz", "resnet50", "-o", path, "--set", "classes=17", "--input", "Nx3x64x96").code == 0
    assert "linear 17" in path.read_text()
    assert "at 64×96" in path.read_text()


def test_facts_as_json(archdsl, tmp_path: Path) -> None:
    ran = archdsl("viz", "lenet5", "-o", tmp_path / "net.svg", "--format", "json")
    facts = json.loads(ran.out)
    assert facts["ok"] is True
    assert facts["file"] == str(tmp_path / "net.svg")
    assert facts["caption"].startswith("LeNet5. 61,706 parameters")


def test_a_path_that_is_not_there(archdsl, tmp_path: Path) -> None:
    ran = archdsl("viz", "resnet50", "-o", tmp_path / "net.svg", "--open", "layer5.0", "--fold", "fold")
    assert ran.code == 1
    assert ran.err.count("error[A0804]") == 2
    assert "did you mean" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_spec_that_is_wrong_touches_no_file(archdsl, spec, tmp_path: Path) -> None:
    path = spec("model A { input x: [N, 3, 8, 8]; c: conv(4, 9); output y }")
    target = tmp_path / "net.svg"
    target.write_text("before")
    ran = archdsl("viz", path, "-o", target)
    assert ran.code == 1
    assert "error[A0302]" in ran.err
    assert target.read_text() == "before"


@pytest.mark.parametrize("arguments", [("-o", "net.jpg"), ("-o", "net"), ("--theme", "sepia"), ("--depth", "0")])
def test_wrong_usage(archdsl, arguments: tuple[str, str]) -> None:
    ran = archdsl("viz", "lenet5", *arguments)
    assert ran.code == 2
    assert ran.err.startswith("usage: archdsl viz")


def test_a_file_that_cannot_be_written(archdsl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = archdsl("viz", "lenet5", "-o", tmp_path / "file" / "net.svg")
    assert ran.code == 1
    assert "error[" in ran.err
