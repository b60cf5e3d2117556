"""GoogLeNet: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Inception(nn.Module):
    """Four views of one place: 1x1, 3x3 and 5x5 filters, the larger two behind 1x1
    bottlenecks, and a pool.
    """

    def __init__(
        self,
        in_channels: int,
        c1: int,
        c3: tuple[int, int],
        c5: tuple[int, int],
        pool: int,
    ) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(in_channels, c1, 1)
        self.reduce3x3 = nn.Conv2d(in_channels, c3[0], 1)
        self.conv3x3 = nn.Conv2d(c3[0], c3[1], 3, padding=1)
        self.reduce5x5 = nn.Conv2d(in_channels, c5[0], 1)
        self.conv5x5 = nn.Conv2d(c5[0], c5[1], 5, padding=2)
        self.pool_proj = nn.Conv2d(in_channels, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        conv1x1 = F.relu(self.conv1x1(x))
        conv3x3 = self.conv3x3(F.relu(self.reduce3x3(x)))
        conv3x3 = F.relu(conv3x3)
        conv5x5 = self.conv5x5(F.relu(self.reduce5x5(x)))
        conv5x5 = F.relu(conv5x5)
        branch = F.max_pool2d(x, 3, stride=1, padding=1, ceil_mode=True)
        return torch.cat(
            [conv1x1, conv3x3, conv5x5, F.relu(self.pool_proj(branch))], dim=1
        )


class Auxiliary(nn.Module):
    """A classifier on the middle of the network."""

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(F.avg_pool2d(x, 5, stride=3)))
        x = torch.flatten(x, 1)
        x = F.dropout(F.relu(self.fc1(x)), 0.7, training=self.training)
        return self.fc2(x)


class GoogLeNet(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.conv2_reduce = nn.Conv2d(64, 64, 1)
        self.conv2 = nn.Conv2d(64, 192, 3, padding=1)
        self.inception_3a = Inception(192, 64, (96, 128), (16, 32), 32)
        self.inception_3b = Inception(256, 128, (128, 192), (32, 96), 64)
        self.inception_4a = Inception(480, 192, (96, 208), (16, 48), 64)
        self.aux1 = Auxiliary(512, classes)
        self.inception_4b = Inception(512, 160, (112, 224), (24, 64), 64)
        self.inception_4c = Inception(512, 128, (128, 256), (24, 64), 64)
        self.inception_4d = Inception(512, 112, (144, 288), (32, 64), 64)
        self.aux2 = Auxiliary(528, classes)
        self.inception_4e = Inception(528, 256, (160, 320), (32, 128), 128)
        self.inception_5a = Inception(832, 256, (160, 320), (32, 128), 128)
        self.inception_5b = Inception(832, 384, (192, 384), (48, 128), 128)
        self.fc = nn.Linear(1024, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.constant_(module.bias, 0.2)
            elif isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(
        self, image: Tensor
    ) -> Tensor | tuple[Tensor, Tensor | None, Tensor | None]:
        x = F.max_pool2d(F.relu(self.conv1(image)), 3, stride=2, ceil_mode=True)
        x = F.local_response_norm(x, 5)
        x = F.relu(self.conv2_reduce(x))
        x = F.local_response_norm(F.relu(self.conv2(x)), 5)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        x = self.inception_3a(x)
        x = self.inception_3b(x)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        x = self.inception_4a(x)
        aux1 = self.aux1(x) if self.training else None
        x = self.inception_4b(x)
        x = self.inception_4c(x)
        x = self.inception_4d(x)
        aux2 = self.aux2(x) if self.training else None
        x = self.inception_4e(x)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        x = self.inception_5a(x)
        x = self.inception_5b(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        x = F.dropout(x, 0.4, training=self.training)
        logits = self.fc(x)
        if self.training:
            return logits, aux1, aux2
        return logits
