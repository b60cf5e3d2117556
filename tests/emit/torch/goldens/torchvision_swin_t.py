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
        dy = min(shift, height - 7)
        dx = min(shift, width - 7)
        self.dy = dy
        self.dx = dx
        self.heads = heads
        self.shift = shift
        self.relative_position_bias_table = nn.Parameter(torch.empty(169, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", torch.tensor(distances(7)))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        if shift > 0:
            self.register_buffer(
                "part", torch.tensor(parts(height, width, dy, dx)), persistent=False
            )

    def forward(self, x: Tensor) -> Tensor:
        _, h, w, c = x.shape
        padded = F.pad(F.pad(x, (0, 0, 0, 0, 0, -h % 7)), (0, 0, 0, -w % 7))
        out = torch.roll(torch.roll(padded, -self.dy, dims=1), -self.dx, dims=2)
        out = (
            out.unflatten(2, (-1, 7))
            .unflatten(1, (-1, 7))
            .transpose(2, 3)
            .flatten(3, 4)
            .flatten(1, 2)
        )
        out = self.qkv(out)
        q, k, v = (
            out.unflatten(3, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5).unbind()
        )
        out = torch.einsum("nwhid,nwhjd->nwhij", q * (c // self.heads) ** -0.5, k)
        y = self.relative_position_bias_table[self.relative_position_index]
        out = out + y.unflatten(0, (49, -1)).permute(2, 0, 1)
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
            out = out - (100.0 * (own != other)).to(out.dtype)
        out = torch.einsum("nwhij,nwhjd->nwihd", F.softmax(out, dim=-1), v).flatten(3)
        out = self.proj(out)
        out = (
            out.unflatten(2, (7, -1))
            .unflatten(1, (padded.shape[1] // 7, -1))
            .transpose(2, 3)
            .flatten(3, 4)
            .flatten(1, 2)
        )
        out = torch.roll(torch.roll(out, self.dy, dims=1), self.dx, dims=2)
        return out[:, :h, :w]


class MLP(nn.Sequential):
    """The two layers that follow attention in a transformer."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__(
            nn.Linear(dim, hidden),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(hidden, dim),
            nn.Dropout(0.0),
        )


class Unit(nn.Module):
    def __init__(
        self, dim: int, height: int, width: int, heads: int, shift: int, drop: float
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
        _, h, w, _ = x.shape
        x = F.pad(F.pad(x, (0, 0, 0, 0, 0, h % 2)), (0, 0, 0, w % 2))
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
                nn.Conv2d(3, 96, 4, stride=4),
                Permute(0, 2, 3, 1),
                nn.LayerNorm(96),
            ),
            nn.Sequential(
                Unit(96, 56, 56, 3, 0, 0.0),
                Unit(96, 56, 56, 3, 3, 0.2 / 11),
            ),
            Merge(96),
            nn.Sequential(
                Unit(192, 28, 28, 6, 0, 0.2 * 2 / 11),
                Unit(192, 28, 28, 6, 3, 0.2 * 3 / 11),
            ),
            Merge(192),
            nn.Sequential(
                *(
                    Unit(384, 14, 14, 12, 0 if i % 2 == 0 else 3, 0.2 * (4 + i) / 11)
                    for i in range(6)
                ),
            ),
            Merge(384),
            nn.Sequential(
                Unit(768, 7, 7, 24, 0, 0.2 * 10 / 11),
                Unit(768, 7, 7, 24, 3, 0.2),
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
        x = self.norm(self.features(image))
        x = x.mean((1, 2))
        return self.head(x)
