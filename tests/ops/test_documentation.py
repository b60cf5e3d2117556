"""What the operators say of themselves: the docstring's example runs, arguments and their defaults are right."""

from __future__ import annotations

from inspect import cleandoc
from textwrap import dedent, indent

import pytest

from archdsl.compiler import build, choose, from_text
from archdsl.evaluate.values import BlockLayer
from archdsl.op import Op, parameters
from archdsl.ops import OPS, OPS_BY_NAME

every_operator = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


@every_operator
def test_the_example_builds_and_uses_the_operator(op: type[Op]) -> None:
    """An example is the body of a model; its stream is the output, unless it states one."""
    _, found, example = cleandoc(op.__doc__ or "").partition("Example:\n")
    assert found, "the docstring ends with an example"
    body = dedent(example) if "output " in example else f"{dedent(example)}\noutput result"
    spec = from_text(f"model Example {{\n{indent(body, '  ')}\n}}\n")
    assert not spec.diagnostics
    model = choose(spec)
    assert isinstance(model, BlockLayer)
    built = build(spec, model, {}, {})
    assert built.graph is not None, [f"{d.message}: {d.note}" for d in built.diagnostics]
    assert not built.diagnostics
    assert any(isinstance(node.op, op) for node in built.graph.nodes)


@every_operator
def test_arguments_are_documented_and_their_defaults_are_of_their_kind(op: type[Op]) -> None:
    for parameter in parameters(op):
        assert parameter.doc
        if not parameter.required and parameter.default is not None:
            assert parameter.kind.accept(parameter.default) == parameter.default


def test_each_word_means_one_operator() -> None:
    assert len(OPS_BY_NAME) == sum(not op.is_internal for op in OPS)
