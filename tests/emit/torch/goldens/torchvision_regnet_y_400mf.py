"""regnet_y_400mf: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution, normalisation, activation: the first has a bias only where
    nothing normalises.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                stride=stride,
                padding=(kernel - 1) // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(width),
        ]
        if act:
            layers.append(nn.ReLU())
        super().__init__(*layers)


class SqueezeExcite(nn.Module):
    """Squeeze and excitation (Hu et al., 2018): the mean of each channel decides how
    much of each passes.
    """

    def __init__(self, in_channels: int, squeeze: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(in_channels, squeeze, 1)
        self.fc2 = nn.Conv2d(squeeze, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.fc2(scale))


class Unit(nn.Module):
    """Residual bottleneck with grouped 3x3 filters; Y gates the channels by squeeze
    and excitation.
    """

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.proj: nn.Module | None = None
        if stride != 1:
            self.proj = ConvNorm(in_channels, width, kernel=1, stride=stride, act=False)
        self.f = nn.Sequential()
        self.f.a = ConvNorm(in_channels, width, kernel=1)
        self.f.b = ConvNorm(width, width, stride=stride, groups=width // 8)
        self.f.se = SqueezeExcite(width, round(0.25 * in_channels))
        self.f.c = ConvNorm(width, width, kernel=1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        proj = x if self.proj is None else self.proj(x)
        return F.relu(proj + self.f(x))


class RegNet(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, stride=2)
        self.trunk_output = nn.Sequential()
        block1 = nn.Sequential()
        block1.add_module("block1-0", Unit(32, 48, 2))
        self.trunk_output.block1 = block1
        block2 = nn.Sequential()
        block2.add_module("block2-0", Unit(48, 104, 2))
        block2.add_module("block2-1", Unit(104, 104, 1))
        block2.add_module("block2-2", Unit(104, 104, 1))
        self.trunk_output.block2 = block2
        block3 = nn.Sequential()
        block3.add_module("block3-0", Unit(104, 208, 2))
        for i in range(5):
            block3.add_module(f"block3-{i + 1}", Unit(208, 208, 1))
        self.trunk_output.block3 = block3
        block4 = nn.Sequential()
        block4.add_module("block4-0", Unit(208, 440, 2))
        for i in range(5):
            block4.add_module(f"block4-{i + 1}", Unit(440, 440, 1))
        self.trunk_output.block4 = block4
        self.fc = nn.Linear(440, classes)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        x = self.trunk_output(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(x)
