"""Two networks in terms: checked graphs and sources are compared with each other, and nothing is run."""

from __future__ import annotations

import pytest

from archdsl.emit.torch.emission import emit
from archdsl.emit.torch.verify import Difference, TermTable, Traced, equivalent, trace_graph, trace_source

from ..networks import model_of

NET = """arch 1
block Unit(width) { input x: [N, C, H, W]; conv: conv(width, 3, pad=1) -> relu -> dropout(0.1) -> it + x }
model Net(width = 8) {
  input image: [N, 8, 16, 16]
  param scale: [width] = ones
  first: Unit(width) -> second: Unit(width) as seen
  output aux = seen -> global_avgpool -> flatten when training
  it * 2.0 -> global_avgpool -> flatten
  fc: linear(4, init=normal(std=0.01))
  output y
}
"""
CHANGES = {
    "nothing": ("Net", "Net", None, ""),
    "a spelling": ("it * 2.0", "it * (1.0 + 1.0)", None, ""),
    "a name": ("block Unit", "block Part", None, ""),
    "a label": ("second: ", "other: ", "modules", "second"),
    "a layer": ("conv(width, 3, pad=1)", "conv(width, 3, pad=1, bias=false)", "layer", "first.conv"),
    "a layer more": ("  it * 2.0", "  more: conv(8, 1)\n  it * 2.0", "modules", "fc"),
    "a shape": ("scale: [width]", "scale: [width, 1]", "tensors", "scale"),
    "a tensor": ("  param scale: [width] = ones\n", "", "tensors", "the network"),
    "initial values": ("std=0.01", "std=0.02", "initial values", "fc.weight"),
    "initial values of a tensor": ("= ones", "= zeros", "initial values", "scale"),
    "a function": ("-> relu", "-> gelu", "outputs", ""),
    "a number": ("2.0", "3.0", "outputs", ""),
    "operands": ("it + x", "x + it", "outputs", ""),
    "a random step": ("0.1", "0.2", "outputs", ""),
    "a training output": ("aux = seen ->", "aux = image ->", "outputs", ""),
}


def trace(text: str, table: TermTable) -> Traced:
    return trace_graph(model_of(text.replace("Unit(", "Part(") if "block Part" in text else text).graph, table)


@pytest.mark.parametrize("name", CHANGES)
def test_two_graphs(name: str) -> None:
    old, new, what, place = CHANGES[name]
    assert old in NET
    table = TermTable()
    found = equivalent(trace(NET.replace(old, new), table), trace(NET, table))
    assert (found.what if found else None, found.place if found else "") == (what, place), found


def test_a_source_is_its_graph_and_another_source_of_it() -> None:
    model = model_of(NET)
    table = TermTable()
    graph = trace_graph(model.graph, table)
    source = emit(model)
    traced = trace_source(source.text, source.class_name, table, inputs=["image"])
    longer = source.text.replace("seen * 2.0", "seen * (5.0 - 3.0)")
    assert longer != source.text
    again = trace_source(longer, source.class_name, table, inputs=["image"])
    assert equivalent(traced, graph) is None
    assert equivalent(again, traced) is None
    assert [m.path for m in traced.modules] == ["", "first", "first.conv", "second", "second.conv", "fc"]


def test_arguments_are_those_of_the_class() -> None:
    table = TermTable()
    text = (
        "from torch import Tensor, nn\n\n\nclass M(nn.Module):\n    def __init__(self, width: int) -> None:\n"
        "        super().__init__()\n        self.fc = nn.Linear(width, 2 * width)\n\n"
        "    def forward(self, x: Tensor) -> Tensor:\n        return self.fc(x)\n"
    )
    small, same, large = (
        trace_source(text, "M", table, inputs=["x"], arguments={"width": width}) for width in (4, 4, 8)
    )
    assert equivalent(small, same) is None
    assert equivalent(large, small) == Difference("layer", "fc", "fc is not made as nn.Linear is in the graph")


def test_what_is_computed_for_nothing_and_twice() -> None:
    table = TermTable()
    body = "        y = x + 1.0\n        return {}\n"
    head = "from torch import Tensor, nn\n\n\nclass M(nn.Module):\n    def forward(self, x: Tensor) -> Tensor:\n"
    once, twice, unused = (
        trace_source(head + body.format(result), "M", table, inputs=["x"])
        for result in ("y * y", "y * (x + 1.0)", "y * (y + 0.0 * 0.0, y)[1]")
    )
    found = equivalent(twice, once)
    assert found is not None
    assert found.what == "steps"
    assert "`+`, is computed 2 times, not 1" in str(found)
    found = equivalent(unused, once)
    assert found is not None
    assert found.what == "steps"
