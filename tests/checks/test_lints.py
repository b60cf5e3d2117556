"""Lints: shipped specs are clean, or say why they are not; a comment switches one off."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archdsl.checks.activated import activated_scores
from archdsl.checks.report import check
from archdsl.compiler import Spec, from_text, open_spec, shipped_specs
from archdsl.diagnostics.lints import ActivationBeforeLoss, IdentityBlocked


@pytest.mark.parametrize("path", shipped_specs(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_shipped_specs_are_clean_or_say_why(path) -> None:
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    assert [f"{d.code} {d.span}" for d in check(spec).diagnostics] == []


LAYERS = "conv1: conv(8, 3) -> bn1: batchnorm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: bias-before-norm\n  output y }}", []),
        ("model M {{ input x: [N, 3, 8, 8]\n  # allow: bias-before-norm (as published)\n  {0}\n  output y }}", []),
        ("# allow: bias-before-norm\nmodel M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", []),
        ("## A model.\n# allow: unused, bias-before-norm\nmodel M {{ input x: [N, 3, 8, 8]\n  {0}\n  output y }}", []),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}\n  relu  # allow: bias-before-norm\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: rows-lost\n  output y }}", ["A0411"]),
        ("model M {{ input x: [N, 3, 8, 8]\n  {0}  # allow: bias-before\n  output y }}", ["A0411", "A0410"]),
    ],
)
def test_a_comment_switches_a_lint_off_where_it_stands(text: str, found: list[str]) -> None:
    assert [d.code for d in check(from_text(text.format(LAYERS))).diagnostics] == found


@pytest.mark.parametrize(
    "body",
    [
        "conv1: conv(8, 3) as low\n  bn1: batchnorm\n  low + it",  # the bias is read elsewhere
        "conv1: conv(8, 3, stride=2, pad=1)",  # only padding is left over
        "conv1: conv(8, 1, stride=2)",  # gaps are meant
        "residual { conv1: conv(8, 3, pad=1) } shortcut { project: conv(8, 1) }",  # the shape changes
        "conv1: conv(8, 3) -> dropout -> conv2: conv(8, 3) -> norm: layernorm(axis=1)",
        "global_avgpool -> flatten -> head: linear(10)",
    ],
)
def test_what_is_meant_is_not_raised(body: str) -> None:
    report = check(from_text(f"model M {{ input x: [N, 3, 8, 8]\n  {body}\n  output y }}"))
    assert report.diagnostics == ()


def test_warnings_are_no_errors() -> None:
    report = check(from_text(f"model M {{ input x: [N, 3, 8, 8]\n  {LAYERS}\n  output y }}"))
    assert report.ok
    (lint,) = report.diagnostics
    assert lint.notes == (
        "see Ioffe & Szegedy, Batch Normalization (2015), section 3.2",
        "to keep it, add a comment with the reason: `# allow: bias-before-norm`",
    )


def codes(shape: str, body: str) -> list[str]:
    return [d.code for d in check(from_text(f"model M {{ input x: {shape}\n  {body}\n  output y\n}}")).diagnostics]


WIDENED = "e: conv(96, 1) -> relu -> d: conv(96, 3, pad=1, groups=96)"
"""The first half of an inverted residual, on an input of fewer than 96 channels."""


@pytest.mark.parametrize(
    ("lint", "shape", "body"),
    [
        ("A0416", "[N, 32, 7, 7]", 'rearrange("n c h w -> n h w c") -> f: linear(324)'),
        ("A0416", "[N, 1, 8, 8]", "flatten -> f: linear(10)"),
        ("A0416", "[N, 784]", "f: linear(10)"),
        ("A0416", "[N, 3, 8, 8]", 'rearrange("n c (h p) (w q) -> n (h w) (p q c)", p=4, q=4) -> f: linear(64)'),
        ("A0416", "[N, 3, 8, 8]", "c: conv(4, 3) -> global_avgpool -> flatten -> f: linear(1000)"),
        (
            "A0416",
            "[N, 3, 8, 8]",
            'c: conv(4, 3) -> flatten -> f: linear(64) -> rearrange("n (c h w) -> n c h w", h=4, w=4)'
            " -> d: convtranspose(3, 2, stride=2)",
        ),
        ("A0411", "[N, 30, 64]", "f: linear(64) -> bn: batchnorm"),
        ("A0411", "[N, 3, 8, 8]", "let c: conv(3, 1)\n  c as low -> bn: batchnorm -> c -> it + low"),
        ("A0413", "[N, 8, 2, 2]", "c: conv(8, 3, pad=1)"),
        ("A0413", "[N, 8, 4, 4]", "c: conv(8, 5, pad=2)"),
        ("A0413", "[N, 8, 3, 3]", "c: conv(8, 3, pad=2, dilation=2)"),
        ("A0414", "[N, 304, 8, 8]", "d: conv(304, 3, pad=1, groups=304) -> p: conv(256, 1) -> relu"),
        ("A0414", "[N, 64, 8, 8]", "e: conv(128, 1) -> relu -> d: conv(128, 3, pad=1, groups=128) -> p: conv(32, 1)"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, 3, pad=1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, [1, 3], pad=[0, 1]) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, [3, 1], pad=[1, 0]) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(96, 1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(200, 1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> silu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> relu".replace("groups=96", "groups=48")),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> relu".replace("conv(96, 1)", "conv(96, 3, pad=1)")),
        ("A0414", "[N, 96, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> relu"),
        ("A0414", "[N, 96, 8, 8]", "d: conv(96, 3, pad=1, groups=96) -> p: conv(16, 1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", "e: conv(96, 1) -> relu -> maxpool(3) -> p: conv(16, 1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", "relu"),
        ("A0415", "[N, 64, 8, 8]", "residual { c: conv(64, 3, pad=1) } shortcut { identity }"),
        ("A0415", "[N, 64, 8, 8]", "residual { c: conv(64, 3, pad=1) }"),
        ("A0415", "[N, 64, 8, 8]", "add { p: conv(64, 1); c: conv(64, 3, pad=1) }"),
        ("A0415", "[N, 64, 8, 8]", "residual { c: conv(32, 3, pad=1) } shortcut { p: conv(32, 1) }"),
        ("A0415", "[N, 64, 8, 8]", "residual { c: conv(64, 3, pad=1) } shortcut { }"),
        ("A0417", "[N, 64]", "f: linear(64) -> dropout(0) -> bn: batchnorm  # allow: bias-before-norm"),
        ("A0417", "[4, 64]", "dropout -> f: linear(64, bias=false) -> bn: batchnorm(track=false)"),
    ],
)
def test_lints_are_silent_where_they_would_be_wrong(lint: str, shape: str, body: str) -> None:
    assert lint not in codes(shape, body)


@pytest.mark.parametrize(
    ("lint", "shape", "body"),
    [
        ("A0416", "[N, 3, 32, 32]", "c: conv(8, 3) -> relu -> flatten -> dropout -> f: linear(100)"),
        ("A0416", "[N, 3, 32, 32]", 'c: conv(8, 3) -> rearrange("n c h w -> n (c h w)") -> f: linear(100)'),
        ("A0411", "[N, 3, 8, 8]", "let c: conv(3, 1)\n  c -> bn: batchnorm -> c -> bn2: batchnorm"),
        ("A0411", "[N, 64]", "f: linear(64) -> bn: batchnorm"),
        ("A0413", "[N, 8, 1, 1]", "c: conv(8, 3, pad=1)"),
        ("A0413", "[N, 8, 2, 2]", "c: conv(8, 7, pad=3)"),
        ("A0413", "[N, 8, 16, 16]", "c: conv(8, 3, pad=36, dilation=36)"),
        (
            "A0414",
            "[N, 64, 8, 8]",
            "e: conv(384, 1) -> relu -> d: conv(384, 3, pad=1, groups=384) -> relu -> p: conv(64, 1) -> relu",
        ),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> relu"),
        ("A0414", "[N, 16, 8, 8]", f"{WIDENED} -> p: conv(95, [1, 1]) -> hardtanh"),
        ("A0414", "[N, 95, 8, 8]", f"{WIDENED} -> p: conv(16, 1) -> relu6"),
        (
            "A0414",
            "[N, 16, 8, 8]",
            "e: conv(96, 1, bias=false) -> be: batchnorm -> relu6 -> d: conv(96, 3, pad=1, groups=96, bias=false)"
            " -> bd: batchnorm -> relu6 -> p: conv(16, 1, bias=false) -> bp: batchnorm -> relu6",
        ),
        ("A0415", "[N, 64, 8, 8]", "residual { c: conv(64, 3, pad=1) } shortcut { p: conv(64, 1) }"),
        ("A0417", "[N, 64]", "dropout -> f: linear(64, bias=false) -> bn: batchnorm"),
    ],
)
def test_lints_raise_what_they_are_for(lint: str, shape: str, body: str) -> None:
    assert lint in codes(shape, body)


BLOCKED = "residual {{ tanh }} shortcut {{ {} }}"
"""A residual whose identity cannot pass where there is a layer in its shortcut."""

SURROUNDED = [
    "{}",
    "inner: Inner",
    "part: seq {{ {} }}",
    "for i in [0] {{ {} }}",
    "if B {{ {} }}",
    "if A {{ relu }} else {{ {} }}",
    "residual {{ {} }}",
    "add {{ {{ {}; tanh }}; relu }}",
    "relu as p; output aux = p -> {{ relu; {} }}; p",
]
"""Where a part of a network can stand."""


@pytest.mark.parametrize("around", SURROUNDED)
@pytest.mark.parametrize("within", [w for w in SURROUNDED if "output" not in w])
def test_a_blocked_identity_is_found_wherever_it_stands(around: str, within: str) -> None:
    """For the residual in any construct, with its layer in any construct."""
    blocked = BLOCKED.format(within.format("sigmoid").replace("part:", "layers:").replace("Inner", "Sigmoid"))
    text = (
        "arch 1\nlet A = false\nlet B = true\nblock Sigmoid {\n  sigmoid\n}\n"
        f"block Inner {{\n  {blocked}\n}}\n"
        f"model M {{ input x: [N, 64, 8, 8]\n  {around.format(blocked)}\n  output y\n}}"
    )
    found = [d for d in check(from_text(text)).diagnostics if isinstance(d, IdentityBlocked)]
    assert [(d.layer, d.shape) for d in found if d.layer == "sigmoid"], check(from_text(text)).diagnostics


@given(
    size=st.integers(1, 9), kernel=st.integers(1, 9), stride=st.integers(1, 4), pad=st.integers(0, 9),
    dilation=st.integers(1, 3),
)  # fmt: skip
def test_a_filter_beyond_its_input_has_weights_that_only_meet_padding(
    size: int, kernel: int, stride: int, pad: int, dilation: int
) -> None:
    """By counting: which taps of the window see the input at some place."""
    extent = dilation * (kernel - 1) + 1
    assume(size + 2 * pad >= extent)
    places = range(0, size + 2 * pad - extent + 1, stride)
    seeing = {tap for tap in range(kernel) for p in places if 0 <= p + tap * dilation - pad < size}
    raised = "A0413" in codes(
        f"[N, 2, {size}]", f"c: conv(2, kernel={kernel}, stride={stride}, pad={pad}, dilation={dilation})"
    )
    assert raised == (extent > size and len(seeing) < kernel)


@given(
    size=st.integers(1, 12), kernel=st.integers(1, 5), stride=st.integers(1, 5), before=st.integers(0, 4),
    after=st.integers(0, 4), dilation=st.integers(1, 3),
)  # fmt: skip
def test_rows_are_lost_where_the_last_window_ends_before_the_input(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int
) -> None:
    """By counting the rows behind the last window."""
    extent = dilation * (kernel - 1) + 1
    assume(size + before + after >= extent)
    last = max(range(0, size + before + after - extent + 1, stride))
    lost = before + size - (last + extent)
    raised = "A0412" in codes(
        f"[N, 2, {size}]", f"c: conv(2, {kernel}, stride={stride}, pad=[[{before}, {after}]], dilation={dilation})"
    )
    assert raised == (lost > 0 and extent >= stride)


# ---- an activation before the loss -------------------------------------------------------------------------

NET = "model Net(classes = 10) {{\n  input image: [N, 1, 8, 8]\n  {}\n}}"


def raised(body: str, blocks: str = "") -> list[str]:
    report = check(from_text(f"{blocks}\n{NET.format(body)}"))
    assert report.ok, report.diagnostics
    return [d.activation for d in report.diagnostics if isinstance(d, ActivationBeforeLoss)]


@pytest.mark.parametrize(
    ("body", "activation"),
    [
        ("flatten -> fc: linear(classes) -> softmax(axis=1)\n  output p: [N, classes]", "softmax"),
        ("flatten -> fc: linear(classes) -> softmax(axis=-1)\n  output p", "softmax"),
        ("flatten -> fc: linear(classes) -> log_softmax(axis=1)\n  output y", "log_softmax"),
        ("flatten -> fc: linear(classes) -> softmax(axis=1) -> log\n  output y", "log"),
        ("flatten -> fc: linear(classes) -> relu\n  output y", "relu"),
        ("flatten -> fc: linear(classes) -> sigmoid\n  output y", "sigmoid"),
        ("flatten -> fc: linear(10) -> tanh\n  output logits", "tanh"),
        ("flatten -> fc: linear(classes) -> relu -> dropout\n  output y", "relu"),
        ("c: conv(classes, 1) -> global_avgpool -> relu -> flatten\n  output y", "relu"),
        ("flatten -> fc: linear(7) -> softmax(axis=1)\n  output y", "softmax"),
        ("flatten -> head: Head(classes)\n  output y", "softmax"),
    ],
)
def test_an_activation_before_the_loss_is_raised(body: str, activation: str) -> None:
    assert raised(body, "block Head(n) {\n  fc: linear(n) -> softmax(axis=1)\n}") == [activation]


@pytest.mark.parametrize(
    "body",
    [
        "flatten -> fc: linear(classes)\n  output y",
        "flatten -> fc: linear(classes) -> dropout\n  output y",
        "c: conv(classes, 1) -> relu -> global_avgpool -> flatten\n  output y",  # SqueezeNet
        "flatten -> fc: linear(classes)\n  output logits\n  softmax(axis=1)\n  output p",
        "flatten -> fc: linear(classes)\n  output logits\n  dropout -> softmax(axis=1)\n  output p",
        "flatten -> fc: linear(64) -> relu\n  output features",
        "flatten -> fc: linear(64) -> sigmoid\n  output image_again",
        "flatten -> fc: linear(1) -> sigmoid\n  output p",
        "flatten -> a: linear(20) -> glu -> fc: linear(classes)\n  output y",
        "c: conv(classes, 1) -> softmax(axis=1)\n  output mask",
        "flatten -> fc: linear(classes) -> softmax(axis=1)  # allow: activation-before-loss\n  output p",
    ],
)
def test_other_ends_are_silent(body: str) -> None:
    assert raised(body) == []


def test_training_takes_the_first_output_and_those_for_training() -> None:
    body = (
        "flatten as x\n  output aux: [N, classes] = x -> side: linear(classes) -> sigmoid when training\n"
        "  x -> fc: linear(classes) -> relu\n  output y"
    )
    (graph,) = check(from_text(NET.format(body))).graphs
    assert sorted(d.activation for d in activated_scores(graph)) == ["relu", "sigmoid"]
