"""A model's source from its program: which of its parameters are arguments of its class, and what is not shipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

import archdsl
from archdsl.emit.torch.emission import Source, emit
from archdsl.emit.torch.lower import source as lower
from archdsl.emit.torch.parameters import fewer, other_values
from archdsl.emit.torch.verify import Case, verify
from archdsl.errors import SpecError
from archdsl.graph import Graph

from .networks import model_of

HEAD = "model M(width = 4, drop = 0.5, classes = 10)"


def source_of(text: str) -> Source:
    return emit(model_of(f"arch 1\n{text}"))


def test_sizes_of_outputs_and_rates_are_arguments() -> None:
    source = source_of(
        f"{HEAD} {{ input x: [N, 4]; h: linear(width) -> dropout(drop) -> f: linear(classes); output y }}"
    )
    assert source.arguments == {"drop": "drop", "classes": "classes"}
    assert "def __init__(self, drop: float = 0.5, classes: int = 10)" in source.text
    assert source.diagnostics == ()


def test_it_is_the_same_model_with_other_values() -> None:
    """Also with values that nothing was proved for."""
    model = archdsl.load("resnet18", input="1x3x32x32")
    source = emit(model)
    assert source.arguments == {"classes": "classes"}
    case = Case(model.vary(classes=3).graph, {"classes": 3})
    assert verify(source.text, source.class_name, [case]) is None


def test_a_parameter_of_another_name_in_the_file() -> None:
    source = source_of("model M(lambda = 0.5) { input x: [N, 4]; dropout(lambda); f: linear(3); output y }")
    assert source.arguments == {"lambda": "the_lambda"}


def test_what_shapes_the_network_is_no_argument() -> None:
    source = source_of(
        f"{HEAD} {{ input x: [N, 4]\nif drop > 0.4 {{ h: linear(width) }}\nf: linear(classes); output y }}"
    )
    assert source.arguments == {"classes": "classes"}


def test_a_rate_that_sizes_are_computed_from_is_no_argument() -> None:
    source = source_of(
        "model M(scale = 1.0, classes = 10) "
        "{ input x: [N, 4]; h: linear(int(32 * scale)); f: linear(classes); output y }"
    )
    assert source.arguments == {"classes": "classes"}
    assert "nn.Linear(4, 32)" in source.text


def test_a_value_that_the_model_cannot_have() -> None:
    source = source_of(
        f"{HEAD} {{ assert classes < 11\ninput x: [N, 4]; dropout(drop); f: linear(classes); output y }}"
    )
    assert source.arguments == {}
    assert "nn.Linear(4, 10)" in source.text


def test_which_are_tried() -> None:
    """Rates and sizes of outputs, not widths and flags."""
    text = "{ input x: [N, 4]; dropout(drop); f: linear(classes); output y }"
    params = "n, width = 4, drop = 0.5, is_wide = true, classes = 10"
    graph = model_of(f"arch 1\nmodel M({params}) {text}\nmodel K = M(3)").graph
    assert other_values(graph) == {"drop": 0.3, "classes": 11}


@pytest.mark.parametrize(
    ("blamed", "left"),
    [({"a"}, {"b": 2, "classes": 3}), ((), {"classes": 3}), ({"other"}, {"classes": 3})],
)
def test_which_are_tried_next(blamed: set[str], left: dict[str, int]) -> None:
    assert fewer({"a": 1, "b": 2, "classes": 3}, blamed) == left


def test_the_last_try_is_without_arguments() -> None:
    assert fewer({"classes": 3}, ()) == {}


# ---- what cannot be proved ---------------------------------------------------------------------------------


def written_as(monkeypatch: pytest.MonkeyPatch, form: str, change: Callable[[str], str]) -> None:
    """Let the back end write something else in one of its forms."""
    right: Callable[..., lower.Written] = getattr(lower, form)

    def written_so(*graphs: Graph) -> lower.Written:
        written = right(*graphs)
        return written._replace(text=change(written.text))

    monkeypatch.setattr(lower, form, written_so)


def fail(text: str) -> NoReturn:
    raise RuntimeError("a fault of ours")


def changed(text: str) -> str:
    return text.replace("F.relu", "F.silu")


@pytest.mark.parametrize("change", [fail, changed])
def test_every_number_is_written_out_with_a_notice(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]
) -> None:
    written_as(monkeypatch, "shared_text", change)
    source = emit(archdsl.load("resnet18"))
    assert [d.code for d in source.diagnostics] == ["A0501"]
    assert "nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=False)" in source.text


@pytest.mark.parametrize("change", [fail, changed])
def test_nothing_else(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    for form in ("shared_text", "plain_text"):
        written_as(monkeypatch, form, change)
    with pytest.raises(SpecError, match="A0500"):
        emit(archdsl.load("resnet18"))


def test_a_number_that_is_no_argument_where_it_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of the second network refuses it; without arguments it is right."""
    written_as(monkeypatch, "shared_text", lambda text: text.replace("Linear(512, classes)", "Linear(512, 1000)"))
    source = emit(archdsl.load("resnet18"))
    assert source.arguments == {}
    assert source.diagnostics == ()
