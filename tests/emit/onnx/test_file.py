"""Files: one where it can be, two near protobuf's limit; whole or not at all."""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    assert path in tmp_path.iterdir()
    (data,) = (file.name for file in tmp_path.iterdir() if file != path)
    assert re.fullmatch(r"net\.onnx\.[0-9a-f]{16}\.data", data)
    onnx.checker.check_model(path, full_check=True)
    assert_computes(path, weights)
    loaded = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    assert all(np.array_equal(loaded[name], array) for name, array in weights.items())
    stored = {t.name: t for t in onnx.load(path, load_external_data=False).graph.initializer}
    places = {name: {e.key: e.value for e in t.external_data} for name, t in stored.items()}
    assert places["a"] == {"location": data, "offset": "0", "length": "4800"}
    assert places["b"] == {"location": data, "offset": str(2 * PAGE), "length": "1200"}
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


# ---- a model and its weights belong together ---------------------------------------------------------------


def exported(path: Path, seed: int) -> dict[str, np.ndarray]:
    """A model in two files; its weights."""
    model, weights = network()
    weights = {name: np.random.default_rng(seed).standard_normal(a.shape, np.float32) for name, a in weights.items()}
    write(model, weights, path, limit=0)
    return weights


def test_the_weights_of_a_replaced_model_go_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads at any moment finds the old pair or the new one."""
    path = tmp_path / "net.onnx"
    old, seen = exported(path, 1), []

    def look(step: str) -> None:
        found = in_runtime(path, {"x": np.eye(4, dtype=np.float32)})["y"]
        seen.append((step, bool(np.allclose(found, old["a"] + old["b"], atol=1e-5))))

    real_replace, real_unlink = os.replace, Path.unlink
    monkeypatch.setattr(
        os, "replace", lambda *a: (look("before a rename"), real_replace(*a), look("after a rename"))[1]
    )
    monkeypatch.setattr(Path, "unlink", lambda self, **k: (look("before a removal"), real_unlink(self, **k))[1])
    new = exported(path, 2)
    monkeypatch.undo()
    assert seen[:3] == [("before a rename", True), ("after a rename", True), ("before a removal", True)]
    assert seen[-1] == ("before a removal", False)
    assert len(list(tmp_path.iterdir())) == 2
    assert_computes(path, new)


def test_only_the_weights_of_the_replaced_model_go(tmp_path: Path) -> None:
    exported(tmp_path / "other.onnx", 1)
    exported(tmp_path / "net.onnx", 1)
    (tmp_path / "net.onnx.0123456789abcdef.data").write_bytes(b"of a model elsewhere")
    kept = {file.name for file in tmp_path.iterdir()}
    exported(tmp_path / "net.onnx", 1)
    assert {file.name for file in tmp_path.iterdir()} == kept
    model, weights = network()
    write(model, weights, tmp_path / "net.onnx")
    assert len(kept - {file.name for file in tmp_path.iterdir()}) == 1
    assert_computes(tmp_path / "net.onnx", weights)


def test_two_exports_at_once_leave_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process exports to the same path while this one is about to put its model in place."""
    path = tmp_path / "net.onnx"
    exported(path, 1)
    real, turn = os.replace, iter(range(100))

    def replace(*arguments: Path) -> None:
        if next(turn) == 1:
            exported(path, 2)
        real(*arguments)

    monkeypatch.setattr(os, "replace", replace)
    mine = exported(path, 3)
    assert_computes(path, mine)


def test_two_files_lie_beside_each_other_or_are_refused(tmp_path: Path) -> None:
    model, weights = network()
    (tmp_path / "kept").mkdir()
    (tmp_path / "away.onnx").symlink_to(tmp_path / "kept" / "net.onnx")
    with pytest.raises(SpecError, match="link into another folder"):
        write(model, weights, tmp_path / "away.onnx", limit=0)
    assert os.listdir(tmp_path / "kept") == []
    (tmp_path / "near.onnx").symlink_to("net.onnx")
    write(model, weights, tmp_path / "near.onnx", limit=0)
    assert (tmp_path / "near.onnx").is_symlink()
    assert_computes(tmp_path / "near.onnx", weights)
    assert_computes(tmp_path / "net.onnx", weights)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows knows no named pipes")
def test_two_files_do_not_go_into_a_pipe(tmp_path: Path) -> None:
    model, weights = network()
    os.mkfifo(tmp_path / "net.onnx")
    with pytest.raises(SpecError, match="next to a device or a pipe"):
        write(model, weights, tmp_path / "net.onnx", limit=0)
    assert os.listdir(tmp_path) == ["net.onnx"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows knows neither fork nor SIGKILL")
@pytest.mark.parametrize("limit_before", [0, 10**9], ids=["over two files", "over one file"])
@pytest.mark.parametrize("limit", [0, 10**9], ids=["two files", "one file"])
def test_a_kill_at_any_step_leaves_a_pair(limit: int, limit_before: int, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    model, old = network()
    new = {name: array + 1 for name, array in old.items()}
    found = []
    for step in range(100):
        write(model, old, path, limit=limit_before)
        if not killed_at(step, lambda: write(model, new, path, limit=limit)):
            break
        stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
        pair = next(w for w in (old, new) if all(np.array_equal(stored[name], w[name]) for name in w))
        assert_computes(path, pair)
        found.append(pair is new)
    assert found == sorted(found), "the new pair, once there, stays"
    assert set(found) == {False, True}, "it was killed before and after the change"
    assert_computes(path, new)


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do some work in a process that kills itself around its nth renaming or removal of a file. Did it come so far?"""
    child = os.fork()
    if child == 0:
        turn = itertools.count()

        def dying(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any, **named: Any) -> Any:
                if next(turn) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = call(*arguments, **named)
                if next(turn) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return run

        os.replace, Path.unlink = dying(os.replace), dying(Path.unlink)  # type: ignore[method-assign]
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
