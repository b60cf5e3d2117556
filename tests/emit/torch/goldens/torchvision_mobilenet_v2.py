"""mobilenet_v2: image [N, 3, 224, 224] to logits [N, 1000]."""

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
    ) -> None:
        super().__init__(
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
            nn.ReLU6(),
        )


class InvertedResidual(nn.Module):
    """Widens, filters each channel by itself, and narrows again without an
    activation, which would lose what few channels hold.
    """

    def __init__(self, in_channels: int, width: int, stride: int, expand: int) -> None:
        super().__init__()
        self.is_residual = stride == 1 and in_channels == width
        layers: list[nn.Module] = []
        if expand != 1:
            layers.append(ConvNorm(in_channels, expand * in_channels, kernel=1))
        layers += [
            ConvNorm(
                expand * in_channels,
                expand * in_channels,
                stride=stride,
                groups=expand * in_channels,
            ),
            nn.Conv2d(expand * in_channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv(x)
        return x + out if self.is_residual else out


class MobileNetV2(nn.Module):
    def __init__(self, drop: float = 0.2, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvNorm(3, 32, stride=2),
            InvertedResidual(32, 16, 1, 1),
            InvertedResidual(16, 24, 2, 6),
            InvertedResidual(24, 24, 1, 6),
            InvertedResidual(24, 32, 2, 6),
            InvertedResidual(32, 32, 1, 6),
            InvertedResidual(32, 32, 1, 6),
            InvertedResidual(32, 64, 2, 6),
            *(InvertedResidual(64, 64, 1, 6) for _ in range(3)),
            InvertedResidual(64, 96, 1, 6),
            InvertedResidual(96, 96, 1, 6),
            InvertedResidual(96, 96, 1, 6),
            InvertedResidual(96, 160, 2, 6),
            InvertedResidual(160, 160, 1, 6),
            InvertedResidual(160, 160, 1, 6),
            InvertedResidual(160, 320, 1, 6),
            ConvNorm(320, 1280, kernel=1),
        )
        linear = nn.Linear(1280, classes)
        nn.init.normal_(linear.weight, std=0.01)
        nn.init.zeros_(linear.bias)
        self.classifier = nn.Sequential(nn.Dropout(drop), linear)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.classifier(x)
