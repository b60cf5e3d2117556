"""deeplabv3_resnet50: image [N, 3, 520, 520] to out [N, 21, 520, 520], aux [N,
21, 520, 520].
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 ones that narrow and widen again. The paper
    strides in the first 1x1 (`stride_first`); torchvision, and all since, in the
    3x3. Later papers make the 3x3 `wider`, split it into `groups` (Xie et al.,
    2016) or dilate it.
    """

    def __init__(
        self, in_channels: int, width: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(
            width,
            width,
            3,
            stride=stride,
            padding=dilation,
            dilation=dilation,
            bias=False,
        )
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * width),
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(out)) + shortcut)


class DilatedResNet(nn.Module):
    """ResNet up to its classifier; the last two stages see as far as ever, at an
    eighth of the resolution.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(
            Bottleneck(64, 64), Bottleneck(256, 64), Bottleneck(256, 64)
        )
        self.layer2 = nn.Sequential(
            Bottleneck(256, 128, stride=2), *(Bottleneck(512, 128) for _ in range(3))
        )
        self.layer3 = nn.Sequential(
            Bottleneck(512, 256), *(Bottleneck(1024, 256, dilation=2) for _ in range(5))
        )
        self.layer4 = nn.Sequential(
            Bottleneck(1024, 512, dilation=2),
            Bottleneck(2048, 512, dilation=4),
            Bottleneck(2048, 512, dilation=4),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        c1 = self.layer1(x)
        c2 = self.layer2(c1)
        c3 = self.layer3(c2)
        c4 = self.layer4(c3)
        return c3, c4


class ConvNorm(nn.Sequential):
    """Convolution, normalisation, activation: the first has a bias only where
    nothing normalises.
    """

    def __init__(self, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(
                2048,
                256,
                kernel,
                padding=(kernel + 1) // 2 * dilation - dilation,
                dilation=dilation,
                bias=False,
            ),
            nn.BatchNorm2d(256),
            nn.ReLU(),
        )


class Mean(nn.ModuleList):
    def __init__(self) -> None:
        super().__init__(
            [
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(2048, 256, 1, bias=False),
                nn.BatchNorm2d(256),
                nn.ReLU(),
            ],
        )

    def forward(self, map: Tensor) -> Tensor:
        x = self[2](self[1](self[0](map)))
        x = self[3](x)
        return F.interpolate(x, size=map.shape[2:], mode="bilinear")


class Convs(nn.ModuleList):
    def __init__(self) -> None:
        super().__init__(
            [
                ConvNorm(kernel=1),
                *(ConvNorm(dilation=12 + 12 * i) for i in range(3)),
                Mean(),
            ],
        )

    def forward(self, map: Tensor) -> Tensor:
        return torch.cat(
            [self[0](map), self[1](map), self[2](map), self[3](map), self[4](map)],
            dim=1,
        )


class ASPP(nn.Sequential):
    """Each place, its surroundings at three scales, and the mean of the whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = Convs()
        self.project = nn.Sequential(
            nn.Conv2d(1280, 256, 1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Dropout(),
        )


class DeepLabHead(nn.Sequential):
    def __init__(self, classes: int) -> None:
        super().__init__(
            ASPP(),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, classes, 1),
        )


class FCNHead(nn.Sequential):
    def __init__(self, classes: int) -> None:
        super().__init__(
            nn.Conv2d(1024, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(256, classes, 1),
        )


class Segmenter(nn.Module):
    """The fine map is classified too, to guide the training."""

    def __init__(self, classes: int = 21) -> None:
        super().__init__()
        self.backbone = DilatedResNet()
        self.classifier = DeepLabHead(classes)
        self.aux_classifier = FCNHead(classes)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        fine, coarse = self.backbone(image)
        x = self.classifier(coarse)
        out = F.interpolate(x, size=image.shape[2:], mode="bilinear")
        x = self.aux_classifier(fine)
        return out, F.interpolate(x, size=image.shape[2:], mode="bilinear")
