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
            nn.Sequential(nn.Conv2d(3, 96, 4, stride=4), LayerNorm2d(96, eps=1e-6)),
            nn.Sequential(
                CNBlock(96, 0.0),
                CNBlock(96, 0.0058823529411764705),
                CNBlock(96, 0.011764705882352941),
            ),
            nn.Sequential(LayerNorm2d(96, eps=1e-6), nn.Conv2d(96, 192, 2, stride=2)),
            nn.Sequential(
                CNBlock(192, 0.017647058823529415),
                CNBlock(192, 0.023529411764705882),
                CNBlock(192, 0.029411764705882353),
            ),
            nn.Sequential(LayerNorm2d(192, eps=1e-6), nn.Conv2d(192, 384, 2, stride=2)),
            nn.Sequential(
                CNBlock(384, 0.03529411764705883),
                CNBlock(384, 0.0411764705882353),
                CNBlock(384, 0.047058823529411764),
                CNBlock(384, 0.052941176470588235),
                CNBlock(384, 0.058823529411764705),
                CNBlock(384, 0.06470588235294118),
                CNBlock(384, 0.07058823529411766),
                CNBlock(384, 0.07647058823529412),
                CNBlock(384, 0.0823529411764706),
            ),
            nn.Sequential(LayerNorm2d(384, eps=1e-6), nn.Conv2d(384, 768, 2, stride=2)),
            nn.Sequential(
                CNBlock(768, 0.08823529411764706),
                CNBlock(768, 0.09411764705882353),
                CNBlock(768, 0.1),
            ),
        )
        self.classifier = nn.Sequential(
            LayerNorm2d(768, eps=1e-6), nn.Flatten(), nn.Linear(768, classes)
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
        x = F.adaptive_avg_pool2d(x, 1)
        return self.classifier(x)
