"""A model as PyTorch source: lowered from its program, and proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lowering import PlainForm, SourceNotProved
from archdsl.emit.torch.formless import formless
from archdsl.emit.torch.lower import source as lower
from archdsl.emit.torch.parameters import fewer, other_values
from archdsl.emit.torch.verify import Case, verify
from archdsl.errors import SpecError
from archdsl.graph import Graph
from archdsl.program.symbolic import Split


class Source(NamedTuple):
    """An emitted file. ``class_name`` is the network's class, ``arguments`` the model's parameters that it takes."""

    text: str
    class_name: str
    arguments: Mapping[str, str]
    """Their names in the source, by those in the spec."""
    diagnostics: tuple[Diagnostic, ...] = ()


class Network(Protocol):
    """What is needed of a model: its graph, and the same model with other values of its parameters."""

    @property
    def graph(self) -> Graph: ...

    def vary(self, **parameters: Any) -> Network: ...


class NotProved(Exception):
    """There is no source in this form, or it is not the network; the message says why."""


@paused_collection()
def emit(model: Network) -> Source:
    """A model as PyTorch source; numbers such as ``classes`` are arguments of its class.

    Raises:
        SpecError: there is no such source.
    """
    reason = formless(model.graph)
    if reason is not None:
        raise SpecError([reason])
    values = other_values(model.graph)
    while values:
        try:
            return _with_arguments(model, values)
        except Split as split:
            values = fewer(values, split.names)
        except (SpecError, NotProved):
            values = fewer(values, ())
    return emit_graph(model.graph)


def _with_arguments(model: Network, values: Mapping[str, Any]) -> Source:
    """The source in which the parameters that can have these values are arguments.

    Raises:
        SpecError: the model cannot have these values.
        Split: they are not numbers of one class.
        NotProved: as it says.
    """
    other = model.vary(**values).graph
    try:
        source = Source(*lower.shared_text(model.graph, [other]))
    except Split:
        raise
    except Exception as error:  # a fault of ours must not keep the network from being written
        raise NotProved(f"{type(error).__name__}: {error}") from error
    given = {source.arguments[name]: value for name, value in values.items() if name in source.arguments}
    return _proved(source, [Case(model.graph), Case(other, given)])


def emit_graph(graph: Graph) -> Source:
    """A network as PyTorch source, proved equal to the graph: with every number written out if it must be.

    Raises:
        SpecError: there is no such source.
    """
    reasons: list[str] = []
    for form in (lower.shared_text, lower.plain_text):
        try:
            source = _proved(Source(*form(graph)), [Case(graph)])
        except NotProved as error:
            reasons.append(str(error))
        except Exception as error:  # reported with the network's name; nothing is written
            reasons.append(f"{type(error).__name__}: {error}")
        else:
            notices = [PlainForm(span=None, network=graph.name, reason=reason) for reason in reasons]
            return source._replace(diagnostics=tuple(notices))
    raise SpecError([SourceNotProved(span=None, network=graph.name, reason=reasons[-1])])


def _proved(source: Source, cases: list[Case]) -> Source:
    """The source, proved for all cases.

    Raises:
        NotProved: it is not.
    """
    failure = verify(source.text, source.class_name, cases)
    if failure is not None:
        raise NotProved(str(failure))
    return source
