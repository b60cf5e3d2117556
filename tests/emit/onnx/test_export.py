"""What an exported file says of the network, and that it computes the same as torch."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

import onnx
import torch
from onnx import numpy_helper

from archdsl.emit.onnx import export, to_model
from archdsl.emit.onnx.sampling import random_inputs
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.op import OnnxIn, OnnxNode, OnnxWeight
from archdsl.ops.conv import Conv

from .networks import PARTS, UNET, WINDOWS, assert_equal, body, exported, graph_of, in_torch, run, session, weights_for

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def parts() -> tuple[Graph, onnx.ModelProto]:
    graph = graph_of(PARTS)
    return graph, to_model(graph, weights_for(graph))


# ---- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (UNET, [(1, 32, 40), (3, 33, 47), (2, 8, 9), (1, 15, 71)]),
        (WINDOWS, [(1, 20, 20), (3, 31, 22), (2, 9, 38), (1, 7, 7)]),
    ],
    ids=["unet", "windows"],
)
def test_one_file_for_all_sizes(text: str, sizes: list[tuple[int, int, int]], tmp_path: Path) -> None:
    graph = graph_of(text)
    path, weights = exported(graph, tmp_path)
    opened = session(path)
    for batch, height, width in sizes:
        inputs = random_inputs(graph, {"N": batch, "H": height, "W": width})
        assert_equal(run(opened, inputs), in_torch(graph, weights, inputs))


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    graph = graph_of(PARTS)
    path, weights = exported(graph, tmp_path)
    opened = session(path)
    assert [i.name for i in opened.get_inputs()] == ["words", "image", "unused"]
    assert [o.name for o in opened.get_outputs()] == ["logits", "same", "first", "given", "factor"]
    for batch, length in ((1, 4), (3, 11)):
        inputs = random_inputs(graph, {"N": batch, "L": length})
        assert_equal(run(opened, inputs), in_torch(graph, weights, inputs))


# ---- what the file says ------------------------------------------------------------------------------------


def test_symbols_stay_symbols(parts: tuple[Graph, onnx.ModelProto]) -> None:
    _, model = parts
    assert [_shape(info) for info in model.graph.input] == [["N", "L"], ["N", 3, 8, 8], ["N", 2]]
    assert _shape(model.graph.output[0]) == ["N", 5]
    unet = graph_of(UNET)
    inner = {info.name: _shape(info) for info in to_model(unet, weights_for(unet)).graph.value_info}
    assert inner["maxpool_1"] == ["N", 8, "H // 4", "W // 4"]
    assert inner["up0"] == ["N", 4, "2 * (H // 2)", "2 * (W // 2)"]


@pytest.mark.parametrize("text", [UNET, WINDOWS, PARTS], ids=["unet", "windows", "parts"])
def test_every_tensor_has_a_shape(text: str) -> None:
    graph = graph_of(text)
    model = to_model(graph, weights_for(graph))
    onnx.checker.check_model(model, full_check=True)
    stated = {info.name for info in (*model.graph.value_info, *model.graph.output)}
    assert {name for node in model.graph.node for name in node.output if name} == stated


@pytest.mark.parametrize("text", [UNET, WINDOWS, PARTS], ids=["unet", "windows", "parts"])
def test_onnx_infers_the_same_shapes_at_plain_sizes(text: str) -> None:
    """Of symbolic sizes ONNX knows little, so they are replaced by numbers for it to check all of them."""
    graph = graph_of(text)
    model = to_model(graph, weights_for(graph))
    values = {"N": 2, "H": 37, "W": 52, "L": 9}
    for info in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in info.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = eval(dim.dim_param, {}, values)
    onnx.checker.check_model(model, full_check=True)


def test_weights_under_their_names(parts: tuple[Graph, onnx.ModelProto]) -> None:
    """Each once, in the order of the state dict; not what only training needs."""
    graph, model = parts
    weights = weights_for(graph)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    unread = {"norm.num_batches_tracked", *(name for name in weights if name.startswith("aux."))}
    assert [name for name in stored if name in weights] == [name for name in weights if name not in unread]
    for name in weights.keys() - unread:
        np.testing.assert_array_equal(numpy_helper.to_array(stored[name]), weights[name].numpy())
    uses = Counter(name for node in model.graph.node for name in node.input)
    assert uses["embed.weight"] == 2
    assert all(uses[name] for name in stored)


def test_nodes_are_named_by_their_place(parts: tuple[Graph, onnx.ModelProto]) -> None:
    _, model = parts
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert {"table/Gather", "embed/MatMul", "embed_1/MatMul", "conv/Conv", "relu/Relu", "main.fc1/Gemm"} <= {*names}
    outputs = [name for node in model.graph.node for name in node.output]
    assert len(set(outputs)) == len(outputs)


def test_nodes_nest_as_modules_do(parts: tuple[Graph, onnx.ModelProto]) -> None:
    """The keys and the form are those of torch's exporter."""
    _, model = parts
    props = {node.name: {p.key: p.value for p in node.metadata_props} for node in model.graph.node}
    assert props["main.fc2/Gemm"] == {
        "namespace": ": Parts/main: Head/main.fc2: linear",
        "pkg.torch.onnx.class_hierarchy": "['Parts', 'Head', 'linear']",
        "pkg.torch.onnx.name_scopes": "['', 'main', 'main.fc2']",
    }
    assert props["main.relu/Relu"]["namespace"] == ": Parts/main: Head/main.relu: relu"
    assert all("namespace" in found for found in props.values())


