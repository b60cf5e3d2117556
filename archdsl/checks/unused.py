"""Names that nothing reads, and layers whose result goes nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.names import DeadLayer, UnusedName
from archdsl.evaluate.names import family
from archdsl.evaluate.values import FileScope
from archdsl.graph import Graph, TensorDeclared, flattened
from archdsl.ops.tensor import Source
from archdsl.source import Span
from archdsl.syntax import tree


def unused_names(scope: FileScope) -> Iterator[Diagnostic]:
    """Names bound by ``let`` and ``as`` in a block, model or claim that its text never reads.

    A name that begins with ``_`` says that it is not meant to be read; one that states a shape (``as x: [N, L, D]``)
    has done its work.
    """
    for definition in scope.file.definitions:
        if isinstance(definition, tree.Block | tree.Claim):
            yield from _unused_in(definition)


def _unused_in(definition: tree.Block | tree.Claim) -> Iterator[Diagnostic]:
    nodes = list(tree.walk(definition))
    if any(isinstance(node, tree.Broken) for node in nodes):
        return  # what could not be read may read them
    bound = list(_bound(nodes))
    binders = {name for name, _ in bound}
    named = (tree.Name, tree.Computed)
    reads = [node for node in nodes if isinstance(node, named) and node not in binders]
    texts = {_stem(name) for name in reads}
    families = {family(name) for name in reads if isinstance(name, tree.Computed)}
    for name, statement in bound:
        text = _stem(name)
        if text.startswith("_") or text in texts or any(f.fullmatch(text) for f in families):
            continue
        if isinstance(name, tree.Computed) and any(family(name).fullmatch(read) for read in texts):
            continue
        advice = "use it, or remove it" if isinstance(statement, tree.Let) else f"remove `as {name.span.text}`"
        edits = _without_target(statement) if isinstance(statement, tree.Step) else ()
        if isinstance(name, tree.Name) and isinstance(_pattern(statement), tree.Unpack):
            advice, edits = "call it `_`", (Edit(name.span, "_"),)
        yield UnusedName(span=name.span, name=name.span.text, advice=advice, edits=edits, statement=statement.span)


def _bound(nodes: Iterable[tree.Node]) -> Iterator[tuple[tree.Label, tree.Node]]:
    """Names that statements bind, each with its statement."""
    for node in nodes:
        pattern = _pattern(node)
        if pattern is not None:
            for name in tree.walk(pattern):
                if isinstance(name, tree.Name | tree.Computed):
                    yield name, node


def _without_target(step: tree.Step) -> tuple[Edit, ...]:
    """The edit that takes ``as name`` away, where it stands on a line with what it names."""
    assert step.target is not None
    source, end = step.span.source, step.target.span.end
    start = len(source.text[: source.text.rfind("as", 0, step.target.span.start)].rstrip(" \t"))
    return (Edit(Span(source, start, end), ""),) if source.text[start - 1 : start].strip() else ()


def _pattern(statement: tree.Node) -> tree.Pattern | None:
    """What a statement binds without stating a shape."""
    match statement:
        case tree.Let(pattern=pattern) | tree.Step(target=pattern, shape=None):
            return pattern
    return None


def _stem(name: tree.Label) -> str:
    """A name; of a computed one, its texts with a mark between them."""
    if isinstance(name, tree.Name):
        return name.text
    return "{}".join(p if isinstance(p, str) else "" for p in name.parts)


def dead_layers(graph: Graph) -> Iterator[Diagnostic]:
    """Operators whose result reaches no output, not even in training, and no buffer."""
    live = graph.live(training=True)
    dead = [node for node in graph.nodes if node not in live and not isinstance(node.op, Source)]
    in_buffers = _sites_in_buffers(graph) if dead else set()
    for node in dead:
        if node.site not in in_buffers:
            yield DeadLayer(span=node.span, layer=node.op.name)
            return  # what feeds it is dead with it: one message for one fault


def _sites_in_buffers(graph: Graph) -> set[tree.Node]:
    """Where the contents of buffers are computed."""
    events = (event for instance in graph.instance.walk() for event in flattened(instance.events))
    return {node.site for event in events if isinstance(event, TensorDeclared) for node in event.contents}
