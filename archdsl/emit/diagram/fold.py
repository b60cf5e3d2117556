"""Which groups in a row are equal, so that one card with ×n represents them.

Equal are runs of one text whose operators are equal, argument by argument (what drops at random may drop at another
rate). The first may differ as first units of a stage do: in what it makes of its own input, and in one argument, which
the card then states (``first /2``). Two kinds may alternate (``shift 0, 3``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.emit.diagram.outline import Group, Network, Part
from archdsl.evaluate.values import BlockLayer, OpLayer
from archdsl.graph import Node, Value


@dataclass(frozen=True, eq=False)
class Run:
    """Groups in a row that one card represents; ``notes`` state how they differ."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()


def folded(network: Network, parts: Sequence[Part]) -> Iterator[Part | Run]:
    """The parts, equal groups in a row gathered in runs."""
    start = 0
    while start < len(parts):
        first = parts[start]
        if not isinstance(first, Group):
            yield first
            start += 1
            continue
        chain = _chain(network, first, parts[start + 1 :])
        yield from _runs(chain)
        start += len(chain)


def _chain(network: Network, first: Group, rest: Sequence[Part]) -> list[Group]:
    """Groups of the same text, each fed by the one before it alone, along as many values as it likes."""
    chain = [first]
    for part in rest:
        if not isinstance(part, Group) or part.text is not first.text or not _feeds(network, chain[-1], part):
            break
        chain.append(part)
    return chain


def _feeds(network: Network, before: Group, after: Group) -> bool:
    """Does all that leaves ``before`` go into ``after``, and all that ``after`` reads come from ``before``?"""
    arriving, leaving = arrives(network, after), leaves(network, before)
    inside = set(after.nodes)
    if not arriving or set(arriving) != set(leaving):
        return False
    return all(node in inside for value in arriving for node in network.consumers[value])


def arrives(network: Network, group: Group) -> list[Value]:
    """The values that a group reads from outside, constants left out."""
    inside = set(group.nodes)
    read = (v for node in group.nodes for v in network.sources(node))
    return [v for v in dict.fromkeys(read) if network.graph.producer.get(v) not in inside]


def leaves(network: Network, group: Group) -> list[Value]:
    """The values of a group that something outside reads, or that the model gives."""
    inside = set(group.nodes)
    return [
        v
        for node in group.nodes
        for v in node.outputs
        if v in network.results or any(reader not in inside for reader in network.consumers[v])
    ]


# ---- runs --------------------------------------------------------------------------------------------------


def _runs(chain: list[Group]) -> Iterator[Run]:
    start = 0
    while start < len(chain):
        run = _run(chain[start:])
        yield run
        start += len(run.groups)


def _run(chain: list[Group]) -> Run:
    """The longest run at the head of a chain."""
    end = _alike_until(chain, 1)
    if end > 1 or len(chain) == 1:
        return Run(tuple(chain[:end]))
    differing = _may_differ(chain[0], chain[1])
    if differing is None:
        return Run((chain[0],))
    end = 2
    while end < len(chain) and alike(chain[end - 2], chain[end]):
        end += 1
    if differing and (end > 2 or len(chain) == 2):
        return Run(tuple(chain[:end]), _alternating(chain[0], chain[1], differing))
    return Run(tuple(chain[: _alike_until(chain, 2)]), _first(chain[0], chain[1], differing))


def _alike_until(chain: list[Group], start: int) -> int:
    end = start
    while end < len(chain) and alike(chain[end - 1], chain[end]):
        end += 1
    return end


def alike(a: Group, b: Group) -> bool:
    """Are the operators equal, one by one?"""
    return len(a.nodes) == len(b.nodes) and all(map(_same_operator, a.nodes, b.nodes))


def _same_operator(a: Node, b: Node) -> bool:
    return operator_key(a) == operator_key(b)


def operator_key(node: Node) -> object:
    """Equal for operators that are equal argument by argument, whatever their probabilities of dropping are."""
    return type(node.op) if node.op.is_random else node.op


def _may_differ(first: Group, second: Group) -> str | None:
    """The one argument in which the first of a run differs ("" for none); None where it differs too much."""
    if not _same_result(first, second):
        return None
    if first.instance is None or second.instance is None:
        return None
    ours, theirs = first.instance.arguments, second.instance.arguments
    names = [name for name in ours if not same_argument(ours[name], theirs.get(name))]
    if len(names) > 1 or not all(isinstance(ours[name], int) for name in names):
        return None
    return names[0] if names else ""


def _same_result(a: Group, b: Group) -> bool:
    ours, theirs = (g.instance.result if g.instance else None for g in (a, b))
    return isinstance(ours, Value) and isinstance(theirs, Value) and ours.shape == theirs.shape


def same_argument(a: object, b: object) -> bool:
    """Are two arguments equal? Rates (floats) are not compared, nor what is given to a layer that is an argument."""
    match a, b:
        case (float(), int() | float()) | (int(), float()):
            return True
        case list(), list():
            return len(a) == len(b) and all(map(same_argument, a, b))
        case OpLayer(), OpLayer():
            return a.op is b.op
        case BlockLayer(), BlockLayer():
            return a.definition is b.definition
    return a is b or (type(a) is type(b) and bool(a == b))


# ---- notes -------------------------------------------------------------------------------------------------


def _alternating(first: Group, second: Group, name: str) -> tuple[str, ...]:
    reduction = _reduction(first)
    if reduction:
        return (f"first {reduction}",)
    assert first.instance is not None
    assert second.instance is not None
    values = (g.arguments[name] for g in (first.instance, second.instance))
    return (f"{name} {', '.join(str(v).lower() for v in values)}",)


def _first(first: Group, second: Group, name: str) -> tuple[str, ...]:
    reduction = _reduction(first)
    if reduction:
        return (f"first {reduction}",)
    if not name or first.instance is None:
        return ()
    return (f"first {name} {str(first.instance.arguments[name]).lower()}",)


def _reduction(group: Group) -> str:
    """``/2`` where a group makes its input's last axis smaller by an integer factor."""
    if group.instance is None:
        return ""
    before, after = group.instance.stream, group.instance.result
    if not isinstance(before, Value) or not isinstance(after, Value):
        return ""
    old, new = before.shape[-1], after.shape[-1]
    if len(before.shape) < 3 or not isinstance(old, int) or not isinstance(new, int) or old <= new or old % new:
        return ""
    return f"/{old // new}"
