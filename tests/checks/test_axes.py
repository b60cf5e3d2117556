"""Layers on an axis that holds no features: a forgotten flatten, inputs laid out channels last, norms over steps."""

from __future__ import annotations

import pytest

from archdsl.checks.report import check
from archdsl.cli import main
from archdsl.compiler import Spec, from_text, open_spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import BadSetting
from archdsl.diagnostics.shapes import DoesNotFit, StatedShapeDiffers

LINTS = {"A0419", "A0420", "A0421", "A0422"}


def found(shape: str, body: str, output: str = "output y") -> list[Diagnostic]:
    return list(check(from_text(f"model M {{\n  input x: {shape}\n  {body}\n  {output}\n}}\n")).diagnostics)


def lints(shape: str, body: str) -> list[str]:
    return [d.code for d in found(shape, body) if d.code in LINTS]


MAP = "c: conv(16, 5, pad=2) -> relu -> maxpool(2)"


# ---- a forgotten flatten ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 1, 28, 28]", f"{MAP} -> f: linear(10)"),
        ("[N, 1, 28, 28]", f"{MAP} -> dropout -> bn: batchnorm -> f: linear(10)"),
        ("[N, 1, 28, 28]", f"{MAP} -> global_avgpool -> f: linear(10)"),
        ("[N, 1, 28, 28]", f"{MAP} -> adaptive_avgpool(1) -> f: linear(10)"),
        ("[N, 1, 28, 28]", "f: linear(128) -> relu -> g: linear(10)"),
        ("[N, 3, 32, 32]", "f: linear(128) -> relu -> g: linear(10)"),
        ("[N, 12, 1000]", "c: conv(16, 5) -> relu -> f: linear(10)"),
        ("[N, 1, 16, 32, 32]", "c: conv(16, 3) -> relu -> f: linear(10)"),
        ("[N, 3, 32, 32]", "r: residual { c: conv(3, 3, pad=1) } -> f: linear(10)"),
        ("[N, 3, 32, 32]", "concat { a: conv(8, 1)\n b: conv(8, 1) } -> f: linear(10)"),
        ("[N, 3, 32, 32]", "c: conv(8, 3) -> it * 2 -> f: linear(10)"),
        ("[N, 8, 32, 32]", "c: convtranspose(8, 2, stride=2) -> f: linear(10)"),
        ("[N, 3, 32, 32]", "c: conv(8, 3) -> n: layernorm"),
        ("[N, 12, 1000]", "c: conv(16, 5, stride=4) -> a: attention(1)"),
        ("[N, 3, H, W]", "c: conv(8, 3) -> global_avgpool -> f: linear(10)"),
    ],
)
def test_a_layer_on_the_last_axis_of_a_map_is_raised_once(shape: str, body: str) -> None:
    raised = [d for d in found(shape, body) if d.code in LINTS]
    assert [d.code for d in raised] == ["A0419"]
    assert "flatten" in raised[0].help or "layernorm(axis=1)" in raised[0].help or "rearrange" in raised[0].help


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 1, 28, 28]", f"{MAP} -> flatten -> f: linear(10)"),
        ("[N, 1, 28, 28]", f"{MAP} -> global_avgpool -> flatten -> f: linear(10)"),
        ("[N, 1, 28, 28]", f'{MAP} -> rearrange("n c h w -> n h w c") -> f: linear(10)'),
        ("[N, 1, 28, 28]", f'{MAP} -> reduce("n c h w -> n c", "mean") -> f: linear(10)'),
        ("[N, 3, 224, 224]", 'c: conv(192, 16, 16) -> rearrange("n c h w -> n (h w) c") -> f: linear(64)'),
        ("[N, 3, 224, 224]", 'c: conv(96, 4, 4) -> rearrange("n c h w -> n h w c") -> layernorm(affine=false)'),
        ("[N, 3, 32, 32]", "c: conv(8, 3) -> n: layernorm(axis=1)"),
        ("[N, 3, 32, 32]", "c: conv(8, 3) -> n: layernorm(axis=[1, 2, 3])"),
        ("[N, 3, 32, 32]", "flatten -> f: linear(10)"),
        ("[N, 3, 32, 32]", 'rearrange("n c (h p) (w q) -> n (h w) (p q c)", p=4, q=4) -> f: linear(10)'),
        ("[N, 12, 1000]", 'c: conv(16, 5, stride=4) -> rearrange("n c l -> n l c") -> a: attention(4)'),
        ("[N, L, 64]", "f: linear(64) -> relu -> g: linear(8)"),
        ("[N, 56, 56, 96]", "n: layernorm -> f: linear(384) -> gelu -> g: linear(96)"),
        ("[N, 16, 100, 64]", "f: linear(64)"),
        ("[N, 64, 7, 7]", "f: linear(64)"),
        (
            "[N, 196, 64]",
            'rearrange("n l c -> n c l") -> f: linear(196) -> rearrange("n c l -> n l c") -> g: linear(8)',
        ),
        ("[N, 1, 28, 28]", f"{MAP} -> f: linear(10)  # allow: last-axis (rows are classified one by one)"),
    ],
)
def test_layers_on_the_features_are_silent(shape: str, body: str) -> None:
    assert lints(shape, body) == []


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 3, 32, 32]", "c: conv(16, 3) -> relu\n  global_avgpool\n  f: linear(10)"),
        ("[N, 3, 32, 32]", "c: conv(16, 3) -> relu\n  f: linear(32) -> relu -> g: linear(10)"),
        ("[N, 1, 28, 28]", "f: linear(32) -> relu -> g: linear(10)"),
        ("[N, 12, 100]", "c: conv(16, 3) -> relu\n  f: linear(10)"),
    ],
)
def test_a_stated_rank_that_differs_names_the_flatten_at_the_linear(shape: str, body: str) -> None:
    (fault,) = found(shape, body, "output y: [N, 10]")
    assert isinstance(fault, StatedShapeDiffers)
    assert "`flatten`" in fault.help
    assert "linear" in fault.help
    assert [label.span.text[:6] for label in fault.labels] == ["linear"]


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("c: conv(10, 3) -> global_avgpool", "add `flatten`, which leaves only the axis of the channels"),
        ("c: conv(10, 3)", "add `global_avgpool -> flatten`, which leaves only the axis of the channels"),
    ],
)
def test_a_stated_rank_that_a_map_does_not_have_names_what_is_missing(body: str, advice: str) -> None:
    (fault,) = found("[N, 3, 32, 32]", body, "output y: [N, 10]")
    assert fault.help == advice


