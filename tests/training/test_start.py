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
from archdsl.training.spec import SpecTrainable
from archdsl.training.start import start
from archdsl.training.trainable import Network


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
    built = network("resnet18", 17, 3, 224)
    module = built.module
    head = module.fc.weight.clone()
    lines = start(built, str(write(theirs, tmp_path / f"w{ending}")), "ResNet18")
    wrapped = ["  read from the entry `state_dict`", "  removed the prefix `network.` from the names"]
    assert lines == [
        f"120 of 122 weights from {tmp_path / f'w{ending}'}",
        *(wrapped if ending == ".ckpt" else []),
        "  replaced fc.bias: 1000 in the file, 17 in the network",
        "  replaced fc.weight: 1000×512 in the file, 17×512 in the network",
    ]
    assert torch.equal(module.fc.weight, head)
    for name, value in module.state_dict().items():
        assert name.startswith("fc.") or torch.equal(value, theirs[name])


def test_the_same_head_is_kept(tmp_path: Path) -> None:
    first, second = (network("lenet5", 10, 1, 32) for _ in range(2))
    lines = start(second, str(write(first.module.state_dict(), tmp_path / "w.pth")), "LeNet5")
    assert lines == [f"10 of 10 weights from {tmp_path / 'w.pth'}"]
    torch.testing.assert_close(first.module.state_dict(), second.module.state_dict(), rtol=0, atol=0)


def test_a_missing_head_is_new(tmp_path: Path) -> None:
    built = network("resnet18", 17, 3, 64)
    state = {f"backbone.{k}": v for k, v in built.module.state_dict().items() if not k.startswith("fc.")}
    lines = start(built, str(write(state, tmp_path / "w.pth")), "ResNet18")
    assert lines[2:] == ["  new fc.bias: the file has no such head", "  new fc.weight: the file has no such head"]


def test_auxiliary_heads_may_be_missing_or_superfluous(tmp_path: Path) -> None:
    built = network("googlenet", 17, 3, 224)
    state = built.module.state_dict()
    less = {k: v for k, v in state.items() if not k.startswith("aux")}
    assert any(
        line.startswith("  new aux1.") for line in start(built, str(write(less, tmp_path / "l.pth")), "GoogLeNet")
    )
    more = {**state, "aux9.fc.weight": torch.zeros(3)}
    assert "  not used aux9.fc.weight" in start(built, str(write(more, tmp_path / "m.pth")), "GoogLeNet")


def test_a_deeper_network_is_another(tmp_path: Path) -> None:
    state = archdsl.load("resnet34").module().state_dict()
    found = fault(network("resnet18", 1000, 3, 224), write(state, tmp_path / "w.pth"))
    assert "unexpected: layer1.2.conv1.weight" in found.message


def network(name: str, classes: int, channels: int, side: int) -> Network:
    return SpecTrainable(archdsl.load(name)).build(classes=classes, channels=channels, size=(side, side))


def plain(module: nn.Module, heads: tuple[str, ...] = ()) -> Network:
    return Network(module=module, source="", export=lambda path, state: None, heads=heads)


def fault(built: Network, path: Path) -> Any:
    before = {name: value.clone() for name, value in built.module.state_dict().items()}
    with pytest.raises(SpecError) as caught:
        start(built, str(path), "Net")
    torch.testing.assert_close(dict(built.module.state_dict()), before, rtol=0, atol=0)
    return caught.value.diagnostics[0]


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = write(archdsl.load("resnet18").module().state_dict(), tmp_path / "w.pth")
    found = fault(network("lenet5", 10, 1, 32), path)
    assert isinstance(found, WeightsDiffer)
    assert "missing: " in found.message
    wider = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    narrow = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
    found = fault(plain(wider, heads=("1.weight", "1.bias")), write(narrow.state_dict(), tmp_path / "n.pth"))
    assert "1.weight is [3, 6], not [3, 8]" in found.message


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.pth")
    (tmp_path / "text.safetensors").write_text("weights")
    for name in ("bomb.pth", "text.safetensors", "none.pth"):
        assert isinstance(fault(plain(nn.Linear(2, 2)), tmp_path / name), CannotRead)
    assert not (tmp_path / "exploded").exists()
