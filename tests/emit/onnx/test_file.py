"""Files: one where it can be, two near protobuf's limit; whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import onnx
from onnx import TensorProto, helper, numpy_helper

from archdsl.emit.onnx.file import PAGE, with_weights, write
from archdsl.errors import SpecError

from .networks import in_runtime

RANDOM = np.random.default_rng(0)


def network(width: int = 300) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """``x @ a + b``, without its weights, and these."""
    weights = {"a": RANDOM.standard_normal((4, width), np.float32), "b": RANDOM.standard_normal(width, np.float32)}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "a"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", width])],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]), weights


def assert_computes(path: Path, weights: dict[str, np.ndarray]) -> None:
    x = RANDOM.standard_normal((3, 4), np.float32)
    np.testing.assert_allclose(in_runtime(path, {"x": x})["y"], x @ weights["a"] + weights["b"], rtol=1e-4, atol=1e-5)


def test_one_file_is_the_model(tmp_path: Path) -> None:
    model, weights = network()
    path = tmp_path / "net.onnx"
    write(model, weights, path)
    assert onnx.load(path) == with_weights(model, weights)
    assert os.listdir(tmp_path) == ["net.onnx"]
    assert_computes(path, weights)


@pytest.mark.parametrize("width", [0, 1, 31, 32, 127, 128, 129, 5_000, 600_000])
def test_lengths_of_every_number_of_bytes(width: int, tmp_path: Path) -> None:
    model, weights = network(width)
    write(model, weights, tmp_path / "net.onnx")
    assert onnx.load(tmp_path / "net.onnx") == with_weights(model, weights)


def test_scalars_whole_numbers_and_bools(tmp_path: Path) -> None:
    model, _ = network()
    weights = {"s": np.float32(3).reshape(()), "i": np.arange(5), "t": np.array([[True], [False]])}
    weights = {name: np.asarray(array) for name, array in weights.items()}
    write(model, weights, tmp_path / "net.onnx")
    assert onnx.load(tmp_path / "net.onnx") == with_weights(model, weights)


def test_two_files_beyond_the_limit(tmp_path: Path) -> None:
    model, weights = network()
    weights["small"] = np.arange(3)
    path = tmp_path / "net.onnx"
    write(model, weights, path, limit=5_000)
    assert sorted(os.listdir(tmp_path)) == ["net.onnx", "net.onnx.data"]
    onnx.checker.check_model(path, full_check=True)
    assert_computes(path, weights)
    loaded = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    assert all(np.array_equal(loaded[name], array) for name, array in weights.items())
    stored = {t.name: t for t in onnx.load(path, load_external_data=False).graph.initializer}
    places = {name: {e.key: e.value for e in t.external_data} for name, t in stored.items()}
    assert places["a"] == {"location": "net.onnx.data", "offset": "0", "length": "4800"}
    assert places["b"] == {"location": "net.onnx.data", "offset": str(2 * PAGE), "length": "1200"}
    assert places["small"] == {}
    assert path.stat().st_size < 1_000


def test_two_files_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, weights = network()
    (tmp_path / "made").mkdir()
    write(model, weights, tmp_path / "made" / "net.onnx", limit=0)
    (tmp_path / "made").rename(tmp_path / "moved")
    assert_computes(tmp_path / "moved" / "net.onnx", weights)


@pytest.mark.parametrize("limit", [0, 10**9])
def test_what_fails_leaves_the_old_files(limit: int, tmp_path: Path) -> None:
    model, weights = network()
    path = tmp_path / "net.onnx"
    write(model, weights, path, limit=limit)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    class Full:
        """An array whose contents the disk does not take."""

        nbytes, shape, dtype = 4_000, (1_000,), np.dtype(np.float32)

        @property
        def data(self) -> memoryview:
            raise OSError(28, "No space left on device")

    with pytest.raises(SpecError, match="No space left on device"):
        write(model, {**weights, "c": Full()}, path, limit=limit)  # type: ignore[dict-item]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_folder_in_its_place(limit: int, tmp_path: Path) -> None:
    model, weights = network()
    (tmp_path / "net.onnx").mkdir()
    with pytest.raises(SpecError, match="folder"):
        write(model, weights, tmp_path / "net.onnx", limit=limit)
    assert os.listdir(tmp_path) == ["net.onnx"]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    model, weights = network()
    (tmp_path / "here").write_text("a file")
    with pytest.raises(SpecError, match="cannot write"):
        write(model, weights, tmp_path / "here" / "net.onnx")
