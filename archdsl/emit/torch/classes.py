"""The classes of a file, each written from all instances of its block."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from archdsl.elaborate.modules import TAKEN as MODULE_NAMES
from archdsl.emit.torch.constructor import (
    count_locals,
    expressions,
    mark_partitions,
    numbered,
    over_children,
    statements,
)
from archdsl.emit.torch.docs import doc_above
from archdsl.emit.torch.flow import Element, Flow, ListInput, Partition, Ref, Slot, Test
from archdsl.emit.torch.functions import annotation
from archdsl.emit.torch.names import Names, is_identifier
from archdsl.emit.torch.nesting import Assign, Lines, Nesting
from archdsl.emit.torch.render import exploded
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.sequential import (
    Sequences,
    _before,
    _element,
    _has_labels,
    is_plain_list,
    spread,
)
from archdsl.emit.torch.state import (
    MISSING,
    Attribute,
    Define,
    Given,
    Held,
    Here,
    Parameter,
    Say,
    Turned,
    Used,
    terms_in,
)
from archdsl.emit.torch.terms import all_same, assign, call, copied, exact, literal, name, own, settle
from archdsl.emit.torch.variables import Variables
from archdsl.emit.torch.writer import ClassDef, Output
from archdsl.evaluate.values import is_list
from archdsl.graph import Instance, values_in
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File
    from archdsl.evaluate.values import Env


class ClassWriter(Sequences):
    """Writes one class."""

    def __init__(self, file: File, instances: Sequence[Instance]) -> None:
        super().__init__(file, instances)
        self.state.members = Names({*MODULE_NAMES, *self._labels()})

    def _labels(self) -> Iterator[str]:
        for instance in self.instances:
            yield from instance.module.children
            yield from instance.module.own

    def write(self) -> ClassDef:
        """The class.

        Raises:
            Conflict: its instances differ in ways that no one text says.
        """
        self._arrive()
        strands = [(row, row.instance.events) for row in self.rows]
        if self.scope.kind == "seq" and self.file.is_chain(self.scope):
            return self._write_chain(strands)
        self.walk(strands, Here(self.init, self.top))
        self.is_list = self.scope.kind == "seq" and numbered(self.init) is not None
        if not self.is_top:
            self._leave()
        return self._write_module()

    def _arrive(self) -> None:
        """What arrives on the stream; at the top, the model's inputs."""
        if self.is_top:
            given = [self.file.graph_of(row.instance).inputs for row in self.rows]
            for inputs in zip(*given, strict=True):
                slot = self.add_import({row: i.value for row, i in zip(self.rows, inputs, strict=True)})
                slot.names.insert(0, inputs[0].name)
            return
        streams = [list(values_in(i.stream)) for i in self.instances]
        if not all_same([len(s) for s in streams]):
            raise Conflict("different numbers of values arrive", self.rows, [len(s) for s in streams], "inputs")
        listed = ListInput(["values"]) if self._takes_list() else None
        for place, column in enumerate(zip(*streams, strict=True)):
            slot = self.add_import(dict(zip(self.rows, column, strict=True)))
            if listed is not None:
                slot.element_of, slot.text = listed, Element(listed, place)
        self.list_input = listed

    def _takes_list(self) -> bool:
        """Does a list arrive that the text takes as one?"""
        text = self.scope.text
        stated = [s for s in text.statements if isinstance(s, tree.Input)] if isinstance(text, tree.Body) else []
        return is_list(self.instances[0].stream) and not stated

    def _leave(self) -> None:
        given = [self.file.leaving(i) for i in self.instances]
        if not all_same([len(values) for values in given]):
            raise Conflict("different numbers of values leave", self.rows, [len(v) for v in given], "outputs")
        for column in zip(*given, strict=True):
            slot = self.look(list(zip(self.rows, column, strict=True)), self.top)
            self.outputs.append(Output("", slot, False))

    # ---- calling classes ----

    def callee(self, instances: Sequence[Instance], rows: Sequence[Row]) -> ClassDef:
        found = [self.file.class_of(i) for i in instances]
        if any(f is not found[0] for f in found):
            raise Conflict("they are of different classes", rows, [f.name for f in found], instances[0].module.name)
        return found[0]

    def instantiate(
        self,
        made: ClassDef,
        rows: Sequence[Row],
        instances: Sequence[Instance],
        envs: Sequence[Env],
        inputs: Sequence[Slot],
        flow: Flow,
    ) -> ast.Call:
        result = call(made.name)
        for parameter in made.parameters:
            values = [parameter.values[self.file.alike(i)] for i in instances]
            if parameter.default is not MISSING and all(exact(v, parameter.default) for v in values):
                continue
            hints: list[ast.expr] = []
            if parameter in made.sizes:
                place, axis = made.sizes[parameter]
                hints += self.size_hints(inputs[place], axis, "init")
            written = self._written(parameter, instances, envs)
            said = self.fill(values, rows, flow, written=written, hints=hints, name=parameter.name)
            if parameter.default is MISSING:
                result.args.append(said)
            else:
                result.keywords.append(ast.keyword(parameter.name, said))
        return result

    def _written(self, parameter: Parameter, instances: Sequence[Instance], envs: Sequence[Any]) -> list[Any]:
        text = parameter.written
        if text is None:
            return []
        if all(text in i.written for i in instances):
            return [i.written[text] for i in instances]
        if any(p.name.text == text for p in instances[0].scope.params):
            return []
        node = self.file.free_name(text, instances[0].scope)
        return [(node, env) for env in envs]

    # ---- the text ----

    def _write_chain(self, strands: Sequence[Any]) -> ClassDef:
        """``class X(nn.Sequential)``."""
        here = Here([], Flow(self.top))
        members = self.members(strands, here)
        own_init = here.init
        start = super_init()
        if any(map(_has_labels, members)):
            init = [ast.Expr(start), *self._all([*own_init, *self.labelled(members, ast.Name("self"))])]
        elif is_plain_list(members):
            start.args = list(map(_element, members))
            init = [*self._all([*own_init, *_before(members), Say(ast.Expr(spread(start)))])]
        else:
            variable = self._list_name("members")
            start.args = [ast.Starred(ast.Name(variable))]
            init = [*self._all([*own_init, *self.grown(members, variable)]), ast.Expr(start)]
        return self._class("nn.Sequential", [*init, *self.init_loop()], [])

    def _all(self, init: Sequence[Any]) -> list[ast.stmt]:
        count_locals([*expressions(init)])
        return statements(init)

    def _write_module(self) -> ClassDef:
        always = [o.slot for o in self.outputs if not o.when_training]
        training = [o.slot for o in self.outputs if o.when_training]
        if len(self.outputs) > 1:
            for output in self.outputs:
                if is_identifier(output.name) and output.slot not in self.state.imports:
                    output.slot.names.insert(0, output.name)
        lines = Nesting(self.top, always, training).lines()
        inputs = self._read(lines)
        self.state.imports = inputs
        returned = self._returned(lines)
        variables = Variables(lines, inputs, [*always, *training], returned)
        body = variables.statements(inputs)
        body += self._return(always, training, returned)
        return self._finish(inputs, body, len(always), len(training))

    def _read(self, lines: Lines) -> list[Slot]:
        """The inputs that are read; of a list, all elements or none."""
        read = {s for s in self.state.imports if self.is_top or lines.uses[s] or lines.sized[s]}
        lists = {s.element_of for s in read if s.element_of is not None}
        return [s for s in self.state.imports if s in read or s.element_of in lists]

    def _returned(self, lines: Lines) -> ast.expr | None:
        """The expression of the last line, if that makes the only output: it needs no variable."""
        final = lines.body[-1] if lines.body else None
        if len(self.outputs) > 1 or not isinstance(final, Assign):
            return None
        slot = self.outputs[0].slot
        if final.outs != [slot] or lines.uses[slot] != 1 or self.outputs[0].when_training:
            return None
        del lines.body[-1]
        return final.expression

    def _return(self, always: Sequence[Slot], training: Sequence[Slot], returned: ast.expr | None) -> list[ast.stmt]:
        if returned is not None:
            return [ast.Return(returned)]
        if training:
            both = ast.Return(ast.Tuple([Ref(s) for s in (*always, *training)]))
            return [ast.If(own("training"), [both], []), ast.Return(_one_or_tuple(always))]
        return [ast.Return(_one_or_tuple(always))]

    def _finish(self, inputs: Sequence[Slot], body: list[ast.stmt], outputs: int, training: int) -> ClassDef:
        asked = [t.partition for s in body for t in ast.walk(s) if isinstance(t, Test)]
        mark_partitions(self.init, asked)
        for partition in dict.fromkeys(asked):
            if partition.label is None:
                self._flag(partition)
        body = [settle(s) for s in body]
        over_children(self.init, body)
        kept = self._attributes(body)
        count_locals([*expressions(self.init), *(a.expression for a in kept)])
        hoisted = [d for d in self.init if isinstance(d, Define)]
        init = [
            *statements(hoisted),
            *(assign(own(a.name), a.expression) for a in kept),
            *(self._listed() if self.is_list else statements([m for m in self.init if not isinstance(m, Define)])),
            *self.init_loop(),
        ]
        forward = _forward(inputs, body, _returns(outputs, training))
        if self.is_list:
            return self._class("nn.ModuleList", init, [forward])
        return self._class("nn.Module", [ast.Expr(super_init()), *init] if init else [], [forward])

    def _listed(self) -> list[ast.stmt]:
        """``super().__init__([…])`` of a list of modules."""
        members = numbered(self.init) or []
        before = [s for m in members for s in statements(m.before)]
        after = [s for m in members for s in statements(m.after)]
        start = super_init()
        start.args = [exploded(ast.List([m.value for m in members]))]
        return [*before, ast.Expr(start), *after]

    def _flag(self, partition: Partition) -> None:
        """What ``forward`` asks: a comparison of one argument, or an attribute for the condition."""
        if any(isinstance(t, Turned) for t in terms_in(partition.condition)):
            partition.question = self._asked(partition.condition)
            return
        match partition.condition:
            case ast.Compare(left=Given(parameter=p), comparators=[ast.Constant()]) as simple:
                held = Held(self.attribute(p.name, Given(p)))
                partition.question = ast.Compare(held, simple.ops, simple.comparators)
            case _:
                partition.flag = Held(self.attribute(partition.name, partition.condition))

    def _asked(self, condition: ast.expr) -> ast.expr:
        """A condition in a loop, in terms of attributes."""
        others: dict[ast.AST, ast.AST] = {}
        for term in terms_in(condition):
            if isinstance(term, Given):
                others[term] = Held(self.attribute(term.parameter.name, Given(term.parameter)))
            elif isinstance(term, Used) and term.local.expression is not None:
                others[term] = self._asked(term.local.expression)
        asked: ast.expr = copied(condition, others)
        return asked

    def _attributes(self, body: Sequence[ast.stmt]) -> list[Attribute]:
        """The attributes that ``forward`` reads."""
        read = {n.attr for s in body for n in ast.walk(s) if isinstance(n, ast.Attribute) and _is_self(n.value)}
        return [a for a in self.state.attributes.values() if a.name in read]

    def _class(self, base: str, init: list[ast.stmt], methods: list[ast.stmt]) -> ClassDef:
        init = [settle(s) for s in init]
        read = {n.id for s in init for n in ast.walk(s) if isinstance(n, ast.Name)}
        parameters = self._ordered([p for p in self.state.parameters.values() if p.name in read])
        label = self.file.name_class(self)
        body: list[ast.stmt] = []
        doc = doc_above(self.scope.definition.span) if self.scope.definition is not None else None
        if doc:
            body.append(ast.Expr(literal(doc)))
        body += [ast.AnnAssign(ast.Name(n), name("Tensor"), None, 1) for n in self._annotated()]
        if init:
            body.append(_constructor(parameters, init))
        body += methods
        node = ast.ClassDef(label, [name(base)], [], body or [ast.Expr(literal(label))], [])
        inputs = [{row.instance: v for row, v in s.values.items()} for s in self.state.imports]
        lists = [s.element_of for s in self.state.imports]
        given = [o.slot.variable or "" for o in self.outputs]
        return ClassDef(label, node, parameters, self._sizes(parameters), inputs, lists, given)

    def _sizes(self, parameters: Sequence[Parameter]) -> dict[Parameter, tuple[int, int]]:
        """Which arguments are sizes of inputs."""
        places = {slot: place for place, slot in enumerate(self.state.imports)}
        found = {}
        for key, parameter in self.state.parameters.items():
            match key:
                case ("size", slot, axis) if slot in places and parameter in parameters:
                    found[parameter] = places[slot], axis
        return found

    def _annotated(self) -> list[str]:
        return list(dict.fromkeys([*self.annotations, *self.constant_names.values()]))

    def _ordered(self, parameters: Sequence[Parameter]) -> list[Parameter]:
        """Sizes and new ones first, then as the spec has them; those with a default last."""
        spec = [p.name.text for p in self.scope.params]

        def rank(parameter: Parameter) -> tuple[bool, int]:
            place = spec.index(parameter.written) if parameter.written in spec else -1
            return parameter.default is not MISSING, place

        return sorted(parameters, key=rank)


