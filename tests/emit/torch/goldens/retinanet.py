"""RetinaNet: image [N, 3, H, W] to logits [N, 9 * ((H + 127) // 128) * ((W +
127) // 128) + 9 * ((H + 15) // 16) * ((W + 15) // 16) + 9 * ((H + 31) // 32)
* ((W + 31) // 32) + 9 * ((H + 63) // 64) * ((W + 63) // 64) + 9 * ((H + 7) //
8) * ((W + 7) // 8), 91], boxes [N, 9 * ((H + 127) // 128) * ((W + 127) //
128) + 9 * ((H + 15) // 16) * ((W + 15) // 16) + 9 * ((H + 31) // 32) * ((W +
31) // 32) + 9 * ((H + 63) // 64) * ((W + 63) // 64) + 9 * ((H + 7) // 8) *
((W + 7) // 8), 4].
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
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


class Backbone(nn.Module):
    """Feature pyramid (Lin et al., 2017) with a shared head, RetinaNet's names."""

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
            Bottleneck(512, 256, stride=2), *(Bottleneck(1024, 256) for _ in range(5))
        )
        self.layer4 = nn.Sequential(
            Bottleneck(1024, 512, stride=2),
            Bottleneck(2048, 512),
            Bottleneck(2048, 512),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        c0 = self.layer1(x)
        c1 = self.layer2(c0)
        c2 = self.layer3(c1)
        c3 = self.layer4(c2)
        return c1, c2, c3


class ExtraBlocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(256, 256, 3, stride=2, padding=1)
        self.p7 = nn.Conv2d(256, 256, 3, stride=2, padding=1)

    def forward(self, p2: Tensor) -> tuple[Tensor, Tensor]:
        six = self.p6(p2)
        seven = self.p7(F.relu(six))
        return seven, six


class FPN(nn.Module):
    """A list of maps, finest first, gives a list as long, each of the same width,
    and two coarser ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(512, 256, 1)),
                nn.Sequential(nn.Conv2d(1024, 256, 1)),
                nn.Sequential(nn.Conv2d(2048, 256, 1)),
            ],
        )
        self.layer_blocks = nn.ModuleList(
            [*(nn.Sequential(nn.Conv2d(256, 256, 3, padding=1)) for _ in range(3))]
        )
        self.extra_blocks = ExtraBlocks()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(
        self, x: Tensor, out: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        y = self.inner_blocks[2](y)
        p2 = self.layer_blocks[2](y)
        lateral = self.inner_blocks[1](out)
        out = lateral + F.interpolate(y, size=lateral.shape[2:])
        p1 = self.layer_blocks[1](out)
        lateral = self.inner_blocks[0](x)
        x = lateral + F.interpolate(out, size=lateral.shape[2:])
        p0 = self.layer_blocks[0](x)
        seven, six = self.extra_blocks(p2)
        return p0, p1, p2, six, seven


class RetinaNetBackbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = Backbone()
        self.fpn = FPN()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        c1, c2, c3 = self.body(image)
        p0, p1, p2, six, seven = self.fpn(c1, c2, c3)
        return p0, p1, p2, six, seven


class Head(nn.Sequential):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU())
                for _ in range(4)
            ),
        )
        self.cls_logits = nn.Conv2d(256, 9 * classes, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.cls_logits.bias is not None:
            nn.init.constant_(self.cls_logits.bias, -4.59511985013459)


class Head2(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU())
                for _ in range(4)
            ),
        )
        self.bbox_reg = nn.Conv2d(256, 36, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.bbox_reg.bias is not None:
            nn.init.constant_(self.bbox_reg.bias, 0.0)


class RetinaNetHead(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classification_head = Head(classes)
        self.regression_head = Head2()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.classification_head(x), self.regression_head(x)


class RetinaNet(nn.Module):
    def __init__(self, classes: int = 91) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = RetinaNetBackbone()
        self.head = RetinaNetHead(classes)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        p0, p1, p2, six, seven = self.backbone(image)
        x, out = self.head(p0)
        y, z = self.head(p1)
        u, v = self.head(p2)
        x2, x3 = self.head(six)
        x4, x5 = self.head(seven)
        x = x.unflatten(1, (-1, self.classes)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        y = y.unflatten(1, (-1, self.classes)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        u = u.unflatten(1, (-1, self.classes)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        x2 = x2.unflatten(1, (-1, self.classes)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        x4 = x4.unflatten(1, (-1, self.classes)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        out = out.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        z = z.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        v = v.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        x3 = x3.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        boxes = torch.cat(
            [
                out,
                z,
                v,
                x3,
                x5.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3),
            ],
            dim=1,
        )
        return torch.cat([x, y, u, x2, x4], dim=1), boxes
