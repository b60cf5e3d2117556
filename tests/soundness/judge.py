"""The checker's answers beside torch's: at numbers, and as symbols at many numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from archdsl.compiler import build, choose, from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.dims import Size, evaluate
from archdsl.dims.facts import Relation
from archdsl.elaborate.model import Built

from .graphs import Graph, Node, Refused
from .language import stretched

OTHERS = 4
"""So many sizes besides those at which a graph was drawn."""
NAMES = {"torch.float32": "float32", "torch.int64": "int64", "torch.bool": "bool"}

Shapes = dict[str, tuple[tuple[int, ...], str]]


@dataclass
class Tally:
    """What was seen: graphs and sizes accepted and refused, by torch and by each rule of the language."""

    counts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)


def judge(graph: Graph, random: Random, tally: Tally) -> None:
    """
    Raises:
        AssertionError: the checker and torch disagree.
    """
    text = graph.text()
    spec = from_text(text)
    assert not spec.diagnostics, text
    model = choose(spec)
    assert not isinstance(model, Diagnostic), text
    general = build(spec, model, {}, {})
    tally.counts["graphs"] += 1
    for sizes in (graph.sizes, *(drawn_sizes(graph, random) for _ in range(OTHERS if graph.sizes else 0))):
        found = in_torch(graph, sizes)
        inputs: dict[str | None, tuple[Size, ...]] = {n: tuple(t.shape) for n, t in graph.tensors(sizes).items()}
        built = build(spec, model, {}, inputs)
        refused = refused_at(graph, built)
        if refused is not None and not (isinstance(found, Refused) and found.node is refused):
            found = in_torch(graph, sizes, "cpu")
            tally.rules["the meta device takes what the CPU refuses"] += 1
        where = f"{text}at {sizes}: torch {found}"
        same(built, refused, found, where)
        count(found, sizes is graph.sizes, tally)
        if graph.sizes and general.graph is not None:
            same_in_general(general, sizes, found, stretched(), where, tally)
    if general.graph is None:
        refused_in_general(graph, general, random, tally)


def drawn_sizes(graph: Graph, random: Random) -> dict[str, int]:
    return {name: random.randint(1, 12) if random.random() < 0.7 else size for name, size in graph.sizes.items()}


def in_torch(graph: Graph, sizes: dict[str, int], device: str = "meta") -> Shapes | Refused:
    try:
        return {n: (tuple(t.shape), NAMES[str(t.dtype)]) for n, t in graph.in_torch(sizes, device).items()}
    except Refused as refused:
        return refused


def count(found: Shapes | Refused, is_drawn: bool, tally: Tally) -> None:
    outcome = "refused" if isinstance(found, Refused) else "accepted"
    tally.counts[f"{'drawn' if is_drawn else 'other'} sizes {outcome}"] += 1
    if isinstance(found, Refused) and found.rule:
        tally.rules[found.rule] += 1


def refused_at(graph: Graph, built: Built) -> Node | None:
    """The statement of the first error: further ones are of branches that do not depend on it."""
    error = next((d for d in built.diagnostics if d.severity == "error"), None)
    if error is None:
        return None
    assert error.span is not None
    return graph.node_at(error.span.source.text.count("\n", 0, error.span.start) + 1)


def same(built: Built, refused: Node | None, found: Shapes | Refused, where: str) -> None:
    """The checker at plain numbers: the same shapes, or an error at the statement that torch does not take."""
    if isinstance(found, Refused):
        assert refused is found.node, f"refused at {refused and refused.text}\nnot at {found.node.text}\n{where}"
        return
    assert built.graph is not None, f"refused: {built.diagnostics[0].message}\n{where}"
    assert shapes(built, {}) == found, f"{shapes(built, {})}\n{where}"


def same_in_general(
    built: Built, sizes: dict[str, int], found: Shapes | Refused, is_stretched: bool, where: str, tally: Tally
) -> None:
    """The symbolic answer at numbers: it takes those that torch takes, and gives the same shapes."""
    assert built.graph is not None
    tally.counts["symbolic: answered"] += 1
    conditions = [c for p in built.graph.needs.preconditions() for c in p.conditions]
    failing = [c for c in conditions if not c.holds(sizes)]
    where = f"{[p.text for p in built.graph.needs.preconditions()]}\n{where}"
    assert built.graph.needs.facts.allow(sizes) == (not failing), where
    if isinstance(found, Refused):
        assert failing, where
    elif failing:
        assert is_stretched, where
        # an equality may stand in other conditions: with A = B, "A * B > 1" is "B > 1"
        assert any(isinstance(c, Relation) and c.sign == "==" for c in failing), where
        tally.rules["a symbol is not stretched"] += 1
    else:
        assert shapes(built, sizes) == found, f"{shapes(built, sizes)}\n{where}"


def refused_in_general(graph: Graph, built: Built, random: Random, tally: Tally) -> None:
    """What is refused for symbols is taken by torch at few small sizes, if at any."""
    tally.counts["symbolic: refused"] += 1
    names = list(graph.sizes)
    for sizes in (dict.fromkeys(names, 840), {name: 840 * random.randint(1, 3) for name in names}):
        if not isinstance(in_torch(graph, sizes), Refused):
            found = in_torch(graph, graph.sizes, "cpu")  # the meta device may be the only one to take it
            assert isinstance(found, Refused), f"{built.diagnostics[0].message}\n{graph.text()}at {sizes}"


def shapes(built: Built, sizes: dict[str, int]) -> Shapes:
    assert built.graph is not None
    outputs = ((o.name.removeprefix("o_"), o.value.type) for o in built.graph.outputs)
    return {name: (tuple(evaluate(s, sizes) for s in t.shape), t.dtype) for name, t in outputs}
