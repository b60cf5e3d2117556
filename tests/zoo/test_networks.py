"""Each network is torchvision's: its state dict, its fresh weights, its outputs in torch and in ONNX Runtime.

Of large members of families only what needs no weights is compared: they are written by the same lines as the smaller
ones, with other numbers. ``pytest tests/zoo --every-weight`` compares their weights and outputs too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torchvision.models.regnet import BlockParams

import archdsl

from .reference import NETWORKS, build, is_large, ours, parameters, small_image, tensors
from .sampling import Repeating, difference, randomise

torch.set_num_threads(1)


@pytest.mark.parametrize("name", parameters())
def test_it_is_torchvisions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """All that needs contents, in one test: the weights of a network are made once, and freed as early as can be."""
    if is_large(name) and not request.config.getoption("--every-weight"):
        pytest.skip("large: --every-weight compares it")
    torch.manual_seed(0)
    shape = small_image(name)
    model = ours(name, shape)
    with Repeating():
        module, theirs = model.module(), build(name)
    same_state(model, module, theirs)
    same_initial_values(module, theirs)
    images = torch.randn(2, *shape)
    scale = 0.5 if name.startswith("efficientnet") else 0.2  # at less, an EfficientNet gives the same for all images
    randomise(theirs, images, scale)
    module.load_state_dict(theirs.state_dict(), strict=True, assign=True)

    with torch.inference_mode():
        expected = tensors(theirs.eval()(images))
        assert all((t[0] - t[1]).abs().max() > 1e-3 * t.abs().max() for t in expected), "the images should matter"
        close(tensors(module.eval()(images)), expected, 1e-5)
    path = model.onnx(tmp_path / "net.onnx", theirs)
    if model.training_outputs:
        same_in_training(module, theirs, images, monkeypatch)
    del module, theirs
    same_in_onnx(path, images, expected)


@pytest.mark.parametrize("name", [name for name in NETWORKS if is_large(name)])
def test_a_large_member_is_torchvisions_but_for_its_contents(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """State dict and outputs, on torch's meta device: it computes shapes and element types without numbers."""
    shape = small_image(name)
    model = ours(name, shape)
    widths = BlockParams.from_init_params

    def with_numbers(*arguments: float, **named: float) -> BlockParams:
        """Of a RegNet, torchvision computes the widths with tensors."""
        with torch.device("cpu"):
            return widths(*arguments, **named)

    monkeypatch.setattr(BlockParams, "from_init_params", with_numbers)
    with torch.device("meta"):
        module, theirs = model.module(), build(name)
        images = torch.empty(2, *shape)
    same_description(model, module, theirs)
    for training in [False, True] if model.training_outputs else [False]:
        found, expected = (tensors(m.train(training)(images)) for m in (module, theirs))
        assert [(t.shape, t.dtype) for t in found] == [(t.shape, t.dtype) for t in expected]


def same_state(model: archdsl.Model, module: nn.Module, theirs: nn.Module) -> None:
    """Keys, shapes, types and order; and what buffers hold."""
    same_description(model, module, theirs)
    buffers = {name for name, _ in theirs.named_buffers()}
    state = theirs.state_dict()
    for name, tensor in module.state_dict().items():
        if name in buffers:
            torch.testing.assert_close(tensor, state[name], rtol=1e-6, atol=1e-7)


def same_description(model: archdsl.Model, module: nn.Module, theirs: nn.Module) -> None:
    """Keys, shapes, types and order of the state dict."""
    expected = [(name, tuple(t.shape), t.dtype) for name, t in theirs.state_dict().items()]
    assert [(name, tuple(t.shape), t.dtype) for name, t in module.state_dict().items()] == expected
    assert list(model.state_dict_shapes.items()) == [(name, shape) for name, shape, _ in expected]


def same_initial_values(module: nn.Module, theirs: nn.Module) -> None:
    pairs = zip(module.named_parameters(), theirs.parameters(), strict=True)
    found = {name: difference(a, b) for (name, a), b in pairs}
    assert {name: what for name, what in found.items() if what} == {}


def same_in_training(module: nn.Module, theirs: nn.Module, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """All outputs of training, dropout aside, which draws its own numbers."""
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, *_args, **_kwargs: x)
    with torch.no_grad():
        close(tensors(module.train()(images)), tensors(theirs.train()(images)), 1e-5)


def same_in_onnx(path: Path, images: Tensor, expected: list[Tensor]) -> None:
    """What ONNX Runtime gives for one image and for both, from one file."""
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for file in path.parent.iterdir():  # pytest keeps a test's folder, and some of these files are half a gigabyte
        file.unlink()
    (given,) = session.get_inputs()
    for batch in (1, 2):
        found = session.run(None, {given.name: images[:batch].numpy()})
        close([torch.from_numpy(np.asarray(t)) for t in found], [t[:batch] for t in expected], 1e-4)


def close(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """Each output, against its largest value."""
    assert [t.shape for t in found] == [t.shape for t in expected]
    for a, b in zip(found, expected, strict=True):
        error = ((a - b).abs().max() / b.abs().max()).item()
        assert error <= tolerance
