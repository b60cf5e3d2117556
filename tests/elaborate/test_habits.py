"""Arguments in torch's order are answered with a call that can be typed; what is meant as it stands is silent."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from archdsl.checks.fixing import fixed_texts
from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.names import OtherOrder
from archdsl.elaborate.model import build_model
from archdsl.op import Arriving, Op, parameters
from archdsl.ops import OPS, OPS_BY_NAME

IMAGE, SEQUENCE, VECTOR = "[N, 64, 32, 32]", "[N, L, 768]", "[N, 256]"


def found(shape: str, body: str, before: str = "") -> tuple[Diagnostic, ...]:
    return check(from_text(f"{before}\nmodel M {{\n  input x: {shape}\n  {body}\n  output y\n}}\n")).diagnostics


WRONG = [
    # a network that differs from the one that was meant, without a word
    ("[N, 3, 64, 64]", "conv(3, 16, 3)", "conv(16, 3)"),
    ("[N, 3, 32, 32]", "conv(3, 6, 5)", "conv(6, 5)"),
    ("[N, 1, 28, 28]", "conv(1, 10, 5)", "conv(10, 5)"),
    ("[N, 1, 28, 28]", "conv(1, 32, 3, 1)", "conv(32, 3)"),
    ("[N, 3, 64, 64]", "conv(3, 64, 4, 2, 1)", "conv(64, 4, 2, 1)"),
    ("[N, 3, 224, 224]", "conv(3, 64, 7, 2, 3, bias=false)", "conv(64, 7, 2, 3, bias=false)"),
    ("[N, 3, 224, 224]", "conv(3, 96, 11, 4)", "conv(96, 11, 4)"),
    ("[N, 3, 1024, 1024]", "conv(3, 768, 16, 16)", "conv(768, 16, 16)"),
    ("[N, 64, 99, 99]", "conv(64, 64, 3, 1, 1)", "conv(64, 3, pad=1)"),
    ("[N, 64, 99, 99]", "conv(64, 1, 3)", "conv(1, 3)"),
    ("[N, 64, 99, 99]", "conv(64, 3, 7)", "conv(3, 7)"),
    ("[N, 64, 99, 99]", "conv(64, 3, 3, 1, 1)", "conv(3, 3, pad=1)"),
    ("[N, 64, 99, 99]", "conv(64, 64, 3, groups=64)", "conv(64, 3, groups=64)"),
    ("[N, 64, 99, 99]", "conv(64, 3, 1, 1, 64)", "conv(64, 3, pad=1, groups=64)"),
    ("[N, 3, 64, 64]", "conv(3, 16, [3, 3])", "conv(16, [3, 3])"),
    ("[N, 80, 3000]", "conv(80, 512, 3, 1, 1)", "conv(512, 3, pad=1)"),
    ("[N, 3, 16, 112, 112]", "conv(3, 16, 3)", "conv(16, 3)"),
    ("[N, C, H, W]", "conv(C, 2 * C, 3)", "conv(2 * C, 3)"),
    ("[N, C, H, W]", "batchnorm(C)", "batchnorm"),
    ("[N, 100, 1, 1]", "convtranspose(100, 512, 4, 1, 0)", "convtranspose(512, 4)"),
    ("[N, 512, 4, 4]", "convtranspose(512, 256, 4, 2, 1)", "convtranspose(256, 4, 2, 1)"),
    ("[N, 128, 8, 8]", "convtranspose(128, 64, 4, 2, 1)", "convtranspose(64, 4, 2, 1)"),
    ("[N, 64, 8]", "convtranspose(64, 32, 2, 2)", "convtranspose(32, 2, 2)"),
    (IMAGE, "batchnorm(64)", "batchnorm"),
    (IMAGE, "batchnorm(64, 0.001)", "batchnorm(0.001)"),
    (VECTOR, "batchnorm(256)", "batchnorm"),
    (IMAGE, "instancenorm(64)", "instancenorm"),
    (IMAGE, "groupnorm(32, 64)", "groupnorm(32)"),
    (SEQUENCE, "layernorm(768)", "layernorm"),
    ("[N, L, D]", "layernorm(D)", "layernorm"),
    (SEQUENCE, "attention(768, 1)", "attention(1)"),
    (IMAGE, "normalize(2, 1)", "normalize(1)"),
    (IMAGE, "normalize(2.0, 1)", "normalize(1)"),
    # a call that cannot be made, or does not fit
    (IMAGE, "conv(64, 128, 3)", "conv(128, 3)"),
    (IMAGE, "conv(64, 128, kernel_size=3, padding=1)", "conv(128, 3, pad=1)"),
    (IMAGE, "conv(64, 128, kernel=3)", "conv(128, 3)"),
    (VECTOR, "linear(256, 10)", "linear(10)"),
    (VECTOR, "linear(256, 10, false)", "linear(10, bias=false)"),
    ("[N, 576]", "linear(400, 120)", "linear(120)"),
    (IMAGE, "batchnorm(64, 0.001, 0.01)", "batchnorm(0.001, 0.01)"),
    (IMAGE, "layernorm([64, 32, 32])", "layernorm(axis=[-3, -2, -1])"),
    (IMAGE, "prelu(64)", "prelu(per_channel=true)"),
    (IMAGE, "prelu(1)", "prelu"),
    (SEQUENCE, "attention(768, 12)", "attention(12)"),
    (SEQUENCE, "attention(768, 12, 0.1)", "attention(12, 0.1)"),
    (IMAGE, "relu(true)", "relu"),
    (IMAGE, "leaky_relu(0.2, true)", "leaky_relu(0.2)"),
    (IMAGE, "dropout(0.2, true)", "dropout(0.2)"),
    (IMAGE, "global_avgpool(1)", "global_avgpool"),
    (IMAGE, "maxpool(3, 2, 1, 1, false, true)", "maxpool(3, 2, 1, ceil=true)"),
    (IMAGE, "resize(14)", 'resize("nearest", size=14)'),
    (VECTOR, "normalize(2)", "normalize(1)"),
    (IMAGE, "roll(-7, 1)", "roll(1, -7)"),
    ("[N, L] int64", "embedding(1000, 64, 0)", "embedding(1000, 64, padding_idx=0)"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "call", "meant"), WRONG)
def test_another_order_is_answered_with_what_was_meant(shape: str, call: str, meant: str) -> None:
    (diagnostic,) = found(shape, f"a: {call}")
    assert isinstance(diagnostic, OtherOrder)
    assert f"write `{meant}`" in diagnostic.help
    assert all(edit.replacement == meant for edit in diagnostic.edits)
    assert [d for d in found(shape, f"a: {meant}") if d.severity == "error"] == []


@pytest.mark.parametrize(
    ("shape", "call"),
    [
        (IMAGE, "conv(64, 3, 2)"),
        (IMAGE, "conv(64, 3, 1, 1)"),
        (IMAGE, "conv(64, 1, 1)"),
        (IMAGE, "conv(64, 1, 2)"),
        (IMAGE, "conv(64, 3, 1, 2, 2)"),
        (IMAGE, "conv(64, 3, 1, 12, 12)"),
        (IMAGE, "conv(64, 3, 1, 1, 1, 64)"),
        (IMAGE, "conv(64, 5, 3)"),
        (IMAGE, "conv(64, 7, 2, 3)"),
        (IMAGE, "conv(64, 4, 2, 1)"),
        (IMAGE, "conv(64, 4, 1, 1)"),
        (IMAGE, "conv(64, 2, 2)"),
        (IMAGE, "conv(64, 8, 8)"),
        (IMAGE, "conv(64, 31, 1, 15, groups=64)"),
        (IMAGE, "conv(64, [1, 7], [1, 2], [0, 3])"),
        (IMAGE, "conv(64, kernel=16, stride=3)"),
        (IMAGE, "conv(128, 16, 3)"),
        ("[N, 3, 224, 224]", "conv(192, 16, 16)"),
        ("[N, 3, 224, 224]", "conv(3, 16, 16)"),
        ("[N, 3, 224, 224]", "conv(3, 16, stride=3)"),
        ("[N, 4, 84, 84]", "conv(32, 8, 4)"),
        ("[N, 512, 4000]", "conv(512, 8, 4, 2)"),
        ("[N, 512, 4000]", "conv(512, 10, 5)"),
        ("[N, 1, 4000]", "conv(1, 401, 1, 200)"),
        ("[N, 21, 16, 16]", "convtranspose(21, 4, 2)"),
        ("[N, 21, 16, 16]", "convtranspose(21, 16, 8)"),
        ("[N, 21, 16, 16]", "convtranspose(21, 64, 32)"),
        ("[N, 64, 16, 16]", "convtranspose(64, 4, 2, 1)"),
        (IMAGE, "batchnorm(0.001)"),
        (IMAGE, "batchnorm(0.001, 0.1)"),
        (IMAGE, "batchnorm(eps=64)"),
        (IMAGE, "batchnorm(1e-3, momentum=0.9)"),
        (IMAGE, "groupnorm(64)"),
        (IMAGE, "groupnorm(32, 1e-6)"),
        (SEQUENCE, "layernorm(1e-6)"),
        (SEQUENCE, "attention(12)"),
        (SEQUENCE, "attention(12, 0.1)"),
        ("[N, L, 1]", "attention(1)"),
        (IMAGE, "normalize(1)"),
        (IMAGE, "normalize(1, 1)"),
        (IMAGE, "normalize(2, p=1)"),
        (IMAGE, "roll(1, -3)"),
        (IMAGE, "pad(2, 1, 1)"),
        (IMAGE, "pad(2, after=32 - 32)"),
        (IMAGE, "maxpool(3, 2, 1)"),
        (IMAGE, "avgpool(2, 2, 0, true)"),
        (IMAGE, "flatten(1)"),
        (IMAGE, "softmax(1)"),
        (IMAGE, "leaky_relu(0.2)"),
        (IMAGE, "prelu"),
        (IMAGE, "lrn(5, 1e-4, 0.75, 2)"),
        (VECTOR, "linear(256, false)"),
        (VECTOR, "linear(256)"),
    ],
)
def test_what_is_meant_is_silent(shape: str, call: str) -> None:
    assert [d for d in found(shape, f"a: {call}") if d.severity == "error"] == []


@pytest.mark.parametrize("call", ["batchnorm(0.1)", "batchnorm(1)", "instancenorm(0.5)", "groupnorm(4, 0.9)"])
def test_an_eps_that_no_network_has_is_named_or_an_error(call: str) -> None:
    (diagnostic,) = found(IMAGE, f"a: {call}")
    assert isinstance(diagnostic, OtherOrder)
    assert "eps=" in diagnostic.message
    assert not diagnostic.edits
    named = diagnostic.help.split("`")[-2]
    assert found(IMAGE, f"a: {named}") == ()


@pytest.mark.parametrize("call", ["batchnorm(1e-5, 0.9)", "batchnorm(1e-5, 64)"])
def test_a_momentum_that_no_network_has_is_named_or_an_error(call: str) -> None:
    (diagnostic,) = found(IMAGE, f"a: {call}")
    assert isinstance(diagnostic, OtherOrder)
    assert "momentum=" in diagnostic.message


@pytest.mark.parametrize("call", ["pad(1)", "pad(3)", "pad([1, 1, 1, 1])", "roll([1, 1], [2, 3])"])
def test_padding_on_all_sides_is_said_axis_by_axis(call: str) -> None:
    diagnostic = found(IMAGE, call)[0]
    assert diagnostic.severity == "error"
    assert "pad(2, 1, 1) -> pad(3, 1, 1)" in diagnostic.help


def test_values_that_reach_a_layer_through_blocks_and_lists_are_read_too() -> None:
    blocks = "block Conv(a, b) {\n  c: conv(a, b, 3) -> bn: batchnorm(b) -> relu\n}"
    by_block = found("[N, 3, 64, 64]", "b: Conv(3, 16)", blocks)
    assert isinstance(by_block[0], OtherOrder)
    assert "write `conv(b, 3)`" in by_block[0].help
    by_loop = found("[N, 3, 64, 64]", "s: seq { for [a, b] in [[3, 16], [16, 32]] { conv(a, b, 3) } }")
    assert isinstance(by_loop[0], OtherOrder)
    layer = found(IMAGE, "let norm = batchnorm(64)\n  bn: norm")
    assert isinstance(layer[0], OtherOrder)
    assert layer[0].edits == ()  # the number stands elsewhere


def test_another_instance_of_a_block_may_mean_what_it_says() -> None:
    blocks = "block Down(c, k, s) {\n  c: conv(c, k, s)\n}"
    (diagnostic,) = found("[N, 3, 64, 64]", "a: Down(3, 16, 3)", blocks)
    assert isinstance(diagnostic, OtherOrder)
    assert diagnostic.edits == ()
    assert found("[N, 4, 84, 84]", "a: Down(32, 8, 4)", blocks) == ()


@pytest.mark.parametrize(
    ("call", "edited"),
    [
        ("conv(in_channels=64, out_channels=128, kernel_size=3, padding=1)", "conv(width=128, kernel=3, pad=1)"),
        ("conv(64, 3, bias=0)", "conv(64, 3, bias=false)"),
        ("conv(128, 3, in_channels=64)", "conv(128, 3)"),
        ("batchnorm(num_features=64)", "batchnorm"),
        ("batchnorm(num_features=64, track_running_stats=true)", "batchnorm(track=true)"),
        ("groupnorm(num_groups=32, num_channels=64)", "groupnorm(groups=32)"),
        ("relu(inplace=true)", "relu"),
        ("leaky_relu(negative_slope=0.2, inplace=true)", "leaky_relu(slope=0.2)"),
        ("dropout(p=0.1, inplace=true)", "dropout(p=0.1)"),
        ("hardtanh(min_val=0, max_val=6)", "hardtanh(low=0, high=6)"),
        ("softmax(dim=1)", "softmax(axis=1)"),
        ("maxpool(kernel_size=2, ceil_mode=true)", "maxpool(kernel=2, ceil=true)"),
        ("avgpool(kernel_size=3, count_include_pad=false)", "avgpool(kernel=3, count_pad=false)"),
        ("adaptive_avgpool(output_size=7)", "adaptive_avgpool(size=7)"),
        ("flatten(start_dim=1)", "flatten(start=1)"),
        ('resize(scale_factor=2, mode="nearest")', 'resize(scale=2, mode="nearest")'),
        ("pixel_shuffle(upscale_factor=2)", "pixel_shuffle(factor=2)"),
        ("layernorm(normalized_shape=32, elementwise_affine=false)", "layernorm(affine=false)"),
        ("conv(64, 128, 3)", "conv(128, 3)"),
    ],
)
def test_torch_names_are_fixed(call: str, edited: str) -> None:
    spec = from_text(f"model M {{\n  input x: {IMAGE}\n  a: {call}\n  output y\n}}\n", name="/nowhere/habits.arch")
    (text,) = fixed_texts(spec).values()
    assert text == spec.scope.file.source.text.replace(call, edited)


def torch_parameters(of: str) -> list[str]:
    """The names of a torch class or function, without the values that it takes."""
    module, _, name = of.rpartition(".")
    names = list(inspect.signature(getattr(importlib.import_module(module), name)).parameters)
    if names == ["args", "kwargs"] and name in (
        "LSTM",
        "GRU",
        "RNN",
    ):  # of the recurrent layers, all but that of `nn.RNN` are those of their base
        base = importlib.import_module("torch.nn").RNNBase
        names = list(inspect.signature(base).parameters)[1:]
        names[3:3] = ["nonlinearity"] if name == "RNN" else []
    return [n for n in names if n not in ("input", "tensors")]


ORDERS = [(op, order) for op in OPS for order in op.orders() if order.of.startswith("torch")]


@pytest.mark.parametrize(("op", "order"), ORDERS, ids=[op.name for op, _ in ORDERS])
def test_orders_are_those_of_torch(op: type[Op], order: Any) -> None:
    ours = {p.name for p in parameters(op)}
    assert all(value in ours for value in order.arguments.values() if isinstance(value, str))
    try:
        theirs = torch_parameters(order.of)
    except ValueError:  # a function written in C++ has no signature
        assert order.of in {
            "torch.chunk", "torch.cat", "torch.stack", "torch.roll", "torch.clamp", "torch.topk", "torch.sort",
            "torch.argsort", "torch.argmax", "torch.argmin", "torch.cumsum", "torch.nn.functional.one_hot",
        }  # fmt: skip
        return
    declared = [name for name in order.arguments if name in theirs or name != "inplace"]
    assert declared == theirs[: len(declared)]


def test_every_operator_that_torch_calls_otherwise_states_its_order() -> None:
    """An operator whose torch module takes other arguments, or takes them by other names, has an order."""
    without = {op.name for op in OPS_BY_NAME.values() if not op.orders() and parameters(op)}
    assert without == {"maximum", "minimum", "pad", "rearrange", "reduce", "einsum", "where", "take", "attend"}


def test_sizes_of_the_input_are_stated_for_every_torch_layer_that_takes_them() -> None:
    taking = {op.name for op, order in ORDERS if any(isinstance(v, Arriving) for v in order.arguments.values())}
    assert taking == {
        "conv", "convtranspose", "linear", "batchnorm", "layernorm", "groupnorm", "instancenorm", "prelu", "attention",
        "lstm", "gru", "rnn",
    }  # fmt: skip


def test_models_build_without_torch_orders_being_asked() -> None:
    """A model in our order builds as before, whatever its layers doubt."""
    spec = from_text("model M { input x: [N, 3, 8, 8]\n a: conv(3, 3, 1, 1)\n output y }")
    assert build_model(next(iter(spec.buildable.values()))).diagnostics == []
