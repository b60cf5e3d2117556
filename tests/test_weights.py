"""Checkpoints as people have them: what loads, what is reported, what is refused. None of them may run code."""

from __future__ import annotations

import argparse
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import archdsl
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import NoSuchPart, SeveralStateDicts, WeightsDiffer
from archdsl.errors import SpecError
from archdsl.weights import Loaded, read_checkpoint, weights_for
from archdsl.weights.match import matches

MODEL = archdsl.load("lenet5")


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return MODEL.module().state_dict()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("form", ["pth", "safetensors", "ckpt"])
def test_forms_of_a_checkpoint(form: str, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / f"weights.{form}"
    match form:
        case "pth":
            torch.save(state, path)
        case "safetensors":
            save_file(state, path)
        case "ckpt":  # as Lightning writes it
            torch.save({"state_dict": {f"network.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    assert_same(weights_for(MODEL, path), state)


@pytest.mark.parametrize("wrapped", [True, False], ids=["torch.save", "pickle"])
def test_a_hostile_pickle_is_refused_and_does_not_run(wrapped: bool, tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pth", tmp_path / "ran"
    if wrapped:
        torch.save({"weight": Hostile(target)}, path)
    else:
        path.write_bytes(pickle.dumps(Hostile(target), protocol=2))
    found = read_checkpoint(path)
    assert isinstance(found, Diagnostic)
    assert "could execute code" in found.message
    assert "weights_only" not in found.message + found.help
    assert not target.exists()


def test_a_pickled_module_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    found = read_checkpoint(tmp_path / "whole.pth")
    assert isinstance(found, Diagnostic)
    assert "state_dict" in found.help


@pytest.mark.parametrize("contents", [b"", b"root:x:0:0", b"PK\x03\x04 cut off", b"\xff" * 100])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_what_is_no_checkpoint(contents: bytes, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(contents)
    found = read_checkpoint(path)
    assert isinstance(found, Diagnostic)
    assert found.message.endswith("it is not a checkpoint, or damaged")


@pytest.mark.parametrize(
    "held",
    [5, [1, 2], {}, {"x": "y"}, {5: torch.zeros(2)}, {"state_dict": 5}, {"state_dict": {5: torch.zeros(2)}}, {
        "state_dict": {"c1.weight": 5}}],
)  # fmt: skip
def test_a_checkpoint_that_holds_something_else(held: Any, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "weights.pth")
    assert "it contains no state dict" in _message(read_checkpoint(tmp_path / "weights.pth"))


@pytest.mark.parametrize("form", [torch.Tensor.to_sparse, lambda t: t.to("meta"), lambda t: t.to(torch.complex64)])
def test_weights_that_are_no_plain_numbers(form: Any, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save({name: form(tensor) for name, tensor in state.items()}, tmp_path / "weights.pth")
    assert "does not contain plain numbers" in _message(read_checkpoint(tmp_path / "weights.pth"))


def test_a_small_file_cannot_ask_for_much_memory(state: State, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(2**40)}, tmp_path / "weights.pth")
    assert "repeats a few numbers" in _message(read_checkpoint(tmp_path / "weights.pth"))
    held = {**state, "c1.bias": state["c1.bias"][:1].expand(6)}
    assert_same(loads(held, tmp_path), held)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in _message(read_checkpoint(tmp_path / "none.pth"))
    assert "it is a folder" in _message(read_checkpoint(tmp_path))


def test_weights_of_another_network(state: State, tmp_path: Path) -> None:
    less = {k: v for k, v in state.items() if k != "c1.bias"}
    assert "missing: c1.bias" in refused(less, tmp_path).message
    more = {**state, "more": torch.zeros(1)}
    assert "unexpected: more" in refused(more, tmp_path).message
    other = {**state, "c1.weight": torch.zeros(6, 1, 3, 3)}
    assert "c1.weight is [6, 1, 3, 3], not [6, 1, 5, 5]" in refused(other, tmp_path).message
    renamed = {k.replace("c1.", "conv1."): v for k, v in state.items()}
    assert refused(renamed, tmp_path).help.startswith("`c1.weight` may be `conv1.weight` in the file")


# ---- names as training scripts and libraries change them ----


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "model.",
        "backbone.",
        "model.module.",
        "network.",
        "student.net.0.",
    ],
)
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "model_state_dict", "state_dict_ema"])
def test_prefixes_and_entries(prefix: str, wrapper: str | None, state: State, tmp_path: Path) -> None:
    held: Any = {prefix + k: v for k, v in state.items()}
    if wrapper is not None:
        held = {wrapper: held, "epoch": 3, "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": []}}
    loaded = loads(held, tmp_path)
    assert_same(loaded, state)
    told = "\n".join(loaded.notes)
    assert (f"entry `{wrapper}`" in told) == (wrapper is not None)
    assert all(part in told for part in prefix.rstrip(".").split("."))


def test_wrappers_within_a_name_are_removed(tmp_path: Path) -> None:
    model = archdsl.load("resnet18")
    state = model.module().state_dict()
    held = {k.replace("layer1.0.", "layer1._orig_mod.0._checkpoint_wrapped_module."): v for k, v in state.items()}
    loaded = weights_for(model, saved(held, tmp_path))
    assert_same(loaded, state)
    assert loaded.notes == ("removed `_orig_mod.` and `_checkpoint_wrapped_module.` from the names",)


def test_a_network_with_a_part_called_module_keeps_it(tmp_path: Path) -> None:
    spec = tmp_path / "net.arch"
    spec.write_text("model M {\n  input x: [N, 4]\n  module: linear(4) -> fc: linear(2)\n  output y\n}\n")
    model = archdsl.load(spec)
    state = model.module().state_dict()
    assert weights_for(model, saved(state, tmp_path)).notes == ()
    assert_same(weights_for(model, saved({"module." + k: v for k, v in state.items()}, tmp_path)), state)


def test_files_of_before_pytorch_0_4_1_lack_counters(tmp_path: Path) -> None:
    model = archdsl.load("resnet18")
    state = model.module().state_dict()
    loaded = weights_for(model, saved({k: v for k, v in state.items() if "num_batches" not in k}, tmp_path))
    assert_same(loaded, state)
    assert loaded.notes == ("set 20 `num_batches_tracked` to 0: files written before PyTorch 0.4.1 lack them",)


@pytest.mark.parametrize(
    ("name", "old"),
    [
        (
            "torchvision/densenet121",
            {"norm1.": "norm.1.", "conv1.": "conv.1.", "norm2.": "norm.2.", "conv2.": "conv.2."},
        ),
        ("torchvision/vit_b_16", {"mlp.0.": "mlp.linear_1.", "mlp.3.": "mlp.linear_2."}),
    ],
)
def test_names_that_a_library_has_changed_since(name: str, old: Mapping[str, str], tmp_path: Path) -> None:
    model = archdsl.load(name)
    state = {k: torch.zeros(v) for k, v in model.state_dict_shapes.items()}  # type: ignore[arg-type]
    held = {}
    for key, value in state.items():
        inside = "denselayer" in key or "encoder_layer" in key
        for new, before in old.items() if inside else ():
            key = key.replace(new, before)
        held[key] = value
    assert held.keys() != state.keys()
    loaded = weights_for(model, saved(held, tmp_path))
    assert list(loaded.tensors) == list(state)
    assert loaded.notes[0].startswith("renamed from an old version")


def test_what_a_profiler_left_in_the_network_is_left_out(state: State, tmp_path: Path) -> None:
    loaded = loads({**state, "total_ops": torch.zeros(1), "c1.total_params": torch.zeros(1)}, tmp_path)
    assert_same(loaded, state)
    assert "2 counters of a profiler" in loaded.notes[0]


def test_a_head_beside_the_backbone_is_found(state: State, tmp_path: Path) -> None:
    held = {k if k.startswith("output") else f"backbone.{k}": v for k, v in state.items()}
    assert_same(loads(held, tmp_path), state)


def test_what_is_not_the_network_is_named(state: State, tmp_path: Path) -> None:
    held = {"backbone." + k: v for k, v in state.items()} | {
        "neck.0.weight": torch.zeros(2),
        "neck.0.bias": torch.zeros(2),
    }
    loaded = loads(held, tmp_path)
    assert_same(loaded, state)
    assert loaded.notes[-1] == "omitted weights outside of `backbone.`: neck (2 tensors)"


def test_options_and_numbers_of_numpy_beside_the_weights(state: State, tmp_path: Path) -> None:
    held = {"model": state, "args": argparse.Namespace(lr=0.1), "best": np.float64(0.9), "epoch": np.int64(3)}
    assert_same(loads(held, tmp_path), state)


def test_a_file_is_known_by_its_contents(state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "weights.bin")
    assert_same(weights_for(MODEL, tmp_path / "weights.bin"), state)


# ---- which one is meant ----


def test_of_several_state_dicts_one_is_asked_for(state: State, tmp_path: Path) -> None:
    ema = {k: v + 1 if v.is_floating_point() else v for k, v in state.items()}
    path = saved({"state_dict": state, "state_dict_ema": ema}, tmp_path)
    found = fault(path)
    assert isinstance(found, SeveralStateDicts)
    assert "`state_dict`, `state_dict_ema`" in found.message
    assert found.help == f"select one, for example `{path}:state_dict`"
    assert_same(weights_for(MODEL, f"{path}:state_dict_ema"), ema)
    assert_same(weights_for(MODEL, f"{path}:state_dict"), state)
    wrong = fault(f"{path}:model")
    assert isinstance(wrong, NoSuchPart)
    assert "`state_dict`" in wrong.message


def test_of_a_student_and_its_teacher_one_is_asked_for(state: State, tmp_path: Path) -> None:
    held = {f"{who}.{k}": v + at for at, who in enumerate(("student", "teacher")) for k, v in state.items()}
    path = saved({"model": held}, tmp_path)
    found = fault(path)
    assert isinstance(found, SeveralStateDicts)
    assert "`model.student`, `model.teacher`" in found.message
    assert_same(weights_for(MODEL, f"{path}:model.teacher"), {k: v + 1 for k, v in state.items()})


def test_a_file_whose_name_has_a_colon(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "step:3")
    assert_same(weights_for(MODEL, tmp_path / "step:3"), state)


def test_a_name_is_not_lost_where_two_differ_in_a_wrapper_alone(state: State, tmp_path: Path) -> None:
    found = refused({**state, **{"module." + k: v for k, v in state.items()}}, tmp_path)
    assert "unexpected: module.c1.weight" in found.message


# ---- branches and heads ----


@pytest.mark.parametrize(
    ("name", "branches"), [("torchvision/inception_v3", "AuxLogits"), ("torchvision/googlenet", "aux1")]
)
def test_a_branch_for_training_only_that_is_not_built_is_left_out(name: str, branches: str, tmp_path: Path) -> None:
    whole, slim = archdsl.load(name, auxiliary=True), archdsl.load(name, auxiliary=False)
    held = {k: torch.zeros(v) for k, v in whole.state_dict_shapes.items()}  # type: ignore[arg-type]
    loaded = weights_for(slim, saved(held, tmp_path))
    assert list(loaded.tensors) == list(slim.state_dict_shapes)
    assert f"`auxiliary=true` builds: {branches} (" in loaded.notes[0]
    without = {k: v for k, v in held.items() if k in slim.state_dict_shapes}
    found = fault(saved(without, tmp_path), whole)
    assert found.help == "build the network without them, as in the file: `--set auxiliary=false`"


def test_a_deeper_networks_weights_are_not_a_shallower_ones(tmp_path: Path) -> None:
    held = {k: torch.zeros(v) for k, v in archdsl.load("resnet34").state_dict_shapes.items()}  # type: ignore[arg-type]
    found = fault(saved(held, tmp_path), archdsl.load("resnet18"))
    assert "unexpected: layer1.2.conv1.weight" in found.message


def test_heads_and_stems_are_not_made_up(state: State, tmp_path: Path) -> None:
    model = archdsl.load("resnet18")
    held = {k: torch.zeros(v) for k, v in model.state_dict_shapes.items()}  # type: ignore[arg-type]
    headless = saved({k: v for k, v in held.items() if not k.startswith("fc.")}, tmp_path)
    assert "has no head" in fault(headless, model).help
    assert "--set classes=1000" in fault(saved(held, tmp_path), archdsl.load("resnet18", classes=17)).help
    grey = fault(saved(held, tmp_path), archdsl.load("resnet18", input="Nx1xHxW"))
    assert "conv1.weight is [64, 3, 7, 7], not [64, 1, 7, 7]" in grey.message
    assert "takes 3 channels" in grey.help


def test_a_module_and_a_file_take_weights_by_name(state: State, tmp_path: Path) -> None:
    path = saved({"module." + k: v for k, v in state.items()}, tmp_path)
    module = MODEL.module(path)
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    files = [MODEL.onnx(tmp_path / f"{i}.onnx", given, origin="here") for i, given in enumerate((path, module))]
    assert files[0].read_bytes() == files[1].read_bytes()
    with pytest.raises(SpecError, match="missing"):
        MODEL.module(saved({k: v for k, v in state.items() if k != "c1.bias"}, tmp_path))


def test_the_cost_of_matching_is_linear_in_the_names() -> None:
    wanted = {f"layers.{i}.weight": (1,) for i in range(20_000)}
    (found,) = matches(wanted, {f"module.model.{name}": shape for name, shape in wanted.items()})
    assert found.fits
    assert found.prefix == "model."


State = dict[str, Tensor]


def saved(held: Any, folder: Path) -> Path:
    torch.save(held, folder / "weights.pth")
    return folder / "weights.pth"


def loads(held: Any, folder: Path) -> Loaded:
    return weights_for(MODEL, saved(held, folder))


def fault(path: Path | str, model: archdsl.Model = MODEL) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        weights_for(model, path)
    return caught.value.diagnostics[0]


def refused(held: Any, folder: Path) -> Diagnostic:
    found = fault(saved(held, folder))
    assert isinstance(found, WeightsDiffer)
    return found


def assert_same(loaded: Loaded, state: Mapping[str, Tensor]) -> None:
    assert list(loaded.tensors) == list(state)
    assert all(torch.equal(loaded.tensors[name], value) for name, value in state.items())


def _message(found: object) -> str:
    assert isinstance(found, Diagnostic)
    return found.message
