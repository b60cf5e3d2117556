"""efficientnet_b0: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """Stochastic depth: zero whole examples with probability p, scale up the others."""
    if not training or p == 0.0:
        return x
    kept = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1)).bernoulli_(1.0 - p)
    return x * (kept.div_(1.0 - p) if p < 1.0 else kept)


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
            layers.append(nn.SiLU())
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
        scale = F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.fc2(scale))


class MBConv(nn.Module):
    """Inverted bottleneck (Sandler et al., 2018): widens, filters each channel by
    itself, and narrows again.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int,
        stride: int,
        expand: int,
        drop: float,
    ) -> None:
        super().__init__()
        inner = make_divisible(expand * in_channels)
        self.has_drop_path = stride == 1 and in_channels == width
        self.drop = drop
        layers: list[nn.Module] = []
        if inner != in_channels:
            layers.append(ConvNorm(in_channels, inner, kernel=1))
        layers += [
            ConvNorm(inner, inner, kernel=kernel, stride=stride, groups=inner),
            SqueezeExcite(inner, max(in_channels // 4, 1)),
            ConvNorm(inner, width, kernel=1, act=False),
        ]
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        return (
            drop_path(out, self.drop, self.training) + x if self.has_drop_path else out
        )


class EfficientNet(nn.Module):
    """Stages are rows [unit, expansion, kernel, stride, width, depth]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvNorm(3, 32, stride=2),
            nn.Sequential(MBConv(32, 16, 3, 1, 1, 0.0)),
            nn.Sequential(
                MBConv(16, 24, 3, 2, 6, 0.0125), MBConv(24, 24, 3, 1, 6, 0.025)
            ),
            nn.Sequential(
                MBConv(24, 40, 5, 2, 6, 0.037500000000000006),
                MBConv(40, 40, 5, 1, 6, 0.05),
            ),
            nn.Sequential(
                MBConv(40, 80, 3, 2, 6, 0.0625),
                MBConv(80, 80, 3, 1, 6, 0.07500000000000001),
                MBConv(80, 80, 3, 1, 6, 0.08750000000000001),
            ),
            nn.Sequential(
                MBConv(80, 112, 5, 1, 6, 0.1),
                MBConv(112, 112, 5, 1, 6, 0.1125),
                MBConv(112, 112, 5, 1, 6, 0.125),
            ),
            nn.Sequential(
                MBConv(112, 192, 5, 2, 6, 0.1375),
                MBConv(192, 192, 5, 1, 6, 0.15000000000000002),
                MBConv(192, 192, 5, 1, 6, 0.1625),
                MBConv(192, 192, 5, 1, 6, 0.17500000000000002),
            ),
            nn.Sequential(MBConv(192, 320, 3, 1, 6, 0.1875)),
            ConvNorm(320, 1280, kernel=1),
        )
        linear = nn.Linear(1280, classes)
        nn.init.uniform_(linear.weight, -1 / classes**0.5, 1 / classes**0.5)
        nn.init.zeros_(linear.bias)
        self.classifier = nn.Sequential(nn.Dropout(0.2), linear)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.classifier(x)
