"""What statements and expressions mean (docs/language.md)."""

from __future__ import annotations

import pytest

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics import names, shapes
from archdsl.diagnostics.claims import AssertionFails
from archdsl.diagnostics.files import BadSetting
from archdsl.init import Constant, KaimingNormal
from archdsl.ops.conv import Conv


def widths(graph) -> list[int]:
    return [n.op.width for n in graph.nodes if isinstance(n.op, Conv)]


def value(specs, expression: str, before: str = "") -> object:
    """What an expression gives, read off the width of a convolution (or off `pad` for negative numbers)."""
    (width,) = widths(specs.graph(f"{before}\nmodel M {{ input x: [N, 8, 4, 4]; c: conv({expression}, 1); output y }}"))
    return width


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1_0 + 2 * 3", 16),
        ("2 ** 3 ** 2 // 100", 5),
        ("9 - 3 - 2", 4),
        ("-7 % 5", 3),
        ("7 // 2 + (-7) // 2 + 10", 9),
        ("int(7 / 2) + round(2.5) + round(3.5)", 9),
        ("ceil(2.1) + floor(2.9)", 5),
        ("max(3, 5, 4) + min([7, 2])", 7),
        ("sum([1, 2, 3]) + prod([2, 3]) + len([1, 2])", 14),
        ("[1, 2, 3][-1] + [4, 5, 6][1:][0]", 8),
        ("sum([10 * i + v for i, v in enumerate([1, 2])])", 13),
        ("sum([a * b for [a, b] in zip([1, 2], [3, 4])])", 11),
        ("sum([i for i in 0..10 if i % 3 == 0])", 18),
        ("len([i for i in 0..3 for j in 0..i])", 3),
        ("5 if 1 < 2 and not 2 < 1 else undefined_name", 5),
        ("(4 if none == none else 3) + (1 if relu == relu else 0) + (2 if relu == tanh else 0)", 5),
        ("int(sqrt(16)) + int(log2(8)) + abs(-1) + sign(-3) + 1", 8),
        ("len(reversed([1, 2])) + sorted([3, 1])[0]", 3),
        ("(true + true) * 2", 4),
    ],
)
def test_expressions(specs, expression: str, expected: int) -> None:
    assert value(specs, expression) == expected


def test_functions_see_their_arguments_and_their_file(specs) -> None:
    before = "let base = 3\nfn f(a, b = a + 1) = a * b + base\nfn g(n) = f(n) + f(n, b=1)"
    assert value(specs, "g(2)", before) == 2 * 3 + 3 + 2 * 1 + 3


def test_it_changes_along_a_chain(specs) -> None:
    assert widths(specs.body("a: conv(it.shape[1] + 1, 1) -> b: conv(it.shape[1] + 1, 1)")) == [9, 10]


def test_for_unrolls_and_if_takes_one_arm(specs) -> None:
    text = (
        "for i in 0..4 { if i == 0 { a{i}: conv(1, 1) } else if i < 3 { a{i}: conv(2, 1) } else { a{i}: conv(3, 1) } }"
    )
    assert widths(specs.body(text)) == [1, 2, 2, 3]


def test_names_of_bodies_in_place_stay_and_those_of_kept_bodies_do_not(specs) -> None:
    assert widths(specs.body("{ a: conv(5, 1) as x1 }\nb: conv(x1.shape[1] + 1, 1)")) == [5, 6]
    (fault,) = specs.body_faults("let f = { a: conv(5, 1) as hidden }\nf\nhidden -> b: conv(1, 1)")
    assert isinstance(fault, names.UnknownName)


def test_a_comprehension_keeps_its_variable_to_itself(specs) -> None:
    (fault,) = specs.body_faults("let xs = [i for i in 0..3]\na: conv(i, 1)")
    assert isinstance(fault, names.UnknownName)


def test_a_comprehension_over_a_symbolic_range_is_a_value(specs) -> None:
    graph = specs.body("let far = [[abs(2 * i - j) for j in 0..W] for i in 1..H + 1]\nx + 0.1 * far", size="[N, H, W]")
    shapes = [[str(s) for s in n.output.shape] for n in graph.nodes if n.op.name in ("arange", "abs")]
    assert shapes == [["H"], ["W"], ["H", "W"]]


@pytest.mark.parametrize(
    "text",
    ["[i for i in 0..H if i > 1]", "[i + j for i in 0..H for j in 0..W]", "[x for j in 0..W]"],
)
def test_what_cannot_be_counted_at_run_time_is_refused(specs, text: str) -> None:
    (fault,) = specs.body_faults(f"let far = {text}\nx + far", size="[N, H, W]")
    assert isinstance(fault, names.WrongKind)


def test_with_lasts_to_the_end_of_the_body_and_into_blocks(specs) -> None:
    text = """
    block B { c: conv(2, 1) }
    model M {
      input x: [N, 8, 4, 4]
      { with conv(bias=false); b: B; d: conv(2, 1, bias=true) }
      e: conv(2, 1)
      output y
    }"""
    assert [k for k in specs.graph(text).weights if k.endswith("bias")] == ["d.bias", "e.bias"]


