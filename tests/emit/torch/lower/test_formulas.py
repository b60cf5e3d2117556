"""Tables of numbers: written as the text computes them, if they are long."""

from __future__ import annotations

from textwrap import dedent

import archdsl
from archdsl.emit.torch.lower.source import shared_text

from ..networks import model_of
from ..proof import refusal


def text_of(text: str) -> str:
    """The proved source of a network."""
    graph = model_of(f"arch 1\n{text}").graph
    written = shared_text(graph)
    assert refusal(written.text, written.class_name, graph) is None
    return written.text


def test_a_comprehension_stays_one() -> None:
    text = text_of("model M { input x: [N, 20]; it + [2 * i + 1 for i in 0..20]; output y }")
    assert "torch.tensor([2 * i + 1 for i in range(20)])" in text


def test_a_short_table_is_its_numbers() -> None:
    text = text_of("model M { input x: [N, 4]; it + [2 * i + 1 for i in 0..4]; output y }")
    assert "torch.tensor((1, 3, 5, 7))" in text


def test_a_name_is_what_was_bound_to_it() -> None:
    text = text_of("model M(n = 20) { input x: [N, n]; let t = [i * n for i in 0..n]; it + t; output y }")
    assert "torch.tensor([i * 20 for i in range(20)])" in text


def test_a_function_is_a_function() -> None:
    """With the types that its calls show, and its comment as docstring."""
    text = text_of(
        "fn half(i) = i / 2\n## Halves, from the first.\nfn halves(n) = [[half(i) for i in 0..n] for k in 0..2]\n"
        "model M { input x: [N, 2, 10]; it + halves(10); output y }"
    )
    expected = '''
        def half(i: int) -> float:
            return i / 2


        def halves(n: int) -> list[list[float]]:
            """Halves, from the first."""
            return [[half(i) for i in range(n)] for k in range(2)]
        '''
    assert dedent(expected).strip() in text
    assert "torch.tensor(halves(10))" in text


def test_what_python_has_no_form_for_is_its_numbers() -> None:
    """``log`` would need an import."""
    text = text_of("model M { input x: [N, 20]; it + [log(i + 1) for i in 0..20]; output y }")
    assert "0.6931471805599453" in text


def test_the_contents_of_a_buffer_are_computed_where_they_are_read() -> None:
    text = text_of(
        'model M { input x: [N, 20]; buffer t: [1, 20] = [i for i in 0..20] -> rearrange("i -> 1 i") -> it * 2\n'
        "it + t; output y }"
    )
    assert 'self.register_buffer("t", torch.tensor(list(range(20))).unsqueeze(0) * 2)' in text


OPEN = """
fn steps(n, first) = [first + i for i in 0..n]
block Unit(first) { input x: [N, T]; let table = steps(T, first)
  x * table }
model M { input x: [N, 40]; a: Unit(2); it[:, ::2]; b: Unit(3); it[:, ::2]; c: Unit(4); output y }
"""


def test_a_table_of_another_length_in_each_instance() -> None:
    """One class for all of them, with the numbers that the function is called with. The buffer has the table's name."""
    text = text_of(OPEN)
    assert text.count("class ") == 2
    assert '"table", torch.tensor(steps(length, first))' in text
    assert "self.a = Unit(40, 2)" in text
    assert "self.c = Unit(10, 4)" in text


def test_without_a_formula_each_length_has_a_class() -> None:
    text = text_of(OPEN.replace("[first + i for", "[log(first + i) for"))
    assert text.count("class ") == 4
    assert "torch.tensor((0.69" in text.replace("(\n                (", "((").replace("\n                    ", "")


def test_tables_of_swin() -> None:
    """Index arithmetic that would be 16,000 lines of numbers."""
    text = shared_text(archdsl.load("torchvision/swin_t").graph).text
    assert 'self.register_buffer("relative_position_index", torch.tensor(distances(7)))' in text
