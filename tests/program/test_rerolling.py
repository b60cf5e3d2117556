"""Loops in what was written out: found in any sequence, and made in the classes of a program."""

from __future__ import annotations

from textwrap import dedent

from archdsl.program.recorded import recorded
from archdsl.program.rerolling import Item, rerolled, stretches
from archdsl.program.show import show

from .networks import Weights, graph_of


def items(text: str) -> list[Item]:
    """Letters with a number each: ``a1 b2``."""
    return [Item(word[0], (int(word[1:]),)) for word in text.split()]


def found(text: str) -> list[tuple[int, int, int]]:
    """Where loops start, how long a turn is, and how many there are."""
    return [(s.start, s.period, s.turns) for s in stretches(items(text))]


def test_neighbors_whose_numbers_grow_evenly() -> None:
    (stretch,) = stretches(items("a1 a3 a5 a7"))
    assert (stretch.start, stretch.stop, stretch.turns, stretch.growth) == (0, 4, 4, ((2,),))


def test_turns_of_several_items() -> None:
    """Each number grows by itself."""
    (stretch,) = stretches(items("a1 b5 a2 b5 a3 b5"))
    assert (stretch.period, stretch.turns, stretch.growth) == (2, 3, ((1,), (0,)))


def test_two_turns_are_no_loop() -> None:
    assert found("a1 a2 b1") == []


def test_what_stands_around() -> None:
    assert found("x9 a1 a1 a1 y9 b1 b2 b3") == [(1, 1, 3), (5, 1, 3)]


def test_the_longest_loop_and_its_shortest_turn() -> None:
    assert found("a1 a2 a3 a4 a5 a6") == [(0, 1, 6)]
    assert found("a1 a1 a1 b1 a1 a1 a1 b1 a1 a1 a1 b1") == [(0, 4, 3)]


def test_numbers_that_do_not_grow_evenly() -> None:
    assert found("a1 a2 a4 a8") == []


def shown(text: str) -> str:
    """The last class of a program with loops."""
    return show(rerolled(recorded(graph_of(text), Weights()))).rsplit("\n\n", 1)[1]


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_labelled_members_in_a_chain() -> None:
    text = "block Unit { f: conv(4, 1) -> relu }\n"
    text += "model M { input x: [N, 4, H, W]; for i in 0..5 { unit{i + 1}: Unit }; output y }"
    assert shown(text) == expected("""
        class M#1
          for turn in 1..5
            unit{turn}: Unit#0
          run(%0 [N, 4, H, W]) -> outputs
            for turn in 1..5
              %6 [N, 4, H, W] = %0, then %1
              %1 [N, 4, H, W] = unit{turn}: Unit#0 <- %6
            %5 [N, 4, H, W] = %0 after no turn, else %1
            output y = %5
        """)


def test_channels_that_grow() -> None:
    """As in DenseNet."""
    text = "model M { input x: [N, 8, H, W]; for i in 0..4 { concat { it; conv{i}: conv(2, 1) } }; output y }"
    assert shown(text) == expected("""
        class M#0
          for turn in 1..4
            conv{turn - 1}: conv(2, 1)
          run(%0 [N, 8, H, W]) -> outputs
            for turn in 1..4
              %9 [N, 2 * turn + 6, H, W] = %0, then %2
              %1 [N, 2, H, W] = conv{turn - 1}: conv <- %9
              %2 [N, 2 * turn + 8, H, W] = concat <- %9, %1
            %8 [N, 16, H, W] = %0 after no turn, else %2
            output y = %8
        """)


def test_what_comes_before_and_behind_stays() -> None:
    text = "model M { input x: [N, 4]; a: linear(4); for i in 0..3 { f{i}: linear(4) }; b: linear(2); output y }"
    assert "for turn in 1..3\n    f{turn - 1}: linear(4)\n  b: linear(2)" in shown(text)


def no_loop(text: str) -> bool:
    return "for" not in shown(text)


def test_what_is_read_behind_a_loop_is_what_its_last_turn_gives() -> None:
    text = "model M { input x: [N, 4]; f0: linear(4) as p; f1: linear(4); f2: linear(4); it + p; output y }"
    assert no_loop(text)


def test_a_member_that_runs_again_elsewhere() -> None:
    text = "model M { input x: [N, 4]; let f0: linear(4)\nlet f1: linear(4)\nlet f2: linear(4)\n"
    assert no_loop(text + "f0; f1; f2; relu; f1; output y }")


def test_members_in_another_order_than_they_run() -> None:
    text = "model M { input x: [N, 4]; let f2: linear(4)\nlet f0: linear(4)\nlet f1: linear(4)\n"
    assert no_loop(text + "f0; f1; f2; output y }")


def test_turns_that_read_the_turn_before_the_last() -> None:
    """Two values are carried, one of which the turn only hands on: this is written out."""
    text = (
        "model M { input x: [N, 4]; f0: linear(4) as a; f1: linear(4) as b; it + a as c; f2: linear(4) as d; it + b\n"
    )
    assert no_loop(text + "f3: linear(4); it + d; output y }")


def test_two_numbers_of_a_label_that_grow() -> None:
    assert no_loop("model M { input x: [N, 4]; for i in 0..4 { f{i}_{i}: linear(4) }; output y }")
