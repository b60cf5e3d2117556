"""Pits that trainers are known to have, on one run that passes all of them: compiled, averaged, fine-tuned, exported.

What others have stumbled into, and what would show it here:

- names of weights with `_orig_mod.` in them after compilation: ``test_names_are_the_specs``, and
  test_trouble.py::test_names_of_weights_survive_compilation;
- a moving average that never warms up on small data: ``test_the_average_has_forgotten_the_first_weights``, and
  test_task.py::test_an_average_forgets_the_first_weights_on_small_data;
- evaluation padded to equal shares on several devices, so that pictures count twice:
  test_spec.py::test_two_processes_take_the_steps_of_one, and test_data.py::test_evaluation_draws_all_in_order;
- frozen batch norms whose statistics drift: ``test_frozen_norms_stand_still``, and
  test_select.py::test_frozen_norms_do_not_drift;
- exports of a network that still trains, with its dropout and the batch's own statistics:
  ``test_the_export_is_of_the_network_at_rest``;
- classes pickled into checkpoints, which run code when they are loaded: ``test_checkpoints_are_plain``, and
  test_resume.py::test_a_checkpoint_runs_no_code.

There is no finder of learning rates that could return nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.training.config import Config
from archdsl.training.fit import fit
from archdsl.training.spec import SpecTrainable

SPEC = """
model Net(classes = 10) {
  input x: [N, 3, 12, 12]
  stem: conv(6, 3) -> norm: batchnorm -> relu
  conv: conv(6, 3) -> bn: batchnorm -> relu
  global_avgpool -> flatten -> dropout(0.5)
  fc: linear(classes)
  output y: [N, classes]
}
"""
CHECKPOINTS = ("best.ckpt", "last.ckpt", "ema.ckpt")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> archdsl.Model:
    path = tmp_path_factory.mktemp("pits") / "net.arch"
    path.write_text(SPEC)
    return archdsl.load(path, classes=3)


@pytest.fixture(scope="module")
def start(model: archdsl.Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    state = model.module().state_dict()
    state["norm.running_mean"].uniform_(-1, 1)
    return state


@pytest.fixture(scope="module")
def run(
    model: archdsl.Model, start: dict[str, torch.Tensor], colours: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("run")
    torch.save(start, folder / "start.pth")
    config = Config(
        data=str(colours), epochs=10, batch_size=6, workers=0, lr=0.02, ema=0.9999, compile=True, tensorboard=False,
        weights=str(folder / "start.pth"), freeze=("stem", "norm"),
    )  # fmt: skip
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        compiler = torch.compile
        patch.setattr(torch, "compile", lambda *args, **options: compiler(*args, **{**options, "backend": "eager"}))
        fit(SpecTrainable(model), config, folder / "run", export=True)
    return folder / "run"


@pytest.fixture
def states(run: Path) -> dict[str, dict[str, Any]]:
    found = {name: torch.load(run / name, weights_only=True)["state_dict"] for name in CHECKPOINTS}
    return {file: {name.removeprefix("network."): v for name, v in state.items()} for file, state in found.items()}


def test_names_are_the_specs(states: dict[str, dict[str, Any]], start: dict[str, torch.Tensor]) -> None:
    assert all(list(state) == list(start) for state in states.values())


def test_the_average_has_forgotten_the_first_weights(
    states: dict[str, dict[str, Any]], start: dict[str, torch.Tensor]
) -> None:
    """After 60 steps. With 0.9999 from the first one it would still be where it started, within one per cent."""
    moved = states["ema.ckpt"]["fc.weight"] - start["fc.weight"]
    assert moved.norm() > 0.3 * start["fc.weight"].norm()


def test_frozen_norms_stand_still(states: dict[str, dict[str, Any]], start: dict[str, torch.Tensor]) -> None:
    for state in states.values():
        for name in start:
            same = torch.equal(state[name], start[name])
            assert same == name.startswith(("stem.", "norm.")), name


def test_the_export_is_of_the_network_at_rest(
    run: Path, model: archdsl.Model, states: dict[str, dict[str, Any]]
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(run / "best.onnx")
    module = model.module()
    module.load_state_dict(states["best.ckpt"])
    pictures = torch.randn(4, 3, 12, 12)
    scores = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: pictures.numpy()})[0])
    torch.testing.assert_close(scores, module.eval()(pictures).detach(), atol=1e-4, rtol=1e-4)
    assert (scores - module.train()(pictures)).abs().max() > 0.01


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_are_plain(name: str, run: Path) -> None:
    """Down to the last value: torch's ``weights_only`` allows some classes besides."""
    kinds: set[type] = set()

    def look(value: Any) -> None:
        kinds.add(type(value))
        for part in [*value.keys(), *value.values()] if isinstance(value, dict) else value:
            look(part) if isinstance(part, dict | list | tuple) else kinds.add(type(part))

    look(torch.load(run / name, weights_only=True))
    assert torch.Tensor in kinds
    assert all(kind in (torch.Tensor, OrderedDict) or kind.__module__ == "builtins" for kind in kinds)
