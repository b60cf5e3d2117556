"""``archdsl compile``."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import onnx
import pytest
import torch

import archdsl as package
from archdsl.files import fingerprint


def test_torch_source_stands_alone(archdsl, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    ran = archdsl("compile", "lenet5", "--set", "classes=3", "-o", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert "proved equal to the checked graph" in ran.out
    names: dict = {"__name__": "net"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert names["LeNet5"]()(torch.zeros(2, 1, 32, 32)).shape == (2, 3)
    assert archdsl("compile", "lenet5", "--set", "classes=3", "-o", "-").out == file.read_text()


def test_a_family_is_one_file(archdsl, tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    spec = tmp_path / "nets.arch"
    spec.write_text(
        "arch 1\nmodel Net(width, classes = 3) { input x: [N, 4]; h: linear(width); f: linear(classes); output y }\n"
        "model Small = Net(8)\nmodel Large = Net(16)\n"
    )
    assert "A0605" in archdsl("compile", str(spec), "-o", str(file)).err
    ran = archdsl("compile", str(spec), "--family", "-o", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert "2 models" in ran.out
    names: dict = {"__name__": "nets"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert names["small"]().h.weight.shape == (8, 4)
    assert names["large"]()(torch.zeros(2, 4)).shape == (2, 3)
    facts = json.loads(archdsl("compile", str(spec), "--family", "-o", str(file), "--format", "json").out)
    assert facts["models"] == {"Small": "small", "Large": "large"}
    assert archdsl("compile", str(spec), "--family", "-o", "-").out == file.read_text()


def test_onnx_with_weights_verified(archdsl, tmp_path: Path) -> None:
    weights, file = tmp_path / "w.pth", tmp_path / "net.onnx"
    torch.save(package.load("lenet5").module().state_dict(), weights)
    arguments = ("compile", "lenet5", "--weights", str(weights), "-o", str(file), "--verify")
    ran = archdsl(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert "ONNX Runtime equals torch at N = 1 and N = 3" in ran.out
    model = onnx.load(file)
    stored = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    assert (stored["c1.weight"] == torch.load(weights, weights_only=True)["c1.weight"].numpy()).all()
    facts = json.loads(archdsl(*arguments, "--format", "json").out)
    assert facts["ok"]
    assert facts["bytes"] == file.stat().st_size
    assert facts["verified"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", "net.py", "--verify"),
        ("-o", "net.py", "--fold-bn"),
        ("-o", "net.onnx", "--family"),
        ("-o", "net.py", "--family", "--weights", "w.pth"),
        ("-o", "net.py", "--to", "onnx"),
        ("-o", "net.onnx", "--to", "torch"),
        ("-o", "-", "--to", "onnx"),
    ],
)
def test_arguments_that_contradict_each_other(archdsl, arguments: tuple[str, ...]) -> None:
    ran = archdsl("compile", "lenet5", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "archdsl compile: error:" in ran.err


@pytest.mark.parametrize("name", ["net.py", "net.onnx"])
def test_a_file_is_not_touched_by_a_run_that_fails(archdsl, spec, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("precious")
    wrong = spec("model M { input x: [N, 3, 8, 8]; c: covn(4, 3); output y }")
    assert archdsl("compile", wrong, "-o", str(file)).code == 1
    (tmp_path / "w.pth").write_text("no weights")
    assert archdsl("compile", "lenet5", "--weights", str(tmp_path / "w.pth"), "-o", str(file)).code == 1
    assert file.read_text() == "precious"


def test_a_place_that_cannot_be_written(archdsl, tmp_path: Path) -> None:
    ran = archdsl("compile", "lenet5", "-o", str(tmp_path))
    assert ran.code == 1
    assert "error[A0609]: cannot write" in ran.err


# ---- what the weights of an ONNX file are ------------------------------------------------------------------


def metadata(file: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(file).metadata_props}


def test_without_a_checkpoint_the_weights_are_called_initial(archdsl, tmp_path: Path) -> None:
    file, again = tmp_path / "net.onnx", tmp_path / "again.onnx"
    ran = archdsl("compile", "lenet5", "-o", file)
    assert "initial values (seed 0), not trained" in ran.out
    assert metadata(file)["weights"] == "initial values (seed 0), not trained"
    torch.rand(7)
    facts = json.loads(archdsl("compile", "lenet5", "-o", again, "--verify", "--format", "json").out)
    assert facts["origin"] == metadata(file)["weights"]
    assert facts["verified"]["ok"]
    assert again.read_bytes() == file.read_bytes(), "the seed says all about them"


def test_with_a_checkpoint_its_name_and_digest_are_recorded(archdsl, tmp_path: Path) -> None:
    weights, file = tmp_path / "best.pth", tmp_path / "net.onnx"
    torch.save(package.load("lenet5").module().state_dict(), weights)
    ran = archdsl("compile", "lenet5", "--weights", weights, "-o", file)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert metadata(file)["weights"] == f"best.pth (sha256 {digest})"
    assert "initial" not in ran.out
    assert "best.pth" in ran.out


def test_the_interface_records_them_too(tmp_path: Path) -> None:
    model, before = package.load("lenet5"), torch.random.get_rng_state()
    assert metadata(model.onnx(tmp_path / "a.onnx"))["weights"] == "initial values (seed 0), not trained"
    assert (torch.random.get_rng_state() == before).all(), "drawn from a generator of their own"
    assert metadata(model.onnx(tmp_path / "b.onnx", model.module()))["weights"] == "given as a state dict"
    assert metadata(model.onnx(tmp_path / "c.onnx", model.module(), origin="epoch 3"))["weights"] == "epoch 3"


def test_a_name_of_any_bytes_can_be_recorded(tmp_path: Path) -> None:
    weights = tmp_path / os.fsdecode(b"w\xff.pth")
    try:
        weights.write_bytes(b"")
    except OSError:
        pytest.skip("no such names in this file system")
    assert fingerprint(weights).startswith("w\ufffd.pth (sha256 e3b0c442")


def test_nothing_verified_is_no_success(archdsl, spec, tmp_path: Path) -> None:
    path = spec("model M {\n  input x: [N, 8]\n  0.0 - exp(it) -> log\n  output y\n}")
    ran = archdsl("compile", path, "--verify", "-o", tmp_path / "net.onnx")
    assert ran.code == 1
    assert "error[A0533]" in ran.err
    assert "equals" not in ran.out + ran.err
    assert archdsl("compile", path, "-o", tmp_path / "net.onnx").code == 0


# ---- weights that do not fit -------------------------------------------------------------------------------

HUGE = "model M {\n  input x: [N, 1, 8, 8]\n  global_avgpool -> flatten\n  c: linear(10 ** 14)\n  output y\n}"


@pytest.mark.parametrize(
    "command",
    [
        ("compile", "{}", "--to", "onnx", "-o", "net.onnx"),
        ("compile", "{}", "--to", "onnx", "--weights", "w.pth", "-o", "net.onnx"),
        ("bench", "{}", "--batches", "1"),
        ("train", "{}", "--data", "digits"),
        ("train", "{}", "--data", "digits", "--weights", "w.pth"),
        ("gradients", "{}", "--data", "digits"),
    ],
    ids=" ".join,
)
def test_weights_that_do_not_fit_into_memory(archdsl, spec, monkeypatch, tmp_path: Path, command: tuple[str]) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({}, "w.pth")
    ran = archdsl(*(part.format(spec(HUGE)) for part in command))
    assert ran.code == 1
    assert "error[A0613]: the weights of `M` need 800.0 TB of memory" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.arch", "w.pth"]


def test_weights_that_do_not_fit_keep_nothing_else_from_working(archdsl, spec, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("check", "summary", "compile"):
        assert archdsl(command, spec(HUGE)).code == 0
    with pytest.raises(package.SpecError, match=r"A0613.*800\.0 TB"):
        package.load(str(spec(HUGE))).module()


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_an_allocation_that_fails_is_answered_alike(monkeypatch, error: Exception) -> None:
    def fails(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("archdsl.emit.torch.load.make_module", fails)
    with pytest.raises(package.SpecError, match=r"A0613.*246\.8 kB"):
        package.load("lenet5").module()
