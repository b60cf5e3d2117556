"""What cannot be proved is not shipped in silence: first the plain form with a notice, then nothing but an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import archdsl
from archdsl.emit.torch import emit, validate
from archdsl.emit.torch.file import File
from archdsl.errors import SpecError

from .conditions import faults

pytest.importorskip("torch")


def spoiled(monkeypatch: pytest.MonkeyPatch, change: Callable[[File, str], str]) -> None:
    """Let the back end write something else."""
    right = File.text
    monkeypatch.setattr(File, "text", lambda self: change(self, right(self)))


def test_the_plain_form_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(monkeypatch, lambda file, text: text if file.is_literal else text.replace("stride=2", "stride=3"))
    source = emit(archdsl.load("resnet18"))
    (notice,) = source.diagnostics
    assert notice.code == "A0501"
    assert "class ResNet18" in source.text
    assert [f for f in faults(source.text) if "default" not in f] == []


def test_the_plain_form_of_what_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: File, text: str) -> str:
        if not file.is_literal:
            raise RuntimeError("a fault of ours")
        return text

    spoiled(monkeypatch, fail)
    source = emit(archdsl.load("googlenet"))
    assert "a fault of ours" in source.diagnostics[0].reason  # type: ignore[attr-defined]


def test_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(monkeypatch, lambda _, text: text.replace("kernel_size", "").replace("F.relu", "F.silu"))
    with pytest.raises(SpecError, match="A0500"):
        emit(archdsl.load("resnet18"))


def test_strange_text_is_refused_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(monkeypatch, lambda _, text: text + "\n\nprint(open('/etc/passwd').read())\n")
    with pytest.raises(SpecError, match="a statement outside of a class"):
        emit(archdsl.load("lenet5"))


def test_the_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from archdsl.cli import main

    spoiled(monkeypatch, lambda file, text: text if file.is_literal else text.replace("stride=2", "stride=3"))
    assert main(["compile", "resnet18", "-o", "-"]) == 0
    shown = capsys.readouterr()
    assert "fault of archdsl" in shown.err
    assert "class ResNet18" in shown.out


def test_it_is_torch_s_arithmetic_that_is_proved() -> None:
    """A hand-written file is held against the graph by the same rules."""
    model = archdsl.load("lenet5")
    text = model.source()
    assert validate.validate(text, "LeNet5", model.graph) is None
    assert "c3" in str(validate.validate(text.replace("6, 16, 5", "6, 16, 3"), "LeNet5", model.graph))
