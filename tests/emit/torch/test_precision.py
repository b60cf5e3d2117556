"""Emitted modules run in half and double precision and under autocast, as torchvision's own do.

All models of the library: `python -m tests.emit.torch.precisions`.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("torchvision")

import torch
from torchvision import models

import archdsl
from archdsl.emit.torch.emission import Source
from archdsl.emit.torch.load import make_module
from archdsl.emit.torch.lower import source as lower

from .accepted import ALL
from .networks import model_of
from .precisions import TYPES, WAYS, faults, model_faults, small, small_inputs
from .proof import refusal

torch.set_num_threads(1)

MEETINGS = {
    "a mask of sizes": "let seen = [[1.0 * (i >= j) for j in 0..T] for i in 0..T]\n"
    '(seen, x) -> einsum("i t, n t c -> n i c")',
    "a comparison of activations": "100.0 * (it > 0.5) - it",
    "a comparison alone": "1.0 * (it > 0.5)",
    "a quotient of whole numbers": 'let p = [i / T for i in 0..T]\np -> rearrange("t -> t 1") as q\nx * q',
    "a function of whole numbers": 'let p = sqrt([i + 1 for i in 0..T])\np -> rearrange("t -> t 1") as q\nx - q',
    "a phase with tables": "let f = [1 / 10 ** (i / 8) for i in 0..8]\nlet p = [i for i in 0..T]\n"
    'p -> rearrange("t -> t 1") as q\nsin(q * f) as s\nx + s',
    "a position that is projected": 'let p = [1.0 * i / T for i in 0..T]\np -> rearrange("t -> t 1") -> a: linear(8)\n'
    "it + x",
    "a position that is normalized": "let p = [[1.0 * (i + j) for j in 0..8] for i in 0..T]\np -> n: layernorm\nit + x",
    "joined with activations": "let p = [[1.0 * (i + j) for j in 0..8] for i in 0..T]\n"
    'p -> rearrange("t c -> 1 t c") as q\nconcat(axis=1) { x[:1]; q; x[:1] } as z\nz[:, :T] + x',
    "whole numbers among activations": "let p = [[i for j in 0..8] for i in 0..T]\nx * p",
    "a table": "x * [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]",
    "a table of a table": "let t = exp([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])\nx * t",
    "a buffer with a range": "buffer t: [8] = [0.1 * i for i in 0..8]\nlet p = [i for i in 0..T]\n"
    'p -> rearrange("t -> t 1") as q\nx + q * t',
    "a scale": "it * 8 ** -0.5",
    "a mean by a size": 'reduce("n t c -> n c", "sum") as s\ns / T -> rearrange("n c -> n 1 c") as m\nx - m',
    "a clamp": "let p = [[i for j in 0..8] for i in 0..T]\nclamp(p, min=0.5, max=2.5) as q\nx + q",
    "the greater": "let p = [[i for j in 0..8] for i in 0..T]\nmaximum(p, 1.5) as q\nmaximum(x, q)",
    "a softmax of distances": "let d = [[-1.0 * abs(i - j) for j in 0..T] for i in 0..T]\nd -> softmax(axis=-1) as w\n"
    '(w, x) -> einsum("i t, n t c -> n i c")',
    "a residual": "residual { a: linear(8) } shortcut { it * [[1.0 * (i > 0)] for i in 0..T] }",
    "in training dropped": "dropout(0.5)",
}


def meeting(name: str) -> archdsl.Model:
    body = MEETINGS[name].replace("\n", "\n  ")
    return model_of(f"arch 1\nmodel M {{\n  input x: [N, T, 8]\n  {body}\n  output y\n}}\n")


@pytest.mark.parametrize("name", MEETINGS)
def test_made_numbers_take_the_module_s_type(name: str) -> None:
    assert model_faults(meeting(name)) == []


@pytest.mark.parametrize("name", MEETINGS)
def test_in_the_plain_form_too(name: str) -> None:
    model = meeting(name)
    source = Source(*lower.plain_text(model.graph))
    module = make_module(source.text, source.class_name).eval()
    assert list(faults(module, small_inputs(model.graph))) == []


@pytest.mark.parametrize("name", [n for n in ALL if n.startswith(("sizes", "buffers"))])
def test_accepted_specs(name: str) -> None:
    assert model_faults(model_of(ALL[name])) == []


def test_phases_are_as_exact_as_in_float32() -> None:
    """Positions up to 300 are no longer whole in bfloat16, so that a sine of them would be of another number."""
    model = meeting("a phase with tables").vary(input="1x300x8")
    module = model.module().eval()
    x = torch.zeros(1, 300, 8)
    found = copy.deepcopy(module).bfloat16()(x.bfloat16()).float()
    assert (found[..., 0] - module(x)[..., 0]).abs().max() < 0.01


def test_the_proof_asks_for_the_conversion() -> None:
    model = meeting("a mask of sizes")
    text = model.source()
    assert "seen.to(x.dtype)" in text
    assert refusal(text, "M", model.graph) is None
    for wrong in ("seen", "seen.to(seen.dtype)", "seen.half()"):
        assert refusal(text.replace("seen.to(x.dtype)", wrong), "M", model.graph) is not None


def test_what_needs_no_conversion_has_none() -> None:
    for name in ("a table", "whole numbers among activations", "a scale", "in training dropped"):
        assert ".to(" not in meeting(name).source()


def test_training_in_half_precision() -> None:
    module = meeting("a mask of sizes").module().bfloat16()
    x = torch.rand(2, 5, 8, dtype=torch.bfloat16, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


REPRESENTATIVES = ("lenet5", "torchvision/mobilenet_v2", "torchvision/shufflenet_v2_x0_5", "torchvision/swin_t")


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_shipped_networks(name: str) -> None:
    assert model_faults(small(name), ("bfloat16", "autocast")) == []


@pytest.mark.parametrize("dtype", TYPES.values(), ids=list(TYPES))
@pytest.mark.parametrize("name", ["resnet18", "swin_t"])
def test_as_exactly_as_torchvision_s(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    theirs: Any = models.get_model(name, weights=None).eval()
    x = torch.rand(1, 3, 64, 64)
    ours = archdsl.load(f"torchvision/{name}", input="1x3x64x64").module().eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.inference_mode():
        wanted = theirs(x).double()
        found = [copy.deepcopy(m).to(dtype)(x.to(dtype)) for m in (ours, theirs)]
    assert [f.dtype for f in found] == [dtype, dtype]
    distances = [float((f.double() - wanted).norm()) for f in found]
    assert distances[0] < 2 * distances[1] + 1e-4


def test_whole_numbers_as_inputs() -> None:
    """Indices stay what they are; what comes of them is of the module's type."""
    model = model_of(
        "arch 1\nmodel M { input ids: [N, T] int64; let seen = [[1.0 * (i >= j) for j in 0..T] for i in 0..T]\n"
        'ids -> table: embedding(10, 8) as e; (seen, e) -> einsum("i t, n t c -> n i c"); f: linear(4); output y }\n'
    )
    assert model_faults(model, WAYS) == []
