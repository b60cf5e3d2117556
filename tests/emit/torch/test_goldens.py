"""Emitted files as they were last read by a person: one of each family, and one that uses everything.

After a change of the back end write them anew, and read what changed, with `python -m tests.emit.torch.test_goldens`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.compiler import library_root

from .networks import SPECS

FOLDER = Path(__file__).with_name("goldens")
NAMES = {
    "lenet5": "lenet5", "alexnet": "alexnet", "vgg11_bn": "vgg11_bn", "googlenet": "googlenet", "resnet50": "resnet50",
    "resnet_cifar20": "resnet_cifar20", "everything": str(SPECS / "everything.arch"),
    "unet": str(SPECS / "unet.arch"), "retinanet": str(SPECS / "fpn.arch"),
}  # fmt: skip
FAMILIES = (
    "alexnet", "convnext_tiny", "deeplabv3_resnet50", "densenet121", "efficientnet_b0", "efficientnet_v2_s",
    "fcn_resnet50", "googlenet", "inception_v3", "lraspp_mobilenet_v3_large", "maxvit_t", "mnasnet1_0", "mobilenet_v2",
    "mobilenet_v3_large", "r3d_18", "regnet_y_400mf", "resnet18", "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t",
    "swin_v2_t", "vgg11", "vit_b_16",
)  # fmt: skip
"""One of each family that torchvision has."""


def goldens() -> dict[str, str]:
    """The names of the files, and the specs that they are of."""
    text = "".join(p.read_text(encoding="utf-8") for p in (library_root() / "torchvision").glob("*.arch"))
    shipped = [name for name in FAMILIES if f"model {name} " in text or f"model {name}(" in text]
    return {**NAMES, **{f"torchvision_{name}": f"torchvision/{name}" for name in shipped}}


@pytest.mark.parametrize("name", goldens())
def test_the_file_is_the_one_that_was_read(name: str) -> None:
    model = archdsl.load(goldens()[name])
    assert model.source_warnings == ()
    assert model.source() == (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_no_file_is_left_over() -> None:
    assert {p.stem for p in FOLDER.glob("*.py")} == set(goldens())


def test_types() -> None:
    """All of them pass a type checker."""
    pytest.importorskip("torch")
    from .conditions import types

    assert types([FOLDER]) == ""


if __name__ == "__main__":
    for name, spec in goldens().items():
        (FOLDER / f"{name}.py").write_text(archdsl.load(spec).source(), encoding="utf-8")
