"""Idioms: each takes a class and gives one that does the same."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.lower.idioms import Idiom, nested, renumbered
from archdsl.emit.torch.render import source


def after(idiom: Idiom, body: str) -> str:
    """The body of ``forward`` after one idiom."""
    text = "def forward(self, x):\n" + indent(dedent(body), "    ")
    (method,) = ast.parse(text).body
    assert isinstance(method, ast.FunctionDef)
    (made,) = idiom(ClassIR("nn.Module", (), (), (), (method,))).methods
    return dedent(source(ast.Module([made], [])).split("\n", 1)[1])


def test_a_value_that_the_next_statement_reads_is_computed_there() -> None:
    body = """
        v1 = self.conv1(x)
        v2 = F.relu(v1)
        v3 = v2 + x
        return v3
    """
    assert after(nested, body) == "return F.relu(self.conv1(x)) + x\n"


def test_a_value_that_is_read_twice_keeps_its_name() -> None:
    body = """
        v1 = self.conv1(x)
        return v1 + v1
    """
    assert after(nested, body) == "v1 = self.conv1(x)\nreturn v1 + v1\n"


def test_the_order_in_which_layers_run_stays() -> None:
    """What is read second would run second."""
    body = """
        v1 = self.drop1(x)
        v2 = self.drop2(x)
        return v1 + v2
    """
    assert after(nested, body) == "v1 = self.drop1(x)\nv2 = self.drop2(x)\nreturn v1 + v2\n"


def test_calls_are_nested_three_deep() -> None:
    body = "".join(f"v{k + 1} = f{k}(v{k})\n" for k in range(1, 6)) + "return v6\n"
    assert after(nested, body) == "v4 = f3(f2(f1(v1)))\nreturn f5(f4(v4))\n"


def test_long_lines_are_not_nested() -> None:
    body = f"v1 = self.{'a' * 40}(x)\nreturn self.{'b' * 40}(v1)\n"
    assert after(nested, body) == body


def test_what_runs_in_training_only_stays_where_it_is() -> None:
    body = "v1 = self.head(x)\nreturn (x, v1) if self.training else x\n"
    assert after(nested, body) == body


def test_variables_are_numbered_without_gaps() -> None:
    body = "v3 = self.a(x)\nv7, v8 = v3.unbind()\nreturn v7 + v8\n"
    assert after(renumbered, body) == "v1 = self.a(x)\nv2, v3 = v1.unbind()\nreturn v2 + v3\n"
