"""efficientnet_v2_s: image [N, 3, 384, 384] to logits [N, 1000]."""

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
            nn.BatchNorm2d(width, eps=0.001),
        ]
        if act:
            layers.append(nn.SiLU())
        super().__init__(*layers)


class FusedMBConv(nn.Module):
    """Widens and filters in one convolution; does nothing else where it need not
    widen.
    """

    def __init__(
        self, in_channels: int, width: int, stride: int, expand: int, drop: float
    ) -> None:
        super().__init__()
        inner = make_divisible(expand * in_channels)
        self.stride = stride
        self.drop = drop
        layers: list[nn.Module] = [ConvNorm(in_channels, inner, stride=stride)]
        if inner != in_channels:
            layers.append(ConvNorm(inner, width, kernel=1, act=False))
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        return drop_path(out, self.drop, self.training) + x if self.stride == 1 else out


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
        self, in_channels: int, width: int, stride: int, expand: int, drop: float
    ) -> None:
        super().__init__()
        inner = make_divisible(expand * in_channels)
        self.has_drop_path = stride == 1 and in_channels == width
        self.drop = drop
        self.block = nn.Sequential(
            ConvNorm(in_channels, inner, kernel=1),
            ConvNorm(inner, inner, stride=stride, groups=inner),
            SqueezeExcite(inner, max(in_channels // 4, 1)),
            ConvNorm(inner, width, kernel=1, act=False),
        )

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
            ConvNorm(3, 24, stride=2),
            nn.Sequential(
                FusedMBConv(24, 24, 1, 1, 0.0), FusedMBConv(24, 24, 1, 1, 0.005)
            ),
            nn.Sequential(
                FusedMBConv(24, 48, 2, 4, 0.01),
                FusedMBConv(48, 48, 1, 4, 0.015000000000000003),
                FusedMBConv(48, 48, 1, 4, 0.02),
                FusedMBConv(48, 48, 1, 4, 0.025),
            ),
            nn.Sequential(
                FusedMBConv(48, 64, 2, 4, 0.030000000000000006),
                FusedMBConv(64, 64, 1, 4, 0.035),
                FusedMBConv(64, 64, 1, 4, 0.04),
                FusedMBConv(64, 64, 1, 4, 0.045),
            ),
            nn.Sequential(
                MBConv(64, 128, 2, 4, 0.05),
                MBConv(128, 128, 1, 4, 0.05500000000000001),
                MBConv(128, 128, 1, 4, 0.06000000000000001),
                MBConv(128, 128, 1, 4, 0.065),
                MBConv(128, 128, 1, 4, 0.07),
                MBConv(128, 128, 1, 4, 0.075),
            ),
            nn.Sequential(
                MBConv(128, 160, 1, 6, 0.08),
                MBConv(160, 160, 1, 6, 0.085),
                MBConv(160, 160, 1, 6, 0.09),
                MBConv(160, 160, 1, 6, 0.095),
                MBConv(160, 160, 1, 6, 0.1),
                MBConv(160, 160, 1, 6, 0.10500000000000001),
                MBConv(160, 160, 1, 6, 0.11000000000000001),
                MBConv(160, 160, 1, 6, 0.11500000000000002),
                MBConv(160, 160, 1, 6, 0.12000000000000002),
            ),
            nn.Sequential(
                MBConv(160, 256, 2, 6, 0.125),
                MBConv(256, 256, 1, 6, 0.13),
                MBConv(256, 256, 1, 6, 0.135),
                MBConv(256, 256, 1, 6, 0.14),
                MBConv(256, 256, 1, 6, 0.14500000000000002),
                MBConv(256, 256, 1, 6, 0.15),
                MBConv(256, 256, 1, 6, 0.155),
                MBConv(256, 256, 1, 6, 0.16),
                MBConv(256, 256, 1, 6, 0.165),
                MBConv(256, 256, 1, 6, 0.17),
                MBConv(256, 256, 1, 6, 0.175),
                MBConv(256, 256, 1, 6, 0.18),
                MBConv(256, 256, 1, 6, 0.185),
                MBConv(256, 256, 1, 6, 0.19),
                MBConv(256, 256, 1, 6, 0.195),
            ),
            ConvNorm(256, 1280, kernel=1),
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
