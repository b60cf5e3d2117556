"""Gradient flow and speed: figures against autograd's and torch's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn.functional import cross_entropy

import archdsl
from archdsl.cli import main
from archdsl.cli.gradients import sweep
from archdsl.training.config import Config
from archdsl.training.flow import flow
from archdsl.training.loaders import Draws
from archdsl.training.sources import load
from archdsl.training.spec import SpecTrainable
from archdsl.training.transforms import evaluation

CHAIN = """
model Chain(act = sigmoid, deep = 6, classes = 10) {
  input x: [N, 1, 8, 8]
  flatten
  layers: seq { for i in 0..deep { seq { linear(16) -> act } } }
  fc: linear(classes)
  output y
}
"""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "chain.arch"
    path.write_text(CHAIN)
    return path


def test_gradients_vanish_through_sigmoids_and_less_through_relus(chain: Path) -> None:
    data, config = load("digits", 1), Config(optimizer="sgd")
    shares = {}
    for act in ("sigmoid", "relu"):
        found = flow(SpecTrainable(archdsl.load(chain, act=act)), data, config, 2)
        assert len(found.layers) == 7
        assert len(found.gradients) == len(found.activations) == len(found.losses) == 3
        assert found.layers[-1] == "fc"
        shares[act] = found.gradients[0][0] / found.gradients[0][-1]
    assert shares["sigmoid"] < 1e-3 < shares["relu"]


def test_the_figures_are_autograds(chain: Path) -> None:
    data, config = load("digits", 1), Config(seed=3, batch_size=8)
    model = archdsl.load(chain)
    found = flow(SpecTrainable(model), data, config, 0)
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    try:
        module = model.module()
    finally:
        torch.set_default_dtype(torch.float32)
    drawn = [place for place, _ in Draws(len(data.split.train), 8, 3)][:8]
    assert isinstance(data.pictures, torch.Tensor)
    plain = evaluation(data, 1, (8, 8))
    pictures = torch.stack([plain(data.pictures[data.split.train[place]]) for place in drawn]).double()
    labels = torch.tensor([data.labels[data.split.train[place]] for place in drawn])
    loss = cross_entropy(module(pictures), labels)
    loss.backward()
    assert found.losses == [pytest.approx(loss.item())]
    wanted = [module.get_submodule(name).weight.grad.norm().item() for name in found.layers]
    assert list(found.gradients[0]) == pytest.approx(wanted)
    first = module.get_submodule(found.layers[0])(pictures.flatten(1))
    assert found.activations[0][0] == pytest.approx(first.square().mean().sqrt().item())


def test_several_in_one_plot(chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "flow.png"
    argv = ["gradients", str(chain), f"{chain}:Chain", "--set", "deep=3", "--steps", "1", "-o", str(out)]
    assert main([*argv, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [len(network["layers"]) for network in told["networks"]] == [4, 4]
    with Image.open(out) as image:
        assert image.width > 1000


def test_without_steps_there_is_one_of_each(chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradients", str(chain), "--steps", "0", "-o", str(tmp_path / "flow.png")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Chain: 7 layers, loss ")
    assert "->" not in told
    assert told.count("\n  step ") == 1


def test_a_gradient_too_small_for_float32_is_measured(chain: Path) -> None:
    data = load("digits", 1)
    found = flow(SpecTrainable(archdsl.load(chain, deep=80)), data, Config(), 0)
    assert 0 < found.gradients[0][0] < 1e-46
    assert torch.get_default_dtype() == torch.float32
    assert found.gradient_left(0) == found.gradients[0][0] / found.gradients[0][-1]
    assert found.signal_left(0) == found.activations[0][-1] / found.activations[0][0]


def test_a_sweep_plots_each_network_of_a_family(
    chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [
        "gradients",
        str(chain),
        "--sweep",
        "deep=8,2",
        "--set",
        "act=relu",
        "--steps",
        "1",
        "-o",
        tmp_path / "p.png",
    ]
    assert main([*map(str, argv), "--format", "json"]) == 0
    networks = json.loads(capsys.readouterr().out)["networks"]
    assert [(n["settings"], len(n["layers"])) for n in networks] == [({"deep": "8"}, 9), ({"deep": "2"}, 3)]
    assert main(list(map(str, argv))) == 0
    told = capsys.readouterr().out.splitlines()
    ends = [n["gradients"][step][0] / n["gradients"][step][-1] for n in networks for step in (0, 1)]
    assert told[1].startswith("  deep=8: 9 layers, ")
    for line, before, after in zip(told[1:3], ends[::2], ends[1::2], strict=True):
        assert f"gradient {before:#.2g} -> {after:#.2g}, signal " in line
    with Image.open(tmp_path / "p.png") as image:
        assert image.width > 1000


@pytest.mark.parametrize("text", ["deep", "deep=", "deep=3,,4", "2=3"])
def test_a_sweep_names_a_parameter_and_its_values(chain: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["gradients", str(chain), "--sweep", text])
    assert "is not NAME=VALUE,VALUE,…" in capsys.readouterr().err


def test_a_value_of_a_sweep_may_have_commas_in_it() -> None:
    assert sweep("depths=[2, 2],[3, 4]") == [{"depths": "[2, 2]"}, {"depths": "[3, 4]"}]


def bench(capsys: pytest.CaptureFixture[str], *argv: object) -> Any:
    assert main(["bench", *map(str, argv), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


NORMED = "model Net { input x: [N, 3, 4, 4]; global_avgpool -> flatten -> bn: batchnorm; output y }"


def test_what_cannot_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.arch").write_text("model Net { input x: [N, 3, 4096, 4096]; global_avgpool; output y }")
    argv = ["bench", str(tmp_path / "net.arch"), "--batches", str(2**31 - 1), "--seconds", "0.01", "--device", "cpu"]
    assert main(argv) == 1
    assert "error[A0721]: measuring failed: " in capsys.readouterr().err


def test_a_training_step_of_one_is_left_out_where_a_norm_has_no_deviation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.arch").write_text(NORMED)
    argv = ["bench", str(tmp_path / "net.arch"), "--batches", "1,2", "--seconds", "0.01", "--device", "cpu"]
    assert main([*argv, "--format", "json"]) == 0
    said = capsys.readouterr()
    rows = [(row["what"], row["batch"]) for row in json.loads(said.out)["rows"]]
    assert ("forward", 1) in rows
    assert ("training step", 2) in rows
    assert ("training step", 1) not in rows
    assert "warning[A0737]" in said.err
    assert "`bn`" in said.err
    assert "at least 2" in said.err


def test_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    found = bench(capsys, "lenet5", "--batches", "1,4", "--seconds", 0.01, "--device", "cpu", "-o", tmp_path / "b.png")
    assert torch.get_num_threads() == threads
    kinds = list(dict.fromkeys(row["what"] for row in found["rows"]))
    assert kinds[:2] == ["forward", "training step"]
    assert [row["batch"] for row in found["rows"]] == [1] * len(kinds) + [4] * len(kinds)
    for row in found["rows"]:
        passes = 3 if row["what"] == "training step" else 1
        assert row["flops"] * row["latency"] == pytest.approx(2 * 416_520 * row["batch"] * passes)
        assert row["throughput"] * row["latency"] == pytest.approx(row["batch"])
    forward = [row["memory"] for row in found["rows"] if row["what"] == "forward"]
    training = [row["memory"] for row in found["rows"] if row["what"] == "training step"]
    assert forward[1] > 6 * 28 * 28 * 4 * 4  # at least the first layer's output of four pictures
    assert all(t > f for t, f in zip(training, forward, strict=True))
    with Image.open(tmp_path / "b.png") as image:
        assert image.format == "PNG"


def test_bench_needs_a_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "open.arch").write_text("model Open { input x: [N, 3, H, W]; conv: conv(4, 3); output y }")
    assert main(["bench", str(tmp_path / "open.arch")]) == 1
    assert "--input Nx3x224x224" in capsys.readouterr().err
