"""vit_b_16: image [N, 3, 224, 224] to logits [N, 1000]."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MLP(nn.Sequential):
    """The two layers that follow attention in a transformer."""

    def __init__(self, drop: float) -> None:
        super().__init__(
            nn.Linear(768, 3072),
            nn.GELU(),
            nn.Dropout(drop),
            nn.Linear(3072, 768),
            nn.Dropout(drop),
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)


class EncoderBlock(nn.Module):
    def __init__(self, drop: float, attention_drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.ln_1 = nn.LayerNorm(768, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(
            768, 12, dropout=attention_drop, batch_first=True
        )
        self.ln_2 = nn.LayerNorm(768, eps=1e-6)
        self.mlp = MLP(drop)

    def forward(self, x: Tensor) -> Tensor:
        out = self.ln_1(x)
        out = self.self_attention(out, out, out, need_weights=False)[0]
        x = F.dropout(out, self.drop, training=self.training) + x
        return self.mlp(self.ln_2(x)) + x


class Encoder(nn.Module):
    def __init__(self, drop: float, attention_drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.pos_embedding = nn.Parameter(torch.empty(1, 197, 768))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.layers = nn.Sequential()
        for i in range(12):
            self.layers.add_module(
                f"encoder_layer_{i}", EncoderBlock(drop, attention_drop)
            )
        self.ln = nn.LayerNorm(768, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        x = tokens + self.pos_embedding
        x = F.dropout(x, self.drop, training=self.training)
        return self.ln(self.layers(x))


class ViT(nn.Module):
    """A token of its own, first in the sequence, gathers what the head needs to
    know.
    """

    def __init__(
        self, drop: float = 0.0, attention_drop: float = 0.0, classes: int = 1000
    ) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.conv_proj = nn.Conv2d(3, 768, 16, stride=16)
        nn.init.trunc_normal_(self.conv_proj.weight, std=0.036084391824351615)
        if self.conv_proj.bias is not None:
            nn.init.zeros_(self.conv_proj.bias)
        self.encoder = Encoder(drop, attention_drop)
        self.heads = nn.Sequential()
        linear = nn.Linear(768, classes)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        self.heads.head = linear

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_proj(image)
        tokens = torch.cat(
            [
                self.class_token.expand(image.shape[0], -1, -1),
                x.permute(0, 2, 3, 1).flatten(1, 2),
            ],
            dim=1,
        )
        x = self.encoder(tokens)
        x = x[:, 0]
        return self.heads(x)
