"""The shipped networks against what was published. Those that torchvision has: see `tests/zoo`."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.checks.report import check
from archdsl.compiler import Spec, open_spec, shipped_specs

FACTS = {
    "lenet5": (61_706, 416_520),
    "alexnet": (60_965_224, 724_406_816),
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
    "unet": (31_030_658, None),
    "mixer_b16": (59_880_472, None),
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


@pytest.mark.parametrize(("name", "settings"), [("unet", {"width": 4, "size": 188}), ("mixer_s32", {"depth": 2})])
def test_networks_that_torchvision_lacks_are_one_in_torch_and_onnx(name: str, settings: dict, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    onnxruntime = pytest.importorskip("onnxruntime")
    model = archdsl.load(name, **settings)
    module = model.module().eval()
    (given,) = model.inputs.values()
    images = torch.randn(2, *given.shape[1:], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.02)
        expected = module(images)
    session = onnxruntime.InferenceSession(
        model.onnx(tmp_path / "net.onnx", module), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"image": images.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