def test_a_rank_that_differs_for_another_reason_names_no_flatten() -> None:
    (fault,) = found("[N, L, 64]", "f: linear(10)", "output y: [N, 10]")
    assert isinstance(fault, StatedShapeDiffers)
    assert "flatten" not in fault.help


# ---- channels last -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "layer", "stated"),
    [
        ("[N, 224, 224, 3]", "c: conv(32, 3, pad=1)", "[N, 3, 224, 224]"),
        ("[N, 480, 640, 3]", "c: conv(32, 3, pad=1)", "[N, 3, 480, 640]"),
        ("[N, 28, 28, 1]", "c: conv(32, 3, pad=1)", "[N, 1, 28, 28]"),
        ("[N, 224, 224, 3]", "bn: batchnorm", "[N, 3, 224, 224]"),
        ("[N, 16, 112, 112, 3]", "c: conv(32, 3, pad=1)", "[N, 3, 16, 112, 112]"),
        ("[N, 16000, 1]", "c: conv(32, 3, pad=1)", "[N, 1, 16000]"),
        ("[N, L, 2]", "c: conv(32, 3, pad=1)", "[N, 2, L]"),
        ("[N, H, W, 3]", "c: conv(32, 3, pad=1)", "[N, 3, H, W]"),
        ("[N, H, W, C]", "c: conv(32, 3, pad=1)", "[N, C, H, W]"),
        ("[N, 224, 224, 3]", "it * 0.5 -> c: conv(32, 3, pad=1)", "[N, 3, 224, 224]"),
    ],
)
def test_an_input_laid_out_channels_last_is_raised(shape: str, layer: str, stated: str) -> None:
    (lint,) = [d for d in found(shape, layer) if d.code == "A0420"]
    assert f"`{stated}`" in lint.help
    assert "rearrange" in lint.help


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 3, 224, 224]", "c: conv(32, 3, pad=1)"),
        ("[N, 3, H, W]", "c: conv(32, 3, pad=1)"),
        ("[N, C, H, W]", "c: conv(32, 3, pad=1)"),
        ("[N, 3, 224, 3]", "c: conv(32, 3, pad=1)"),
        ("[N, 12, 1000, 1]", "c: conv(32, [3, 1])"),
        ("[N, 64, 7, 3]", "c: conv(32, 3, pad=1)"),
        ("[N, 512, 1, 1]", "c: conv(32, 1)"),
        ("[N, 12, 5000]", "c: conv(32, 3)"),
        ("[N, 32, 1]", "c: conv(32, 1)"),
        ("[N, 224, 224, 3]", 'rearrange("n h w c -> n c h w") -> c: conv(32, 3)'),
        ("[N, 224, 224, 3]", "f: linear(64)"),
        ("[N, 224, 224, 3]", "n: layernorm"),
        ("[N, 16, 224, 3]", 'rearrange("n t l c -> (n t) c l") -> c: conv(32, 3)'),
    ],
)
def test_other_inputs_are_silent(shape: str, body: str) -> None:
    assert "A0420" not in lints(shape, body)


@pytest.mark.parametrize("layer", ["conv(32, 3) -> relu -> maxpool(2)", "conv(32, 7)", "maxpool(4)", "avgpool(4)"])
def test_a_layer_that_does_not_fit_says_that_channels_are_axis_1(layer: str) -> None:
    (fault,) = found("[N, 224, 224, 3]", f"a: {layer}")
    assert isinstance(fault, DoesNotFit)
    assert "channels are axis 1: state the input as `[N, 3, 224, 224]`" in fault.help
    assert 'rearrange("n h w c -> n c h w")' in fault.help


