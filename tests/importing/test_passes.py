"""The passes alone: views as patterns, alignment, formulas of loops, and terms that must not be equal."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from archdsl.importing import facets
from archdsl.importing.calls import FunctionCall, Value
from archdsl.importing.layout import Irregular, Layout
from archdsl.importing.loops import formula_of, looped
from archdsl.importing.sources.proof import by_terms
from archdsl.importing.tree import Apply, Do, For, literal
from archdsl.importing.unify import Blocks, unified


@given(st.permutations([0, 1, 2, 3]), st.sampled_from([(2, 4, 6, 5), (8, 6, 5), (2, 24, 5), (240,), (2, 2, 2, 6, 5)]))
def test_a_layout_is_what_torch_does(order: list[int], shape: tuple[int, ...]) -> None:
    """The pattern of a permutation and a view, computed by einops' rule on torch's own operators."""
    x = torch.arange(240).reshape(2, 4, 6, 5)
    moved = x.permute(order)
    wanted = moved.reshape(shape)
    try:
        layout = Layout.of(x.shape, [("permute", tuple(order)), ("reshape", shape)])
    except Irregular:
        return
    sizes = [n for n, _ in layout.sizes]
    atoms = [a for axis in layout.before for a in axis]
    apart = x.reshape([sizes[a] for a in atoms])
    result = apart.permute([atoms.index(a) for axis in layout.after for a in axis]).reshape(shape)
    assert torch.equal(result, wanted)


def value(*shape: int, path: str | None = None) -> Value:
    return Value("parameter" if path else "computed", shape, "float32", path)


def test_a_layer_has_the_arguments_of_its_weights() -> None:
    call = FunctionCall(
        "conv2d",
        {
            "input": value(2, 8, 9, 9), "weight": value(6, 4, 3, 5, path="a.weight"), "bias": None,
            "stride": (2, 2), "padding": (1, 2), "dilation": (1, 1), "groups": 2,
        },
        (value(2, 6, 5, 5),),
    )  # fmt: skip
    found = facets.layer(call)
    assert found is not None
    assert (found.name, found.module) == ("conv", "a")
    wanted = {"width": 6, "kernel": (3, 5), "stride": 2, "pad": (1, 2), "groups": 2, "bias": False}
    assert dict(found.arguments) == wanted


def test_weights_under_other_names_are_no_layer() -> None:
    weight = value(6, 4, path="a.kernel")
    call = FunctionCall("linear", {"input": value(2, 4), "weight": weight, "bias": None}, (value(2, 6),))
    assert facets.layer(call) is None


def conv(width: int, stride: int = 1) -> Do:
    return Do(Apply("conv", (("width", literal(width)), ("kernel", literal(3)), ("stride", literal(stride)))))


def test_optional_parts_are_conditions() -> None:
    found = unified(Blocks(), [(conv(8), conv(16, 2)), (conv(8),), (conv(8), conv(32, 2))])
    assert found is not None
    assert found[0].conditions == [(True, False, True)]


def test_one_and_true_are_apart() -> None:
    assert literal(1) != literal(True) != literal(1.0)


@pytest.mark.parametrize(
    ("numbers", "formula"),
    [
        ((0, 1, 2), "i"),
        ((64, 128, 256), "64 * 2 ** i"),
        ((3, 5, 7), "3 + 2 * i"),
        ((2, 1, 1), "2 if i == 0 else 1"),
        ((0.0, 0.05, 0.1, 0.15000000000000002), None),
        ((1, 7, 2), None),
    ],
)
def test_formulas(numbers: tuple[float, ...], formula: str | None) -> None:
    found = formula_of([literal(n) for n in numbers], "i")
    assert found == formula or (formula is None and _is_exact(found, numbers))


def _is_exact(formula: str | None, numbers: tuple[float, ...]) -> bool:
    return formula is None or [eval(formula, {"i": i}) for i in range(len(numbers))] == list(numbers)


def test_equal_statements_are_a_loop() -> None:
    found = looped(Blocks(), (conv(8),) * 5)
    assert len(found) == 1
    assert isinstance(found[0], For)


# ---- terms -------------------------------------------------------------------------------------------------


class Affine(nn.Module):
    """``first op second``, as its arguments say."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.form = form

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.fc(x)
        match self.form:
            case "sum":
                return y + x
            case "turned":
                return x + y
            case "difference":
                return y - x
            case "opposite":
                return x - y
            case "view":
                return (y.reshape(-1, 2, 2).reshape(x.shape)) + x
            case "transposed":
                return y.reshape(-1, 2, 2).transpose(1, 2).reshape(x.shape) + x
            case "scaled":
                return torch.add(y, x, alpha=2)
            case "scaled turned":
                return torch.add(x, y, alpha=2)
            case "bits":
                return y.view(torch.int32).to(torch.float32) + x
            case "written":
                seen = y.view(-1)
                seen.mul_(2.0)
                return y + x
        raise AssertionError(self.form)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("sum", "turned", True),
        ("sum", "view", True),
        ("difference", "opposite", False),
        ("sum", "transposed", False),
        ("sum", "difference", False),
        ("scaled", "scaled turned", False),
        ("sum", "bits", False),
        ("sum", "written", None),
    ],
)
def test_terms(one: str, other: str, answer: bool | None) -> None:
    found = by_terms(Affine(one), Affine(other), [torch.randn(2, 4)], training=False)
    assert found is answer
