"""Members of a ``seq`` whose numbers archdsl 0.1 counted otherwise: there, values took numbers too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.lints import NumbersChanged
from archdsl.graph import (
    Branch,
    BranchTaken,
    Event,
    Graph,
    Instance,
    LoopEvent,
    Merged,
    Module,
    OpRun,
    OutputEvent,
    ScopeRun,
)
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree

SHOWN = 3
"""Changes that a message lists."""


@record
class _Turn:
    """One turn of a loop around a member: its number from 0, and the whole numbers that its variables are."""

    loop: tree.For
    number: int
    variables: dict[str, int]


@record
class _Member:
    """A member that ran: its place in the text and in the network, its number in 0.1, and the loops around it."""

    span: Span
    module: Module
    turns: tuple[_Turn, ...]

    @property
    def formerly(self) -> str:
        return self.module.formerly or self.module.name


def renumbered_members(graphs: Sequence[Graph]) -> Iterator[Diagnostic]:
    """Each seq of the text that holds weights under other names than in 0.1, with the old numbers as labels."""
    former = {module: path for graph in graphs for module, path in _former_paths(graph.root)}
    seqs: dict[tree.Node, list[_Member]] = {}
    for instance in (i for graph in graphs for i in graph.instance.walk()):
        if instance.scope.kind == "seq":
            seqs.setdefault(instance.scope.text, []).extend(_members(instance))
    changed = {text: pairs for text, members in seqs.items() if (pairs := _changes(members, former))}
    runs = _runs(graphs) if changed else {}
    for text, pairs in changed.items():
        shown = [f"`{old}` is now `{new}`" for old, new in list(pairs.items())[:SHOWN]]
        more = f", and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
        yield NumbersChanged(span=_word(text), changes=", ".join(shown) + more, edits=_edits(seqs[text], runs))


def _former_paths(root: Module) -> Iterator[tuple[Module, str]]:
    """The paths of all modules in 0.1."""
    stack = [(root, "")]
    while stack:
        module, path = stack.pop()
        yield module, path
        stack += [(m, f"{path}.{m.formerly or m.name}".removeprefix(".")) for m in module.children.values()]


def _changes(members: Sequence[_Member], former: dict[Module, str]) -> dict[str, str]:
    """Old and new paths of the members that hold weights and have another number."""
    changed = [m.module for m in members if m.module.formerly is not None]
    return {former[m]: m.path for m in changed if next(m.weights(), None) is not None}


def _word(text: tree.Node) -> Span:
    """The word `seq`."""
    return Span(text.span.source, text.span.start, text.span.start + len("seq"))


def _members(instance: Instance) -> list[_Member]:
    """The members of a seq that have a number."""
    places = set(instance.module.children.values())
    found = {
        module: _Member(site.span, module, turns)
        for site, module, turns in _ran(instance.events, ())
        if module in places and module.name.isdecimal()
    }
    return list(found.values())


def _ran(events: Iterable[Event], turns: tuple[_Turn, ...]) -> Iterator[tuple[tree.Node, Module, tuple[_Turn, ...]]]:
    """What ran under a name of its own, scopes below not entered, with the loops around it."""
    for event in events:
        match event:
            case OpRun(site=site, node=node) if node.module is not None:
                yield site, node.module, turns
            case ScopeRun(site=site, instance=instance):
                yield site, instance.module, turns
            case BranchTaken(events=inner) | OutputEvent(events=inner) | Branch(events=inner) | Merged(events=inner):
                yield from _ran(inner, turns)
            case LoopEvent(site=tree.For() as loop, turns=looped):
                for number, turn in enumerate(looped):
                    whole = {n: v for n, v in turn.variables.items() if isinstance(v, int) and not isinstance(v, bool)}
                    yield from _ran(turn.events, (*turns, _Turn(loop, number, whole)))


def _runs(graphs: Sequence[Graph]) -> dict[Span, int]:
    """How many modules stand at each place of the text."""
    modules: dict[Span, set[Module]] = {}
    for instance in (i for graph in graphs for i in graph.instance.walk()):
        for site, module, _ in _ran(instance.events, ()):
            modules.setdefault(site.span, set()).add(module)
    return {span: len(found) for span, found in modules.items()}


def _edits(members: Sequence[_Member], runs: dict[Span, int]) -> tuple[Edit, ...]:
    """The old numbers as labels of all members; none where one of them has no label that fits all its runs."""
    by_place: dict[Span, list[_Member]] = {}
    for member in members:
        by_place.setdefault(member.span, []).append(member)
    edits: dict[tuple[Span, str], Edit] = {}
    for span, found in by_place.items():
        if all(member.module.formerly is None for member in found):
            continue
        label = _label(found) if runs[span] == len(found) else None
        if label is None:
            return ()
        text, loops = label
        for edit in (*loops, Edit(Span(span.source, span.start, span.start), f'"{text}": ')):
            edits[edit.span, edit.replacement] = edit
    return tuple(edits.values())


def _label(members: Sequence[_Member]) -> tuple[str, list[Edit]] | None:
    """A label that is the old number in every run, and what it needs of the loops around it."""
    first = members[0]
    loops = [turn.loop for turn in first.turns]
    if any([turn.loop for turn in member.turns] != loops for member in members):
        return None
    fitted = _fitted([([turn.number for turn in m.turns], int(m.formerly)) for m in members])
    if fitted is None:
        return None
    factors, start = fitted
    terms: list[str] = []
    edits: list[Edit] = []
    taken = {n.text for loop in loops for n in tree.walk(loop) if isinstance(n, tree.Name)}
    for place, (loop, factor) in enumerate(zip(loops, factors, strict=True)):
        if not factor:
            continue
        name, first_value, changes = _counted(loop, [m.turns[place] for m in members], taken)
        taken.add(name)
        edits += changes
        start -= factor * first_value
        terms.append(name if factor == 1 else f"{factor} * {name}")
    if not terms:
        return str(start), edits
    rest = "" if not start else f" + {start}" if start > 0 else f" - {-start}"
    return f"{{{' + '.join(terms)}{rest}}}", edits


def _fitted(rows: Sequence[tuple[list[int], int]]) -> tuple[list[int], int] | None:
    """Factors and a start with ``sum(factor * turn) + start == number`` in every row; None if there are none."""
    origin, value = rows[0]
    factors = []
    for place in range(len(origin)):
        alone = (row for row in rows if _differ_at(place, origin, row[0]))
        turns, number = next(alone, (origin, value))
        steps = turns[place] - origin[place] or 1
        if (number - value) % steps:
            return None
        factors.append((number - value) // steps)
    start = value - sum(f * t for f, t in zip(factors, origin, strict=True))
    fits = all(sum(f * t for f, t in zip(factors, turns, strict=True)) + start == number for turns, number in rows)
    return (factors, start) if fits else None


def _differ_at(place: int, left: Sequence[int], right: Sequence[int]) -> bool:
    """Do two rows differ there, and nowhere else?"""
    return all((a != b) is (at == place) for at, (a, b) in enumerate(zip(left, right, strict=True)))


def _counted(loop: tree.For, turns: Sequence[_Turn], taken: set[str]) -> tuple[str, int, list[Edit]]:
    """A variable that counts the turns of a loop and its value in the first; and the edits that make one."""
    for name in turns[0].variables:
        starts = {turn.variables.get(name, -1) - turn.number for turn in turns}
        if name != "_" and len(starts) == 1:
            return name, starts.pop(), []
    free = next(n for n in ("i", "j", "k", *(f"i{c}" for c in range(1000))) if n not in taken)
    patterns = loop.patterns[0].span.to(loop.patterns[-1].span)
    if patterns.text == "_" and isinstance(loop.iterable, tree.Range):
        return free, turns[0].variables["_"] - turns[0].number, [Edit(patterns, free)]
    kept = patterns.text if len(loop.patterns) == 1 else f"[{patterns.text}]"
    around = f"enumerate({loop.iterable.span.text})"
    return free, 0, [Edit(patterns, f"{free}, {kept}"), Edit(loop.iterable.span, around)]
