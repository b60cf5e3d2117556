"""ResNetCifar20: image [N, 3, 32, 32] to logits [N, 10]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Unit(nn.Module):
    """The residual networks for small images (He et al., 2015, section 4.2): three
    stages of 16, 32 and 64 channels, and shortcuts without parameters: where the
    size changes, the identity skips every second pixel and is padded with zeros.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


class Unit2(nn.Module):
    """The residual networks for small images (He et al., 2015, section 4.2): three
    stages of 16, 32 and 64 channels, and shortcuts without parameters: where the
    size changes, the identity skips every second pixel and is padded with zeros.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        in_channels = x.shape[1]
        out = F.relu(self.bn1(self.conv1(x)))
        shortcut = x[:, :, ::2, ::2]
        shortcut = F.pad(
            shortcut,
            (
                0,
                0,
                0,
                0,
                (in_channels + self.width) // 2 - in_channels,
                (in_channels + self.width) // 2 - in_channels,
            ),
        )
        return F.relu(self.bn2(self.conv2(out)) + shortcut)


class ResNetCifar20(nn.Module):
    """`n` units a stage make 6n + 2 layers."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Unit(16) for _ in range(3)))
        self.layer2 = nn.Sequential(Unit2(16, 32), Unit(32), Unit(32))
        self.layer3 = nn.Sequential(Unit2(32, 64), Unit(64), Unit(64))
        self.fc = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(image)))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(x)
