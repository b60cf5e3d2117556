"""Parameters of a model that survive as arguments of its class, such as ``classes``.

To tell what depends on them, the same model is built once more with other values for them, as a *witness*: what both
say with one text is right for any value. Worth it are those with a default that the model's own text hands on as they
are: rates, and sizes of outputs. What shapes the network (widths, depths) is what this network is, and stays so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.graph import Graph
from archdsl.syntax import tree


def other_values(graph: Graph) -> dict[str, Any]:
    """Parameters that may survive, each with another value than it has."""
    definition = graph.instance.scope.definition
    if definition is None or not isinstance(definition.body, tree.Body):
        return {}
    shaping = set(_shaping(definition.body))
    stated = {n for s in definition.body.statements if isinstance(s, tree.Output) and s.shape for n in _names(s.shape)}
    sizes = {size for output in graph.outputs for size in output.value.shape[1:]}
    found: dict[str, Any] = {}
    for param in definition.params:
        name, value = param.name.text, graph.instance.arguments.get(param.name.text)
        if param.default is None or name in shaping or isinstance(value, bool):
            continue
        if isinstance(value, int) and (name in stated or value in sizes):
            found[name] = value + 1
        elif isinstance(value, float):
            found[name] = value / 2 + 0.05
    return found


def _shaping(body: tree.Body) -> Iterator[str]:
    """Names that decide how the network is built: conditions, loops, sizes of inputs, values of ``let``."""
    for statement in body.statements:
        match statement:
            case tree.Output() | tree.Assert():
                continue
            case tree.Step() | tree.Declare() | tree.Let(value=tree.Chain() | tree.Labelled()):
                yield from _inside(statement)
            case tree.For(iterable=iterable, body=inner):
                yield from (*_names(iterable), *_shaping(inner))
            case tree.If():
                yield from _names(statement.condition)
                arms = (statement.then, statement.otherwise)
                yield from (n for a in arms if a is not None for n in _shaping(_body(a)))
            case tree.Defaults(calls=calls):
                inits = {a.value for c in calls for a in c.arguments if a.name and a.name.text in ("init", "bias_init")}
                yield from (n for c in calls for a in c.arguments if a.value not in inits for n in _names(a))
            case _:
                yield from _names(statement)


def _body(arm: tree.Body | tree.If) -> tree.Body:
    return arm if isinstance(arm, tree.Body) else tree.Body(arm.span, (arm,))


def _inside(node: tree.Node) -> Iterator[str]:
    """Names in the control of what a step runs; arguments of calls are handed on, widths apart."""
    match node:
        case tree.Body(statements=statements):
            yield from _shaping(tree.Body(node.span, statements))
        case tree.Ternary() | tree.Comprehension():
            yield from _names(node)
        case tree.Call(arguments=arguments):
            yield from (n for a in arguments for n in _names(a) if not isinstance(a.value, tree.Name))
        case _:
            for child in tree.children(node):
                yield from _inside(child)


def _names(node: tree.Node) -> Iterator[str]:
    yield from (n.text for n in tree.walk(node) if isinstance(n, tree.Name))
