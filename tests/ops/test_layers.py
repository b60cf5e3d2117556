"""What is particular to single layers: messages, captions, agreement with torchvision."""

from __future__ import annotations

import pytest
import torch
from support.interpret import make_module, run_function, run_module

from archdsl.arguments import PAD
from archdsl.dims import symbol
from archdsl.op import Arg, Call, Hole, Method, Op, Reject, Tensor
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.dropout import DropPath
from archdsl.ops.norm import LayerNorm
from archdsl.ops.pool import AdaptiveAvgPool, AvgPool, MaxPool

from .harness import Asked, case, infer, values

IMAGE = (1, 6, 4, 4)


@pytest.mark.parametrize(
    ("op", "arg", "words"),
    [
        (Conv(8, 7), "kernel", "kernel (=7) is larger than axis 2, which has size 4 and padding 0"),
        (Conv(8, 3, dilation=2), "kernel", "kernel (=3), dilated to 5, is larger than axis 2"),
        (Conv(8, 3, groups=4), "groups", "groups (=4) must divide the channels; the input has 6"),
        (Conv(8, 3, groups=3), "groups", "groups (=3) must divide the channels of the output, width (=8)"),
        (Conv(8, 3, stride=2, pad="same"), "stride", 'pad="same" keeps the size only at stride 1'),
        (Conv(8, (3, 3, 3)), "kernel", "3 numbers for 2 spatial axes"),
        (ConvTranspose(8, 2, output_pad=1), "output_pad", "output_pad (=1) must be less than stride (=1)"),
        (ConvTranspose(8, 2, pad=3), "pad", "pad (=3) is too large: axis 2"),
        (MaxPool(2, pad=2), "pad", "pad (=2) must be at most half the kernel (=2)"),
        (MaxPool(2, pad=1, dilation=5), "dilation", "dilation (=5) must be at most the size of the axis, 4"),
    ],
)
def test_a_rejection_names_the_argument_and_its_value(op: Op, arg: str, words: str) -> None:
    reject = infer(op, (Tensor(IMAGE),))
    assert isinstance(reject, Reject)
    assert reject.arg == arg
    assert words in reject.message


def test_a_kernel_too_large_is_fixed_by_the_padding_offered() -> None:
    reject = infer(Conv(8, 7), (Tensor(IMAGE),))
    assert isinstance(reject, Reject)
    assert reject.help == "pad by 2 more on each side, or use a smaller kernel"
    assert not isinstance(infer(Conv(8, 7, pad=2), (Tensor(IMAGE),)), Reject)


def test_a_symbolic_argument_has_the_bounds_of_a_plain_one() -> None:
    channels = symbol("C")
    asked = Asked()
    assert not isinstance(infer(Conv(channels // 4, 1), (Tensor((1, channels, 4, 4)),), asked), Reject)
    assert [found.text for found in asked.preconditions.preconditions()] == ["C must be at least 4"]
    assert isinstance(infer(Conv(-channels, 1), (Tensor((1, channels, 4, 4)),)), Reject)


def test_what_holds_under_a_condition_becomes_a_precondition() -> None:
    height = symbol("H")
    asked = Asked()
    outputs = infer(Conv(8, 3, stride=2, groups=2), (Tensor((1, symbol("C"), height)),), asked)
    assert outputs == (Tensor((1, 8, (height - 3) // 2 + 1)),)
    assert [found.text for found in asked.preconditions.preconditions()] == ["C must be even", "H must be at least 3"]


@pytest.mark.parametrize("pad", [-1, [1, -1], [[1, 2, 3]], [[[1, 2]]], "valid", 1.5, True, [True], [], None], ids=repr)
def test_padding_of_another_kind_is_rejected(pad: object) -> None:
    with pytest.raises(Reject):
        Conv(4, 3, pad=PAD.accept(pad)).infer((Tensor(IMAGE),), Asked())


@pytest.mark.parametrize(
    ("op", "shape", "caption"),
    [
        (Conv(64, 3, stride=2, pad=1), IMAGE, "conv 3×3, 64, /2"),
        (Conv(64, (1, 7)), (1, 6, 4, 9), "conv 1×7, 64"),
        (Conv(64, 3), (1, 6, 4), "conv 3, 64"),
        (ConvTranspose(32, 2, stride=2), IMAGE, "transposed conv 2×2, 32, ×2"),
        (MaxPool(3, stride=2), IMAGE, "maxpool 3×3, /2"),
        (AvgPool(2), IMAGE, "avgpool 2×2, /2"),
        (AdaptiveAvgPool(7), IMAGE, "adaptive_avgpool 7×7"),
    ],
)
def test_captions_are_as_in_a_paper(op: Op, shape: tuple[int, ...], caption: str) -> None:
    assert op.caption((Tensor(shape),)) == caption


@pytest.mark.parametrize(
    ("pad", "keyword"),
    [(1, 1), ((1, 1), 1), ((1, 2), (1, 2)), ((1, (2, 2)), (1, 2)), ("same", "same"), (0, None), ((0, (0, 0)), None)],
    ids=repr,
)
def test_symmetric_padding_is_an_argument_of_the_module(pad: object, keyword: object) -> None:
    said = Conv(8, 3, pad=pad).torch((Tensor(IMAGE),))
    assert said.run is None
    assert said.module is not None
    padding = {a.keyword: a for a in said.module.args}["padding"]
    assert isinstance(padding.value, Hole)
    assert (None if padding.value.value == padding.default else padding.value.value) == keyword


def test_stochastic_depth_is_torchvision_s() -> None:
    vision = pytest.importorskip("torchvision")
    for p in (0.0, 0.3, 1.0):
        x = torch.randn(8, 3, 2)
        said = DropPath(p).torch((Tensor((8, 3, 2)),))
        theirs = vision.ops.StochasticDepth(p, "row").train()
        torch.manual_seed(5)
        expected = theirs(x)
        for ours in (lambda s=said, x=x: run_function(s, [x], training=True), lambda s=said, x=x: make_module(s)(x)):
            torch.manual_seed(5)
            assert torch.equal(ours(), expected)


def test_layernorm_of_channels_is_torchvision_s() -> None:
    convnext = pytest.importorskip("torchvision.models.convnext")
    layer = case(LayerNorm(eps=1e-6, axis=1), (2, 6, 5, 5))
    theirs = convnext.LayerNorm2d(6, eps=1e-6)
    torch.nn.init.normal_(theirs.weight)
    said = layer.op.torch(layer.inputs)
    module = make_module(said)
    module.load_state_dict(theirs.state_dict(), strict=True)
    (x,) = values(layer)
    assert torch.equal(run_module(said, module, [x]), theirs(x))


def test_an_axis_in_the_middle_is_moved_to_the_end_and_back() -> None:
    said = LayerNorm(axis=1).torch((Tensor((2, 6, 5, 5)),))
    assert isinstance(said.run, Method)
    assert said.run.args == (Arg(Hole(-1)), Arg(Hole(1)))
    assert isinstance(said.run.receiver, Call)
