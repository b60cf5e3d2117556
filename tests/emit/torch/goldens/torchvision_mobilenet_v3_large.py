"""mobilenet_v3_large: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def nearest_multiple(v: int, d: int) -> int:
    return max(d, int(v + d / 2) // d * d)


def make_divisible(v: int, d: int = 8) -> int:
    """The multiple of d nearest to a width v, but not less than nine tenths of it
    (Sandler et al., 2018).
    """
    return nearest_multiple(v, d) + (d if nearest_multiple(v, d) < 0.9 * v else 0)


class ConvNorm(nn.Sequential):
    """Convolution, normalisation, activation: the first has a bias only where
    nothing normalises.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        act: type[nn.Module] | None,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
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
            nn.BatchNorm2d(width, eps=0.001, momentum=0.01),
        ]
        if act is not None:
            layers.append(act())
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
        return x * F.hardsigmoid(self.fc2(scale))


class InvertedResidual(nn.Module):
    """`inner` channels between `C` and `width`; where it is dilated, it keeps the
    size of the image instead of striding.
    """

    def __init__(
        self,
        in_channels: int,
        kernel: int,
        inner: int,
        width: int,
        se: bool,
        act: type[nn.Module],
        stride: int,
    ) -> None:
        super().__init__()
        self.is_residual = in_channels == width
        layers: list[nn.Module] = []
        if inner != in_channels:
            layers.append(ConvNorm(in_channels, inner, act, kernel=1))
        layers.append(
            ConvNorm(inner, inner, act, kernel=kernel, stride=stride, groups=inner)
        )
        if se:
            layers.append(SqueezeExcite(inner, make_divisible(inner // 4)))
        layers.append(ConvNorm(inner, width, None, kernel=1))
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        return out + x if self.is_residual else out


class Features(nn.Sequential):
    """All before the classifier. Rows are [kernel, inner width, width, squeeze and
    excitation, activation, stride].
    """

    def __init__(self) -> None:
        super().__init__(
            ConvNorm(3, 16, nn.Hardswish, stride=2),
            InvertedResidual(16, 3, 16, 16, False, nn.ReLU, 1),
            InvertedResidual(16, 3, 64, 24, False, nn.ReLU, 2),
            InvertedResidual(24, 3, 72, 24, False, nn.ReLU, 1),
            InvertedResidual(24, 5, 72, 40, True, nn.ReLU, 2),
            InvertedResidual(40, 5, 120, 40, True, nn.ReLU, 1),
            InvertedResidual(40, 5, 120, 40, True, nn.ReLU, 1),
            InvertedResidual(40, 3, 240, 80, False, nn.Hardswish, 2),
            InvertedResidual(80, 3, 200, 80, False, nn.Hardswish, 1),
            InvertedResidual(80, 3, 184, 80, False, nn.Hardswish, 1),
            InvertedResidual(80, 3, 184, 80, False, nn.Hardswish, 1),
            InvertedResidual(80, 3, 480, 112, True, nn.Hardswish, 1),
            InvertedResidual(112, 3, 672, 112, True, nn.Hardswish, 1),
            InvertedResidual(112, 5, 672, 160, True, nn.Hardswish, 2),
            InvertedResidual(160, 5, 960, 160, True, nn.Hardswish, 1),
            InvertedResidual(160, 5, 960, 160, True, nn.Hardswish, 1),
            ConvNorm(160, 960, nn.Hardswish, kernel=1),
        )


class MobileNetV3(nn.Module):
    def __init__(self, drop: float = 0.2, classes: int = 1000) -> None:
        super().__init__()
        self.features = Features()
        self.classifier = nn.Sequential(
            nn.Linear(960, 1280),
            nn.Hardswish(),
            nn.Dropout(drop),
            nn.Linear(1280, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.classifier(x)
