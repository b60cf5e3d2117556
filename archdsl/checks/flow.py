"""Who takes what a node gives: what the lints ask of a graph."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.graph import Branch as BranchEvent
from archdsl.graph import BranchTaken, Event, Graph, LoopEvent, Merged, Node, OpRun, OutputEvent, ScopeRun, Value


def consumers(graph: Graph) -> dict[Value, list[Node]]:
    """For each value the nodes that take it; an output of the network takes none."""
    found: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            found.setdefault(value, []).append(node)
    return found


def only_taker(node: Node, takers: dict[Value, list[Node]], graph: Graph) -> Node | None:
    """The one node that takes what a node gives; None if several do, or the network gives it out."""
    found = takers.get(node.output, [])
    return found[0] if len(found) == 1 and node.output not in graph.given else None


def merges(graph: Graph) -> Iterator[Merged]:
    """All combinators that ran, those in scopes below too."""
    stack: list[Event] = list(graph.instance.events)
    while stack:
        event = stack.pop()
        match event:
            case Merged(events=inner):
                yield event
                stack.extend(inner)
            case ScopeRun(instance=instance):
                stack.extend(instance.events)
            case BranchTaken(events=inner) | OutputEvent(events=inner) | BranchEvent(events=inner):
                stack.extend(inner)
            case LoopEvent(turns=turns):
                stack.extend(e for turn in turns for e in turn.events)


def first_layer(events: list[Event]) -> Node | None:
    """The first operator that ran among some events."""
    for event in events:
        match event:
            case OpRun(node=node):
                return node
            case ScopeRun(instance=instance):
                found = first_layer(instance.events)
            case Merged(events=inner) | BranchTaken(events=inner) | BranchEvent(events=inner):
                found = first_layer(inner)
            case LoopEvent(turns=turns):
                found = first_layer([e for turn in turns for e in turn.events])
            case _:
                continue
        if found is not None:
            return found
    return None