def test_a_shape_given_channels_last_is_an_error_of_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("check", "summary", "compile"):
        assert main([command, "resnet18", "--input", "1x224x224x3"]) == 1
        said = capsys.readouterr().err
        assert "channels last" in said
        assert "--input 1x3x224x224" in said


@pytest.mark.parametrize("shape", ["1x1x224x224", "1x3x224x224", "Nx3xHxW", "2x3x64x3", "1x4x64x64"])
def test_other_shapes_may_be_given(shape: str) -> None:
    spec = open_spec("resnet18")
    assert isinstance(spec, Spec)
    from archdsl.compiler import parse_shape

    report = check(spec, inputs={None: parse_shape(shape) or ()})
    assert not any(isinstance(d, BadSetting) for d in report.diagnostics)


# ---- steps taken for channels ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 30, 64]", "f: linear(64, bias=false) -> bn: batchnorm"),
        ("[N, 30, 64]", "f: linear(64) -> relu -> dropout -> bn: batchnorm"),
        ("[N, L, 64]", "f: linear(64, bias=false) -> bn: batchnorm"),
        ("[N, 30, 64]", "a: attention(4) -> bn: batchnorm"),
        ("[N, 30] int64", "e: embedding(1000, 64) -> c: conv(128, 3)"),
        ("[N, 30] int64", "e: embedding(1000, 64) -> bn: batchnorm"),
        ("[N, 30, 64]", "f: linear(64) -> g: groupnorm(5)"),
        ("[N, 30, 64]", "f: linear(64) -> instancenorm"),
        ("[N, 30, 64]", "f: linear(64) -> global_avgpool"),
        ("[N, 56, 56, 96]", "f: linear(96) -> bn: batchnorm"),
        (
            "[N, 30, 64]",
            'rearrange("n l c -> n c l") -> c: conv(64, 3) -> rearrange("n c l -> n l c") -> bn: batchnorm',
        ),
    ],
)
def test_a_layer_that_takes_steps_for_channels_is_raised(shape: str, body: str) -> None:
    raised = [d for d in found(shape, body) if d.code in LINTS]
    assert [d.code for d in raised] == ["A0421"]
    assert "rearrange" in raised[0].help


def test_the_length_of_the_input_is_named_where_weights_depend_on_it() -> None:
    (lint,) = [d for d in found("[N, L, 64]", "f: linear(64, bias=false) -> bn: batchnorm") if d.code == "A0421"]
    assert "its weights depend on L" in lint.message


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 64]", "f: linear(64, bias=false) -> bn: batchnorm"),
        ("[N, 30, 64]", "bn: batchnorm"),
        ("[N, 30, 64]", "f: linear(64) -> n: layernorm"),
        ("[N, 30, 64]", 'f: linear(64, bias=false) -> rearrange("n l c -> n c l") -> bn: batchnorm'),
        ("[N, 30] int64", 'e: embedding(1000, 64) -> rearrange("n l c -> n c l") -> c: conv(128, 3)'),
        ("[N, 30, 64]", "f: linear(64) -> c: conv(30, 1)"),  # mixes tokens, as gMLP does
        ("[N, 64, 30]", "c: conv(64, 3, bias=false) -> bn: batchnorm"),
        ("[N, 30, 64]", "f: linear(64) -> bn: batchnorm  # allow: steps-as-channels, bias-before-norm"),
        ("[N, 64, 8, 8]", "a: conv(64, 1, bias=false) -> bn: batchnorm -> global_avgpool"),
    ],
)
def test_norms_of_features_are_silent(shape: str, body: str) -> None:
    assert lints(shape, body) == []


# ---- weights that depend on a length -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, 3, H, W]", "c: conv(8, 3) -> flatten -> f: linear(10)"),
        ("[N, 12, L]", "c: conv(8, 3) -> flatten -> f: linear(10)"),
        ("[N, L, 64]", "f: linear(8) -> flatten -> g: linear(10)"),
        ("[N, L, 64]", "bn: batchnorm -> f: linear(8)"),
        ("[N, L, 64]", 'f: linear(8) -> rearrange("n l c -> n c l") -> g: linear(16)'),
    ],
)
def test_a_number_of_parameters_that_depends_on_a_length_is_raised(shape: str, body: str) -> None:
    assert lints(shape, body) == ["A0422"]


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("[N, D]", "f: linear(10)"),
        ("[N, L, D]", "f: linear(10) -> n: layernorm"),
        ("[N, C, H, W]", "c: conv(8, 3) -> bn: batchnorm  # allow: bias-before-norm"),
        ("[N, C, H, W]", "c: conv(C, 3) -> global_avgpool -> flatten -> f: linear(10)"),
        ("[N, 3, 32, 32]", "c: conv(8, 3) -> flatten -> f: linear(10)  # allow: dense-head"),
    ],
)
def test_widths_may_be_symbolic(shape: str, body: str) -> None:
    assert lints(shape, body) == []


def test_a_symbol_given_on_the_command_line_asks_for_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "alexnet", "--input", "Nx3xHxW"]) == 0
    said = capsys.readouterr()
    assert "H" in said.out
    assert said.err == ""
