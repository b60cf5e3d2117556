"""Comparing a file with torch: equal, at fault from a layer on, or rounding that grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

import torch

from archdsl.diagnostics.lowering import ModuleIsAnother, NothingVerified, OnnxDiffers
from archdsl.emit.onnx import Report, export, verify
from archdsl.emit.onnx.compare import Trial, _problem, difference, difference_text
from archdsl.emit.onnx.sampling import Arrays, choices, random_inputs, sizes_for
from archdsl.errors import SpecError
from archdsl.graph import Graph

from .networks import PARTS, UNET, WINDOWS, Reference, body, graph_of, weights_for

torch.set_num_threads(1)


@pytest.mark.parametrize("fold_bn", [False, True])
@pytest.mark.parametrize("text", [UNET, WINDOWS, PARTS], ids=["unet", "windows", "parts"])
def test_equal(text: str, fold_bn: bool, tmp_path: Path) -> None:
    graph = graph_of(text)
    weights = weights_for(graph)
    path = export(graph, weights, tmp_path / "net.onnx", fold_bn=fold_bn)
    report = verify(graph, Reference(graph, weights), path)
    assert report.problem is None
    assert not report.amplifies
    assert report.difference < 1e-4
    assert [c.sizes["N"] for c in report.comparisons if c.output == report.comparisons[0].output][:3] == [1, 3, 1]
    assert report.facts()["ok"] is True
    assert str(report).startswith("ONNX Runtime equals torch at N = 1")


def test_small_sizes_are_tried_too(tmp_path: Path) -> None:
    graph = body('assert H >= 3; resize("bilinear", scale=1.25)')
    path = export(graph, {}, tmp_path / "net.onnx")
    report = verify(graph, Reference(graph, {}), path)
    assert report.problem is None
    assert {"N": 1, "H": 3, "W": 1} in [dict(c.sizes) for c in report.comparisons]


@pytest.mark.parametrize("fold_bn", [False, True])
@pytest.mark.parametrize(
    ("weight", "place"),
    [
        ("encoder0.0.weight", ("encoder0.0", "encoder0.1")),
        ("up1.bias", ("up1", "up1")),
        ("decoder1.4.running_mean", ("decoder1.4", "decoder1.4")),
        ("head.weight", ("mask", "mask")),
    ],
)
def test_names_the_first_layer_that_differs(weight: str, place: tuple[str, str], fold_bn: bool, tmp_path: Path) -> None:
    """A folded convolution is no longer there by itself: then its norm is named."""
    graph = graph_of(UNET)
    weights = weights_for(graph)
    path = export(graph, weights, tmp_path / "net.onnx", fold_bn=fold_bn)
    weights[weight] = weights[weight] + 0.1
    report = verify(graph, Reference(graph, weights), path)
    assert isinstance(report.problem, OnnxDiffers)
    assert report.problem.place == place[fold_bn]
    assert report.problem.span is not None
    assert not report.facts()["ok"]
    assert f"the first to differ is `{place[fold_bn]}`" in str(report)


def chaos(depth: int = 60) -> Graph:
    """Doubles its input modulo 1 in each turn: a rounding error becomes 2^60 times as large."""
    return body(f"conv: conv(8, 1)\nfor i in 0..{depth} {{ it * 2.7 -> sin }}", "[N, 8, 4, 4]")


def test_rounding_that_grows_is_no_fault(tmp_path: Path) -> None:
    graph = chaos()
    weights = weights_for(graph)
    path = export(graph, weights, tmp_path / "net.onnx")
    report = verify(graph, Reference(graph, weights), path)
    assert report.amplifies
    assert report.problem is None
    assert report.difference > 1e-4
    assert "rounding errors grow" in str(report)
    weights["conv.bias"] = weights["conv.bias"] + 0.01
    report = verify(graph, Reference(graph, weights), path)
    assert isinstance(report.problem, OnnxDiffers)
    assert report.problem.place == "conv"


def test_a_module_that_is_not_the_graph(tmp_path: Path) -> None:
    graph = body("conv: conv(8, 1)")
    weights = weights_for(graph)
    path = export(graph, weights, tmp_path / "net.onnx")

    class Other(Reference):
        def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(output + 1 for output in super().forward(*inputs))

    report = verify(graph, Other(graph, weights), path)
    assert isinstance(report.problem, ModuleIsAnother)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"no model")
    graph = body("relu")
    with pytest.raises(SpecError, match="ONNX Runtime cannot run the file"):
        verify(graph, Reference(graph, {}), tmp_path / "net.onnx")


def test_a_network_of_one_size_is_run_once(tmp_path: Path) -> None:
    graph = body("conv: conv(8, 1)", "[2, 8, 4, 4]")
    weights = weights_for(graph)
    report = verify(graph, Reference(graph, weights), export(graph, weights, tmp_path / "net.onnx"))
    assert [dict(c.sizes) for c in report.comparisons] == [{}]
    assert "at the sizes stated" in str(report)


def test_a_module_stays_in_the_mode_it_was_in(tmp_path: Path) -> None:
    graph = body("conv: conv(8, 1) -> dropout")
    weights = weights_for(graph)
    module = Reference(graph, weights).train()
    assert verify(graph, module, export(graph, weights, tmp_path / "net.onnx")).problem is None
    assert module.training


# ---- differences -------------------------------------------------------------------------------------------


def floats(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def test_differences() -> None:
    one = floats(1, -4)
    assert difference(one, one) == 0
    assert difference(floats(1, -3.5), one) == 0.5 / 4
    assert difference(floats(0.25), floats(0)) == 0.25
    assert difference(one.astype(np.int64), one) == np.inf
    assert difference(one[:1], one) == np.inf
    nan, infinite = floats(np.nan, 1), floats(np.inf, 1)
    assert difference(nan, nan) == difference(infinite, infinite) == 0
    assert difference(nan, one) == difference(one, nan) == np.inf
    assert difference(infinite, one) == difference(-infinite, infinite) == np.inf
    whole = np.array([1, 2])
    assert difference(whole, whole) == 0
    assert difference(whole, whole + 1) == np.inf
    assert difference(floats(), floats()) == 0


# ---- inputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("assert H >= 200; relu", {"N": 3, "H": 200, "W": 67}),
        ("assert W == H; relu", {"N": 3, "H": 65, "W": 65}),
        ("assert H % 32 == 0; relu", {"N": 3, "H": 96, "W": 67}),
        ("assert H <= 20; relu", {"N": 3, "H": 20, "W": 67}),
        ("assert N % 4 == 0; relu", {"N": 4, "H": 66, "W": 67}),
        ("assert H == 2 * W + 1; relu", None),
    ],
)
def test_sizes_meet_the_preconditions(text: str, sizes: dict[str, int] | None) -> None:
    graph = body(text)
    found = sizes_for(graph, 3)
    assert set(found) == {"N", "H", "W"}
    assert all(condition.holds(found) for need in graph.needs.preconditions() for condition in need.conditions)
    if sizes is not None:
        assert found == sizes


def test_inputs_of_every_type() -> None:
    graph = graph_of(
        """
        model M {
          input x: [N, 3]
          input index: [N, 50] int64
          input mask: [N, 50] bool
          output y = x
          output z = index
          output m = mask
        }
        """
    )
    inputs = random_inputs(graph, {"N": 2})
    assert {name: array.dtype.name for name, array in inputs.items()} == {
        "x": "float32",
        "index": "int64",
        "mask": "bool",
    }
    assert set(inputs["index"].flat) == {0, 1}
    assert inputs["x"].shape == (2, 3)


# ---- what is not finite ------------------------------------------------------------------------------------


def verified(text: str, shape: str, tmp_path: Path, spoil: Callable[[Arrays], Arrays] = lambda made: made) -> Report:
    """A network compared with its file; ``spoil`` changes what torch gives."""
    graph = body(text, shape)

    class Spoilt(Reference):
        def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            names = [output.name for output in graph.outputs]
            made = {n: t.numpy().copy() for n, t in zip(names, super().forward(*inputs), strict=True)}
            return tuple(torch.from_numpy(array) for array in spoil(made).values())

    weights = weights_for(graph)
    return verify(graph, Spoilt(graph, weights), export(graph, weights, tmp_path / "net.onnx"))


@pytest.mark.parametrize(
    "text",
    ["0.0 - exp(it) -> log", "log(exp(it) * 0.0)", "exp(exp(exp(exp(exp(it * it + 9.0)))))"],
    ids=["NaN", "minus infinity", "infinity"],
)
def test_nothing_is_verified_where_nothing_is_finite(text: str, tmp_path: Path) -> None:
    report = verified(text, "[N, 8]", tmp_path)
    assert isinstance(report.problem, NothingVerified)
    assert not report.facts()["ok"]
    assert [c["compared"] for c in report.facts()["comparisons"]] == [0, 0]


def test_of_two_outputs_each_is_to_be_compared(tmp_path: Path) -> None:
    graph = graph_of("model M {\n input x: [N, 8]\n output right = x -> relu\n output wrong = log(0.0 - exp(x))\n}")
    weights = weights_for(graph)
    report = verify(graph, Reference(graph, weights), export(graph, weights, tmp_path / "net.onnx"))
    assert isinstance(report.problem, NothingVerified)
    assert report.problem.outputs == "`wrong`"


def test_some_numbers_that_are_not_finite_are_reported(tmp_path: Path) -> None:
    report = verified("log(it)", "[N, 8]", tmp_path)
    assert report.problem is None
    assert "equals torch" in str(report)
    assert "are NaN or infinite in both" in str(report)
    first = report.facts()["comparisons"][0]
    assert 0 < first["compared"] < first["elements"] == 8


def test_finite_outputs_are_reported_without_more(tmp_path: Path) -> None:
    report = verified("relu", "[N, 8]", tmp_path)
    assert "not verified" not in str(report)
    assert "\n" not in str(report)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_finite_on_one_side_only_is_a_difference(value: float, tmp_path: Path) -> None:
    def spoil(made: Arrays) -> Arrays:
        for array in made.values():
            array.flat[0] = value
        return made

    report = verified("relu", "[N, 8]", tmp_path, spoil)
    assert report.problem is not None
    assert not isinstance(report.problem, NothingVerified)
    assert not report.amplifies


def test_rounding_does_not_grow_to_nan(tmp_path: Path) -> None:
    """A file with NaN where torch has none, and every layer alike, is not taken for one whose roundings grow."""
    graph = body("relu", "[N, 8]")
    path = export(graph, {}, tmp_path / "net.onnx")
    trial = Trial({"N": 1}, {"x": np.ones((1, 8), np.float32)}, *({"y": a} for a in (floats(1), floats(np.nan))))
    problem = _problem(graph, Reference(graph, {}), path, trial)
    assert problem is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda array: array[:, :-1], "its shape, [1, 8] and not [1, 7]"),
        (lambda array: array.astype(np.int64), "its element type, float32 and not int64"),
    ],
)
def test_another_shape_or_type_is_a_difference(change, says: str, tmp_path: Path) -> None:
    found, wanted = np.ones((1, 8), np.float32), change(np.ones((1, 8), np.float32))
    assert difference(found, wanted) == np.inf
    assert difference_text(found, wanted) == says
    report = verified("relu", "[N, 8]", tmp_path, lambda made: {name: change(array) for name, array in made.items()})
    assert report.problem is not None


# ---- the sizes that are tried ------------------------------------------------------------------------------


def test_sizes_around_a_change_of_the_roundings_are_tried() -> None:
    graph = body("maxpool(2) -> maxpool(2) -> maxpool(2)", "[N, 8, H, W]")
    sizes = [(c["H"], c["W"]) for c in choices(graph, (1, 3))]
    assert (8, 8) in sizes, "the least"
    assert {(15, 15), (16, 16)} <= set(sizes), "all three poolings have just got one more"


def test_each_size_is_tried_once_and_all_are_allowed() -> None:
    graph = body("assert H >= 20; assert H == W; conv: conv(8, 3, stride=2, pad=1)", "[N, 8, H, W]")
    found = choices(graph, (1, 3))
    assert len({tuple(sizes.items()) for sizes in found}) == len(found)
    assert all(sizes["H"] == sizes["W"] >= 20 for sizes in found)
    assert 20 in [sizes["H"] for sizes in found]


def test_a_network_that_rounds_nothing_is_tried_at_usual_and_least_sizes() -> None:
    assert choices(body("relu", "[N, 8, H, W]"), (1, 3))[2:] == [{"N": 1, "H": 1, "W": 1}]
    assert choices(body("relu", "[N, 8, 4, 4]"), (1, 3)) == [{"N": 1}, {"N": 3}]