def test_no_node_does_nothing() -> None:
    graph = body("conv: conv(4, 3) -> identity -> relu -> dropout -> identity")
    model = to_model(graph, weights_for(graph))
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"]
    assert list(model.graph.node[1].output) == ["y"]


def test_about_the_model() -> None:
    graph = graph_of(WINDOWS.replace("H, W]\n  stem", "H, W]\n  assert H >= 10\n  stem"))
    model = to_model(graph, weights_for(graph))
    assert (model.producer_name, model.graph.name, model.opset_import[0].version) == ("archdsl", "Windows", 18)
    assert {p.key: p.value for p in model.metadata_props} == {"preconditions": "H must be at least 10"}


def test_equal_constants_are_one(parts: tuple[Graph, onnx.ModelProto]) -> None:
    _, model = parts
    contents = Counter((t.data_type, *t.dims, t.raw_data) for t in model.graph.initializer if "constant" in t.name)
    assert set(contents.values()) == {1}


def test_no_invented_names_of_sizes() -> None:
    graph = graph_of(WINDOWS)
    model = to_model(graph, weights_for(graph))
    params = {str(size) for info in model.graph.value_info for size in _shape(info) if isinstance(size, str)}
    assert not {name for name in params if name.startswith("unk")}


def _shape(info: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in info.type.tensor_type.shape.dim]


# ---- the same every time -----------------------------------------------------------------------------------


SAME = """
import sys
from hashlib import sha256
import numpy as np
from archdsl.compiler import build, from_text
from archdsl.emit.onnx import export
spec = from_text(sys.stdin.read())
for model in spec.models.values():
    graph = build(spec, model, {}, {}).graph
    weights = {name: np.zeros(weight.shape, weight.dtype) for name, weight in graph.weights.items()}
    print(sha256(export(graph, weights, sys.argv[1]).read_bytes()).hexdigest())
"""


def test_the_same_bytes_under_another_hash_seed(tmp_path: Path) -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", SAME, str(tmp_path / "net.onnx")],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            input=UNET + WINDOWS + PARTS,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0].split())) == 3


def test_importing_the_exporter_imports_no_onnx() -> None:
    code = "import sys, archdsl.emit.onnx; assert not {'onnx', 'numpy', 'torch'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


# ---- what cannot be exported -------------------------------------------------------------------------------


def _faults(graph: Graph, weights: dict, tmp_path: Path) -> list[str]:
    path = tmp_path / "net.onnx"
    with pytest.raises(SpecError) as caught:
        export(graph, weights, path)
    assert list(tmp_path.iterdir()) == []
    return [f"{d.code} {d.message}" for d in caught.value.diagnostics]


