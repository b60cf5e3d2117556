"""From the checked graph to an ONNX model: directly, node by node, nothing is traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import onnx
from onnx import helper

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lowering import NameTakenTwice, NothingToExport, NotInOnnx
from archdsl.emit.onnx.names import Place, Places
from archdsl.emit.onnx.sizes import Sizes
from archdsl.emit.onnx.writer import OPSET, Writer, array, value_info
from archdsl.errors import SpecError
from archdsl.graph import Graph, GraphOutput, Node, Value
from archdsl.op import OnnxConst, OnnxIn, OnnxLocal, OnnxNode, OnnxRef, OnnxSizes, OnnxWeight, Reject, Weight
from archdsl.source import Span
from archdsl.version import __version__

IR_VERSION = 10
"""The first whose nodes have metadata."""

Parts: TypeAlias = tuple[OnnxNode, ...]


@dataclass(frozen=True)
class Lowered:
    """A model without the contents of its weights, the weights that it reads, and what its tensors are called."""

    model: onnx.ModelProto
    weights: dict[str, Weight]
    names: dict[Value, str]


def lower(graph: Graph) -> Lowered:
    """The network at inference, in ONNX. A pure function of the graph: names and order are always the same.

    Raises:
        SpecError: a name is taken twice, or a size cannot be computed.
    """
    return _Lowering(graph).run()


class _Lowering:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._outputs = [output for output in graph.outputs if not output.when_training]
        self._steps = _steps(graph)
        self._weights = self._read_weights()
        self._writer = Writer(graph.name, self._interface())
        self._sizes = Sizes(self._writer, graph.inputs)
        self._places = Places(graph)
        self._names: dict[Value, str] = {given.value: given.name for given in graph.inputs}
        self._owed: dict[Value, str] = {}
        """Values that are made under the name of an output."""

    def run(self) -> Lowered:
        self._owe_outputs()
        for node, parts in self._steps:
            self._write(node, parts)
        for output in self._outputs:
            self._write_output(output)
        graph = self._writer.graph
        graph.input.extend(value_info(given.name, given.value.type) for given in self._graph.inputs)
        graph.output.extend(value_info(output.name, output.value.type) for output in self._outputs)
        return Lowered(self._model(), self._weights, self._names)

    def _model(self) -> onnx.ModelProto:
        model = onnx.ModelProto(
            ir_version=IR_VERSION,
            producer_name="archdsl",
            producer_version=__version__,
            opset_import=[helper.make_opsetid("", OPSET)],
            graph=self._writer.graph,
        )
        conditions = "; ".join(found.text for found in self._graph.needs.preconditions())
        if conditions:
            model.metadata_props.add(key="preconditions", value=conditions)
        return model

    # ---- names ----

    def _interface(self) -> list[str]:
        """The names that are given: of inputs, outputs and weights.

        Raises:
            SpecError: two are the same, or there is no output.
        """
        if not self._outputs:
            raise SpecError([NothingToExport(span=None, network=self._graph.name)])
        roles = [(given.name, "an input") for given in self._graph.inputs]
        roles += [(output.name, "an output") for output in self._outputs]
        roles += [(name, "a parameter") for name in self._weights]
        taken: dict[str, str] = {}
        for name, role in roles:
            if name in taken:
                raise SpecError([NameTakenTwice(span=None, name=name, first=taken[name], second=role)])
            taken[name] = role
        return list(taken)

    def _read_weights(self) -> dict[str, Weight]:
        """The weights that inference reads, in state-dict order."""
        read = {
            _full_name(node, ref.name)
            for node, parts in self._steps
            for part in parts
            for ref in part.inputs
            if isinstance(ref, OnnxWeight)
        }
        return {name: weight for name, weight in self._graph.weights.items() if name in read}

    def _owe_outputs(self) -> None:
        """Let the values that are outputs be made under the outputs' names, where they are made at all."""
        same = {node.output: node.inputs[0] for node, parts in self._steps if not parts}
        made = {value for node, parts in self._steps if parts and not _renamed(parts) for value in node.outputs}
        for output in self._outputs:
            value = output.value
            while value in same:
                value = same[value]
            if value in made:
                self._owed.setdefault(value, output.name)

    # ---- nodes ----

    def _write(self, node: Node, parts: Parts) -> None:
        renamed = _renamed(parts)
        if not parts:
            self._names[node.output] = self._names[node.inputs[0]]
        elif renamed is not None:
            self._names[node.output] = self._constant(node, renamed)
        else:
            self._write_parts(node, parts, self._places.of(node))

    def _write_parts(self, node: Node, parts: Parts, place: Place) -> None:
        results = _results(parts, len(node.outputs))
        for number, value in enumerate(node.outputs):
            name = self._owed.get(value)
            if name is None:
                name = self._writer.fresh(_numbered(place.name, number, node))
                self._writer.graph.value_info.append(value_info(name, value.type))
            self._names[value] = name
        locals_ = {result: self._names[value] for result, value in zip(results, node.outputs, strict=True)}
        for part in parts:
            for output in part.outputs:
                if output and output not in locals_:
                    locals_[output] = self._writer.fresh(f"{place.name}/{output}")
            self._writer.node(
                part.type,
                [self._input(node, ref, locals_) for ref in part.inputs],
                [locals_.get(output, "") for output in part.outputs],
                name=f"{place.name}/{part.type}",
                lineage=place.lineage,
                attributes=part.attributes,
            )

    def _input(self, node: Node, ref: OnnxRef, locals_: dict[str, str]) -> str:
        match ref:
            case None:
                return ""
            case OnnxIn(index=index):
                return self._names[node.inputs[index]]
            case OnnxLocal(name=name):
                return locals_[name]
            case OnnxSizes(sizes=sizes):
                return self._sizes.vector(sizes)
            case _:
                return self._constant(node, ref)

    def _constant(self, node: Node, ref: OnnxWeight | OnnxConst) -> str:
        if isinstance(ref, OnnxWeight):
            return _full_name(node, ref.name)
        return self._writer.constant(array(ref.value, ref.dtype))

    def _write_output(self, output: GraphOutput) -> None:
        """An output whose value has another name: an input, a weight, or another output as well."""
        name = self._names[output.value]
        if name != output.name:
            lineage = (("", self._graph.name),)
            self._writer.node("Identity", [name], [output.name], name=f"{output.name}/Identity", lineage=lineage)


