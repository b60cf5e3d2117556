"""What only a GPU can show: precisions, kernels and their chance, memory. Skipped where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_resume import assert_same, weights
from training_samples import SmallTrainable

import archdsl
from archdsl.cli import main
from archdsl.errors import SpecError
from archdsl.training.config import Config
from archdsl.training.fit import fit

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that CUDA runs on")


@pytest.fixture(scope="module")
def config(colours: Path) -> Config:
    return Config(data=str(colours), epochs=3, batch_size=9, workers=0, lr=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"precision": "bf16-mixed"},
        {"precision": "16-mixed"},
        {"precision": "bf16-true"},
        {"channels_last": True},
        {"compile": True},
        {"fused": False},
        {"optimizer": "sgd", "ema": 0.9, "clip": 1.0},
        {"deterministic": True},
        {"workers": 2},
        {"strategy": "fsdp"},
        {"strategy": "ddp"},
    ],
    ids=str,
)
def test_a_run_of_every_kind(changes: dict[str, Any], config: Config, tmp_path: Path) -> None:
    """It learns, on the GPU; the checkpoint has the network's names and goes into a network on the CPU."""
    result = fit(SmallTrainable(), replace(config, epochs=8, **changes), tmp_path)
    assert result.test_accuracy > 0.6
    assert json.loads((tmp_path / "run.json").read_text())["hardware"]["gpu"] == torch.cuda.get_device_name()
    state = {
        name.removeprefix("network."): value for name, value in weights(tmp_path, "best.ckpt")["state_dict"].items()
    }
    network = SmallTrainable().build(classes=3, channels=3, size=(12, 12)).module
    network.load_state_dict({name: value.cpu() for name, value in state.items()}, strict=True)


@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_resumed_to_the_same_bits(precision: str, config: Config, tmp_path: Path) -> None:
    """With the scaler of half precision in the checkpoint, and algorithms that are deterministic."""
    config = replace(config, precision=precision, deterministic=True, ema=0.9)
    fit(SmallTrainable(), config, tmp_path / "whole")
    with pytest.raises(SpecError):
        fit(SmallTrainable(interrupt_at=6), config, tmp_path / "cut")
    fit(SmallTrainable(), config, tmp_path / "cut", resume=True)
    assert_same(tmp_path / "cut", tmp_path / "whole")
    scaler = "MixedPrecision"
    assert weights(tmp_path / "cut").get(scaler) == weights(tmp_path / "whole").get(scaler)
    assert (scaler in weights(tmp_path / "cut")) == (precision == "16-mixed")


def test_a_run_is_evaluated_on_the_gpu_and_its_export_by_onnx_runtime(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.arch").write_text(
        "model Net(classes = 10) { input x: [N, 3, 12, 12]; conv: conv(6, 3) -> bn: batchnorm -> relu\n"
        "global_avgpool -> flatten; fc: linear(classes); output y: [N, classes] }"
    )
    run = tmp_path / "run"
    argv = ["train", tmp_path / "net.arch", "--data", colours, "--epochs", 4, "--batch-size", 9, "--lr", 0.02]
    assert main([*map(str, argv), "--workers", "0", "--out", str(run), "--export", "--format", "json"]) == 0
    trained = json.loads(capsys.readouterr().out)["test_accuracy"]
    for file in (run, run / "best.onnx"):
        assert main(["eval", str(file), "--data", str(colours), "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(trained)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "torchvision/swin_t"])
def test_networks_give_on_the_gpu_what_they_give_on_the_cpu(name: str) -> None:
    module = archdsl.load(name).module().eval()
    pictures = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        expected = module(pictures)
        found = module.cuda()(pictures.cuda()).cpu()
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


def test_bench_tells_the_gpus_memory(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["bench", "resnet18", "--batches", "4", "--seconds", "0.1", "--format", "json"]
    assert main(argv) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    forward, step = (next(row for row in rows if row["what"] == what) for what in ("forward", "training step"))
    assert 4 * 3 * 224 * 224 * 4 < forward["memory"] < step["memory"]


def test_gradients_are_measured(tmp_path: Path) -> None:
    picture = tmp_path / "gradients.png"
    assert main(["gradients", "lenet5", "--steps", "2", "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
