"""convnext_tiny: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """Stochastic depth: zero whole examples with probability p, scale up the others."""
    if not training or p == 0.0:
        return x
    kept = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1)).bernoulli_(1.0 - p)
    return x * (kept.div_(1.0 - p) if p < 1.0 else kept)


class LayerNorm2d(nn.LayerNorm):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class Permute(nn.Module):
    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(*self.dims)


class CNBlock(nn.Module):
    """Each channel filtered by itself over 7x7, then each place by a perceptron of
    its channels.
    """

    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.layer_scale = nn.Parameter(torch.full((in_channels, 1, 1), 1e-6))
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 7, padding=3, groups=in_channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(in_channels, eps=1e-6),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            Permute(0, 3, 1, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        out = out * self.layer_scale
        return drop_path(out, self.drop, self.training) + x


class ConvNeXt(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(3, 96, 4, stride=4),
                LayerNorm2d(96, eps=1e-6),
            ),
            nn.Sequential(
                CNBlock(96, 0.0),
                CNBlock(96, 0.1 / 17),
                CNBlock(96, 0.1 * 2 / 17),
            ),
            nn.Sequential(
                LayerNorm2d(96, eps=1e-6),
                nn.Conv2d(96, 192, 2, stride=2),
            ),
            nn.Sequential(
                CNBlock(192, 0.1 * 3 / 17),
                CNBlock(192, 0.1 * 4 / 17),
                CNBlock(192, 0.1 * 5 / 17),
            ),
            nn.Sequential(
                LayerNorm2d(192, eps=1e-6),
                nn.Conv2d(192, 384, 2, stride=2),
            ),
            nn.Sequential(*(CNBlock(384, 0.1 * (6 + i) / 17) for i in range(9))),
            nn.Sequential(
                LayerNorm2d(384, eps=1e-6),
                nn.Conv2d(384, 768, 2, stride=2),
            ),
            nn.Sequential(
                CNBlock(768, 0.1 * 15 / 17),
                CNBlock(768, 0.1 * 16 / 17),
                CNBlock(768, 0.1),
            ),
        )
        self.classifier = nn.Sequential(
            LayerNorm2d(768, eps=1e-6),
            nn.Flatten(),
            nn.Linear(768, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        return self.classifier(F.adaptive_avg_pool2d(x, 1))
