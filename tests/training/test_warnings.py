"""What `train` says before the first epoch: activations before the loss, batches too small for a batch norm."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.cli import main
from archdsl.measure.alone import norms_of_single_numbers

NET = "model Net(classes = 10) {{\n  input image: [N, 1, 8, 8]\n  {}\n  output y\n}}\n"
RUN = ("--epochs", "1", "--workers", "0", "--accelerator", "cpu", "--no-tensorboard")


def train(spec: Path, text: str, *more: str) -> int:
    spec.write_text(NET.format(text))
    return main(["train", str(spec), *RUN, "--out", str(spec.parent / "run"), *more])


@pytest.mark.parametrize(
    ("body", "activation"),
    [
        ("flatten -> fc: linear(classes) -> softmax(axis=1)", "softmax"),
        ("flatten -> fc: linear(10) -> relu -> dropout", "relu"),
        ("flatten -> fc: linear(classes)", None),
        ("flatten -> fc: linear(classes) -> softmax(axis=1)  # allow: activation-before-loss (compared)", None),
    ],
)
def test_an_activation_before_the_loss_is_warned_of_before_training(
    body: str, activation: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ("--weights", str(tmp_path / "missing.pth"))  # stops the run before its first epoch
    assert train(tmp_path / "net.arch", body, *missing) == 1
    said = capsys.readouterr().err
    assert ("warning[A0423]" in said) == (activation is not None)
    assert activation is None or f"`{activation}`" in said


@pytest.mark.parametrize(
    "body",
    [
        "flatten -> fc: linear(classes, bias=false) -> bn: batchnorm",
        "global_avgpool -> bn: batchnorm -> flatten -> fc: linear(classes)",
    ],
)
def test_batches_of_one_are_refused_before_anything_is_written(
    body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path / "net.arch", body, "--batch-size", "1") == 1
    said = capsys.readouterr().err
    assert "error[A0736]" in said
    assert "`bn`" in said
    assert "`--batch-size 2`" in said
    assert not (tmp_path / "run").exists()


def test_a_frozen_norm_takes_batches_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "flatten -> fc: linear(classes, bias=false) -> bn: batchnorm"
    missing = ("--weights", str(tmp_path / "missing.pth"), "--freeze", "bn")
    assert train(tmp_path / "net.arch", body, "--batch-size", "1", *missing) == 1
    assert "A0736" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "body", "alone"),
    [
        ("[N, 64]", "bn: batchnorm", ["bn"]),
        ("[N, 64, 1, 1]", "bn: batchnorm", ["bn"]),
        ("[N, 64, 8]", "c: conv(8, 8) -> bn: batchnorm", ["bn"]),
        ("[N, 64, 2, 1]", "bn: batchnorm", []),
        ("[N, 64, 8, 8]", "bn: batchnorm -> global_avgpool -> flatten -> g: linear(3)", []),
        ("[N, 64]", "n: layernorm", []),
    ],
)
def test_norms_of_single_numbers_are_those_that_torch_refuses(
    shape: str, body: str, alone: list[str], tmp_path: Path
) -> None:
    """torch itself is asked: it refuses to train on a batch of one exactly where a norm is found."""
    import torch

    (tmp_path / "net.arch").write_text(f"model Net {{\n  input x: {shape}\n  {body}\n  output y\n}}\n")
    model = archdsl.load(tmp_path / "net.arch")
    assert [node.path for node in norms_of_single_numbers(model.graph)] == alone
    sizes = [int(size) for size in shape.strip("[]").split(", ")[1:]]
    module = model.module().train()
    if alone:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            module(torch.randn(1, *sizes))
    module(torch.randn(2, *sizes))
