"""What networks need that the language could not say at first: a test for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from .networks import model, same_as

torch.set_num_threads(1)

GPT = """
block Attention(heads) {
  input x: [N, T, C]
  c_attn: linear(3 * C) -> rearrange("n t (k h d) -> k n h t d", k=3, h=heads) as [q, k, v]
  (q, k, v) -> attend(causal=true, dropout=0.1) -> rearrange("n h t d -> n t (h d)")
  c_proj: linear(C)
}
model M {
  input x: [N, T, 32]
  attn: Attention(4)
  output y: [N, T, 32]
}
"""


def written_out(query: Tensor, key: Tensor, value: Tensor, added: Tensor | float = 0.0) -> Tensor:
    """Attention by its formula."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 + added
    return scores.softmax(-1) @ value


def triangle(steps: int) -> Tensor:
    return torch.full((steps, steps), -1e9).triu(1)


def test_gap_1_fused_attention(tmp_path: Path) -> None:
    network = model(GPT)
    module: Any = network.module()
    assert "F.scaled_dot_product_attention(" in network.source()

    def reference(x: Tensor) -> Tensor:
        parts = module.attn.c_attn(x).unflatten(2, (3, 4, 8)).permute(2, 0, 3, 1, 4)
        q, k, v = parts
        mixed = written_out(q, k, v, triangle(x.shape[1]))
        return module.attn.c_proj(mixed.transpose(1, 2).flatten(2))

    same_as(network, module, reference, [[torch.randn(2, 7, 32)], [torch.randn(1, 1, 32)]], tmp_path)


def test_gap_1_the_scores_are_not_stored() -> None:
    """At inference-like settings the kernel saves nothing of the size of the scores."""
    steps, found = 256, 0
    module = model(GPT.replace(", dropout=0.1", "")).module()

    def save(tensor: Tensor) -> Tensor:
        nonlocal found
        found = max(found, tensor.numel())
        return tensor

    with saved_tensors_hooks(save, lambda tensor: tensor):
        module(torch.randn(1, steps, 32))
    assert found < 4 * steps * steps


def test_gap_1_dropout_acts_in_training_only() -> None:
    module = model(GPT).module()
    x = torch.randn(2, 7, 32)
    assert not torch.equal(module.train()(x), module(x))
    assert torch.equal(module.eval()(x), module(x))


@pytest.mark.parametrize("causal", [False, True])
def test_gap_1_masks_and_grouped_queries(causal: bool, tmp_path: Path) -> None:
    flag = "true" if causal else "false"
    network = model(f"""
    model M {{
      input q: [N, 6, T, 8]
      input k: [N, 2, T, 8]
      input keep: [N, 1, 1, T] bool
      input bias: [6, T, T]
      (q, k, k) -> attend(mask=keep, causal={flag}) as a
      (q, k, k) -> attend(mask=bias, causal={flag}, scale=0.25) as b
      output a = a
      output b = b
    }}
    """)

    def reference(q: Tensor, k: Tensor, keep: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        k = k.repeat_interleave(3, 1)
        later = triangle(q.shape[2]) if causal else 0.0
        first = written_out(q, k, k, torch.where(keep, 0.0, -1e9) + later)
        return first, written_out(q * 0.25 * 8**0.5, k, k, bias + later)

    def run(batch: int, steps: int) -> list[Tensor]:
        keep = torch.rand(batch, 1, 1, steps) > 0.3
        keep[..., 0] = True
        k = torch.randn(batch, 2, steps, 8)
        return [torch.randn(batch, 6, steps, 8), k, keep, torch.randn(6, steps, steps)]

    same_as(network, network.module(), reference, [run(2, 5), run(1, 9)], tmp_path)


@pytest.mark.parametrize(("word", "made"), [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)])
def test_gap_6_recurrence(word: str, made: Any, tmp_path: Path) -> None:
    network = model(f"""
    model M {{
      input words: [N, T] int64
      embed: embedding(50, 12)
      rnn: {word}(16, layers=2, bidirectional=true, dropout=0.2)
      fc: linear(3)
      output y: [N, T, 3]
    }}
    """)

    class Reference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(50, 12)
            self.rnn = made(12, 16, 2, batch_first=True, bidirectional=True, dropout=0.2)
            self.fc = nn.Linear(32, 3)

        def forward(self, words: Tensor) -> Tensor:
            return self.fc(self.rnn(self.embed(words))[0])

    module, reference = network.module(), Reference().eval()
    module.load_state_dict(reference.state_dict(), strict=True)
    runs = [[torch.randint(0, 50, shape)] for shape in ((2, 7), (1, 1))]
    same_as(network, module, reference, runs, tmp_path)