def _steps(graph: Graph) -> list[tuple[Node, Parts]]:
    """What runs at inference, with what it is in ONNX.

    Raises:
        SpecError: some operators cannot be said in ONNX; each place in the text is named once.
    """
    live = graph.live(training=False)
    steps: list[tuple[Node, Parts]] = []
    faults: dict[Span, Diagnostic] = {}
    for node in graph.nodes:
        if node in live:
            try:
                steps.append((node, node.op.onnx(node.input_types, node.output_types)))
            except Reject as reject:
                fault = NotInOnnx(span=node.span, op=node.op.name, reason=reject.message, advice=reject.help)
                faults.setdefault(node.span, fault)
    if faults:
        raise SpecError(faults.values())
    return steps


def _full_name(node: Node, weight: str) -> str:
    assert node.module is not None, "a module with weights has a path"
    return node.module.join(weight)


def _renamed(parts: Parts) -> OnnxWeight | OnnxConst | None:
    """What a value is another name of, where it is a weight or a constant and nothing is computed."""
    match parts:
        case (OnnxNode(type="Identity", inputs=((OnnxWeight() | OnnxConst()) as ref,)),):
            return ref
    return None


def _results(parts: Parts, count: int) -> Sequence[str]:
    return [output for part in parts for output in part.outputs][-count:]


def _numbered(name: str, number: int, node: Node) -> str:
    return name if len(node.outputs) == 1 else f"{name}:{number}"
