"""Which classes there are: as few as the instances of the checked graph allow, and a reason for each more."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from archdsl.compiler import from_text
from archdsl.model import open_model
from archdsl.program.ir import Choose, Optional, OwnTensor, Part, Program, parts
from archdsl.program.show import show
from archdsl.program.specialise import Reason, specialised
from archdsl.program.symbolic import Split

from .networks import Weights, graph_of


def program(text: str) -> tuple[Program, list[Reason]]:
    return specialised(graph_of(text), Weights())


def classes(program: Program) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(c.name, tuple(p.name for p in c.parameters)) for c in program.classes]


def uses(program: Program) -> list[Part]:
    return list(parts(program.top.members))


def test_instances_that_differ_in_numbers_are_one_class() -> None:
    found, reasons = program(
        "block B(c) { f: linear(c) }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); c: B(7); output y }"
    )
    assert classes(found) == [("B", ("c", "dim")), ("M", ())]
    assert [dict(u.arguments) for u in uses(found)] == [
        {"c": 3, "dim": 4},
        {"c": 5, "dim": 3},
        {"c": 7, "dim": 5},
    ]
    assert reasons == []


def test_as_text() -> None:
    found, _ = program("block B(c) { f: linear(c) }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }")
    assert show(found) == dedent("""\
        program M

        class B#0(c, dim)
          f: linear(c)
          run(%0 [N, dim]) -> %1
            %1 [N, c] = f: linear <- %0

        class M#1
          a: B#0(c=3, dim=4)
          b: B#0(c=5, dim=3)
          run(%0 [N, 4]) -> outputs
            %1 [N, 3] = a: B#0 <- %0
            %2 [N, 5] = b: B#0 <- %1
            output y = %2
        """)


def test_instances_that_take_other_arms_are_one_class_with_the_condition() -> None:
    found, reasons = program(
        "block B(c) { f: linear(c); if c > 4 { relu } }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert reasons == []
    assert show(found) == dedent("""\
        program M

        class B#0(c, dim)
          f: linear(c)
          run(%0 [N, dim]) -> %3
            %1 [N, c] = f: linear <- %0
            if c > 4
              %2 [N, c] = relu <- %1
            %3 [N, c] = %2 or %1

        class M#1
          a: B#0(c=3, dim=4)
          b: B#0(c=5, dim=3)
          run(%0 [N, 4]) -> outputs
            %1 [N, 3] = a: B#0 <- %0
            %2 [N, 5] = b: B#0 <- %1
            output y = %2
        """)


def test_a_member_of_one_arm_is_optional() -> None:
    found, reasons = program(
        "block B(c) { input x: [N, C]; residual { f: linear(c) } shortcut { if C != c { p: linear(c) } } }\n"
        "model M { input x: [N, 4]; a: B(4); b: B(5); c: B(5); output y }"
    )
    assert reasons == []
    optional = found.classes[0].members[1]
    assert isinstance(optional, Optional)
    assert (str(optional.condition), optional.label) == ("dim != c", "p")


def test_conditions_that_lead_to_the_same_are_one() -> None:
    """Several ways through the text, and two classes: ``or`` and ``and`` join what decides between them."""
    found, reasons = program(
        "block B(c, d) { f: linear(c); if c > 4 or d > 4 { relu } }\n"
        "model M { input x: [N, 4]; a: B(3, 2); b: B(5, 2); c: B(3, 6); output y }"
    )
    assert reasons == []
    (choice,) = (s for s in found.classes[0].bodies[0].steps if isinstance(s, Choose))
    assert str(choice.condition) == "(c > 4 or d > 4)"


def test_a_condition_on_a_size_that_only_runs_know_makes_two_classes() -> None:
    """The constructor could not decide it."""
    found, reasons = program(
        "block B { input x: [N, C]; if C == 1 { relu } else { gelu } }\n"
        'model M { input x: [N, T, 2]; flatten; a: B; reduce("n t -> n 1", "sum"); b: B; output y }'
    )
    assert [r.text for r in reasons] == ["C == 1"]
    assert [name for name, _ in classes(found)] == ["B", "B", "M"]


def test_arms_whose_results_differ_in_size_are_one_class_where_nothing_needs_the_size() -> None:
    _, reasons = program(
        "block B(c) { f: linear(c); if c > 4 { g: linear(2 * c) }; relu }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert reasons == []


def test_arms_whose_results_differ_in_size_make_two_classes() -> None:
    """What follows would have to say which size it gets."""
    found, reasons = program(
        "block B(c) { f: linear(c); if c > 4 { g: linear(2 * c) }; h: linear(1) }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert [r.text for r in reasons] == ["c > 4"]
    assert [name for name, _ in classes(found)] == ["B", "B", "M"]


def test_sizes_that_are_equal_where_an_arm_is_skipped_are_one() -> None:
    """``C`` is ``c`` in every instance that keeps its input: the size behind the arms is ``c``."""
    found, reasons = program(
        "block B(c) { input x: [N, C]; if C != c { f: linear(c) }; g: linear(c) }\n"
        "model M { input x: [N, 4]; a: B(4); b: B(5); c: B(5); output y }"
    )
    assert reasons == []
    (choice,) = (s for s in found.classes[0].bodies[0].steps if isinstance(s, Choose))
    assert [str(size) for size in choice.joined[0].output.type.shape] == ["N", "c"]


def test_arms_that_make_other_layers_in_one_place_are_two_classes() -> None:
    _, reasons = program(
        "block B(c) { if c > 4 { f: linear(c) } else { f: linear(c, bias=false) } }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert [r.text for r in reasons] == ["c > 4"]


def test_a_class_in_a_class_takes_its_numbers() -> None:
    found, _ = program(
        "block In(c) { f: linear(c) }\nblock Out(c) { one: In(c * 2); two: In(c) }\n"
        "model M { input x: [N, 4]; a: Out(3); b: Out(5); output y }"
    )
    inner, outer = found.classes[0], found.classes[1]
    assert (inner.name, outer.name) == ("In", "Out")
    assert [{n: str(v) for n, v in p.arguments} for p in parts(outer.members)] == [
        {"c": "2 * c", "dim": "dim"},
        {"c": "c", "dim": "2 * c"},
    ]


def test_a_group_in_a_class_has_its_parameters() -> None:
    found, _ = program(
        "block B(c) { g: { f: linear(c) as p; relu; it + p } }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    group = next(c for c in found.classes if c.name is None)
    assert group.is_local
    assert [p.name for p in group.parameters] == ["c", "dim"]


def test_other_defaults_are_other_classes() -> None:
    found, _ = program(
        "block B(c) { f: linear(c) }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); { with linear(bias=false); c: B(3); d: B(5) }; output y }"
    )
    assert [name for name, _ in classes(found)].count("B") == 2


def test_a_block_that_reads_what_is_around_it_is_written_out() -> None:
    """Its class is not shared, and that is no fault."""
    found, _ = program(
        "block B(v, c) { f: linear(c); it + v }\n"
        "model M { input x: [N, 4]; f: linear(4) as p; relu; a: B(p, 4); b: B(p, 4); output y }"
    )
    assert all(not parameters for _, parameters in classes(found))


# ---- parameters of the model -------------------------------------------------------------------------------


def of_many(text: str, **others: Any) -> tuple[Program, list[Reason]]:
    """The program of a model that has these values for its parameters in another network."""
    model = open_model(from_text(f"arch 1\n{text}"), {}, {})
    return specialised(model.graph, Weights(), [model.vary(**others).graph])


HEAD = "model M(classes = 10, width = 4) { input x: [N, 4]; hidden: linear(width); head: linear(classes); output y }"


def test_a_parameter_of_the_model_that_differs_is_one_of_its_class() -> None:
    found, reasons = of_many(HEAD, classes=11)
    assert reasons == []
    assert show(found) == dedent("""\
        program M

        class M#0(classes)
          hidden: linear(4)
          head: linear(classes)
          run(%0 [N, 4]) -> outputs
            %1 [N, 4] = hidden: linear <- %0
            %2 [N, classes] = head: linear <- %1
            output y = %2
        """)
    (setting,) = found.settings
    assert (setting.parameter.name, setting.label, setting.value) == ("classes", "classes", 10)


def test_blocks_are_one_class_in_all_networks() -> None:
    found, reasons = of_many(
        "block B(c) { f: linear(c) }\nmodel M(c = 3) { input x: [N, 4]; a: B(c); b: B(5); output y }", c=6
    )
    assert reasons == []
    assert classes(found) == [("B", ("c", "dim")), ("M", ("c",))]


def test_a_parameter_may_be_in_the_shape_of_an_input() -> None:
    found, _ = of_many("model M(size = 4) { input x: [N, size]; f: linear(2 * size); output y }", size=6)
    assert "run(%0 [N, size])" in show(found)


def test_another_shape_of_an_input_than_the_text_states() -> None:
    model = open_model(from_text(f"arch 1\n{HEAD}"), {}, {None: (2, 4)})
    found, _ = specialised(model.graph, Weights(), [model.vary(classes=11).graph])
    assert "run(%0 [2, 4])" in show(found)


def test_what_shapes_the_network_cannot_stay_open() -> None:
    text = "model M(depth = 2) { input x: [N, 4]; f: seq { for i in 0..depth { linear(4) } }; output y }"
    with pytest.raises(Split, match="is another number"):
        of_many(text, depth=3)


def test_rates_that_sizes_are_computed_from_cannot_stay_open_if_sizes_are_fixed() -> None:
    text = "arch 1\nmodel M(rate = 2.0) { input x: [N, 4]; f: linear(int(2.5 * rate)); output y }"
    model = open_model(from_text(text), {}, {})
    graphs = model.graph, [model.vary(rate=4.0).graph]
    with pytest.raises(Split, match="sizes are computed from rate") as raised:
        specialised(graphs[0], Weights(), graphs[1], are_sizes_fixed=True)
    assert raised.value.names == {"rate"}


def test_a_flag_divides_the_ways_last() -> None:
    """What a flag brings is one optional member, whatever else the instances differ in."""
    found, reasons = program(
        "block B(c, gated) { if c != 4 { f: linear(c) }; if gated { g: linear(c) }; relu }\n"
        "model M { input x: [N, 4]; a: B(4, true); b: B(4, false); c: B(6, true); d: B(8, false); output y }"
    )
    assert classes(found) == [("B", ("c", "gated", "dim")), ("M", ())]
    conditions = {str(m.label): str(m.condition) for m in found.classes[0].members if isinstance(m, Optional)}
    assert conditions == {"f": "c != 4", "g": "gated"}
    assert reasons == []


def test_a_tensor_of_one_arm_has_a_condition() -> None:
    found, _ = program(
        "block B(c) { buffer t: [3] = [1.0, 2.0, 3.0]; f: linear(c); if c > 4 { param p: [c] = zeros; it + p } }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); c: B(6); output y }"
    )
    tensors = {m.label: m.when and str(m.when) for m in found.classes[0].members if isinstance(m, OwnTensor)}
    assert tensors == {"t": None, "p": "c > 4"}
    assert "param p: [c] = zeros if c > 4" in show(found)


def test_defaults_that_nothing_in_a_block_reads_do_not_divide_its_runs() -> None:
    found, _ = of_many(
        "block B(c) { f: conv(c, 1) }\nmodel M(classes = 10) { with linear(init=uniform(bound=1 / sqrt(classes)))\n"
        "input x: [N, 4, 1, 1]; a: B(3); b: B(5); flatten; f: linear(classes); output y }",
        classes=11,
    )
    assert classes(found) == [("B", ("c", "in_channels")), ("M", ("classes",))]
    assert "bound=(1 / (classes ** 0.5))" in show(found)


def test_a_function_of_open_numbers_that_is_another_number_in_each_is_a_local_of_the_class() -> None:
    found, _ = of_many("model M(rate = 2.0) { input x: [N, 4]; f: linear(int(2.5 * rate)); output y }", rate=4.0)
    assert "number = int(2.5 * rate)\n  f: linear(number)" in show(found)


def test_a_local_has_the_name_that_the_text_gives_it() -> None:
    """A condition may depend on it."""
    found, reasons = program(
        "fn even(c) = 2 * round(c / 4)\n"
        "block B(c) { input x: [N, C]; let inner = even(c); f: linear(inner); if inner != C { relu } }\n"
        "model M { input x: [N, 4]; a: B(8); b: B(14); c: B(14); output y }"
    )
    assert reasons == []
    assert "B#0(c, dim)\n  inner = even(c)\n  f: linear(inner)" in show(found)
    assert "if inner != dim" in show(found)


def test_a_function_of_open_numbers_that_is_one_number_in_all() -> None:
    found, _ = of_many(
        "model M(rate = 2.1) { input x: [N, 4]; f: linear(int(rate)); dropout(rate / 4); output y }", rate=2.4
    )
    assert "f: linear(2)" in show(found)
