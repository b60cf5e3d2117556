"""The program of a checked graph: what becomes a class, a member, a body, a step."""

from __future__ import annotations

from textwrap import dedent

import pytest

from archdsl.program.ir import Call, Choose, Layer, Part, Program, Run, flattened
from archdsl.program.recorded import recorded
from archdsl.program.show import show

from .networks import Weights, graph_of


def program(text: str) -> Program:
    return recorded(graph_of(text), Weights())


def shown(text: str) -> str:
    """The classes of a program, without its first lines."""
    return show(program(text)).split("\n\n", 1)[1]


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_equal_runs_of_a_block_are_one_class() -> None:
    text = "block Unit(c) { conv1: conv(c, 1) -> relu as p; it + p }\n"
    text += "model M { input x: [N, 4, H, W]; a: Unit(4); b: Unit(4); output y }"
    assert shown(text) == expected("""
        class Unit#0
          conv1: conv(4, 1)
          run(%0 [N, 4, H, W]) -> %3
            %1 [N, 4, H, W] = conv1: conv <- %0
            %2 [N, 4, H, W] = relu <- %1
            %3 [N, 4, H, W] = arithmetic(+) <- %2, %2

        class M#1
          a: Unit#0
          b: Unit#0
          run(%0 [N, 4, H, W]) -> outputs
            %1 [N, 4, H, W] = a: Unit#0 <- %0
            %2 [N, 4, H, W] = b: Unit#0 <- %1
            output y = %2
        """)


def test_other_numbers_are_another_class() -> None:
    text = "block Unit(c) { f: linear(c) }\nmodel M { input x: [N, 4]; a: Unit(4); b: Unit(8); output y }"
    assert [c.name for c in program(text).classes] == ["Unit", "Unit", "M"]


def test_numbers_of_another_type_are_another_class() -> None:
    """1 is equal to 1.0 in Python, and not the same argument."""
    text = "block Unit(k) { it * k }\nmodel M { input x: [N, 4]; a: Unit(1); b: Unit(1.0); output y }"
    assert len(program(text).classes) == 3


def test_values_of_other_scopes_are_passed_in_and_out() -> None:
    text = (
        "model M { input x: [N, 4]; a: linear(4) as p; relu; inner: { b: linear(4) as q; it + p }; it * q; output y }"
    )
    inner, _ = program(text).classes
    (body,) = inner.bodies
    assert (len(body.inputs), len(body.results)) == (2, 2)


def test_a_module_of_another_scope_is_passed() -> None:
    text = "model M { input x: [N, 4]; let f: linear(4); inner: { f; it * 2 }; output y }"
    assert shown(text) == expected("""
        class inner#0
          run(%0 [N, 4]) -> %2
            %1 [N, 4] = module0: linear <- %0
            %2 [N, 4] = arithmetic(*, right=2) <- %1

        class M#1
          f: linear(4)
          inner: inner#0
          run(%0 [N, 4]) -> outputs
            %1 [N, 4] = inner: inner#0 <- %0, f
            output y = %1
        """)


def test_a_module_that_runs_again_has_one_class_and_a_body_for_each_kind_of_run() -> None:
    text = "block B { f: conv(4, 1) }\nmodel M { input x: [N, 4, H, 8]; let b: B; b; b; maxpool(2); b; output y }"
    cls, top = program(text).classes
    assert len(cls.bodies) == 2
    runs = [s.body for s in top.bodies[0].steps if isinstance(s, Call)]
    assert runs == [0, 0, 1]


def test_what_only_training_needs_is_a_choice_where_it_is_called() -> None:
    text = "block Head { a: linear(3) -> relu }\nmodel M { input x: [N, 4]; f: linear(4) as p\n"
    text += "output aux = p -> head: Head when training\np -> g: linear(2); output y }"
    head, top = program(text).classes
    assert not any(isinstance(s, Choose) for s in head.bodies[0].steps)
    assert [len(s.then) for s in top.bodies[0].steps if isinstance(s, Choose)] == [1]


def test_operators_that_no_output_needs_do_not_run_but_are_members() -> None:
    """Their weights are in the state dict."""
    text = "model M { input x: [N, 4]; f: linear(4) as p; p -> g: linear(2) as unread; p; output y }"
    (top,) = program(text).classes
    assert [m.label for m in top.members] == ["f", "g"]
    assert [str(s.module) for s in flattened(top.bodies[0].steps) if isinstance(s, Run)] == ["f"]


def test_own_tensors_and_contents_of_buffers() -> None:
    text = "model M { input x: [N, 2]; param w: [2] = ones; buffer b: [2] = [1.0, 2.0]; x * w + b; output y }"
    assert shown(text) == expected("""
        class M#0
          param w: [2] = ones
          buffer b: [2] = %0
            %0 [2] = constant((1.0, 2.0), (2,)) <- ()
          run(%0 [N, 2]) -> outputs
            %1 [2] = own w
            %2 [2] = own b
            %3 [N, 2] = arithmetic(*) <- %0, %1
            %4 [N, 2] = arithmetic(+) <- %3, %2
            output y = %4
        """)


def test_declared_lists_hold_members_and_compute_nothing() -> None:
    text = "model M { input x: [N, 4]; let fs: [linear(4), linear(4)]; fs[0]; fs[1]; output y }"
    (top,) = program(text).classes
    (group,) = top.members
    assert not isinstance(group, Layer | Part)
    assert "    0: linear(4)\n    1: linear(4)\n" in show(program(text))


@pytest.mark.parametrize("name", ["resnet50", "unet", "googlenet"])
def test_each_variable_is_assigned_once_and_before_it_is_read(name: str) -> None:
    import archdsl

    for cls in recorded(archdsl.load(name).graph, Weights()).classes:
        for body in cls.bodies:
            known = set(body.inputs)
            for step in flattened(body.steps):
                assert set(getattr(step, "inputs", ())) <= known
                made = list(getattr(step, "outputs", ()))
                assert known.isdisjoint(made)
                known.update(made)
            assert known.issuperset(body.results)