def test_weights_that_do_not_fit_are_all_named(tmp_path: Path) -> None:
    graph = body("a: conv(4, 3) -> b: linear(3)")
    weights = weights_for(graph)
    weights["a.weight"] = weights["a.weight"][:2]
    weights["a.bias"] = weights["a.bias"].long()
    weights["b.weight"] = weights["b.weight"].bfloat16()
    del weights["b.bias"]
    assert _faults(graph, weights, tmp_path) == [
        "A0521 the weight `a.weight` is [2, 8, 3, 3] float32, not [4, 8, 3, 3] float32",
        "A0521 the weight `a.bias` is [4] int64, not [4] float32",
        "A0522 the weight `b.weight` cannot be converted to an array: Got unsupported ScalarType BFloat16",
        "A0520 the weight `b.bias` is missing",
    ]


def test_floats_of_another_precision_are_converted(tmp_path: Path) -> None:
    graph = body("a: conv(4, 3)")
    weights = {name: tensor.half() for name, tensor in weights_for(graph).items()}
    model = to_model(graph, weights)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert stored["a.weight"].dtype == np.float32
    np.testing.assert_array_equal(stored["a.weight"], weights["a.weight"].float().numpy())


def test_arrays_and_parameters_serve_as_weights(tmp_path: Path) -> None:
    graph = body("a: conv(4, 3)")
    weights = weights_for(graph)
    arrays = {name: np.asfortranarray(tensor.numpy()) for name, tensor in weights.items()}
    assert to_model(graph, arrays) == to_model(graph, weights)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "model M { input x: [N, 4]; param y: [4] = ones; it + y; output y }",
            "A0523 `y` is both an output and a parameter; in an ONNX file they share one namespace",
        ),
        (
            "model M { input x: [N, 4]; relu; output x }",
            "A0523 `x` is both an input and an output; in an ONNX file they share one namespace",
        ),
        (
            "model M { input x: [N, 4]; relu; output y when training }",
            "A0524 `M` has outputs only in training; an ONNX file is for inference",
        ),
    ],
)
def test_names_and_outputs_that_onnx_cannot_have(text: str, fault: str, tmp_path: Path) -> None:
    graph = graph_of(text)
    assert _faults(graph, weights_for(graph), tmp_path) == [fault]


def test_hostile_names(tmp_path: Path) -> None:
    """Layers, inputs and parameters called as their neighbours without a name would be."""
    graph = graph_of(
        """
        model M {
          input relu_1: [N, 4]
          param relu_2: [4] = ones
          relu: linear(4) -> relu -> relu
          residual { relu }
          add: { "add-1": linear(4) -> relu -> relu_1: linear(4) }
          "constant": linear(4) -> "sizes": linear(4)
          it + relu_2 + 0.5
          weight: { bias: linear(4) }
          output y: [N, 4]
        }
        """
    )
    path, weights = exported(graph, tmp_path)
    inputs = random_inputs(graph, {"N": 3})
    assert_equal(run(session(path), inputs), in_torch(graph, weights, inputs))


def test_what_onnx_cannot_say_is_named_once_for_each_place(tmp_path: Path) -> None:
    graph = graph_of(
        """
        block Half { input x: [N, C, H, W]; conv: conv(C, 3, pad=1); avgpool([H // 2, 2]) }
        model M {
          input image: [N, 4, H, W]
          a: Half
          b: Half
          adaptive_avgpool([3, 2])
          output y
        }
        """
    )
    faults = _faults(graph, weights_for(graph), tmp_path)
    assert [fault[: fault.index(":")] for fault in faults] == [
        "A0532 `avgpool` cannot be exported to ONNX here",
        "A0532 `adaptive_avgpool` cannot be exported to ONNX here",
    ]


def test_a_model_that_the_checker_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ONNX infers another shape than the graph states."""
    graph = body("conv: conv(6, 3)", "[N, 8, 9, 9]")
    weights = weights_for(graph)

    def wrong(self: Conv, *_: object) -> tuple[OnnxNode, ...]:
        inputs = (OnnxIn(), OnnxWeight("weight"), OnnxWeight("bias"))
        return (OnnxNode("Conv", inputs, {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}),)

    monkeypatch.setattr(Conv, "onnx", wrong)
    (fault,) = _faults(graph, weights, tmp_path)
    assert fault.startswith("A0527 the ONNX checker rejects the file")
    assert "(9) vs (7)" in fault


def test_onnx_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    graph = body("relu")
    assert _faults(graph, {}, tmp_path) == ["A0607 exporting to ONNX needs `onnx`, which is not installed"]
