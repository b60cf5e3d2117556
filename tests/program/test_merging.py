"""Groups of one text that differ in numbers only: one class, whose parameters these are."""

from __future__ import annotations

from archdsl.compiler import from_text
from archdsl.model import open_model
from archdsl.program.ir import Program
from archdsl.program.merging import merged
from archdsl.program.recorded import recorded
from archdsl.program.rerolling import rerolled
from archdsl.program.show import show

from .networks import Weights, graph_of


def program(text: str) -> Program:
    return merged(rerolled(recorded(graph_of(text), Weights())))


DENSE = """
model M {
  input x: [N, 4, H, W]
  for b, depth in enumerate([3, 5]) {
    dense{b}: { for i in 0..depth { concat { it; layer{i}: conv(2, 1) -> relu } } }
  }
  output y
}
"""


def test_loops_of_other_lengths() -> None:
    """As in DenseNet: the length is a parameter, and so is each size that differs, whether it is asked for or not."""
    text = show(program(DENSE))
    assert "class dense0#0(depth, size1, size2, size3)\n  for turn in 1..depth\n    layer{turn - 1}: conv(2, 1)" in text
    assert "dense0: dense0#0(depth=3, size1=4, size2=6, size3=10)" in text
    assert "dense1: dense0#0(depth=5, size1=10, size2=12, size3=20)" in text


def test_an_argument_has_the_name_that_the_class_in_the_loop_gives_it() -> None:
    from archdsl.program.specialise import specialised

    text = "block Layer { input x: [N, C, H, W]; f: conv(2, 1) -> relu; it * C }\n"
    graph = graph_of(text + DENSE.replace("conv(2, 1) -> relu", "Layer"))
    shown = show(merged(rerolled(specialised(graph, Weights())[0])))
    assert "layer{turn - 1}: Layer#0(in_channels=in_channels + 2 * turn - 2)" in shown.replace(
        "2 * turn + in_channels - 2", "in_channels + 2 * turn - 2"
    )


def test_groups_that_read_a_parameter_of_the_network() -> None:
    """Its class has the parameter too, beside the numbers in which the groups differ."""
    from archdsl.program.specialise import specialised

    text = DENSE.replace("model M", "model M(drop = 0.5)").replace("relu", "relu -> dropout(drop)")
    model = open_model(from_text(f"arch 1\n{text}"), {}, {})
    program, _ = specialised(model.graph, Weights(), [model.vary(drop=0.1).graph])
    shown = show(merged(rerolled(program)))
    assert "class dense0#0(drop, depth, size1, size2, size3)" in shown


def test_groups_of_other_operators() -> None:
    text = DENSE.replace("-> relu", "-> (relu if b == 0 else sigmoid)")
    assert len(program(text).classes) == 3


def test_labels_that_differ() -> None:
    """Labels hold no parameters."""
    assert len(program(DENSE.replace("layer{i}", "layer{b}_{i}")).classes) == 3
