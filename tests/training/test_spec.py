"""Specs trained by the command, as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.cli import main
from archdsl.diagnostics.training import WrongClassCount
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.fit import fit
from archdsl.training.spec import SpecTrainable


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command as a file, like the one that pip installs: the trainer starts further processes with it."""
    script = tmp_path / "run_archdsl.py"
    script.write_text("import sys\nfrom archdsl.cli import main\nsys.exit(main())\n")
    return [sys.executable, str(script), "train"]


def told(capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
    assert main(["train", *map(str, argv), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_spec_is_sized_to_its_data() -> None:
    lenet = SpecTrainable(archdsl.load("lenet5"))
    assert (lenet.name, lenet.channels, lenet.size) == ("LeNet5", 1, (32, 32))
    network = lenet.build(classes=7, channels=1, size=(40, 40))
    assert network.module(torch.zeros(2, 1, 40, 40)).shape == (2, 7)


def test_a_spec_whose_head_is_fixed(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text("model Fixed { input x: [N, C, H, W]; global_avgpool -> flatten; fc: linear(7); output y }")
    trainable = SpecTrainable(archdsl.load(path))
    assert (trainable.channels, trainable.size) == (None, None)
    with pytest.raises(SpecError) as caught:
        fit(trainable, Config(), tmp_path / "run")
    assert isinstance(caught.value.diagnostics[0], WrongClassCount)


def test_from_spec_to_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """LeNet-5 with rectified units learns the digits within three epochs; its ONNX file gives the same answers."""
    onnxruntime = pytest.importorskip("onnxruntime")
    out = tmp_path / "run"
    facts = told(capsys, "lenet5", "--set", "act=relu", "--epochs", 3, "--lr", 0.005, "--out", out, "--export")
    assert facts["test_accuracy"] > 0.9
    assert facts["files"]["onnx"] == str(out / "best.onnx")
    checkpoint = torch.load(out / "best.ckpt", weights_only=True)
    module = archdsl.load("lenet5", act="relu").module().eval()
    module.load_state_dict({k.removeprefix("network."): v for k, v in checkpoint["state_dict"].items()}, strict=True)
    pictures = torch.randn(5, 1, 32, 32)
    session = onnxruntime.InferenceSession(out / "best.onnx")
    (scores,) = session.run(None, {session.get_inputs()[0].name: pictures.numpy()})
    torch.testing.assert_close(torch.from_numpy(scores), module(pictures).detach(), atol=1e-4, rtol=1e-4)


def test_auxiliary_heads_are_trained_and_left_out_of_the_test(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(
        """
        model Two(classes = 10) {
          input x: [N, 1, 8, 8]
          stem: conv(4, 3) -> relu
          output aux: [N, classes] = flatten -> side: linear(classes) when training
          flatten
          fc: linear(classes)
          output y: [N, classes]
        }
        """
    )
    fit(SpecTrainable(archdsl.load(path)), Config(epochs=1), tmp_path / "run")
    before = archdsl.load(path).state_dict_shapes
    trained = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert [name.removeprefix("network.") for name in trained["state_dict"]] == list(before)
    moments = trained["optimizer_states"][0]["state"]
    assert all(state["exp_avg"].abs().sum() > 0 for state in moments.values())


def test_another_activation_is_another_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "lenet5", "--epochs", 1, "--out", tmp_path / "run")
    argv = ["train", "lenet5", "--set", "act=relu", "--resume", str(tmp_path / "run"), "--format", "json"]
    assert main(argv) == 1
    (found,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert "different computations" in found["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal for a group of processes")
def test_ctrl_c_in_a_terminal(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every process of the terminal hears it, workers too; the run stops with a checkpoint and can be resumed."""
    out = tmp_path / "run"
    argv = [*command, "lenet5", "--epochs", "200", "--workers", "1", "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, start_new_session=True, stderr=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stderr is not None
        while not (line := run.stderr.readline()).startswith("epoch 1/200"):
            assert line, "it ended before its first epoch"
        os.killpg(run.pid, signal.SIGINT)
        rest = run.stderr.read()
        assert run.wait() == 130
    assert f"--resume {out}" in rest
    assert "Traceback" not in rest
    kept = torch.load(out / "last.ckpt", weights_only=True)["archdsl"]
    facts = told(capsys, "lenet5", "--resume", out, "--epochs", kept["epochs"] + 1, "--workers", 0)
    assert len((out / "log.csv").read_text().splitlines()) == 1 + facts["epochs"] == 2 + kept["epochs"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_in_the_midst_of_an_epoch(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resumed, it comes to the weights, the moving average and the log of the run that nothing happened to."""
    settings = ["--epochs", "3", "--checkpoint-every", "5", "--ema", "0.99", "--workers", "1", "--deterministic"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    told(capsys, "lenet5", *settings, "--out", whole)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [*command, "lenet5", *settings, "--out", str(cut)]
    with subprocess.Popen(argv, start_new_session=True, stderr=subprocess.DEVNULL, env=environment) as run:
        while True:  # it stands still while it is looked at, however busy the machine
            os.killpg(run.pid, signal.SIGSTOP)
            if (cut / "best.ckpt").exists() and batches(cut) > 0:
                break
            os.killpg(run.pid, signal.SIGCONT)
            assert run.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
    assert 0 < batches(cut) < 33
    told(capsys, "lenet5", "--resume", cut, "--workers", 0)
    for name in ("last.ckpt", "best.ckpt", "ema.ckpt"):
        ours, theirs = (torch.load(out / name, weights_only=True) for out in (whole, cut))
        for part in ("state_dict", "current_model_state", "averaging_state", "optimizer_states"):
            torch.testing.assert_close(ours.get(part), theirs.get(part), rtol=0, atol=0)
    logs = [[line.rpartition(",")[0] for line in (out / "log.csv").read_text().splitlines()] for out in (whole, cut)]
    assert logs[0] == logs[1]


def batches(run: Path) -> int:
    """Done in the epoch that the last checkpoint is in the midst of."""
    return torch.load(run / "last.ckpt", weights_only=True)["archdsl"]["batches"] if (run / "last.ckpt").exists() else 0


PLAIN = """
block Stem(width) {
  input x: [N, C, H, W]
  conv: conv(width, 5, stride=2) -> tanh
}
model Plain(classes = 10) {
  input x: [N, 1, 16, 16]
  stem: Stem(8)
  flatten
  fc: linear(classes)
  output y
}
"""
"""Without batch norm and dropout, whose results hang on how pictures are grouped."""


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_take_the_steps_of_one(strategy: str, command: list[str], tmp_path: Path) -> None:
    """2×16 pictures give the gradients of 1×32; each picture is tested once; one process tells the result.

    Sharded by the spec's blocks, they write the same checkpoint.
    """
    (tmp_path / "plain.arch").write_text(PLAIN)
    settings = ["--epochs", "1", "--optimizer", "sgd", "--lr", "0.1", "--accelerator", "cpu", "--format", "json"]
    argv = [*command, "plain.arch", *settings, "--batch-size", "16", "--devices", "2", "--strategy", strategy]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    facts = json.loads(ran.stdout)
    recognised = facts["test_accuracy"] * facts["pictures"]["test"]
    assert recognised == pytest.approx(round(recognised), abs=1e-3)
    assert facts["files"]["best"] == str(Path("runs/plain/best.ckpt"))
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["plain"]
    settings = Config(epochs=1, optimizer="sgd", lr=0.1, batch_size=32)
    one = fit(SpecTrainable(archdsl.load(tmp_path / "plain.arch")), settings, tmp_path / "one")
    ours, theirs = (torch.load(tmp_path / out / "last.ckpt", weights_only=True) for out in ("runs/plain", "one"))
    assert ours["global_step"] == theirs["global_step"] == 33
    momentum = [checkpoint["optimizer_states"][0]["state"] for checkpoint in (ours, theirs)]  # sums of all gradients
    torch.testing.assert_close(*momentum, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours["state_dict"], theirs["state_dict"], rtol=1e-4, atol=1e-6)
    assert one.test_accuracy == pytest.approx(facts["test_accuracy"])
