"""PyTorch: a network as one standalone file that reads as if a person had written it.

The file is proved equal to the checked graph before anyone sees it; the in-memory module is that file executed. torch
is imported only to execute it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import MissingExtra
from archdsl.diagnostics.lowering import PlainForm, SourceNotProved
from archdsl.errors import SpecError
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.emit.torch.load import Recreate
    from archdsl.emit.torch.verify import Case


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


@paused_collection()
def emit(model: Network) -> Source:
    """A model as PyTorch source; numbers such as ``classes`` are arguments of its class.

    Raises:
        SpecError: there is no such source.
    """
    from archdsl.emit.torch.formless import formless
    from archdsl.emit.torch.witness import other_values

    reason = formless(model.graph)
    if reason is not None:
        raise SpecError([reason])
    values = other_values(model.graph)
    for names in ([*values], ["classes"] if "classes" in values and len(values) > 1 else []):
        given = {name: values[name] for name in names}
        try:
            witness = model.vary(**given).graph if given else None
        except SpecError:
            continue
        if witness is not None:
            source = _readable(model.graph, witness, given)
            if isinstance(source, Source):
                return source
    return emit_source(model.graph)


def emit_source(graph: Graph) -> Source:
    """A network as PyTorch source, proved equal to the graph.

    Raises:
        SpecError: there is no such source.
    """
    source = _readable(graph)
    if isinstance(source, Source):
        return source
    plain = plain_source(graph)
    if isinstance(plain, Source):
        return plain._replace(diagnostics=(PlainForm(span=None, network=graph.name, reason=source),))
    raise SpecError([SourceNotProved(span=None, network=graph.name, reason=plain)])


def _readable(graph: Graph, witness: Graph | None = None, given: Mapping[str, Any] | None = None) -> Source | str:
    """Source in the form that a person would write; what is wrong with it where it cannot be proved.

    ``witness`` is the same network with these values ``given`` to some parameters.
    """
    from archdsl.emit.torch.file import CannotWrite, File
    from archdsl.emit.torch.verify import Case

    try:
        file = File([graph] if witness is None else [graph, witness])
        source = Source(file.text(), file.class_name, file.arguments)
    except CannotWrite as error:
        return str(error)
    except Exception as error:  # a fault of ours must not keep the network from being written in its plain form
        return f"{type(error).__name__}: {error}"
    cases = [Case(graph)]
    if witness is not None:
        arguments = {source.arguments[n]: value for n, value in (given or {}).items() if n in source.arguments}
        cases.append(Case(witness, arguments))
    return _proved(source, cases)


def plain_source(graph: Graph) -> Source | str:
    """The source in its plain form, proved; or what is wrong with it.

    Blocks are built once on symbols; where that cannot be proved, every number is written out.
    """
    from archdsl.emit.torch.lower import source as lower
    from archdsl.emit.torch.verify import Case

    found: Source | str = ""
    for form in (lower.shared_text, lower.plain_text):
        try:
            found = _proved(Source(*form(graph)), [Case(graph)])
        except Exception as error:  # reported with the network's name; nothing is written
            found = f"{type(error).__name__}: {error}"
        if isinstance(found, Source):
            break
    return found


def _proved(source: Source, cases: Sequence[Case]) -> Source | str:
    """The source if it is proved for all cases; else why it is not."""
    from archdsl.emit.torch.verify import verify

    failure = verify(source.text, source.class_name, cases)
    return source if failure is None else str(failure)


def make_module(source: str, class_name: str, recreate: Recreate | None = None) -> nn.Module:
    """An instance of a class of emitted source. Tracebacks show its lines.

    Args:
        recreate: how another process makes instances when they are unpickled: see `archdsl.emit.torch.load`.

    Raises:
        SpecError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise SpecError([MissingExtra(span=None, what="a torch module", package="torch", extra="torch")]) from None
    from archdsl.emit.torch.load import load_source

    return getattr(load_source(source, class_name, recreate), class_name)()
