"""densenet121: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """Normalises and activates first; 1x1 filters (B: bottleneck) sum up what has
    been collected.
    """

    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 128, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(F.relu(self.norm1(x)))
        x = self.conv2(F.relu(self.norm2(x)))
        return F.dropout(x, self.drop, training=self.training)


class Denseblock(nn.Module):
    def __init__(self, drop: float, depth: int, in_channels: int) -> None:
        super().__init__()
        for i in range(depth):
            self.add_module(
                f"denselayer{i + 1}", DenseLayer(in_channels + 32 * i, drop)
            )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Module):
    """Between two blocks: half of the channels (C: compression), and half of the
    image.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.relu(self.norm(x)))
        return F.avg_pool2d(x, 2)


class DenseNet(nn.Module):
    def __init__(self, drop: float = 0.0, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.conv0 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.features.norm0 = nn.BatchNorm2d(64)
        self.features.append(nn.ReLU())
        self.features.append(nn.MaxPool2d(3, stride=2, padding=1))
        self.features.denseblock1 = Denseblock(drop, 6, 64)
        self.features.transition1 = Transition(256)
        self.features.denseblock2 = Denseblock(drop, 12, 128)
        self.features.transition2 = Transition(512)
        self.features.denseblock3 = Denseblock(drop, 24, 256)
        self.features.transition3 = Transition(1024)
        self.features.denseblock4 = Denseblock(drop, 16, 512)
        self.features.norm5 = nn.BatchNorm2d(1024)
        self.classifier = nn.Linear(1024, classes)
        nn.init.zeros_(self.classifier.bias)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        x = torch.flatten(F.adaptive_avg_pool2d(F.relu(x), 1), 1)
        return self.classifier(x)
