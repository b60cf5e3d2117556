"""shufflenet_v2_x1_0: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Unit(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.width = width
        self.branch1: nn.Module | None = None
        if stride != 1:
            self.branch1 = nn.Sequential(
                nn.Conv2d(
                    in_channels,
                    in_channels,
                    3,
                    stride=stride,
                    padding=1,
                    groups=in_channels,
                    bias=False,
                ),
                nn.BatchNorm2d(in_channels),
                nn.Conv2d(in_channels, width // 2, 1, bias=False),
                nn.BatchNorm2d(width // 2),
                nn.ReLU(),
            )
        layers: list[nn.Module] = []
        if stride == 1:
            layers.append(
                nn.Conv2d(in_channels - width // 2, width // 2, 1, bias=False)
            )
        else:
            layers.append(nn.Conv2d(in_channels, width // 2, 1, bias=False))
        layers += [
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.Conv2d(
                width // 2,
                width // 2,
                3,
                stride=stride,
                padding=1,
                groups=width // 2,
                bias=False,
            ),
            nn.BatchNorm2d(width // 2),
            nn.Conv2d(width // 2, width // 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
        ]
        self.branch2 = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if self.branch1 is None:
            branch = x[:, self.width // 2 :]
            branch1 = x[:, : self.width // 2]
        else:
            branch = x
            branch1 = self.branch1(x)
        x = torch.cat([branch1, self.branch2(branch)], dim=1)
        return torch.channel_shuffle(x, 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
        )
        self.stage2 = nn.Sequential(
            Unit(24, 116, 2), *(Unit(116, 116, 1) for _ in range(3))
        )
        self.stage3 = nn.Sequential(
            Unit(116, 232, 2), *(Unit(232, 232, 1) for _ in range(7))
        )
        self.stage4 = nn.Sequential(
            Unit(232, 464, 2), *(Unit(464, 464, 1) for _ in range(3))
        )
        self.conv5 = nn.Sequential(
            nn.Conv2d(464, 1024, 1, bias=False), nn.BatchNorm2d(1024), nn.ReLU()
        )
        self.fc = nn.Linear(1024, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.stage2(x)
        x = self.stage3(x)
        x = self.stage4(x)
        x = self.conv5(x).mean((2, 3))
        return self.fc(x)
