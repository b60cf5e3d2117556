"""r3d_18: video [N, 3, 16, 112, 112] to logits [N, 400]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Unit(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv3d(in_channels, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )
        self.conv2 = nn.Sequential(
            nn.Conv3d(width, width, 3, padding=1, bias=False), nn.BatchNorm3d(width)
        )
        self.downsample: nn.Module | None = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv3d(in_channels, width, 1, stride=stride, bias=False),
                nn.BatchNorm3d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(x)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.conv2(out) + shortcut)


class VideoResNet(nn.Module):
    """`Convs`: one for each stage."""

    def __init__(self, classes: int = 400) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(
                3, 64, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False
            ),
            nn.BatchNorm3d(64),
            nn.ReLU(),
        )
        self.layer1 = nn.Sequential(Unit(64, 64, 1), Unit(64, 64, 1))
        self.layer2 = nn.Sequential(Unit(64, 128, 2), Unit(128, 128, 1))
        self.layer3 = nn.Sequential(Unit(128, 256, 2), Unit(256, 256, 1))
        self.layer4 = nn.Sequential(Unit(256, 512, 2), Unit(512, 512, 1))
        self.fc = nn.Linear(512, classes)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, video: Tensor) -> Tensor:
        x = self.stem(video)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = torch.flatten(F.adaptive_avg_pool3d(x, 1), 1)
        return self.fc(x)
