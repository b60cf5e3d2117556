"""Fine-tuning: weights of another training, all but the head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import archdsl
from archdsl.diagnostics.files import CannotRead, WeightsDiffer
from archdsl.errors import SpecError
from archdsl.training.start import start


def write(state: dict[str, Any], path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file({name: value.contiguous() for name, value in state.items()}, path)
    else:
        torch.save(
            {"state_dict": {f"network.{k}": v for k, v in state.items()}} if path.suffix == ".ckpt" else state, path
        )
    return path


@pytest.mark.parametrize("ending", [".pth", ".safetensors", ".ckpt"])
def test_torchvisions_weights_get_a_new_head(ending: str, tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.resnet18().state_dict()
    network = archdsl.load("resnet18", classes=17).module()
    head = network.fc.weight.clone()
    lines = start(network, write(theirs, tmp_path / f"w{ending}"), "ResNet18")
    assert lines == [
        f"120 of 122 weights from {tmp_path / f'w{ending}'}",
        "  replaced fc.bias: 1000 there, 17 here",
        "  replaced fc.weight: 1000×512 there, 17×512 here",
    ]
    assert torch.equal(network.fc.weight, head)
    for name, value in network.state_dict().items():
        assert name.startswith("fc.") or torch.equal(value, theirs[name])


def test_the_same_head_is_kept(tmp_path: Path) -> None:
    first, second = (archdsl.load("lenet5").module() for _ in range(2))
    lines = start(second, write(first.state_dict(), tmp_path / "w.pth"), "LeNet5")
    assert lines == [f"10 of 10 weights from {tmp_path / 'w.pth'}"]
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


def fault(network: nn.Module, path: Path) -> Any:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(SpecError) as caught:
        start(network, path, "Net")
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    return caught.value.diagnostics[0]


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = write(archdsl.load("resnet18").module().state_dict(), tmp_path / "w.pth")
    found = fault(archdsl.load("lenet5").module(), path)
    assert isinstance(found, WeightsDiffer)
    assert "missing: " in found.message
    wider = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    narrow = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
    found = fault(wider, write(narrow.state_dict(), tmp_path / "n.pth"))
    assert "of another shape: 1.weight (3×6, not 3×8)" in found.message


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.pth")
    (tmp_path / "text.safetensors").write_text("weights")
    for name in ("bomb.pth", "text.safetensors", "none.pth"):
        assert isinstance(fault(nn.Linear(2, 2), tmp_path / name), CannotRead)
    assert not (tmp_path / "exploded").exists()
