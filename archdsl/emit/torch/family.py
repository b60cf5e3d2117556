"""All members of a family in one file: the classes of their networks, which share blocks, and a function for each.

Members that differ in numbers are one class; ``def resnet18() -> ResNet`` gives it the numbers of one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from archdsl.collection import paused_collection
from archdsl.diagnostics.lowering import SourceNotProved
from archdsl.emit.torch.docs import docstring
from archdsl.emit.torch.emission import Network
from archdsl.emit.torch.formless import formless
from archdsl.emit.torch.lower.classes import Lowering
from archdsl.emit.torch.lower.source import Torch
from archdsl.emit.torch.names import identifier
from archdsl.emit.torch.parameters import other_values
from archdsl.emit.torch.terms import NoLiteral, call, literal, name
from archdsl.emit.torch.text import doc_of, file_text
from archdsl.emit.torch.verify import Case, verify
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.op import Op
from archdsl.program.ir import Class, Program, Setting
from archdsl.program.merging import merged
from archdsl.program.recorded import Target
from archdsl.program.rerolling import rerolled
from archdsl.program.specialise import family, specialised


class FamilySource(NamedTuple):
    """An emitted file, and for each member the name of the class or function that makes it."""

    text: str
    members: Mapping[str, str]


@paused_collection()
def family_source(models: Sequence[Network]) -> FamilySource:
    """The models of one spec as PyTorch source, each proved equal to its graph.

    Raises:
        SpecError: there is no such source.
    """
    graphs = [model.graph for model in models]
    reasons = [reason for reason in map(formless, graphs) if reason is not None]
    if reasons:
        raise SpecError(reasons)
    others = [found for model in models if (found := _other(model)) is not None]
    reason = network = ""
    for witnesses, find in ((others, family), ([], family), ([], _alone)):
        every = [*graphs, *witnesses]
        try:
            file = _File(find(every, Torch(graphs[0])), len(graphs))
        except NoLiteral:
            reason, network = "a member is made with an argument that Python has no literal for", graphs[0].name
            continue
        text = file_text(docstring("\n\n".join(map(doc_of, graphs))), file.definitions, file.lowering.helpers)
        failure = verify(text, "", file.cases(every))
        if failure is None:
            return FamilySource(text, file.members)
        reason = str(failure.difference)
        network = failure.case.graph.name if failure.case is not None else graphs[0].name
    raise SpecError([SourceNotProved(span=None, network=network, reason=reason)])


def _alone(graphs: Sequence[Graph], target: Target) -> list[Program]:
    """A class for each member, where those of several cannot be proved."""
    return [specialised(graph, target.on(graph))[0] for graph in graphs]


def _other(model: Network) -> Graph | None:
    """The model with other values of parameters that its class may take: its witness."""
    try:
        values = other_values(model.graph)
        return model.vary(**values).graph if values else None
    except SpecError:
        return None


class _File:
    """The definitions of the file: the first ``count`` programs are members, the others witnesses."""

    def __init__(self, programs: Sequence[Program], count: int) -> None:
        self.lowering = Lowering()
        self.members: dict[str, str] = {}
        self._programs = programs
        self._functions: list[ast.stmt] = []
        self._made: dict[Class, tuple[str, Mapping[str, str]]] = {}
        together: dict[Class, list[Program]] = {}
        for program in programs[:count]:
            together.setdefault(program.top, []).append(program)
        for members in together.values():
            self._add(members)

    @property
    def definitions(self) -> list[ast.stmt]:
        return [*self.lowering.definitions, *self._functions]

    def cases(self, graphs: Sequence[Graph]) -> list[Case]:
        """Each member as it is made, and each witness that is of the class of one, with its arguments."""
        cases: list[Case] = []
        for number, (graph, program) in enumerate(zip(graphs, self._programs, strict=True)):
            if number < len(self.members):
                cases.append(Case(graph, name=graph.name, maker=self.members[graph.name]))
            elif program.top in self._made and not any(isinstance(s.value, Op) for s in program.settings):
                class_name, arguments = self._made[program.top]
                cases.append(Case(graph, _given(program.settings, arguments), graph.name, class_name))
        return cases

    def _add(self, members: Sequence[Program]) -> None:
        """The class of some members, and if there are several, the function of each."""
        first = members[0]
        label = first.top.name if len(members) > 1 and first.top.name is not None else first.name
        settings = tuple(_common(same) for same in zip(*(m.settings for m in members), strict=True))
        class_name, arguments = self.lowering.add(merged(rerolled(Program(label, first.top, settings))))
        self._made[first.top] = class_name, arguments
        for member in members:
            self.members[member.name] = class_name
            if len(members) > 1:
                own = [s for s, common in zip(member.settings, settings, strict=True) if not common.is_default]
                function = self.lowering.name(identifier(member.name.lower(), "network"))
                self.members[member.name] = function
                self._functions.append(_function(function, class_name, _given(own, arguments)))


def _given(settings: Sequence[Setting], arguments: Mapping[str, str]) -> dict[str, object]:
    """The arguments that make a network."""
    return {arguments[s.label]: s.value for s in settings if s.label in arguments}


def _common(settings: Sequence[Setting]) -> Setting:
    """A parameter, with a default if it has one value in all members."""
    return replace(settings[0], is_default=all(s.value == settings[0].value for s in settings))


def _function(label: str, class_name: str, given: Mapping[str, object]) -> ast.FunctionDef:
    """``def resnet18() -> ResNet: return ResNet(depth=18)``."""
    made = call(class_name, **{argument: _written(value) for argument, value in given.items()})
    nothing = ast.arguments([], [], None, [], [], None, [])
    return ast.FunctionDef(label, nothing, [ast.Return(made)], [], name(class_name))


def _written(value: object) -> ast.expr:
    """An argument: a number, true or false, a list of these, or an activation's class."""
    if isinstance(value, tuple):
        return ast.Tuple([_written(item) for item in value])
    module = value.torch(()).module if isinstance(value, Op) else None
    return literal(value) if module is None else name(str(module.callee))
