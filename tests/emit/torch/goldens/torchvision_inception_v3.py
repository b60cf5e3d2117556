"""inception_v3: image [N, 3, 299, 299] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
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


class InceptionA(nn.Module):
    """On 35x35: a 5x5 and a doubled 3x3."""

    def __init__(self, in_channels: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(in_channels, 64, 1)
        self.branch5x5_1 = Conv(in_channels, 48, 1)
        self.branch5x5_2 = Conv(48, 64, 5, pad=2)
        self.branch3x3dbl_1 = Conv(in_channels, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, pad=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, pad=1)
        self.branch_pool = Conv(in_channels, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        branch5x5 = self.branch5x5_2(self.branch5x5_1(x))
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        branch_pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat(
            [self.branch1x1(x), branch5x5, branch3x3dbl, branch_pool], dim=1
        )


class InceptionB(nn.Module):
    """From 35x35 to 17x17."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = Conv(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = Conv(288, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, pad=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat(
            [self.branch3x3(x), branch3x3dbl, F.max_pool2d(x, 3, stride=2)], dim=1
        )


class InceptionCConv(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: tuple[int, int],
        pad: tuple[int, int],
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            width,
            (kernel[0], kernel[1]),
            padding=(pad[0], pad[1]),
            bias=False,
        )
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class InceptionC(nn.Module):
    """On 17x17: a 7x7 and a doubled 7x7, in rows and columns."""

    def __init__(self, c7: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(768, 192, 1)
        self.branch7x7_1 = Conv(768, c7, 1)
        self.branch7x7_2 = InceptionCConv(c7, c7, (1, 7), (0, 3))
        self.branch7x7_3 = InceptionCConv(c7, 192, (7, 1), (3, 0))
        self.branch7x7dbl_1 = Conv(768, c7, 1)
        self.branch7x7dbl_2 = InceptionCConv(c7, c7, (7, 1), (3, 0))
        self.branch7x7dbl_3 = InceptionCConv(c7, c7, (1, 7), (0, 3))
        self.branch7x7dbl_4 = InceptionCConv(c7, c7, (7, 1), (3, 0))
        self.branch7x7dbl_5 = InceptionCConv(c7, 192, (1, 7), (0, 3))
        self.branch_pool = Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        branch7x7 = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        branch7x7dbl = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        branch7x7dbl = self.branch7x7dbl_5(self.branch7x7dbl_4(branch7x7dbl))
        branch_pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat(
            [self.branch1x1(x), branch7x7, branch7x7dbl, branch_pool], dim=1
        )


class InceptionAux(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv0 = Conv(768, 128, 1)
        self.conv1 = Conv(128, 768, 5)
        self.fc = nn.Linear(768, classes)
        nn.init.trunc_normal_(self.fc.weight, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv0(F.avg_pool2d(x, 5, stride=3))
        x = self.conv1(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(x)


class InceptionD(nn.Module):
    """From 17x17 to 8x8."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = Conv(768, 192, 1)
        self.branch3x3_2 = Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Conv(768, 192, 1)
        self.branch7x7x3_2 = InceptionCConv(192, 192, (1, 7), (0, 3))
        self.branch7x7x3_3 = InceptionCConv(192, 192, (7, 1), (3, 0))
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        branch3x3 = self.branch3x3_2(self.branch3x3_1(x))
        branch7x7x3 = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat(
            [branch3x3, self.branch7x7x3_4(branch7x7x3), F.max_pool2d(x, 3, stride=2)],
            dim=1,
        )


class InceptionE(nn.Module):
    """On 8x8: rows and columns side by side, for many channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(in_channels, 320, 1)
        self.branch3x3_1 = Conv(in_channels, 384, 1)
        self.branch3x3_2a = InceptionCConv(384, 384, (1, 3), (0, 1))
        self.branch3x3_2b = InceptionCConv(384, 384, (3, 1), (1, 0))
        self.branch3x3dbl_1 = Conv(in_channels, 448, 1)
        self.branch3x3dbl_2 = Conv(448, 384, 3, pad=1)
        self.branch3x3dbl_3a = InceptionCConv(384, 384, (1, 3), (0, 1))
        self.branch3x3dbl_3b = InceptionCConv(384, 384, (3, 1), (1, 0))
        self.branch_pool = Conv(in_channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        branch3x3 = self.branch3x3_1(x)
        branch = torch.cat(
            [self.branch3x3_2a(branch3x3), self.branch3x3_2b(branch3x3)], dim=1
        )
        branch3x3dbl = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        out = torch.cat(
            [self.branch3x3dbl_3a(branch3x3dbl), self.branch3x3dbl_3b(branch3x3dbl)],
            dim=1,
        )
        branch_pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([self.branch1x1(x), branch, out, branch_pool], dim=1)


class InceptionV3(nn.Module):
    """`auxiliary=false` leaves out the head that feeds gradient into the middle
    while training.
    """

    def __init__(self, classes: int = 1000, drop: float = 0.5) -> None:
        super().__init__()
        self.drop = drop
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, pad=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB()
        self.Mixed_6b = InceptionC(128)
        self.Mixed_6c = InceptionC(160)
        self.Mixed_6d = InceptionC(160)
        self.Mixed_6e = InceptionC(192)
        self.AuxLogits = InceptionAux(classes)
        self.Mixed_7a = InceptionD()
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.fc = nn.Linear(2048, classes)
        nn.init.trunc_normal_(self.fc.weight, std=0.1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.1)

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor | None]:
        x = self.Conv2d_1a_3x3(image)
        x = self.Conv2d_2a_3x3(x)
        x = F.max_pool2d(self.Conv2d_2b_3x3(x), 3, stride=2)
        x = self.Conv2d_3b_1x1(x)
        x = F.max_pool2d(self.Conv2d_4a_3x3(x), 3, stride=2)
        x = self.Mixed_5b(x)
        x = self.Mixed_5c(x)
        x = self.Mixed_5d(x)
        x = self.Mixed_6a(x)
        x = self.Mixed_6b(x)
        x = self.Mixed_6c(x)
        x = self.Mixed_6d(x)
        middle = self.Mixed_6e(x)
        aux = self.AuxLogits(middle) if self.training else None
        x = self.Mixed_7a(middle)
        x = self.Mixed_7b(x)
        x = self.Mixed_7c(x)
        x = F.adaptive_avg_pool2d(x, 1)
        x = torch.flatten(F.dropout(x, self.drop, training=self.training), 1)
        logits = self.fc(x)
        if self.training:
            return logits, aux
        return logits
