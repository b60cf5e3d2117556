"""Lists of numbers where values are wanted, and what is said where they cannot be."""

from __future__ import annotations

import pytest

from archdsl.compiler import build, choose, from_text
from archdsl.diagnostics import names, shapes
from archdsl.evaluate.session import MAX_STEPS
from archdsl.graph import TensorDeclared
from archdsl.ops.tensor import Constant


def constants(graph) -> list[Constant]:
    return [n.op for n in graph.nodes if isinstance(n.op, Constant)]


@pytest.mark.parametrize(
    "item",
    [
        "0 + [1, 2]",
        "-[1, 2]",
        "[1, 2] < 2",
        "cos([1, 2])",
        "[[1, 2], [3, 4]][:, 1]",
        "[1, 2, 3][[0, 2]]",
        "abs([-1, 2])",
    ],
)
def test_a_list_of_numbers_is_a_value_where_one_is_wanted(specs, item: str) -> None:
    graph = specs.body(f"x * {item}", size="[N, 2]")
    assert graph.outputs[0].value.shape[1] == 2


@pytest.mark.parametrize(
    ("expression", "width"),
    [
        ("len([1, 2] + [3])", 3),
        ("[i for i in 0..3][1:][0] + 1", 2),
        ("4 if [1, 2] == [1, 2] else 5", 4),
        ("4 if [1, 2] == 1 else 5", 5),
        ("4 if [1, 2] != none else 5", 4),
        ("sum([2 * i for i in 0..4])", 12),
        ("[i for i in 0..9].shape[0]", 9),
    ],
)
def test_a_list_stays_a_list_where_one_is_meant(specs, expression: str, width: int) -> None:
    assert specs.body(f"a: conv({expression}, 1)").weights["a.weight"].shape[0] == width


def test_what_adds_at_a_symbolic_size_and_joins_at_a_known_one_is_refused(specs) -> None:
    for text, way in (("p + q", "`add { p; q }`"), ("p == q", "`p - q == 0`"), ("p + [1, 2]", "`add { p; [1, 2] }`")):
        (fault,) = specs.body_faults(
            f"let p = [i for i in 0..H]\nlet q = [2 * i for i in 0..H]\nx + {'1.0 * ' * ('=' in text)}({text})",
            size="[N, H]",
        )
        assert isinstance(fault, names.WrongKind)
        assert fault.advice is not None
        assert way in fault.advice


@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        ("[:, [0, 8]]", shapes.DoesNotFit, "index 8 is outside axis 1 of size 8"),
        ("[:, [0, -9]]", shapes.DoesNotFit, "index -9 is outside axis 1 of size 8"),
        ("[:, [0.5, 1]]", names.BadIndex, "integers, not the number 0.5"),
        ("[:, [true, false]]", names.BadIndex, "integers, not true"),
        ("[:, [0, [1, 2]]]", names.BadIndex, "integers, not"),
        ("[:, [H, 1]]", names.BadIndex, "integers, not the number H"),
        ("[:, []]", names.BadIndex, "integers, not a list of 0"),
        ('[:, ["a"]]', names.BadIndex, 'integers, not the string "a"'),
        ('["a"]', names.BadIndex, 'not indexed by the string "a"'),
        ("[0.5]", names.BadIndex, "not indexed by the number 0.5"),
        ("[0, 0, 0, [1]]", names.BadIndex, "4 subscripts for a value of 3 axes"),
        ("[:, relu]", names.BadIndex, "not indexed by"),
    ],
)
def test_entries_that_are_not_there_are_refused_in_their_place(specs, index: str, kind: type, words: str) -> None:
    (fault,) = specs.body_faults(f"let y = x{index}\ny", size="[N, 8, H]")
    assert isinstance(fault, kind)
    assert words in fault.message


def test_entries_of_a_symbolic_axis_are_a_precondition(specs) -> None:
    graph = specs.body("x[:, [0, 4, -6]]", size="[N, L]")
    assert [p.text for p in graph.needs.preconditions()] == ["L must be at least 6"]


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        ("[1, 2]", "int64"),
        ("[true, false]", "bool"),
        ("[1, 2.0]", "float32"),
        ("[-1e30, 3.4028234663852886e38]", "float32"),
    ],
)
def test_the_numbers_decide_the_element_type(specs, numbers: str, dtype: str) -> None:
    (constant,) = constants(specs.body(f"x * (1.0 * {numbers})", size="[N, 2]"))
    assert constant.dtype == dtype


@pytest.mark.parametrize(
    "numbers", ["[1, 3.5e38]", "[9_223_372_036_854_775_808, 1]", "[-9_223_372_036_854_775_809, 1]"]
)
def test_a_number_too_large_for_its_element_type_is_refused(specs, numbers: str) -> None:
    (fault,) = specs.body_faults(f"x * (1.0 * {numbers})", size="[N, 2]")
    assert isinstance(fault, names.BadArithmetic)


TABLES = """
fn distances(p) = [(yi - yj) * p + xi - xj for yi in 0..p for xi in 0..p for yj in 0..p for xj in 0..p]
let named = distances(14)
block Named(p) { buffer index: [p ** 4] = named
 it * (1.0 * index[0]) }
block Called(p) { buffer index: [p ** 4] = distances(p)
 it * (1.0 * index[0]) }
block Inside(p) { buffer index: [p ** 2, p ** 2] = [[i * j for i in 0..p ** 2] for j in 0..p ** 2]
 it * (1.0 * index[0, 0]) }
"""


