"""The three questions that the builder asks of a strategy, each answered otherwise than ``Concrete`` does."""

from __future__ import annotations

from archdsl.compiler import choose, from_text
from archdsl.elaborate.model import build_model
from archdsl.elaborate.place import NetworkPlace
from archdsl.elaborate.strategy import Builder, Concrete, Entry, Runner
from archdsl.evaluate.values import BlockLayer
from archdsl.graph import Graph
from archdsl.syntax import tree

TEXT = """
block Unit(width) { conv: conv(width, 3, pad=1) -> relu }
model Net(wide=true) {
  input x: [N, 3, 8, 8]
  body: seq {
    if wide { Unit(16) } else { Unit(8) }
    for i in 0..3 { Unit(4) }
  }
  output y
}
"""


class CallsStayCalls(Concrete):
    """A block is noted, not expanded."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.calls: list[tuple[str, object]] = []

    def enter(self, entry: Entry, here: NetworkPlace) -> None:
        if entry.scope.kind != "block":
            super().enter(entry, here)
            return
        self.calls.append((entry.module.path, entry.arguments["width"]))


class OtherArm(Concrete):
    """The ``else`` is run, whatever the condition says."""

    def choose(self, node: tree.If, here: NetworkPlace, runner: Runner) -> None:
        assert isinstance(node.otherwise, tree.Body)
        runner.run(node.otherwise, here)


class OneTurn(Concrete):
    """A loop is run once, for its first item."""

    def iterate(self, node: tree.For, here: NetworkPlace, runner: Runner) -> None:
        (first, *_) = self._builder.items_of(node.iterable, here)
        self._builder.bind_patterns(node.patterns, first, here.env, here, node)
        runner.run(node.body, here)


def built(strategy: type[Concrete]) -> tuple[Graph, Concrete]:
    model = choose(from_text(TEXT))
    assert isinstance(model, BlockLayer)
    made: list[Concrete] = []

    def start(builder: Builder) -> Concrete:
        made.append(strategy(builder))
        return made[0]

    graph = build_model(model, strategy=start).graph
    assert graph is not None
    return graph, made[0]


def widths(graph: Graph) -> list[object]:
    return [node.output.shape[1] for node in graph.nodes if node.weights]


def test_the_concrete_one_takes_the_arm_every_turn_and_every_block() -> None:
    assert widths(built(Concrete)[0]) == [16, 4, 4, 4]


def test_a_block_can_stay_a_call() -> None:
    graph, strategy = built(CallsStayCalls)
    assert isinstance(strategy, CallsStayCalls)
    assert strategy.calls == [("body.0", 16), ("body.1", 4), ("body.2", 4), ("body.3", 4)]
    assert graph.nodes == []


def test_a_strategy_decides_which_arm_is_run() -> None:
    assert widths(built(OtherArm)[0]) == [8, 4, 4, 4]


def test_a_strategy_decides_how_often_a_loop_is_run() -> None:
    assert widths(built(OneTurn)[0]) == [16, 4]
