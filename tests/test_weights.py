"""Checkpoints from disk: what loads, what is refused, and what is said then. None of them may run code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import archdsl
from archdsl.diagnostics.base import Diagnostic
from archdsl.weights import misfit, read_weights

MODEL = archdsl.load("lenet5")


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return MODEL.module().state_dict()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("form", ["pth", "safetensors", "ckpt"])
def test_forms_of_a_checkpoint(form: str, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / f"weights.{form}"
    match form:
        case "pth":
            torch.save(state, path)
        case "safetensors":
            save_file(state, path)
        case "ckpt":  # as Lightning writes it
            torch.save({"state_dict": {f"network.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    found = read_weights(path)
    assert not isinstance(found, Diagnostic)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[k], state[k]) for k in state)
    assert misfit(MODEL.graph, found, str(path)) is None


@pytest.mark.parametrize("wrapped", [True, False], ids=["torch.save", "pickle"])
def test_a_hostile_pickle_is_refused_and_does_not_run(wrapped: bool, tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pth", tmp_path / "ran"
    if wrapped:
        torch.save({"weight": Hostile(target)}, path)
    else:
        path.write_bytes(pickle.dumps(Hostile(target), protocol=2))
    found = read_weights(path)
    assert isinstance(found, Diagnostic)
    assert "could run code" in found.message
    assert "weights_only" not in found.message + found.help
    assert not target.exists()


def test_a_pickled_module_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    found = read_weights(tmp_path / "whole.pth")
    assert isinstance(found, Diagnostic)
    assert "state_dict" in found.help


@pytest.mark.parametrize("contents", [b"", b"root:x:0:0", b"PK\x03\x04 cut off", b"\xff" * 100])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_what_is_no_checkpoint(contents: bytes, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(contents)
    found = read_weights(path)
    assert isinstance(found, Diagnostic)
    assert found.message.endswith("it is no checkpoint, or damaged")


@pytest.mark.parametrize(
    "held",
    [5, [1, 2], {}, {"x": "y"}, {5: torch.zeros(2)}, {"state_dict": 5}, {"state_dict": {5: torch.zeros(2)}}, {
        "state_dict": {"c1.weight": 5}}],
)  # fmt: skip
def test_a_checkpoint_that_holds_something_else(held: Any, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "weights.pth")
    assert "it holds no state dict" in _message(read_weights(tmp_path / "weights.pth"))


@pytest.mark.parametrize("form", [torch.Tensor.to_sparse, lambda t: t.to("meta"), lambda t: t.to(torch.complex64)])
def test_weights_that_are_no_plain_numbers(form: Any, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save({name: form(tensor) for name, tensor in state.items()}, tmp_path / "weights.pth")
    assert "holds no plain numbers" in _message(read_weights(tmp_path / "weights.pth"))


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in _message(read_weights(tmp_path / "none.pth"))
    assert "it is a folder" in _message(read_weights(tmp_path))


def test_weights_of_another_network(state: dict[str, torch.Tensor]) -> None:
    less = {k: v for k, v in state.items() if k != "c1.bias"}
    assert "missing: c1.bias" in _message(misfit(MODEL.graph, less, "w"))
    assert "unexpected: more" in _message(misfit(MODEL.graph, {**state, "more": torch.zeros(1)}, "w"))
    other = {**state, "c1.weight": torch.zeros(6, 1, 3, 3)}
    assert "c1.weight is [6, 1, 3, 3], not [6, 1, 5, 5]" in _message(misfit(MODEL.graph, other, "w"))


def _message(found: object) -> str:
    assert isinstance(found, Diagnostic)
    return found.message
