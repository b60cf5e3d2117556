"""A program as text, for people: each class with its members and bodies.

class Bottleneck as 0
  conv1: conv(64, 1, bias=false)
  run(%0 [N, 64, H, W]) -> %3
    %1 [N, 64, H, W] = conv1(%0)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from archdsl.op import Op
from archdsl.program.ir import (
    Body,
    Call,
    Choose,
    Class,
    For,
    Group,
    Layer,
    Member,
    Optional,
    Output,
    Own,
    OwnTensor,
    Part,
    Program,
    Repeated,
    Run,
    Step,
    Var,
)

INDENT = "  "


def show(program: Program) -> str:
    """All classes, each after those that it is made of."""
    return _Shower(program).text()


class _Shower:
    """Shows one program; numbers its classes, since several may have one name."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names = {c: f"{c.name or c.path or 'class'}#{i}" for i, c in enumerate(program.classes)}

    def text(self) -> str:
        shown = ["\n".join(self._class(c)) for c in self._program.classes]
        return f"program {self._program.name}\n\n" + "\n\n".join(shown) + "\n"

    def _class(self, cls: Class) -> Iterator[str]:
        names = ", ".join(p.name for p in cls.parameters)
        yield f"class {self._names[cls]}{f'({names})' if names else ''}{' in the class around it' * cls.is_local}"
        yield from _indented(f"{local.name} = {local.formula.node.span.text}" for local in cls.locals)
        yield from _indented(line for member in cls.members for line in self._member(member))
        yield from _indented(line for body in cls.bodies for line in self._body(body))

    def _member(self, member: Member) -> Iterator[str]:
        match member:
            case Layer(label=label, facets=facets):
                yield f"{label}: {operator_text(facets.op)}"
            case Part(label=label, of=of, arguments=arguments):
                given = ", ".join(f"{name}={value}" for name, value in arguments)
                yield f"{label}: {self._names[of]}{f'({given})' if given else ''}"
            case Group(label=label, members=members):
                yield f"{label}:"
                yield from _indented(line for inner in members for line in self._member(inner))
            case Optional(condition=condition, member=inner):
                yield f"if {condition}"
                yield from _indented(self._member(inner))
            case Repeated(variable=variable, count=count, members=members):
                yield f"for {variable} in 1..{count}"
                yield from _indented(line for inner in members for line in self._member(inner))
            case OwnTensor(label=label, weight=weight, contents=contents, held=held, when=when):
                kind = "buffer" if weight.buffer else "param"
                condition = f" if {when}" if when is not None else ""
                yield f"{kind} {label}: {_shape(weight.shape)} = {held or weight.init.text}{condition}"
                yield from _indented(line for step in contents for line in self._step(step))

    def _body(self, body: Body) -> Iterator[str]:
        inputs = ", ".join(map(_typed, body.inputs))
        yield f"run({inputs}) -> {_listed(body.results) or 'outputs'}"
        yield from _indented(line for step in body.steps for line in self._step(step))

    def _step(self, step: Step) -> Iterator[str]:
        match step:
            case Run(facets=facets, inputs=inputs, outputs=outputs, module=module, casts=casts):
                what = f"{module}: {facets.op.name}" if module is not None else operator_text(facets.op)
                cast = f"  # casts: {', '.join(map(str, casts))}" if casts else ""
                yield f"{_assigned(outputs)} = {what} <- {_listed(inputs) or '()'}{cast}"
            case Call(module=module, of=of, body=body, inputs=inputs, outputs=outputs, modules=modules):
                which = f" run {body}" if body else ""
                given = _listed([*inputs, *modules])
                yield f"{_assigned(outputs)} = {module}: {self._names[of]}{which} <- {given}"
            case Own(label=label, output=output):
                yield f"{_typed(output)} = own {label}"
            case Choose(condition=condition, then=then, otherwise=otherwise, joined=joined):
                yield f"if {condition}"
                yield from _indented(line for inner in then for line in self._step(inner))
                if otherwise:
                    yield "else"
                    yield from _indented(line for inner in otherwise for line in self._step(inner))
                for join in joined:
                    yield f"{_typed(join.output)} = {join.then} or {join.otherwise}"
            case For(variable=variable, count=count, carried=carried, steps=steps):
                yield f"for {variable} in 1..{count}"
                yield from _indented(f"{_typed(c.given)} = {c.start}, then {c.made}" for c in carried)
                yield from _indented(line for inner in steps for line in self._step(inner))
                yield from (f"{_typed(c.end)} = {c.start} after no turn, else {c.made}" for c in carried)
            case Output(name=name, value=value, when_training=when_training, cast=cast):
                condition = " when training" if when_training else ""
                yield f"output {name} = {value}{condition}{f' as the type of {cast}' if cast else ''}"


def operator_text(op: Op) -> str:
    """An operator as the language writes it, without arguments at their defaults: ``conv(64, 3, pad=1)``.

    Arguments are given by position up to the first that is at its default.
    """
    given: list[str] = []
    is_positional = True
    for field in fields(op):
        value = getattr(op, field.name)
        if value == field.default and type(value) is type(field.default):
            is_positional = False
        else:
            given.append(f"{value}" if is_positional else f"{field.name}={value}")
    return f"{op.name}({', '.join(given)})" if given else op.name


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (INDENT + line for line in lines)


def _shape(shape: Iterable[object]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _typed(var: Var) -> str:
    return f"{var} {_shape(var.type.shape)}"


def _assigned(outputs: Iterable[Var]) -> str:
    return ", ".join(map(_typed, outputs)) or "()"


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