@pytest.mark.parametrize("block", ["Named", "Called", "Inside"])
def test_a_table_is_computed_once_for_all_blocks_that_use_it(specs, block: str) -> None:
    graph = specs.graph(
        f"{TABLES}\nmodel M {{ input x: [N, 8]\n s: seq {{ for i in 0..40 {{ {block}(14) }} }}\n output y }}"
    )
    assert sum(n.op.name == "tensor" for n in graph.nodes) == 40


def test_each_model_of_a_file_pays_for_the_tables_that_it_uses() -> None:
    """So that a model is as large alone as beside others."""
    spec = from_text(TABLES + "model M { input x: [N, 8]\n a: Called(14)\n output y }\nmodel O = M")
    model = choose(from_text(TABLES + "model M { input x: [N, 8]\n a: Called(14)\n output y }"))
    assert all(build(spec, m, {}, {}).graph is not None for m in spec.buildable.values())
    assert not isinstance(model, tuple)
    many = "; ".join(f"a{i}: Called({i + 13})" for i in range(12))
    text = TABLES + f"model L {{ input x: [N, 8]\n {many}\n output y }}"
    for _ in range(2):
        found = build(from_text(text), choose(from_text(text)), {}, {})  # type: ignore[arg-type]
        assert [type(d) for d in found.diagnostics] == [names.TooMuch]
        assert f"{MAX_STEPS:,}" in found.diagnostics[0].message


def test_what_a_function_gives_in_one_block_is_not_given_in_another(specs) -> None:
    """Values belong to the place where they were computed; only numbers are remembered."""
    text = """
    fn ramp(n) = [1.0 * i for i in 0..n] -> rearrange("c -> 1 c")
    block A { it * ramp(8) }
    model M { input x: [N, 8]
      a: A; b: A
      output y }"""
    graph = specs.graph(text)
    assert len(constants(graph)) == 2


def test_contents_read_nothing_but_each_other(specs) -> None:
    """What two buffers read is one operator, and a buffer that another reads is computed again."""
    graph = specs.graph("""model M { input x: [N, 2]
      let t = [1.0, 2.0] -> exp
      buffer a: [2] = t
      buffer b: [2] = a * t
      buffer c: [2] = t -> sin
      x + a + b + c
      output y }""")
    declared = [event for event in graph.instance.events if isinstance(event, TensorDeclared)]
    assert len(declared) == 3
    for event in declared:
        made = {value for node in event.contents for value in node.outputs}
        assert {value for node in event.contents for value in node.inputs} <= made
    assert set(declared[0].contents) < set(declared[2].contents)


def test_a_let_that_only_a_buffer_reads_is_read() -> None:
    from archdsl.checks.report import check

    text = """model M { input x: [N, 3]
      let t = sin([0, 1, 2] -> rearrange("t -> t"))
      buffer b: [3] = t
      x + b
      output y: [N, 3] }"""
    assert check(from_text(text)).diagnostics == ()
    found = check(from_text(text.replace("= t", "= [1.0, 2.0, 3.0]"))).diagnostics
    assert [d.code for d in found] == ["A0211"]


@pytest.mark.parametrize(
    "table",
    [
        "[[0.5 * j for j in 0..W] for i in 0..H]",
        "[[0.5 * i for j in 0..W] for i in 0..H]",
        "[[0.5 for j in 0..W] for i in 0..H]",
    ],
)
def test_a_variable_that_a_table_does_not_read_is_no_dead_layer(table: str) -> None:
    from archdsl.checks.report import check

    text = f"model M {{ input x: [N, H, W]\n it + {table}\n output y: [N, H, W] }}"
    assert check(from_text(text)).diagnostics == ()


def test_an_empty_range_is_refused_whether_its_variable_is_read_or_not(specs) -> None:
    for element in ("i", "1.0"):
        (fault,) = specs.body_faults(f'x * ([{element} for i in L..L] -> reduce("a -> 1", "sum"))', size="[N, L]")
        assert isinstance(fault, shapes.DoesNotFit)
        assert "is empty" in fault.message


def test_inputs_and_outputs_are_named_once_in_each_run_of_a_scope(specs) -> None:
    text = """block B {{ input a: [N, 8]; input {0}: [N, 8]; a + {0} }}
 model M {{ input x: [N, 8]; (x, x) -> p: B; (it, x) -> q: B
 output y }}"""
    assert specs.graph(text.format("b"))
    (fault,) = specs.faults(text.format("a"))
    assert isinstance(fault, names.DefinedTwice)
    (fault,) = specs.body_faults("for i in 0..2 { output z = x }")
    assert isinstance(fault, names.DefinedTwice)


def test_every_way_back_to_a_definition_is_found(specs) -> None:
    """Also where definitions that are not part of the circle lead to it."""
    text = "fn a(n) = b(n)\nfn b(n) = c(n)\nfn c(n) = d(n) + b(n)\nfn d(n) = n\n"
    found = specs.faults(text + "model M { input x: [N, 8]; it * a(1); output y }")
    assert [d.route for d in found] == ["b → c → b"]


def test_a_block_without_parameters_needs_a_name_and_the_message_is_true(specs) -> None:
    (fault,) = specs.faults("block Twice { it * 2.0 }\nmodel M { input x: [N, 4]\n add { it; Twice }\n output y }")
    assert isinstance(fault, names.Unlabelled)
    assert "parameters" not in fault.message
    assert "parameters" not in fault.note