def super_init() -> ast.Call:
    return call(ast.Attribute(call("super"), "__init__"))


def _one_or_tuple(slots: Sequence[Slot]) -> ast.expr:
    return Ref(slots[0]) if len(slots) == 1 else ast.Tuple([Ref(s) for s in slots])


def _returns(outputs: int, training: int) -> ast.expr:
    tensor = name("Tensor")
    plain = tensor if outputs == 1 else ast.Subscript(ast.Name("tuple"), ast.Tuple([tensor] * outputs))
    if not training:
        return plain
    maybe = ast.BinOp(tensor, ast.BitOr(), literal(None))
    both = ast.Subscript(ast.Name("tuple"), ast.Tuple([*[tensor] * outputs, *[maybe] * training]))
    return ast.BinOp(plain, ast.BitOr(), both)


def _forward(inputs: Sequence[Slot], body: list[ast.stmt], returns: ast.expr) -> ast.FunctionDef:
    args = [ast.arg("self")]
    for slot in inputs:
        listed = slot.element_of
        if listed is None:
            args.append(ast.arg(slot.variable or "x", name("Tensor")))
        elif args[-1].arg != listed.variable:
            several = ast.Subscript(ast.Name("tuple"), ast.Tuple([name("Tensor"), literal(...)]))
            args.append(ast.arg(listed.variable or "values", several))
    return ast.FunctionDef("forward", ast.arguments([], args, None, [], [], None, []), body, [], returns)


def _constructor(parameters: Sequence[Parameter], body: list[ast.stmt]) -> ast.FunctionDef:
    args = [ast.arg("self")]
    defaults: list[ast.expr] = []
    for parameter in parameters:
        kinds = [*parameter.values.values(), *([] if parameter.default is MISSING else [parameter.default])]
        args.append(ast.arg(parameter.name, ast.parse(annotation(kinds), mode="eval").body))
        if parameter.default is not MISSING:
            defaults.append(literal(parameter.default))
    return ast.FunctionDef("__init__", ast.arguments([], args, None, [], [], None, defaults), body, [], literal(None))


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
