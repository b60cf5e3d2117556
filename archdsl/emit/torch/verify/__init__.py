"""Is a PyTorch source the network that a checked graph says? Answered without running either.

`verify` proves one text against the graphs of several networks, each with the arguments that make it. It rests on
`trace_source` and `trace_graph`, which put a network in terms of a `TermTable`, and on `equivalent`, which compares two
networks in terms of one table: a source and a graph, two graphs, or two sources.

    >>> table = TermTable()
    >>> equivalent(trace_graph(after, table), trace_graph(before, table))  # None, or the first `Difference`

Modules must be the same: paths, classes, arguments, tensors and initial values, in the same order. What ``forward``
computes must be the same terms, each as often, random ones in the same order, at inference and in training. Terms are
compared as they are: no algebra makes ``x + y`` of ``y + x``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.emit.torch.verify import allowlist, of_source
from archdsl.emit.torch.verify.computation import Difference, Traced, TracedModule, equivalent
from archdsl.emit.torch.verify.of_graph import trace_graph
from archdsl.emit.torch.verify.terms import Refused, TermTable
from archdsl.graph import Graph

__all__ = [
    "Case",
    "Difference",
    "Failure",
    "Refused",
    "TermTable",
    "Traced",
    "TracedModule",
    "equivalent",
    "trace_graph",
    "trace_source",
    "verify",
]


@dataclass(frozen=True)
class Case:
    """A network that a source must be: the checked graph, and the arguments of the class that make it.

    ``name`` says in a failure which case it is; one case alone needs none. ``maker`` is the class or function that
    makes it, where it is another one than that of the other cases.
    """

    graph: Graph
    arguments: Mapping[str, object] = field(default_factory=dict[str, object])
    name: str = ""
    maker: str | None = None


@dataclass(frozen=True)
class Failure:
    """Why a source is not proved: the first difference, and the case in which it was found, if it is of one."""

    case: Case | None
    difference: Difference

    def __str__(self) -> str:
        name = self.case.name if self.case is not None else ""
        return f"{name}: {self.difference}" if name else str(self.difference)


def verify(source: str, class_name: str, cases: Sequence[Case]) -> Failure | None:
    """Proves that a class of a source is the network of each case; the first failure, None if it is proved.

    The text is run, on traced modules, only if it consists of what emitted source may hold. A proof holds for its
    cases, so whoever keeps an argument open gives its boundary values among them.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Failure(None, Difference("text", "", f"line {getattr(error, 'lineno', 1)}: {error}"))
    expectations: list[Traced] = []
    for case in cases:
        try:
            expectations.append(trace_graph(case.graph, TermTable()))
        except Refused as reason:
            return Failure(case, Difference("layer", "", str(reason)))
    reason = allowlist.disallowed(module, {name for each in expectations for name in each.table.callees})
    if reason is not None:
        return Failure(None, Difference("text", "", reason))
    code = of_source.compiled(module)
    for case, expected in zip(cases, expectations, strict=True):
        table = expected.table
        try:
            maker = case.maker or class_name
            given = of_source.trace(code, maker, case.arguments, [i.name for i in case.graph.inputs], table)
        except Exception as error:  # whatever it raises, it is not the graph
            reason = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
            return Failure(case, Difference("execution", "", reason))
        difference = equivalent(given, expected)
        if difference is not None:
            return Failure(case, difference)
    return None


def trace_source(
    source: str,
    class_name: str,
    table: TermTable,
    *,
    inputs: Sequence[str],
    arguments: Mapping[str, object] | None = None,
) -> Traced:
    """A class of a source in terms, made with ``arguments`` and called on tensors named ``inputs``.

    What torch's defaults are, and which shapes values have, the table knows from graphs that were traced with it. The
    text is run on traced modules; ask `verify` about a text that nobody need trust.

    Raises:
        SyntaxError: it is no Python.
        Refused: it does what has no meaning in terms; whatever else the source raises.
    """
    return of_source.trace(of_source.compiled(ast.parse(source)), class_name, arguments or {}, inputs, table)