def test_an_inner_with_wins_over_an_outer_one(specs) -> None:
    text = """
    with conv(init=constant(1), bias=false)
    with conv(init=kaiming_normal)
    a: conv(1, 1)
    b: conv(1, 1, init=constant(2))"""
    inits = [w.init for w in specs.body(text).weights.values()]
    assert inits == [KaimingNormal(), Constant(2)]


def test_with_gives_required_arguments_too(specs) -> None:
    assert specs.body("with maxpool(kernel=3, stride=2)\nmaxpool").outputs[0].value.shape[2:] == (7, 7)


def test_a_block_takes_several_inputs_and_gives_several_results(specs) -> None:
    text = """
    block Swap { input a: [N, C, H, W]; input b: [N, D, H, W]; [b, a] }
    model M {
      input x: [N, 8, 4, 4]
      (x, x -> wide: conv(9, 1)) -> swap: Swap as [p, q]
      p -> c: conv(it.shape[1], 1); q -> d: conv(it.shape[1], 1)
      output y = c2: conv(1, 1)
    }"""
    assert widths(specs.graph(text)) == [9, 9, 8, 1]


def test_layers_are_arguments(specs) -> None:
    text = """
    block Unit(Norm, act = relu) { c: conv(4, 1) -> n: Norm -> act }
    model M { input x: [N, 8, 4, 4]; a: Unit(batchnorm(eps=0.1)); b: Unit(none, act=tanh); output y }
    """
    assert [n.op.name for n in specs.graph(text).nodes] == ["conv", "batchnorm", "relu", "conv", "tanh"]


def test_members_and_settings(specs) -> None:
    text = """
    model F(width, classes = 10) { input x: [N, 8, 4, 4]; a: conv(width, 1); b: conv(classes, 1); output y }
    model M = F(3)"""
    assert widths(specs.graph(text)) == [3, 10]
    assert widths(specs.graph(text, classes=17, width=5)) == [5, 17]
    (fault,) = specs.faults(text, clases=17)
    assert isinstance(fault, BadSetting)
    assert "classes" in fault.help


def test_outputs_when_training_do_not_run_at_inference(specs) -> None:
    graph = specs.graph("""
    model M {
      input x: [N, 8, 4, 4]
      a: conv(4, 1)
      output aux = aux: conv(2, 1) when training
      b: conv(3, 1)
      output y
    }""")
    assert [o.name for o in graph.outputs] == ["aux", "y"]
    assert sorted(n.path for n in graph.live(training=False)) == ["a", "b"]
    assert sorted(n.path for n in graph.live(training=True)) == ["a", "aux", "b"]


def test_sizes_stay_symbolic_and_preconditions_are_found(specs) -> None:
    graph = specs.body("a: conv(4, 3, stride=2, pad=1)\nb: conv(4, 7)", size="[N, 8, H, W]")
    assert [str(s) for s in graph.outputs[0].value.shape] == ["N", "4", "(H + 1) // 2 - 6", "(W + 1) // 2 - 6"]
    assert [p.text for p in graph.needs.preconditions()] == ["H and W must be at least 13"]


def test_an_assertion_decides_what_follows(specs) -> None:
    body = "if H >= 8 { a: conv(4, 5) } else { b: conv(4, 1) }"
    (fault,) = specs.body_faults(body, size="[N, 8, H, 8]")
    assert isinstance(fault, shapes.Undecided)
    graph = specs.body(f"assert H >= 8\n{body}", size="[N, 8, H, 8]")
    assert [n.path for n in graph.nodes] == ["a"]
    (fault,) = specs.body_faults("assert 1 == 2")
    assert isinstance(fault, AssertionFails)


