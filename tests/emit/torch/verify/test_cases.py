"""One text is proved for every network that its class stands for, and refused where it is not one of them."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.emit.torch.verify import Case, verify

from ..networks import model_of

RESNET = '''
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BasicUnit(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(out)) + shortcut)


class ResNet(nn.Module):
    """Written by hand: the depths of its four stages are an argument."""

    def __init__(self, depths: tuple[int, ...], classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicUnit(64, 64), *(BasicUnit(64, 64) for _ in range(depths[0] - 1)))
        self.layer2 = nn.Sequential(BasicUnit(64, 128, 2), *(BasicUnit(128, 128) for _ in range(depths[1] - 1)))
        self.layer3 = nn.Sequential(BasicUnit(128, 256, 2), *(BasicUnit(256, 256) for _ in range(depths[2] - 1)))
        self.layer4 = nn.Sequential(BasicUnit(256, 512, 2), *(BasicUnit(512, 512) for _ in range(depths[3] - 1)))
        self.fc = nn.Linear(512, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(image)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
'''


def member(name: str, *depths: int, classes: int = 1000) -> Case:
    """A member of specs/resnet.arch, with the arguments that should make it."""
    return Case(archdsl.load(name, classes=classes).graph, {"depths": depths, "classes": classes}, name)


def grown(*depths: int) -> Case:
    """A network of basic units with any depths, which the file does not declare."""
    model = archdsl.load("resnet18").vary(depths=list(depths))
    return Case(model.graph, {"depths": depths}, f"depths={list(depths)}")


def test_several_members_are_one_class() -> None:
    cases = [member("resnet18", 2, 2, 2, 2), member("resnet34", 3, 4, 6, 3), member("resnet18", 2, 2, 2, 2, classes=7)]
    assert verify(RESNET, "ResNet", cases) is None


def test_the_case_that_differs_is_named() -> None:
    failure = verify(RESNET, "ResNet", [member("resnet18", 2, 2, 2, 2), member("resnet34", 3, 4, 5, 3)])
    assert failure is not None
    assert failure.case is not None
    assert failure.case.name == "resnet34"
    assert failure.difference.what == "modules"
    assert failure.difference.place == "layer3.5"
    assert str(failure).startswith("resnet34: its module ['layer4']")


def test_a_member_of_other_blocks_is_refused() -> None:
    failure = verify(RESNET, "ResNet", [member("resnet50", 3, 4, 6, 3)])
    assert failure is not None
    assert failure.difference.place == "layer1.0.conv3", failure


DEEP = """arch 1
model Deep(depth = 3) {
  input x: [N, 8]
  body: seq { for i in 0..depth { linear(8) } }
  head: linear(2)
  output y
}
"""
FIRST_APART = """
from torch import Tensor, nn


class Deep(nn.Module):
    def __init__(self, depth: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), *(nn.Linear(8, 8) for _ in range(depth - 1)))
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))
"""


def depths(*values: int) -> list[Case]:
    model = model_of(DEEP)
    return [Case(model.vary(depth=d).graph, {"depth": d}, f"depth={d}") for d in values]


def test_boundary_values_are_asked_for_as_cases() -> None:
    """The first turn of a loop written apart is right wherever there is one."""
    assert verify(FIRST_APART, "Deep", depths(1, 2, 5)) is None
    failure = verify(FIRST_APART, "Deep", depths(3, 0))
    assert failure is not None
    assert failure.case is not None
    assert failure.case.name == "depth=0"
    right = FIRST_APART.replace("nn.Linear(8, 8), *(", "*(").replace("depth - 1", "depth")
    assert verify(right, "Deep", depths(0, 1, 2, 5)) is None


@pytest.mark.parametrize("arguments", [{}, {"depth": 2, "width": 8}, {"width": 8}])
def test_arguments_that_the_class_does_not_take(arguments: dict[str, object]) -> None:
    failure = verify(FIRST_APART, "Deep", [Case(model_of(DEEP).vary(depth=2).graph, arguments)])
    assert failure is not None


def test_operators_of_any_case_may_be_named() -> None:
    """A text for two networks names the functions of both."""
    model = model_of("arch 1\nmodel M(gate = false) { input x: [N, 4]; if gate { sigmoid } else { relu }; output y }")
    text = (
        "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\nclass M(nn.Module):\n"
        "    def __init__(self, gate: bool) -> None:\n        super().__init__()\n        self.gate = gate\n\n"
        "    def forward(self, x: Tensor) -> Tensor:\n        return torch.sigmoid(x) if self.gate else F.relu(x)\n"
    )
    closed, open_ = (Case(model.vary(gate=g).graph, {"gate": g}, f"gate={g}") for g in (False, True))
    assert verify(text, "M", [closed, open_]) is None
    assert "torch.sigmoid" in str(verify(text, "M", [closed]))
