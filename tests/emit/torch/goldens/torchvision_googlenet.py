"""googlenet: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Module):
    def __init__(
        self, in_channels: int, width: int, kernel: int, stride: int = 1, pad: int = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, width, kernel, stride=stride, padding=pad, bias=False
        )
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(
        self,
        in_channels: int,
        c1: int,
        c3: tuple[int, int],
        c5: tuple[int, int],
        pool: int,
    ) -> None:
        super().__init__()
        self.branch1 = ConvNorm(in_channels, c1, 1)
        self.branch2 = nn.Sequential(
            ConvNorm(in_channels, c3[0], 1), ConvNorm(c3[0], c3[1], 3, pad=1)
        )
        self.branch3 = nn.Sequential(
            ConvNorm(in_channels, c5[0], 1), ConvNorm(c5[0], c5[1], 3, pad=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
            ConvNorm(in_channels, pool, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1
        )


class InceptionAux(nn.Module):
    def __init__(self, in_channels: int, classes: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.conv = ConvNorm(in_channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.flatten(self.conv(F.adaptive_avg_pool2d(x, 4)), 1)
        x = F.dropout(F.relu(self.fc1(x)), self.drop, training=self.training)
        return self.fc2(x)


class GoogLeNet(nn.Module):
    """`auxiliary=false` leaves out the two heads that feed gradient into the middle
    while training.
    """

    def __init__(
        self, classes: int = 1000, drop: float = 0.2, drop_aux: float = 0.7
    ) -> None:
        super().__init__()
        self.drop = drop
        self.conv1 = ConvNorm(3, 64, 7, stride=2, pad=3)
        self.conv2 = ConvNorm(64, 64, 1)
        self.conv3 = ConvNorm(64, 192, 3, pad=1)
        self.inception3a = Inception(192, 64, (96, 128), (16, 32), 32)
        self.inception3b = Inception(256, 128, (128, 192), (32, 96), 64)
        self.inception4a = Inception(480, 192, (96, 208), (16, 48), 64)
        self.inception4b = Inception(512, 160, (112, 224), (24, 64), 64)
        self.inception4c = Inception(512, 128, (128, 256), (24, 64), 64)
        self.inception4d = Inception(512, 112, (144, 288), (32, 64), 64)
        self.inception4e = Inception(528, 256, (160, 320), (32, 128), 128)
        self.inception5a = Inception(832, 256, (160, 320), (32, 128), 128)
        self.inception5b = Inception(832, 384, (192, 384), (48, 128), 128)
        self.aux1 = InceptionAux(512, classes, drop_aux)
        self.aux2 = InceptionAux(528, classes, drop_aux)
        self.fc = nn.Linear(1024, classes)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.01)

    def forward(
        self, image: Tensor
    ) -> Tensor | tuple[Tensor, Tensor | None, Tensor | None]:
        x = F.max_pool2d(self.conv1(image), 3, stride=2, ceil_mode=True)
        x = self.conv2(x)
        x = F.max_pool2d(self.conv3(x), 3, stride=2, ceil_mode=True)
        x = self.inception3a(x)
        x = self.inception3b(x)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        early = self.inception4a(x)
        x = self.inception4b(early)
        x = self.inception4c(x)
        late = self.inception4d(x)
        x = self.inception4e(late)
        x = F.max_pool2d(x, 2, ceil_mode=True)
        x = self.inception5a(x)
        x = self.inception5b(x)
        if self.training:
            first = self.aux1(early)
            second = self.aux2(late)
        else:
            first = None
            second = None
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        x = F.dropout(x, self.drop, training=self.training)
        logits = self.fc(x)
        if self.training:
            return logits, second, first
        return logits
