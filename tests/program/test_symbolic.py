"""A block built once for several instances: what is open in it, and where they must be separate classes."""

from __future__ import annotations

import pytest

from archdsl.program.numbers import OpenFloat
from archdsl.program.symbolic import Split, Symbolic, Unsuitable, build

from .networks import graph_of, instances


def built(text: str) -> Symbolic:
    """The block B of a network, built once for all its runs."""
    graph = graph_of(text)
    return build(instances(graph, "B"), graph, {"N"})


def model(*steps: str) -> str:
    return f"model M {{ input x: [N, 4]; {'; '.join(steps)}; output y }}"


def operators(symbolic: Symbolic) -> list[str]:
    return [str(n.op) for n in symbolic.graph.nodes]


def test_an_argument_that_differs_is_a_symbol() -> None:
    found = built("block B(width) { f: linear(width * 2) }\n" + model("a: B(3)", "b: B(5)"))
    assert [p.name for p in found.opened.parameters] == ["width", "dim"]
    (node,) = found.graph.nodes
    assert str(node.output.shape[-1]) == "2 * width"
    assert found.opened.lanes == [{"width": 3, "dim": 4}, {"width": 5, "dim": 6}]


def test_an_argument_that_is_the_same_everywhere_is_constant() -> None:
    found = built("block B(width, k) { f: linear(width * k) }\n" + model("a: B(3, 2)", "b: B(5, 2)"))
    assert "k" not in {p.name for p in found.opened.parameters}


def test_a_size_that_is_an_argument_in_every_instance_is_that_argument() -> None:
    found = built("block B(c) { residual { f: linear(c) } }\n" + model("a: B(4)", "g: linear(8)", "b: B(8)"))
    assert [p.name for p in found.opened.parameters] == ["c"]


def test_a_size_that_only_an_input_has_is_no_parameter() -> None:
    found = built(
        "block B(c) { f: conv(c, 1) }\nmodel M { input x: [N, 4, H, W]; a: B(4); maxpool(2); b: B(8); output y }"
    )
    assert "size2" in found.opened.lanes[0]
    assert "size2" not in {p.name for p in found.opened.parameters}


def test_floats_keep_their_expression() -> None:
    found = built("block B(p) { drop_path(p / 2) }\n" + model("a: B(0.1)", "b: B(0.3)"))
    (node,) = found.graph.nodes
    assert str(node.op.p) == "(p / 2)"  # type: ignore[attr-defined]


def test_a_float_of_a_size_keeps_its_expression() -> None:
    found = built("block B(c) { f: linear(c) -> it * c ** -0.5 }\n" + model("a: B(4)", "b: B(16)"))
    scale = found.graph.nodes[-1].op.right  # type: ignore[attr-defined]
    assert isinstance(scale, OpenFloat)
    assert str(scale) == "(c ** -0.5)"


def test_a_condition_on_which_all_instances_agree_is_decided() -> None:
    found = built("block B(c) { f: linear(c); if c > 2 { relu } }\n" + model("a: B(3)", "b: B(5)"))
    assert [n.op.name for n in found.graph.nodes] == ["linear", "relu"]


@pytest.mark.parametrize(
    ("block", "calls", "keys"),
    [
        ("B(c) { f: linear(c); if c > 4 { relu } }", ("B(3)", "B(5)"), (False, True)),
        ("B(p) { f: linear(4); if p > 0.1 { relu } }", ("B(0.1)", "B(0.2)"), (False, True)),
        ("B(n) { for i in 0..n { relu } }", ("B(1)", "B(2)"), (1, 2)),
        ("B(c) { f{c}: linear(4) }", ("B(1)", "B(2)"), (1, 2)),
    ],
)
def test_instances_that_disagree_are_split(block: str, calls: tuple[str, str], keys: tuple[object, ...]) -> None:
    with pytest.raises(Split) as split:
        built(f"block {block}\n" + model(f"a: {calls[0]}", f"b: {calls[1]}"))
    assert split.value.keys == keys


def test_numbers_below_zero_are_no_symbols() -> None:
    with pytest.raises(Split, match="`shift` differs"):
        built("block B(shift) { it + shift }\n" + model("a: B(-1)", "b: B(2)"))


def test_the_elements_of_a_list_are_open_one_by_one() -> None:
    found = built("block B(c) { f: linear(c[0]); g: linear(c[1]) }\n" + model("a: B([3, 2])", "b: B([5, 2])"))
    (parameter, *_) = found.opened.parameters
    assert (parameter.name, [item.name for item in parameter.items]) == ("c", ["c_0", ""])
    assert [str(n.output.shape[-1]) for n in found.graph.nodes] == ["c_0", "2"]


def test_a_flag_forks_the_text() -> None:
    """The text runs once with true and once with false."""
    with pytest.raises(Split) as split:
        built("block B(gated) { f: linear(4); if gated { sigmoid } }\n" + model("a: B(true)", "b: B(false)"))
    assert (str(split.value.condition), split.value.keys) == ("gated", (True, False))


def test_a_layer_that_some_are_not_given_is_a_flag() -> None:
    with pytest.raises(Split) as split:
        built("block B(act) { f: linear(4); act }\n" + model("a: B(relu)", "b: B(none)"))
    assert (str(split.value.condition), split.value.keys) == ("act", (True, False))


def test_activations_that_differ_are_open_where_they_are_modules() -> None:
    found = built("block B(act) = seq { linear(4); act }\n" + model("a: B(relu)", "b: B(silu)"))
    assert [(p.name, p.kind) for p in found.opened.parameters] == [("act", "layer")]
    assert [n.op.name for n in found.graph.nodes] == ["linear", "layer"]


def test_layers_that_differ_are_split() -> None:
    with pytest.raises(Split, match="`norm` differs"):
        built("block B(norm) { f: linear(4); n: norm }\n" + model("a: B(batchnorm)", "b: B(layernorm)"))


def test_activations_that_are_no_modules_are_split() -> None:
    with pytest.raises(Split, match="`act` differs, and is no module"):
        built("block B(act) { f: linear(4); act }\n" + model("a: B(relu)", "b: B(silu)"))


def test_values_as_arguments_are_unsuitable() -> None:
    with pytest.raises(Unsuitable, match="is a value"):
        built("block B(v, c) { it + v; f: linear(c) }\n" + model("it as p", "a: B(p, 4)", "b: B(p, 4)"))
