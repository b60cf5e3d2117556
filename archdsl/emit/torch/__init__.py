"""PyTorch: a network as one standalone file that reads as if a person had written it.

The file is proved equal to the checked graph before anyone sees it; the in-memory module is that file executed. torch
is imported only to execute it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from archdsl.diagnostics.files import MissingExtra
from archdsl.diagnostics.lowering import SourceNotProved
from archdsl.errors import SpecError
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn


class Network(Protocol):
    """What is needed of a model: its graph, and the same model with other values of its parameters."""

    @property
    def graph(self) -> Graph: ...

    @property
    def arguments(self) -> Mapping[str, Any]: ...

    def vary(self, **parameters: Any) -> Network: ...


class Source(str):
    """A file's text; ``class_name`` is the network's class."""

    class_name: str


def emit_source(graph: Graph, witnesses: Sequence[Graph] = ()) -> Source:
    """The network as PyTorch source, proved equal to the graph.

    Args:
        graph: the network.
        witnesses: the same network with other values of those parameters that the constructor shall take.

    Raises:
        SpecError: there is no such source.
    """
    from archdsl.emit.torch.file import CannotWrite, File
    from archdsl.emit.torch.validate import validate

    reason = ""
    for graphs, is_literal in (([graph, *witnesses], False), ([graph], False), ([graph], True)):
        try:
            file = File(graphs, is_literal)
            source = Source(file.text())
        except CannotWrite as error:
            reason = str(error)
            continue
        source.class_name = file.class_name
        reason = validate(source, source.class_name, graph) or ""
        if not reason:
            return source
    raise SpecError([SourceNotProved(span=None, network=graph.name, reason=reason)])


def emit(model: Network) -> str:
    """The source of a model; parameters such as ``classes`` are arguments of its constructor."""
    return emit_source(model.graph)


def make_module(model: Network) -> nn.Module:
    """The source of a model, executed: a module, freshly initialised.

    Raises:
        SpecError: torch is not installed.
    """
    source = emit_source(model.graph)
    return execute(source, source.class_name)


def execute(source: str, class_name: str) -> nn.Module:
    """An instance of a class of emitted source. Tracebacks show its lines.

    Raises:
        SpecError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise SpecError([MissingExtra(span=None, what="a torch module", package="torch", extra="torch")]) from None
    import linecache
    import sys
    import types

    name = f"archdsl.emitted.{class_name}"
    module = types.ModuleType(name)
    path = f"<{class_name}.py by archdsl>"
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    sys.modules[name] = module
    exec(compile(source, path, "exec"), module.__dict__)
    return getattr(module, class_name)()