def test_gap_6_cumsum(tmp_path: Path) -> None:
    network = model("model M {\n input x: [N, T, 4]\n cumsum(axis=1)\n output y: [N, T, 4]\n}")
    runs = [[torch.randn(2, 5, 4)], [torch.randn(1, 9, 4)]]
    same_as(network, network.module(), lambda x: x.cumsum(1), runs, tmp_path)


ROUTED = """
model M {
  input x: [N, T, 16]
  gate: linear(4) -> softmax(axis=-1) -> topk(2) as [weights, experts]
  let share = weights / (weights -> reduce("n t k -> n t 1", "sum"))
  experts -> one_hot(4) as chosen
  (share, 1.0 * chosen) -> einsum("n t k, n t k e -> n t e") as routes
  x -> experts: linear(4 * 16) -> rearrange("n t (e c) -> n t e c", e=4) as mixed
  (routes, mixed) -> einsum("n t e, n t e c -> n t c")
  output y: [N, T, 16]
}
"""


def test_gap_7_choosing_experts(tmp_path: Path) -> None:
    network = model(ROUTED)
    module: Any = network.module()

    def reference(x: Tensor) -> Tensor:
        weights, experts = module.gate(x).softmax(-1).topk(2)
        weights = weights / weights.sum(-1, keepdim=True)
        routes = torch.zeros(*x.shape[:2], 4).scatter(2, experts, weights)
        return (routes.unsqueeze(-1) * module.experts(x).unflatten(2, (4, 16))).sum(2)

    same_as(network, module, reference, [[torch.randn(2, 5, 16)], [torch.randn(1, 1, 16)]], tmp_path)


def test_gap_7_keeping_the_best_tokens(tmp_path: Path) -> None:
    """As detectors and masked autoencoders do: places of the highest scores, and what is there."""
    network = model("""
    model M {
      input x: [N, T, 16]
      input valid: [N, T] bool
      x -> score: linear(1) -> rearrange("n t 1 -> n t") as score
      where(valid and not (score < -2.0), score, -100.0) -> topk(3) as [best, places]
      output best = best
      output tokens: [N, 3, 16] = take(x, places, axis=1)
      output order: [N, T] int64 = argsort(score, descending=true)
      output first: [N] int64 = argmax(score)
      output cells: [N, T] int64 = int(score * 2.0) + valid
      output share: [N, T] = float(valid) * 0.5
    }
    """)
    module: Any = network.module()

    def reference(x: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        score = module.score(x).squeeze(2)
        best, places = score.masked_fill(~(valid & ~(score < -2.0)), -100.0).topk(3)
        tokens = x[torch.arange(len(x)).unsqueeze(1), places]
        cells = (score * 2.0).trunc().long() + valid
        return best, tokens, score.argsort(descending=True), score.argmax(1), cells, valid.float() * 0.5

    runs = [[torch.randn(n, t, 16), torch.arange(n * t).view(n, t) % 5 != 1] for n, t in ((2, 9), (1, 5))]
    same_as(network, module, reference, runs, tmp_path)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_gap_9_choices_and_conversions_keep_the_type_of_the_module(half: torch.dtype) -> None:
    module = model("""
    model M {
      input x: [N, T, 16]
      let place = [i for i in 0..T]
      where(x > 0.0, x, float(place -> rearrange("t -> t 1"))) -> fc: linear(16)
      attend(it -> rearrange("n t (h d) -> n h t d", h=2), it -> rearrange("n t (h d) -> n h t d", h=2),
        it -> rearrange("n t (h d) -> n h t d", h=2), causal=true)
      output y
    }
    """).module()
    assert module.to(half)(torch.randn(2, 3, 16).to(half)).dtype is half


def test_attention_of_two_widths_is_torch_s() -> None:
    """Keys of one width, values of another, with more axes in front."""
    network = model("""
    model M {
      input q: [2, N, 3, T, 8]
      input k: [2, N, 3, S, 8]
      input v: [2, N, 3, S, 5]
      attend(q, k, v)
      output y: [2, N, 3, T, 5]
    }
    """)
    q, k, v = (torch.randn(2, 1, 3, *sizes) for sizes in ((4, 8), (6, 8), (6, 5)))
    torch.testing.assert_close(network.module()(q, k, v), F.scaled_dot_product_attention(q, k, v))
