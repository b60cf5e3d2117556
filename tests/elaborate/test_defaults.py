"""The defaults that the reference of the operators shows are text of the language."""

from __future__ import annotations

import pytest

from archdsl.compiler import evaluate_setting
from archdsl.diagnostics.base import Diagnostic
from archdsl.evaluate.values import FileScope
from archdsl.op import Parameter, parameters, show
from archdsl.ops import OPS_BY_NAME
from archdsl.source import Source
from archdsl.syntax import tree
from archdsl.syntax.parse import parse_expression

DEFAULTS = [
    (name, parameter)
    for name, op in OPS_BY_NAME.items()
    if not op.is_internal
    for parameter in parameters(op)
    if not parameter.required and parameter.default is not None
]


@pytest.mark.parametrize(("name", "parameter"), DEFAULTS, ids=lambda v: getattr(v, "name", v))
def test_a_default_as_it_is_shown_is_the_default(name: str, parameter: Parameter) -> None:
    source = Source("<default>", show(parameter.default))
    expression = parse_expression(source)
    assert not isinstance(expression, Diagnostic)
    given = evaluate_setting(expression, FileScope(tree.File(source, (), ())))
    assert not isinstance(given, Diagnostic)
    assert parameter.kind.accept(given.value) == parameter.default
