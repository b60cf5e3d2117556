"""swin_t: image [N, 3, 224, 224] to logits [N, 1000]."""

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


def parts(y: int, x: int, dy: int, dx: int) -> list[list[int]]:
    """Which part of a shifted image a place belongs to: the last dy rows and the
    last dx columns came around an edge.
    """
    return [[2 * (i >= y - dy) + (j >= x - dx) for j in range(x)] for i in range(y)]


class Permute(nn.Module):
    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(*self.dims)


class Attention(nn.Module):
    """Attention inside windows of p x p places, which begin `shift` places further
    down and to the right. V2 compares by the cosine, and a small network says
    what each distance adds.
    """

    relative_position_index: Tensor
    part: Tensor

    def __init__(
        self, height: int, width: int, dim: int, heads: int, shift: int
    ) -> None:
        super().__init__()
        self.shift = shift
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.empty(169, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", torch.tensor(distances(7)))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim // heads * heads, dim)
        if shift > 0:
            self.register_buffer(
                "part",
                torch.tensor(
                    parts(
                        7 * ((height + 6) // 7),
                        7 * ((width + 6) // 7),
                        shift - max(shift - 7 * ((height + 6) // 7) + 7, 0),
                        shift - max(shift - 7 * ((width + 6) // 7) + 7, 0),
                    ),
                ),
                persistent=False,
            )

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[1]
        width = x.shape[2]
        x = F.pad(x, (0, 0, 0, 0, 0, 7 * ((height + 6) // 7) - height))
        padded = F.pad(x, (0, 0, 0, 7 * ((width + 6) // 7) - width))
        x = torch.roll(
            padded,
            max(self.shift - 7 * ((height + 6) // 7) + 7, 0) - self.shift,
            dims=1,
        )
        x = torch.roll(
            x, max(self.shift - 7 * ((width + 6) // 7) + 7, 0) - self.shift, dims=2
        )
        x = (
            x.unflatten(2, (-1, 7))
            .unflatten(1, (-1, 7))
            .transpose(2, 3)
            .flatten(3, 4)
            .flatten(1, 2)
        )
        x = self.qkv(x)
        x = x.unflatten(3, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        q, k, v = x.unbind()
        x = torch.einsum("nwhid,nwhjd->nwhij", q * 0.1767766952966369, k)
        out = self.relative_position_bias_table[self.relative_position_index]
        x = x + out.unflatten(0, (49, -1)).permute(2, 0, 1)
        if self.shift > 0:
            own = (
                self.part.unflatten(1, (-1, 7))
                .unflatten(0, (-1, 7))
                .transpose(1, 2)
                .unsqueeze(2)
                .unsqueeze(5)
                .flatten(3, 4)
                .flatten(0, 1)
            )
            other = (
                self.part.unflatten(1, (-1, 7))
                .unflatten(0, (-1, 7))
                .transpose(1, 2)
                .unsqueeze(2)
                .unsqueeze(3)
                .flatten(4)
                .flatten(0, 1)
            )
            x = x - (100.0 * (own != other)).to(x.dtype)
        x = torch.einsum("nwhij,nwhjd->nwihd", F.softmax(x, dim=-1), v).flatten(3)
        x = self.proj(x)
        x = (
            x.unflatten(2, (7, -1))
            .unflatten(1, ((height + 6) // 7, -1))
            .transpose(2, 3)
            .flatten(3, 4)
            .flatten(1, 2)
        )
        x = torch.roll(
            x, self.shift - max(self.shift - 7 * ((height + 6) // 7) + 7, 0), dims=1
        )
        x = torch.roll(
            x, self.shift - max(self.shift - 7 * ((width + 6) // 7) + 7, 0), dims=2
        )
        return x[:, :height, :width]


class MLP(nn.Sequential):
    """The two layers that follow attention in a transformer."""

    def __init__(self, size3: int, hidden: int) -> None:
        super().__init__(
            nn.Linear(size3, hidden),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(hidden, size3),
            nn.Dropout(0.0),
        )


class Unit(nn.Module):
    def __init__(
        self, height: int, width: int, dim: int, heads: int, shift: int, drop: float
    ) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(height, width, dim, heads, shift)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, 4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        x = drop_path(self.attn(self.norm1(x)), self.drop, self.training) + x
        return drop_path(self.mlp(self.norm2(x)), self.drop, self.training) + x


class Merge(nn.Module):
    """Four places become one, with twice the channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = nn.LayerNorm(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        out = F.pad(x, (0, 0, 0, 0, 0, x.shape[1] % 2))
        x = F.pad(out, (0, 0, 0, x.shape[2] % 2))
        x = (
            x.unflatten(2, (-1, 2))
            .unflatten(1, (-1, 2))
            .permute(0, 1, 3, 4, 2, 5)
            .flatten(3)
        )
        return self.reduction(self.norm(x))


class Swin(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(3, 96, 4, stride=4), Permute(0, 2, 3, 1), nn.LayerNorm(96)
            ),
            nn.Sequential(
                Unit(56, 56, 96, 3, 0, 0.0),
                Unit(56, 56, 96, 3, 3, 0.018181818181818184),
            ),
            Merge(96),
            nn.Sequential(
                Unit(28, 28, 192, 6, 0, 0.03636363636363637),
                Unit(28, 28, 192, 6, 3, 0.05454545454545456),
            ),
            Merge(192),
            nn.Sequential(
                Unit(14, 14, 384, 12, 0, 0.07272727272727274),
                Unit(14, 14, 384, 12, 3, 0.09090909090909091),
                Unit(14, 14, 384, 12, 0, 0.10909090909090911),
                Unit(14, 14, 384, 12, 3, 0.1272727272727273),
                Unit(14, 14, 384, 12, 0, 0.14545454545454548),
                Unit(14, 14, 384, 12, 3, 0.16363636363636364),
            ),
            Merge(384),
            nn.Sequential(
                Unit(7, 7, 768, 24, 0, 0.18181818181818182), Unit(7, 7, 768, 24, 3, 0.2)
            ),
        )
        self.norm = nn.LayerNorm(768)
        self.head = nn.Linear(768, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.norm(self.features(image)).mean((1, 2))
        return self.head(x)
