"""``archdsl compile``."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
import torch

import archdsl as package


def test_torch_source_stands_alone(archdsl, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    ran = archdsl("compile", "lenet5", "--set", "classes=3", "-o", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert "proved equal to the checked graph" in ran.out
    names: dict = {"__name__": "net"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert names["LeNet5"]()(torch.zeros(2, 1, 32, 32)).shape == (2, 3)
    assert archdsl("compile", "lenet5", "--set", "classes=3", "-o", "-").out == file.read_text()


def test_onnx_with_weights_verified(archdsl, tmp_path: Path) -> None:
    weights, file = tmp_path / "w.pth", tmp_path / "net.onnx"
    torch.save(package.load("lenet5").module().state_dict(), weights)
    arguments = ("compile", "lenet5", "--weights", str(weights), "-o", str(file), "--verify")
    ran = archdsl(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert "ONNX Runtime equals torch at N = 1 and N = 3" in ran.out
    model = onnx.load(file)
    stored = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    assert (stored["c1.weight"] == torch.load(weights, weights_only=True)["c1.weight"].numpy()).all()
    facts = json.loads(archdsl(*arguments, "--format", "json").out)
    assert facts["ok"]
    assert facts["bytes"] == file.stat().st_size
    assert facts["verified"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", "net.py", "--verify"),
        ("-o", "net.py", "--fold-bn"),
        ("-o", "net.py", "--to", "onnx"),
        ("-o", "net.onnx", "--to", "torch"),
        ("-o", "-", "--to", "onnx"),
    ],
)
def test_arguments_that_contradict_each_other(archdsl, arguments: tuple[str, ...]) -> None:
    ran = archdsl("compile", "lenet5", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "archdsl compile: error:" in ran.err


@pytest.mark.parametrize("name", ["net.py", "net.onnx"])
def test_a_file_is_not_touched_by_a_run_that_fails(archdsl, spec, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("precious")
    wrong = spec("model M { input x: [N, 3, 8, 8]; c: covn(4, 3); output y }")
    assert archdsl("compile", wrong, "-o", str(file)).code == 1
    (tmp_path / "w.pth").write_text("no weights")
    assert archdsl("compile", "lenet5", "--weights", str(tmp_path / "w.pth"), "-o", str(file)).code == 1
    assert file.read_text() == "precious"


def test_a_place_that_cannot_be_written(archdsl, tmp_path: Path) -> None:
    ran = archdsl("compile", "lenet5", "-o", str(tmp_path))
    assert ran.code == 1
    assert "error[A0609]: cannot write" in ran.err
