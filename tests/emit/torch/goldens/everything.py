"""Everything: image [N, 3, H, 16], depth [N, 1, 2 * H, 32] to logits [N, 10],
features [N, 8].
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """Stochastic depth: zero whole examples with probability p, scale up the others."""
    if not training or p == 0.0:
        return x
    kept = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1)).bernoulli_(1.0 - p)
    return x * (kept.div_(1.0 - p) if p < 1.0 else kept)


def offsets(n: int) -> list[list[int]]:
    """Row of a table of relative positions, for every pair of places on a line."""
    return [[i - j + n - 1 for j in range(n)] for i in range(n)]


class ConvNorm(nn.Sequential):
    """Convolution, normalisation and activation, each perhaps left out."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 3,
        norm: bool = True,
        act: type[nn.Module] | None = nn.ReLU,
    ) -> None:
        layers: list[nn.Module] = []
        if norm:
            layers += [
                nn.Conv2d(in_channels, width, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(width),
            ]
        if norm and act is not None:
            layers.append(act())
        if not norm:
            layers.append(nn.Conv2d(in_channels, width, kernel, padding=kernel // 2))
        super().__init__(*layers)


class Gate(nn.Module):
    """A gate over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(16, 4, 1)
        self.up = nn.Conv2d(4, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.up(scale))


class Unit(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(8, 24, kernel=1)
        self.left = ConvNorm(24, 12)
        self.right = nn.Sequential(
            nn.Conv2d(24, 6, 1), nn.Conv2d(6, 12, 3, padding=1), nn.ReLU()
        )
        self.last = nn.Conv2d(24, 16, 1)
        self.gate = Gate()
        self.project = nn.Conv2d(8, 16, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = self.gate(out)
        return F.relu(drop_path(out, 0.1, self.training) + self.project(x))


class EverythingUnit(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(16, 32, kernel=1, act=nn.SiLU)
        self.left = ConvNorm(32, 16, act=nn.SiLU)
        self.right = nn.Sequential(
            nn.Conv2d(32, 8, 1), nn.Conv2d(8, 16, 3, padding=1), nn.SiLU()
        )
        self.last = nn.Conv2d(32, 24, 1)
        self.project = nn.Conv2d(16, 24, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = out * 0.5
        return F.silu(drop_path(out, 0.1, self.training) + self.project(x))


class EverythingUnit2(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(24, 40, kernel=1)
        self.left = ConvNorm(40, 20)
        self.right = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(40, 20, 3, padding=1),
            nn.ReLU(),
        )
        self.last = nn.Conv2d(40, 24, 1, stride=2)
        self.project = nn.Conv2d(24, 24, 1, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = out * 0.5
        return F.relu(drop_path(out, 0.1, self.training) + self.project(x))


class Unit2(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(24, 40, kernel=1)
        self.left = ConvNorm(40, 20)
        self.right = nn.Sequential(
            nn.Conv2d(40, 10, 1), nn.Conv2d(10, 20, 3, padding=1), nn.ReLU()
        )
        self.last = nn.Conv2d(40, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = out * 0.5
        return F.relu(drop_path(out, 0.0, self.training) + x)


class Unit3(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(24, 40, kernel=1)
        self.left = ConvNorm(40, 20)
        self.right = nn.Sequential(
            nn.Conv2d(40, 10, 1), nn.Conv2d(10, 20, 3, padding=1), nn.ReLU()
        )
        self.last = nn.Conv2d(40, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = out * 0.5
        return F.relu(drop_path(out, 0.05, self.training) + x)


class Unit4(nn.Module):
    """Two views of one map, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm(24, 40, kernel=1)
        self.left = ConvNorm(40, 20)
        self.right = nn.Sequential(
            nn.Conv2d(40, 10, 1), nn.Conv2d(10, 20, 3, padding=1), nn.ReLU()
        )
        self.last = nn.Conv2d(40, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.first(x)
        out = torch.cat([self.left(out), self.right(out)], dim=1)
        out = self.last(out)
        out = out * 0.5
        return F.relu(drop_path(out, 0.1, self.training) + x)


class Rows(nn.Module):
    """Attention along the rows of a map, with learned offsets."""

    index: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(31, 2))
        nn.init.trunc_normal_(self.table, std=0.02)
        self.register_buffer("index", torch.tensor(offsets(16)))
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.merge = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.permute(0, 2, 3, 1).flatten(0, 1)
        out = self.qkv(self.norm(tokens))
        out = out.unflatten(2, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = out.unbind()
        out = torch.einsum("mhid,mhjd->mhij", q * 0.5, k)
        out = out + self.table[self.index].permute(2, 0, 1)
        out = torch.einsum("mhij,mhjd->mhid", F.softmax(out, dim=-1), v)
        out = out.transpose(1, 2).flatten(2)
        out = self.merge(out) + tokens
        return out.unflatten(0, (-1, x.shape[2])).permute(0, 3, 1, 2)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        even, odd = x.chunk(2, dim=1)
        return torch.stack([even, odd], dim=1).amax(1)


class Everything(nn.Module):
    constant: Tensor

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, 8, 1, 1))
        self.tune = nn.Conv2d(8, 8, 1)
        self.scales = nn.ModuleList(
            [nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)]
        )
        self.stem = ConvNorm(3, 8, act=nn.SiLU)
        self.add_module("depth-stem", ConvNorm(1, 8, kernel=5, norm=False, act=None))
        self.add_module("lambda", Unit())
        self.add_module("class", EverythingUnit())
        self.small = EverythingUnit2()
        self.trunk = nn.Sequential(
            Unit2(), Unit3(), Unit4(), ConvNorm(24, 8, kernel=1, act=None)
        )
        self.attend = Rows()
        self.pair = Pair()
        self.aux = nn.Linear(8, classes)
        nn.init.normal_(self.aux.weight, std=0.01)
        self.repeat1 = nn.Conv2d(4, 4, 3, padding=1)
        self.repeat2 = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(8, classes)
        self.register_buffer(
            "constant",
            torch.tensor((((0.5,),), ((1.0,),), ((1.5,),), ((2.0,),))),
            persistent=False,
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(
        self, image: Tensor, depth: Tensor
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor | None]:
        colours = self.tune(self.stem(image))
        depths = self.tune(F.avg_pool2d(self.get_submodule("depth-stem")(depth), 2))
        start = colours + depths + self.shift
        x = self.get_submodule("lambda")(start)
        x = self.get_submodule("class")(x)
        x = self.small(x)
        x = self.trunk(x)
        x = F.relu(self.scales[0](x))
        x = F.relu(self.scales[1](x))
        coarse = F.interpolate(x, size=start.shape[2:], mode="bilinear")
        x = self.attend(coarse)
        x = self.pair(x)
        mixed = x * self.constant
        if self.training:
            side = self.aux(torch.flatten(F.adaptive_avg_pool2d(coarse, 1), 1))
        else:
            side = None
        x = torch.cat([self.repeat2(F.relu(self.repeat1(mixed))), mixed], dim=1)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        features = F.dropout(x, 0.1, training=self.training)
        logits = self.fc(features)
        if self.training:
            return logits, features, side
        return logits, features