def test_stated_shapes_bind_and_check(specs) -> None:
    assert widths(specs.body("a: conv(4, 3) as z: [N, C, H, _]\nb: conv(C + H, 1)")) == [4, 18]
    (fault,) = specs.body_faults("a: conv(4, 3) as z: [N, 4, 16, 16]")
    assert isinstance(fault, shapes.StatedShapeDiffers)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("foo", names.UnknownName),
        ("a: conv(4)", names.MissingArgument),
        ("a: conv(4, 3, kernal=3)", names.UnknownArgument),
        ("a: conv(4, 3, 1, 1, 1, 1, true, zeros, zeros, 9)", names.TooManyArguments),
        ("a: conv(4, 3, kernel=3)", names.RepeatedArgument),
        ("a: conv(4, -1)", names.BadArgument),
        ('a: conv("x", 1)', names.BadArgument),
        ("a: conv(4, 17)", shapes.DoesNotFit),
        ("add { it; conv1: conv(4, 1) }", shapes.BranchesDiffer),
        ("residual { c: conv(4, 1) }", shapes.BranchesDiffer),
        ("relu -> x", names.DiscardsStream),
        ("relu -> 3", names.WrongKind),
        ("it as [a, b]", shapes.DoesNotFit),
        ("[it, it, it] as [a, b]", names.CannotUnpack),
        ("a: conv(1 // 0, 1)", names.BadArithmetic),
        ("a: conv(2 ** 1000, 1)", names.BadArithmetic),
        ("let l = [1, 2][5]", names.BadIndex),
        ("let l = [1, 2][0.5]", names.BadIndex),
        ("for i in 3 { relu }", names.WrongKind),
        ("f(x: relu)", names.UnknownName),
        ("softmax", names.MissingArgument),
        ("x: 3", names.WrongKind),
        ("let b = x.size", names.WrongKind),
        ("let f: 3", names.WrongKind),
        ("relu(relu: tanh)", names.Misplaced),
        ("with conv(3)", names.Misplaced),
        ("with foo(a=3)", names.UnknownName),
        ("with conv(size=3)", names.UnknownArgument),
        ("if x { relu }", names.WrongKind),
        ("output z: [N, 8, 16, 17]", shapes.StatedShapeDiffers),
        ("concat { }", names.Misplaced),
        ("concat", names.WrongKind),
    ],
)
def test_faults(specs, text: str, kind: type) -> None:
    found = specs.body_faults(text)
    assert [type(d) for d in found] == [kind], [(d.code, d.message) for d in found]
    assert found[0].span is not None


def test_one_fault_one_message_and_independent_faults_together(specs) -> None:
    text = "a: conv(4, 17)\nb: relu -> c: conv(3, kernal=2)\nd: foo\nlet z = 1 / 0\ne: conv(z, z)"
    assert [type(d) for d in specs.body_faults(text)] == [
        shapes.DoesNotFit, names.UnknownArgument, names.UnknownName, names.BadArithmetic,
    ]  # fmt: skip


def test_a_fault_in_a_block_is_told_once_with_its_trace(specs) -> None:
    text = """
    block Inner(k) { c: conv(4, k) }
    block Outer(k) { inner: Inner(k) }
    model M { input x: [N, 8, 4, 4]; s: seq { for i in 0..9 { Outer(9) } }; output y }
    """
    (fault,) = specs.faults(text)
    assert [f.what for f in fault.trace] == ["Inner(k=9)", "Outer(k=9)", "M"]
    assert [f.path for f in fault.trace] == ["s.0.inner", "s.0", ""]


def test_recursion_is_refused_and_composition_is_not(specs) -> None:
    found = specs.faults("block A { b: B }\nblock B { a: A }\nmodel M { input x: [N, 8, 4, 4]; a: A; output y }")
    assert [type(d) for d in found] == [names.Recursive]
    found = specs.faults("fn f(n) = f(n - 1)\nmodel M { input x: [N, 8, 4, 4]; a: conv(f(1), 1); output y }")
    assert [type(d) for d in found] == [names.Recursive]
    local = "let f = 3; Unit: conv(f, 1); let Unit = f; conv: conv(Unit, 1)"
    text = f"fn f(n) = [f for f in 0..n][0]\nblock Unit {{ {local} }}"
    text += "\nmodel M { input x: [N, 8, 4, 4]; M: Unit; output y }"
    assert list(specs.graph(text).weights)[:1] == ["M.Unit.weight"]  # names of their own are no recursion
    text = "block W(Inner) { i: Inner -> relu }\nmodel M { input x: [N, 8, 4, 4]; a: W(W(conv(3, 1))); output y }"
    assert list(specs.graph(text).weights) == ["a.i.i.weight", "a.i.i.bias"]


@pytest.mark.parametrize(
    "text",
    [
        "let xs = [i for i in 0..1_000_000_000_000]",
        "for i in 0..1_000_000_000_000 { relu }",
        "let xs = [0 for i in 0..10000 for j in 0..10000 for k in 0..10000]",
    ],
)
def test_absurd_work_is_refused(specs, text: str) -> None:
    (fault,) = specs.body_faults(text)
    assert isinstance(fault, names.TooMuch | names.BadArithmetic)


def test_equal_layers_share_what_they_say(specs) -> None:
    body = "a: conv(8, 1) -> b: conv(8, 1) -> it * 1 -> it * 1.0 -> it * 1"
    a, b, whole, real, again = specs.body(body).nodes
    assert a.facets is b.facets
    assert whole.facets is again.facets
    assert [type(n.op.right) for n in (whole, real)] == [int, float]


def test_a_block_that_stands_for_a_value_uses_the_stream(specs) -> None:
    text = "block B(v) = {} + v\nmodel M {{ input x: [N, 8]\n relu as a\n B(a)\n output y }}"
    assert len(specs.graph(text.format("it")).nodes) == 2
    found = check(from_text("arch 1\n" + text.format("1"))).diagnostics
    assert [d.code for d in found if d.severity == "error"] == ["A0214"]


def test_an_output_of_a_list_of_numbers_is_made_at_its_place(specs) -> None:
    graph = specs.graph("model M { input x: [N, 2]\n [1.0, 2.0]\n output y }")
    assert graph.nodes[-1].span.text == "output y"
