"""The text of a spec for a recorded network."""

from __future__ import annotations

from archdsl.dims import Size
from archdsl.errors import SpecError
from archdsl.formatting import format_source
from archdsl.importing.blocks import Definition, Definitions, own_tensors
from archdsl.importing.calls import ModuleCall, Value
from archdsl.importing.flow import Text, written
from archdsl.importing.loops import looped
from archdsl.importing.lowering import Rates, lowered
from archdsl.importing.naming import declared, labels_in, named
from archdsl.importing.ownership import assign_owners
from archdsl.importing.steps import Scope
from archdsl.importing.tidying import tidy
from archdsl.importing.tree import Body, Chain, Do, Group, Item, Label, Labelled, Statement, literal
from archdsl.importing.write import Writer
from archdsl.source import Source


def spec_text(call: ModuleCall, name: str, rates: Rates) -> str:
    """A recorded network as the text of a spec, laid out by the formatter.

    Args:
        call: the run of the network.
        name: that of the model.
        rates: the rates of stochastic depth, by module.

    Raises:
        Unsupported: it cannot be said.
        SpecError: the text is no spec, which is a fault of the importer.
    """
    scope = lowered(call, rates)
    tidy(scope)
    assign_owners(scope)
    definitions = Definitions(name)
    definitions.define_all(scope)
    model = _model(scope, name, definitions)
    writer = Writer(definitions.blocks)
    blocks = [_block(writer, definition) for definition in definitions.made]
    laid_out = format_source(Source(f"{name}.arch", "\n\n".join(["arch 1", *blocks, model]) + "\n"))
    if not isinstance(laid_out, str):
        raise SpecError(laid_out)
    return laid_out


def _block(writer: Writer, definition: Definition) -> str:
    made = definition.parameters
    parameters = [
        n.name if (default := made.defaults[n.name]) is None else f"{n.name} = {default.text}" for n in made.named
    ]
    head = f"block {definition.name}" + (f"({', '.join(parameters)})" if parameters else "")
    return f"{head} {'= seq ' if definition.is_chain else ''}{{\n{writer.body(definition.body)}\n}}"


def _model(scope: Scope, name: str, definitions: Definitions) -> str:
    text = Text(definitions.item)
    is_chain, statements = written(text, scope)
    if is_chain:  # a model is no seq: its members are numbered by labels
        statements = tuple(_numbered(s, str(i)) for i, s in enumerate(statements))
    statements = (*own_tensors(text, scope), *declared(scope, statements))
    if len(scope.outputs) > 1:
        for value in scope.outputs:
            text.name(value)
    given = dict(zip(scope.inputs, _input_names(scope.inputs), strict=True))
    reserved = {"out", *(f"out{i + 1}" for i in range(len(scope.outputs)))} & set(labels_in(statements))
    writer = Writer(definitions.blocks)
    outputs = _outputs(scope, text, given, bool(reserved))
    statements = looped(definitions.blocks, named(text, statements, given, scope))
    inputs = [f"input {given[v]}: {shape_text(v.shape)}{_type(v)}" for v in scope.inputs]
    return f"model {name} {{\n" + "\n".join([*inputs, writer.body(Body(statements)), *outputs]) + "\n}"


def _numbered(statement: Statement, number: str) -> Statement:
    is_weighty = isinstance(statement, Do) and not isinstance(statement.item, Labelled) and _weighs(statement.item)
    if not is_weighty or not isinstance(statement, Do):
        return statement
    return Do(Labelled(Label((literal(int(number)),)), statement.item), statement.names, statement.starts)


def _weighs(item: Item) -> bool:
    from archdsl.importing.facets import layers
    from archdsl.importing.tree import Apply

    if isinstance(item, Apply):
        is_layer = any(pattern.op.name == item.name for pattern in layers().values())
        return is_layer or (isinstance(item.name, str) and item.name[:1].isupper())
    return isinstance(item, Chain | Group)


def _input_names(inputs: list[Value]) -> list[str]:
    if len(inputs) == 1:
        return ["image" if len(inputs[0].shape) == 4 else "x"]
    return [f"x{i + 1}" for i in range(len(inputs))]


def _outputs(scope: Scope, text: Text, given: dict[Value, str], is_taken: bool) -> list[str]:
    base = "result" if is_taken else "out"
    if len(scope.outputs) == 1:
        return [f"output {base}: {shape_text(scope.outputs[0].shape)}"]
    table = dict(given)
    number = 0
    for value in text.named:
        if value not in table:
            number += 1
            table[value] = f"v{number}"
    return [f"output {base}{i + 1} = {table[v]}" for i, v in enumerate(scope.outputs)]


def shape_text(shape: tuple[Size, ...]) -> str:
    """``[N, 3, 224, 224]``."""
    return f"[{', '.join(map(str, shape))}]"


def _type(value: Value) -> str:
    return "" if value.dtype == "float32" else f" {value.dtype}"
