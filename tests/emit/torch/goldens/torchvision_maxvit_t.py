"""maxvit_t: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """Stochastic depth: zero whole examples with probability p, scale up the others."""
    if not training or p == 0.0:
        return x
    kept = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1)).bernoulli_(1.0 - p)
    return x * (kept.div_(1.0 - p) if p < 1.0 else kept)


def distances(p: int) -> list[int]:
    """For each pair of places in a window of p x p, the number of their distance: -p
    < dy, dx < p.
    """
    return [
        (yi - yj + p - 1) * (2 * p - 1) + xi - xj + p - 1
        for yi in range(p)
        for xi in range(p)
        for yj in range(p)
        for xj in range(p)
    ]


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
        norm: bool = True,
    ) -> None:
        layers: list[nn.Module] = []
        if norm:
            layers += [
                nn.Conv2d(
                    in_channels,
                    width,
                    kernel,
                    stride=stride,
                    padding=(kernel - 1) // 2,
                    groups=groups,
                    bias=False,
                ),
                nn.BatchNorm2d(width, eps=0.001, momentum=0.01),
                nn.GELU(),
            ]
        else:
            layers.append(
                nn.Conv2d(
                    in_channels,
                    width,
                    kernel,
                    stride=stride,
                    padding=(kernel - 1) // 2,
                    groups=groups,
                ),
            )
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
        scale = F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.fc2(scale))


class MBConv(nn.Module):
    """Inverted bottleneck, normalised before; where it halves the map, the shortcut
    takes means.
    """

    def __init__(self, in_channels: int, width: int, stride: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.proj: nn.Module | None = None
        if stride != 1:
            self.proj = nn.Sequential(
                nn.AvgPool2d(3, stride=2, padding=1), nn.Conv2d(in_channels, width, 1)
            )
        self.layers = nn.Sequential()
        self.layers.pre_norm = nn.BatchNorm2d(in_channels, eps=0.001, momentum=0.01)
        self.layers.conv_a = ConvNorm(in_channels, 4 * width, kernel=1)
        self.layers.conv_b = ConvNorm(
            4 * width, 4 * width, stride=stride, groups=4 * width
        )
        self.layers.squeeze_excitation = SqueezeExcite(4 * width, width // 4)
        self.layers.conv_c = nn.Conv2d(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        proj = x if self.proj is None else self.proj(x)
        layers = self.layers(x)
        return proj + drop_path(layers, self.drop, self.training)


class Attention(nn.Module):
    """Among the p x p places of each group, with a learned bias for each distance."""

    relative_position_index: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.relative_position_bias_table = nn.Parameter(torch.empty(169, dim // 32))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer(
            "relative_position_index", torch.tensor(distances(7)).unflatten(0, (49, -1))
        )
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.merge = nn.Linear(dim // (dim // 32) * (dim // 32), dim)

    def forward(self, x: Tensor) -> Tensor:
        out = self.to_qkv(x)
        out = out.unflatten(3, (3, x.shape[3] // 32, -1)).permute(3, 0, 1, 4, 2, 5)
        q, k, v = out.unbind()
        x = torch.einsum("nghid,nghjd->nghij", q, k * x.shape[3] ** -0.5)
        out = self.relative_position_bias_table[self.relative_position_index]
        x = x + out.permute(2, 0, 1)
        x = torch.einsum("nghij,nghjd->ngihd", F.softmax(x, dim=-1), v).flatten(3)
        return self.merge(x)


class PartitionAttention(nn.Module):
    """A group is a window of p x p neighbours, or a grid of p x p places spread over
    the whole map.
    """

    def __init__(self, in_channels: int, is_grid: bool, drop: float) -> None:
        super().__init__()
        self.is_grid = is_grid
        self.drop = drop
        self.attn_layer = nn.Sequential(
            nn.LayerNorm(in_channels), Attention(in_channels), nn.Dropout(0.0)
        )
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            nn.Dropout(0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.is_grid:
            out = (
                x.unflatten(3, (7, -1))
                .unflatten(2, (7, -1))
                .permute(0, 3, 5, 2, 4, 1)
                .flatten(3, 4)
                .flatten(1, 2)
            )
            y = self.attn_layer(out)
            out = drop_path(y, self.drop, self.training) + out
            y = self.mlp_layer(out)
            out = drop_path(y, self.drop, self.training) + out
            x = (
                out.unflatten(2, (7, -1))
                .unflatten(1, (x.shape[2] // 7, -1))
                .permute(0, 5, 3, 1, 4, 2)
                .flatten(4)
                .flatten(2, 3)
            )
        else:
            out = (
                x.unflatten(3, (-1, 7))
                .unflatten(2, (-1, 7))
                .permute(0, 2, 4, 3, 5, 1)
                .flatten(3, 4)
                .flatten(1, 2)
            )
            y = self.attn_layer(out)
            out = drop_path(y, self.drop, self.training) + out
            y = self.mlp_layer(out)
            out = drop_path(y, self.drop, self.training) + out
            x = (
                out.unflatten(2, (7, -1))
                .unflatten(1, (x.shape[2] // 7, -1))
                .permute(0, 5, 1, 3, 2, 4)
                .flatten(4)
                .flatten(2, 3)
            )
        return x


class Layer(nn.Sequential):
    def __init__(self, in_channels: int, width: int, drop: float) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.MBconv = MBConv(in_channels, width, 2, drop)
        self.layers.window_attention = PartitionAttention(width, False, drop)
        self.layers.grid_attention = PartitionAttention(width, True, drop)


class Layer2(nn.Sequential):
    def __init__(self, width: int, drop: float) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.MBconv = MBConv(width, width, 1, drop)
        self.layers.window_attention = PartitionAttention(width, False, drop)
        self.layers.grid_attention = PartitionAttention(width, True, drop)


class Stage(nn.Sequential):
    def __init__(
        self, in_channels: int, width: int, rates: tuple[float, float]
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Layer(in_channels, width, rates[0]), Layer2(width, rates[1])
        )


class Stage2(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Layer(128, 256, 0.08),
            Layer2(256, 0.1),
            Layer2(256, 0.12000000000000002),
            Layer2(256, 0.14),
            Layer2(256, 0.16),
        )


class MaxViT(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNorm(3, 64, stride=2), ConvNorm(64, 64, norm=False)
        )
        self.blocks = nn.Sequential(
            Stage(64, 64, (0.0, 0.02)),
            Stage(64, 128, (0.04, 0.06000000000000001)),
            Stage2(),
            Stage(256, 512, (0.18, 0.2)),
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(512),
            nn.Linear(512, 512),
            nn.Tanh(),
            nn.Linear(512, classes, bias=False),
        )
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        x = self.blocks(x)
        return self.classifier(x)
