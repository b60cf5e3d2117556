"""All members of a family in one file: the classes of their networks, which share blocks, and a function for each.

Members that differ in numbers are one class; ``def resnet18() -> ResNet`` gives it the numbers of one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archdsl.collection import paused_collection
from archdsl.diagnostics.lowering import SourceNotProved
from archdsl.emit.torch.docs import docstring
from archdsl.emit.torch.formless import formless
from archdsl.emit.torch.lower.classes import Lowering
from archdsl.emit.torch.lower.source import Torch
from archdsl.emit.torch.names import identifier
from archdsl.emit.torch.program import Network
from archdsl.emit.torch.terms import call, literal, name
from archdsl.emit.torch.text import doc_of, file_text
from archdsl.emit.torch.verify import Case, verify
from archdsl.errors import SpecError
from archdsl.program.ir import Class, Program
from archdsl.program.rerolling import rerolled
from archdsl.program.specialise import family


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
    file = _File(family(graphs, Torch(graphs[0])))
    doc = "\n\n".join(doc_of(graph) for graph in graphs)
    text = file_text(docstring(doc), file.definitions, file.lowering.helpers)
    cases = [Case(graph, name=graph.name, maker=file.members[graph.name]) for graph in graphs]
    failure = verify(text, "", cases)
    if failure is not None:
        network = failure.case.graph.name if failure.case is not None else graphs[0].name
        raise SpecError([SourceNotProved(span=None, network=network, reason=str(failure.difference))])
    return FamilySource(text, file.members)


class _File:
    """The definitions of the file."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.lowering = Lowering()
        self.members: dict[str, str] = {}
        self._functions: list[ast.stmt] = []
        together: dict[Class, list[Program]] = {}
        for program in programs:
            together.setdefault(program.top, []).append(program)
        for members in together.values():
            self._add(members)

    @property
    def definitions(self) -> list[ast.stmt]:
        return [*self.lowering.definitions, *self._functions]

    def _add(self, members: Sequence[Program]) -> None:
        """The class of some members, and if there are several, the function of each."""
        first = members[0]
        label = first.top.name if len(members) > 1 and first.top.name is not None else first.name
        class_name, arguments = self.lowering.add(rerolled(Program(label, first.top, first.settings)))
        for member in members:
            if len(members) == 1:
                self.members[member.name] = class_name
                continue
            given = {arguments[s.label]: s.value for s in member.settings if s.label in arguments}
            function = self.lowering.name(identifier(member.name.lower(), "network"))
            self.members[member.name] = function
            self._functions.append(_function(function, class_name, given))


def _function(label: str, class_name: str, given: Mapping[str, Any]) -> ast.FunctionDef:
    """``def resnet18() -> ResNet: return ResNet(depth=18)``."""
    made = call(class_name, **{argument: literal(value) for argument, value in given.items()})
    nothing = ast.arguments([], [], None, [], [], None, [])
    return ast.FunctionDef(label, nothing, [ast.Return(made)], [], name(class_name))
