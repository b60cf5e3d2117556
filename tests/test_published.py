"""The shipped networks against what was published, and against torchvision where it has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.checks.report import check
from archdsl.compiler import Spec, open_spec, shipped_specs

TORCHVISION = {
    "torchvision/alexnet": "alexnet",
    "torchvision/googlenet": "googlenet",
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "resnet152": "resnet152",
    "vgg11": "vgg11",
    "vgg13": "vgg13",
    "vgg16": "vgg16",
    "vgg19": "vgg19",
    "vgg11_bn": "vgg11_bn",
    "vgg13_bn": "vgg13_bn",
    "vgg16_bn": "vgg16_bn",
    "vgg19_bn": "vgg19_bn",
}
"""Shipped networks that torchvision has, with its builders."""

FACTS = {
    "lenet5": (61_706, 416_520),
    "alexnet": (60_965_224, 724_406_816),
    "torchvision/alexnet": (61_100_840, None),
    "vgg16": (138_357_544, None),
    "vgg19": (143_667_240, None),
    "googlenet": (13_378_280, None),
    "resnet18": (11_689_512, None),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet152": (60_192_808, None),
    "paper_resnet50": (25_557_032, 3_857_973_248),
    "paper_resnet101": (44_549_160, 7_570_194_432),
    "paper_resnet152": (60_192_808, 11_282_415_616),
    "resnet_cifar20": (269_722, None),
    "resnet_cifar32": (464_154, None),
    "resnet_cifar44": (658_586, None),
    "resnet_cifar56": (853_018, None),
    "resnet_cifar110": (1_727_962, None),
    "resnet_cifar1202": (19_421_274, None),
    "inception_naive": (1_089_952, 854_196_224),
    "inception_reduced": (346_720, 271_351_808),
}
"""Parameters and multiply-accumulates as published."""


@pytest.mark.parametrize("name", FACTS)
def test_published_facts(name: str) -> None:
    model = archdsl.load(name)
    params, macs = FACTS[name]
    assert model.params == params
    if macs is not None:
        assert model.macs == macs


def test_googlenet_without_its_auxiliary_heads() -> None:
    assert archdsl.load("googlenet", auxiliary=False).params == 6_998_552


def test_the_two_inceptions_differ_in_channels() -> None:
    naive, reduced = (archdsl.load(n).outputs["y"].shape[1] for n in ("inception_naive", "inception_reduced"))
    assert (naive, reduced) == (672, 480)


def test_global_pooling_against_fully_connected() -> None:
    assert archdsl.load("global_pool").params == 1_025_000
    assert archdsl.load("global_pool:FullyConnected").params == 50_177_000


def test_lenet_is_what_the_paper_says() -> None:
    from archdsl.ops.conv import Conv

    ops = [n.op for n in archdsl.load("lenet5").graph.nodes]
    assert {op.kernel for op in ops if isinstance(op, Conv)} == {5}
    assert [op.name for op in ops] == [
        "conv", "sigmoid", "avgpool", "conv", "sigmoid", "avgpool", "conv", "sigmoid", "flatten", "linear", "sigmoid",
        "linear",
    ]  # fmt: skip
    assert [n.op.name for n in archdsl.load("lenet5", act="relu").graph.nodes].count("relu") == 4


@pytest.mark.parametrize("path", shipped_specs(), ids=lambda p: p.stem)
def test_every_claim_of_every_shipped_spec_holds(path: Path) -> None:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    report = check(spec)
    assert report.ok, report.diagnostics
    assert report.claims
    assert all(c.standing == "holds" for c in report.claims)


def test_claims_about_every_width_are_proved() -> None:
    spec = open_spec("stacked3x3")
    assert isinstance(spec, Spec)
    assert [c.how for c in check(spec).claims] == ["proved for every C, N, H and W"] * 2


# ---- against torchvision ----


@pytest.fixture(scope="module", params=TORCHVISION)
def pair(request: pytest.FixtureRequest):
    """Our model, torchvision's module and a random state for both (batch-norm statistics included)."""
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision").models
    torch.set_num_threads(2)
    builder = TORCHVISION[request.param]
    options = {"init_weights": False} if builder in ("googlenet",) else {}
    with torch.device("meta"):
        theirs = models.get_model(builder, weights=None, **options)
    state = random_state(theirs.state_dict())
    theirs.load_state_dict(state, assign=True)
    return archdsl.load(request.param), theirs, state


def random_state(like):
    """Weights at which signals neither vanish nor explode, and statistics that are not those of a fresh network."""
    import torch

    state = {}
    for number, (name, tensor) in enumerate(like.items()):
        generator = torch.Generator().manual_seed(number)
        if tensor.dtype == torch.int64:
            state[name] = torch.zeros(tensor.shape, dtype=torch.int64)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(tensor.shape, generator=generator)
        elif tensor.ndim > 1:
            fan_in = tensor[0].numel()
            state[name] = torch.randn(tensor.shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            state[name] = 0.5 + torch.randn(tensor.shape, generator=generator) * 0.1
    return state


def test_the_state_dict_is_torchvisions(pair) -> None:
    ours, theirs, state = pair
    module = on_meta(ours)
    named = [(n, tuple(t.shape), t.dtype) for n, t in theirs.state_dict().items()]
    assert [(n, tuple(t.shape), t.dtype) for n, t in module.state_dict().items()] == named
    assert list(ours.state_dict_shapes.items()) == [(n, shape) for n, shape, _ in named]
    module.load_state_dict(state, strict=True, assign=True)


def test_outputs_are_torchvisions(pair) -> None:
    import torch

    ours, theirs, state = pair
    module = on_meta(ours)
    module.load_state_dict(state, strict=True, assign=True)
    image = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        a, b = module.eval()(image), theirs.eval()(image)
    assert ((a - b).abs().max() / b.abs().max()).item() <= 1e-5


def test_onnx_runtime_agrees_at_two_batch_sizes_from_one_file(pair, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    import torch

    ours, theirs, state = pair
    path = ours.onnx(tmp_path / "m.onnx", state)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    path.unlink()  # pytest keeps a test's folder, and some of these files are half a gigabyte
    for batch in (1, 3):
        image = torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(batch))
        (found,) = session.run(None, {"image": image.numpy()})
        with torch.inference_mode():
            expected = theirs.eval()(image)
        assert ((torch.from_numpy(found) - expected).abs().max() / expected.abs().max()).item() <= 1e-4


def test_auxiliary_outputs_in_training_are_torchvisions() -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision").models
    theirs = models.googlenet(weights=None, init_weights=False, dropout=0.0, dropout_aux=0.0)
    ours = archdsl.load("torchvision/googlenet", drop=0.0, drop_aux=0.0).module()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.randn(2, 3, 224, 224)
    for a, b in zip(ours.train()(image), theirs.train()(image), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def on_meta(model: archdsl.Model):
    """The module without memory or initialisation: its tensors are assigned."""
    import torch

    with torch.device("meta"):
        return model.module()
