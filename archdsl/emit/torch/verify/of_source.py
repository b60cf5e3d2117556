"""Emitted source in terms: run on traced modules, without torch."""

from __future__ import annotations
import __future__

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from types import CodeType

from archdsl.emit.torch.verify import distributions, tracing
from archdsl.emit.torch.verify.computation import Computation, Parameter, Traced, TracedModule
from archdsl.emit.torch.verify.terms import Refused, TermTable, TracedTensor, items, plain
from archdsl.emit.torch.verify.tracing import Layer, Module


def compiled(module: ast.Module) -> CodeType:
    """A file ready to be traced. Its annotations are not evaluated: they name what traced modules do not have.

    What stands in a string is put through ``str``, which refuses what reads otherwise when it is traced.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.FormattedValue):
            text = ast.Call(ast.Name("str", ast.Load()), [node.value], [])
            node.value = ast.fix_missing_locations(ast.copy_location(text, node.value))
    return compile(module, "<emitted>", "exec", __future__.annotations.compiler_flag, dont_inherit=True)


def trace(
    code: CodeType, class_name: str, arguments: Mapping[str, object], inputs: Sequence[str], table: TermTable
) -> Traced:
    """A class of a file in terms, made with these arguments and called on inputs of these names.

    Raises:
        Refused: it does what has no meaning in terms; whatever else the source raises.
    """
    with table.recorded() as constructed:
        net = tracing.run(code, tracing.names(table))[class_name](**arguments)
    modules: list[TracedModule] = []
    _add_modules(net, "", table, modules)
    given = [TracedTensor(table, table.term("input", name)) for name in inputs]
    inference, training = (_computation(net, is_training, given) for is_training in (False, True))
    return Traced(table, tuple(modules), frozenset(constructed), frozenset(constructed), inference, training)


def _add_modules(module: Module, path: str, table: TermTable, found: list[TracedModule]) -> None:
    """Adds a module and all below it, in order; they and their weights learn their paths."""
    prefix, held = f"{path}." if path else "", tracing.members(module)
    if isinstance(module, Layer):
        object.__setattr__(module, "path", path)
        weights = {name: module.get_parameter(name) for name in module.own}
        parameters = {name: _of_layer(weight) for name, weight in weights.items()}
        buffers: dict[str, int] = {}
    else:
        weights = {**held.parameters, **held.buffers}
        parameters = {name: _parameter(f"{prefix}{name}", weight) for name, weight in held.parameters.items()}
        contents = {name: weight.contents for name, weight in held.buffers.items()}
        buffers = {name: value.term for name, value in contents.items() if value is not None}
    for name, weight in weights.items():
        weight.term = table.term("weight", f"{prefix}{name}")
    found.append(TracedModule(path, module.made if isinstance(module, Layer) else None, parameters, buffers))
    for name, child in held.modules.items():
        _add_modules(child, f"{prefix}{name}", table, found)


_UNTOUCHED = Parameter(None, distributions.BY_CONSTRUCTOR)


def _of_layer(weight: tracing.Weight) -> Parameter:
    return _UNTOUCHED if weight.initial is None else Parameter(None, distributions.found(weight))


def _parameter(path: str, weight: tracing.Weight) -> Parameter:
    if weight.blank is None:
        raise Refused(f"{path} is no new tensor")
    return Parameter(plain(weight.blank.shape), distributions.found(weight))


def _computation(net: Module, is_training: bool, inputs: Sequence[TracedTensor]) -> Computation:
    for module in net.modules():
        object.__setattr__(module, "training", is_training)
    table = inputs[0].table
    with table.recorded() as steps:
        result = net(*inputs)
    outputs = items(result) or (result,)
    terms = tuple(o.term for o in outputs if isinstance(o, TracedTensor))
    if len(terms) != len(outputs):
        raise Refused("an output is no tensor")
    return Computation(terms, tuple(steps), Counter(steps))
