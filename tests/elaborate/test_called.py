"""Layers called as functions: those without parameters are applied, of the others the message has the arrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from archdsl.diagnostics.names import WrongKind
from archdsl.model import Model, load

CALLS = {
    "silu(a) * b": lambda a, b: F.silu(a) * b,
    "a + relu(b)": lambda a, b: a + F.relu(b),
    "softmax(a, axis=-1) - b": lambda a, b: F.softmax(a, -1) - b,
    "gelu(tanh(a)) ** 2.0": lambda a, b: F.gelu(torch.tanh(a)) ** 2,
    "maximum(a, b) + maximum(a, 0.5)": lambda a, b: torch.maximum(a, b) + a.clamp(min=0.5),
    'einsum(a, b, "n c, n c -> n c")': lambda a, b: a * b,
    'einsum("n c, n c -> n c", a, b)': lambda a, b: a * b,
    "add { sigmoid(a); b; relu6(a) }": lambda a, b: torch.sigmoid(a) + b + F.relu6(a),
    "(a -> concat { relu(it); b })[:, 1:5]": lambda a, b: torch.cat([F.relu(a), b], 1)[:, 1:5],
    'rearrange(a, "n (c d) -> n (d c)", c=2)': lambda a, b: a.unflatten(1, (2, 2)).transpose(1, 2).flatten(1),
    "a if relu == tanh else mish(a)": lambda a, b: F.mish(a),
    "split(a, 2)[1] + b[:, :2]": lambda a, b: a.chunk(2, 1)[1] + b[:, :2],
    "[relu(a), b] -> add": lambda a, b: F.relu(a) + b,
    "cos([0.1, 0.2, 0.3, 0.4]) * a": lambda a, b: torch.cos(torch.tensor([0.1, 0.2, 0.3, 0.4])) * a,
    "exp([[1.0, 0.0, 2.0, 0.5]]) + b": lambda a, b: torch.exp(torch.tensor([[1.0, 0.0, 2.0, 0.5]])) + b,
    'einsum(a, [[1.0, 2.0, 3.0, 4.0]], "n c, d c -> n d")': lambda a, b: a @ torch.tensor([[1.0, 2.0, 3.0, 4.0]]).T,
}


def assert_gives(model: Model, x: torch.Tensor, expected: torch.Tensor, folder: Path) -> None:
    """The emitted source and the ONNX file compute what torch does."""
    module = model.module()
    torch.testing.assert_close(module(x), expected)
    session = onnxruntime.InferenceSession(str(model.onnx(folder / "m.onnx", module)))
    (found,) = session.run(None, {"x": x.numpy()})
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", CALLS)
def test_a_layer_without_parameters_called_on_values_is_applied(call: str, tmp_path: Path) -> None:
    path = tmp_path / "m.arch"
    path.write_text(f"model M {{\n input x: [N, 8]\n x[:, :4] as a\n x[:, 4:] as b\n {call} as y\n output y\n}}")
    model = load(path)
    x = torch.randn(3, 8)
    assert_gives(model, x, CALLS[call](x[:, :4], x[:, 4:]), tmp_path)


def test_a_layer_that_a_block_takes_is_called_too(specs) -> None:
    text = "block G(act) { input x: [N, C]; split(2) as [a, b]; act(a) * b }\nmodel M { input x: [N, 8]; "
    graph = specs.graph(text + "g: G(leaky_relu(0.1)); output y }")
    assert [n.op.name for n in graph.nodes] == ["split", "leaky_relu", "multiply"] or len(graph.nodes) == 3


@pytest.mark.parametrize(
    ("before", "call", "help"),
    [
        ("let fc: linear(16)", "x + fc(x)", "(x -> fc)"),
        ("let fc: linear(16)", "fc(x[:, 1:] -> relu)", "(x[:, 1:] -> relu -> fc)"),
        ("", "x + linear(16)(x)", "(x -> linear1: linear(16))"),
        ("let f = linear(16)", "f(x)", "(x -> linear1: f)"),
        ("", "conv(x, 64, 3)", "(x -> conv1: conv(64, 3))"),
        ("", "attention(x, x, x, heads=2)", "((x, x, x) -> attention1: attention(heads=2))"),
        ("let f = relu -> tanh", "f(x) * 2.0", "(x -> f)"),
        ("let f = { relu }", "f(x) * 2.0", "(x -> f)"),
        ("let fs: [linear(16), linear(16)]", "fs[0](x)", "(x -> fs[0])"),
    ],
)
def test_the_arrow_of_other_layers_is_shown(specs, before: str, call: str, help: str) -> None:
    (found,) = [d for d in specs.body_faults(f"{before}\n{call}\n") if d.code == "A0202"]
    assert isinstance(found, WrongKind)
    assert found.help == f"apply it with an arrow: `{help}`"


def test_blocks_that_take_no_arguments_are_not_called(specs) -> None:
    text = "block B { relu }\nmodel M { input x: [N, 8]; x + B(x); output y }"
    (found,) = specs.faults(text)
    assert found.help == "apply it with an arrow: `(x -> b1: B)`"


@pytest.mark.parametrize("op", ["+", "*", "<", "-"])
@pytest.mark.parametrize(
    ("side", "help"),
    [("relu", "(it -> relu)"), ("linear(3)", "(it -> linear1: linear(3))"), ("{ relu }", "(it -> { relu })")],
)
def test_a_layer_beside_an_operator_is_shown_with_its_arrow(specs, op: str, side: str, help: str) -> None:
    (found,) = specs.body_faults(f"x {op} {side}")
    assert found.help == f"apply the layer with an arrow: `{help}`"


def test_what_a_fault_made_unknown_is_not_reported_again(specs) -> None:
    for rest in (
        "relu(a) * b",
        'rearrange(a, "n c -> c n")',
        "softmax(a, axis=1) + 1.0",
        "relu(it)",
        "-relu(a)",
        "f(a)",
    ):
        found = specs.body_faults(f"let f: linear(3)\nx -> unknown as a\nx as b\n{rest}\n")
        assert [d.code for d in found] == ["A0201"], rest


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("v != none", True),
        ("v == none", False),
        ("none == v", False),
        ("not v == none", True),
        ("v == none or 1", True),
    ],
)
def test_whether_a_value_is_none_is_known(specs, condition: str, holds: bool) -> None:
    text = f"block B(v = none) {{ input x: [N, 8]; if {condition} {{ relu }} else {{ tanh }} }}\n"
    graph = specs.graph(text + "model M { input x: [N, 8]; b: B(x * 2.0); output y }")
    assert [n.op.name for n in graph.nodes if n.op.name in ("relu", "tanh")] == ["relu" if holds else "tanh"]


def test_a_block_whose_value_is_left_out_compiles(tmp_path: Path) -> None:
    path = tmp_path / "m.arch"
    path.write_text(
        "block B(v = none) { input x: [N, 8]; if v != none { x + v } else { x } }\n"
        "model M { input x: [N, 8]; b: B(x * 2.0) as p; x -> c: B as q; p + q; output y }"
    )
    model = load(path)
    x = torch.randn(2, 8)
    torch.testing.assert_close(model.module()(x), 4 * x)


# ---- indexing ----------------------------------------------------------------------------------------------

PICKS = {
    "x[:, [0, 2]]": lambda x: x[:, [0, 2]],
    "x[:, [-1, 0, 0]]": lambda x: x[:, [-1, 0, 0]],
    "x[:, [1]][:, :, [0, 3]]": lambda x: x[:, [1]][:, :, [0, 3]],
    "x[:, 0, [0, 2]]": lambda x: x[:, 0, [0, 2]],
    "x[:, 1:, 0..2]": lambda x: x[:, 1:, [0, 1]],
    "x[:, [[0, 1], [2, 0]]]": lambda x: x[:, torch.tensor([[0, 1], [2, 0]])],
    "x[:, :, index]": lambda x: x[:, :, [4, 0]],
}


@pytest.mark.parametrize("pick", PICKS)
def test_a_list_or_a_value_picks_entries_of_its_axis(pick: str, tmp_path: Path) -> None:
    path = tmp_path / "m.arch"
    path.write_text(
        f"model M {{\n input x: [N, 3, 5]\n buffer index: [2] int64 = [4, 0]\n {pick} * 1.0 + sum([0])\n output y\n}}"
    )
    model = load(path)
    x = torch.randn(2, 3, 5)
    assert_gives(model, x, PICKS[pick](x), tmp_path)
