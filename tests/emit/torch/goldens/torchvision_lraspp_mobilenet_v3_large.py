"""lraspp_mobilenet_v3_large: image [N, 3, 520, 520] to out [N, 21, 520, 520]."""

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
        dilation: int = 1,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                stride=stride,
                padding=(kernel + 1) // 2 * dilation - dilation,
                dilation=dilation,
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
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.is_residual = in_channels == width
        self.dilation = dilation
        self.stride = stride
        layers: list[nn.Module] = []
        if inner != in_channels:
            layers.append(ConvNorm(in_channels, inner, act, kernel=1))
        if dilation == 1:
            layers.append(
                ConvNorm(
                    inner,
                    inner,
                    act,
                    kernel=kernel,
                    stride=stride,
                    groups=inner,
                    dilation=dilation,
                ),
            )
        if dilation == 1 and se:
            layers.append(SqueezeExcite(inner, make_divisible(inner // 4)))
        if dilation == 1:
            layers.append(ConvNorm(inner, width, None, kernel=1))
        else:
            layers += [
                ConvNorm(
                    inner, inner, act, kernel=kernel, groups=inner, dilation=dilation
                ),
                SqueezeExcite(inner, make_divisible(inner // 4)),
                ConvNorm(inner, width, None, kernel=1),
            ]
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.dilation == 1:
            x = out + x if self.is_residual else out
        else:
            x = out + x if self.stride == 1 else out
        return x


class DilatedMobileNet(nn.ModuleList):
    """MobileNetV3 up to its classifier, the last three units dilated, at a sixteenth
    of the resolution.
    """

    def __init__(self) -> None:
        super().__init__(
            [
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
                InvertedResidual(112, 5, 672, 160, True, nn.Hardswish, 2, dilation=2),
                InvertedResidual(160, 5, 960, 160, True, nn.Hardswish, 1, dilation=2),
                InvertedResidual(160, 5, 960, 160, True, nn.Hardswish, 1, dilation=2),
                ConvNorm(160, 960, nn.Hardswish, kernel=1),
            ],
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self[0](x)
        x = self[1](x)
        x = self[2](x)
        x = self[3](x)
        fine = self[4](x)
        x = self[5](fine)
        x = self[6](x)
        x = self[7](x)
        x = self[8](x)
        x = self[9](x)
        x = self[10](x)
        x = self[11](x)
        x = self[12](x)
        x = self[13](x)
        x = self[14](x)
        x = self[15](x)
        return fine, self[16](x)


class LRASPPHead(nn.Module):
    """The coarse map, each channel weighted by its mean, and the fine one:
    classified apart, and added.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.cbr = nn.Sequential(
            nn.Conv2d(960, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU()
        )
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(960, 128, 1, bias=False), nn.Sigmoid()
        )
        self.low_classifier = nn.Conv2d(40, classes, 1)
        self.high_classifier = nn.Conv2d(128, classes, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        x = self.cbr(coarse) * self.scale(coarse)
        resized = F.interpolate(x, size=fine.shape[2:], mode="bilinear")
        return self.low_classifier(fine) + self.high_classifier(resized)


class LrasppMobilenetV3Large(nn.Module):
    def __init__(self, classes: int = 21) -> None:
        super().__init__()
        self.backbone = DilatedMobileNet()
        self.classifier = LRASPPHead(classes)

    def forward(self, image: Tensor) -> Tensor:
        fine, coarse = self.backbone(image)
        x = self.classifier(fine, coarse)
        return F.interpolate(x, size=image.shape[2:], mode="bilinear")
