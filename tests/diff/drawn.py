"""Random edits of shipped specs, each with the places that it edits, found from the text and not by matching.

An edit replaces characters of the text. The layers that a place of the text makes are those whose site is there; a file
that does not build after the edit is no draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from archdsl.compiler import from_buffers, shipped_specs
from archdsl.diagnostics.base import Diagnostic
from archdsl.diff.parts import Group, Leaf, Numbers, Reader
from archdsl.errors import SpecError
from archdsl.evaluate.workspace import followed
from archdsl.graph import Graph
from archdsl.model import open_model
from archdsl.source import Source
from archdsl.syntax import tree

MOST_LAYERS = 400
FRESH = "edited_here"
NEW_LAYERS = ("gelu", "dropout(0.25)", "softplus", "batchnorm(eps=0.25)")
OTHER_LAYERS = {"relu": "silu", "gelu": "mish", "silu": "gelu", "relu6": "silu", "hardswish": "mish", "sigmoid": "tanh"}


@dataclass(frozen=True)
class Place:
    """Characters ``start`` to ``end`` of a text."""

    source: Source
    start: int
    end: int

    def has(self, node: tree.Node) -> bool:
        return node.span.source.name == self.source.name and self.start <= node.span.start < self.end


@dataclass(frozen=True)
class Drawn:
    """An edit of a model, with the paths of the parts that it edits; of a swap, either of two may be named."""

    kind: str
    spec: str
    before: Graph
    after: Graph
    expected: frozenset[str]

    def is_named_by(self, paths: frozenset[str]) -> bool:
        if self.kind == "swap":
            return bool(paths) and paths <= self.expected
        return paths == self.expected


@dataclass(frozen=True)
class Subject:
    """A model of a file, with the tree of its parts."""

    path: Path
    model: str
    graph: Graph
    root: Group

    @property
    def source(self) -> Source:
        return self.graph.instance.scope.text.span.source

    def edited(self, source: Source, start: int, end: int, text: str) -> Graph | None:
        """The graph after characters of a file are replaced; None if it does not build."""
        new = source.text[:start] + text + source.text[end:]
        return build(self.path, self.model, {followed(Path(source.name)): new})


def build(path: Path, model: str, buffers: dict[Path, str]) -> Graph | None:
    spec = from_buffers(path, buffers)
    if isinstance(spec, Diagnostic) or model not in spec.buildable:
        return None
    try:
        return open_model(replace(spec, model=model), {}, {}).graph
    except SpecError:
        return None


def tree_of(graph: Graph) -> Group:
    return Reader(graph, Numbers(), {}).root()


def subjects(random: Random) -> Iterator[Subject]:
    """Models of the shipped specs, of up to so many layers, in random order without end."""
    listed: list[tuple[Path, str]] = []
    for path in shipped_specs():
        spec = from_buffers(path, {})
        assert not isinstance(spec, Diagnostic)
        listed += [(path, name) for name in spec.buildable]
    while True:
        path, name = random.choice(listed)
        graph = build(path, name, {})
        assert graph is not None
        if len(graph.nodes) <= MOST_LAYERS:
            yield Subject(path, name, graph, tree_of(graph))


def drawn(random: Random) -> Iterator[Drawn]:
    """Edits without end, each kind as often as it succeeds."""
    for subject in subjects(random):
        kind = random.choice(list(KINDS))
        found = KINDS[kind](subject, random)
        if found is not None:
            after, expected = found
            name = f"{subject.path.name}:{subject.model}"
            yield Drawn(kind, name, subject.graph, after, frozenset(expected))


# ---- the parts at a place ----------------------------------------------------------------------------------


def path_of(part: Leaf | Group) -> str:
    return f"{part.scope}.{part.name}" if part.scope else part.name


def at(root: Group, place: Place) -> list[Leaf]:
    """The layers that a place of the text makes."""
    return [leaf for leaf in root.leaves if place.has(leaf.node.site)]


def operator_sites(subject: Subject) -> list[tree.Node]:
    """Places of the text that make layers."""
    sites = dict.fromkeys(leaf.node.site for leaf in subject.root.leaves)
    return [site for site in sites if isinstance(site, tree.Call | tree.Name)]


def chains(subject: Subject) -> list[tuple[tree.Chain, int]]:
    """Chains with the number of an item that is one layer, not the first."""
    sites = {id(site) for site in operator_sites(subject)}
    files = dict.fromkeys(leaf.node.site.span.source for leaf in subject.root.leaves)
    definitions = {id(i.scope.text): i.scope.text for i in subject.graph.instance.walk()}
    found = {id(n): n for text in definitions.values() for n in tree.walk(text) if isinstance(n, tree.Chain)}
    assert files
    return [
        (chain, number)
        for chain in found.values()
        for number, item in enumerate(chain.items)
        if number and id(_bare(item)) in sites
    ]


def _bare(item: tree.Node) -> tree.Node:
    return item.item if isinstance(item, tree.Labelled) else item


# ---- kinds of edits ----------------------------------------------------------------------------------------

Found = tuple[Graph, set[str]] | None


def change_argument(subject: Subject, random: Random) -> Found:
    """Another number, or the other of true and false, as an argument of an operator."""
    numbers = [
        (site, argument.value)
        for site in operator_sites(subject)
        if isinstance(site, tree.Call)
        for argument in site.arguments
        if isinstance(argument.value, tree.Number)
    ]
    if not numbers:
        return None
    site, number = random.choice(numbers)
    value = number.value
    new = str(not value).lower() if isinstance(value, bool) else f"{2 * value or 1}"
    after = subject.edited(site.span.source, number.span.start, number.span.end, new)
    place = Place(site.span.source, site.span.start, site.span.start + 1)
    return None if after is None else (after, {path_of(leaf) for leaf in at(tree_of(after), place)})


def remove(subject: Subject, random: Random) -> Found:
    """A layer of a chain is removed."""
    listed = chains(subject)
    if not listed:
        return None
    chain, number = random.choice(listed)
    item, before = chain.items[number], chain.items[number - 1]
    source = item.span.source
    after = subject.edited(source, before.span.end, item.span.end, "")
    place = Place(source, item.span.start, item.span.end)
    return None if after is None else (after, {path_of(leaf) for leaf in at(subject.root, place)})


def insert(subject: Subject, random: Random) -> Found:
    """A layer is added behind another one in a chain."""
    listed = chains(subject)
    if not listed:
        return None
    chain, number = random.choice(listed)
    end = chain.items[number].span.end
    source = chain.span.source
    after = subject.edited(source, end, end, f" -> {random.choice(NEW_LAYERS)}")
    if after is None:
        return None
    place = Place(source, end + 4, end + 5)
    return after, {path_of(leaf) for leaf in at(tree_of(after), place)}


def replace_layer(subject: Subject, random: Random) -> Found:
    """An activation becomes another one."""
    sites = [s for s in operator_sites(subject) if isinstance(s, tree.Name) and s.text in OTHER_LAYERS]
    if not sites:
        return None
    site = random.choice(sites)
    after = subject.edited(site.span.source, site.span.start, site.span.end, OTHER_LAYERS[site.text])
    place = Place(site.span.source, site.span.start, site.span.start + 1)
    return None if after is None else (after, {path_of(leaf) for leaf in at(tree_of(after), place)})


def rename(subject: Subject, random: Random) -> Found:
    """A label is changed."""
    texts = {id(i.scope.text): i.scope.text for i in subject.graph.instance.walk()}
    labels = {
        id(n.label): n.label
        for text in texts.values()
        for n in tree.walk(text)
        if isinstance(n, tree.Labelled) and isinstance(n.label, tree.Name)
    }
    if not labels:
        return None
    label = random.choice(list(labels.values()))
    after = subject.edited(label.span.source, label.span.start, label.span.end, FRESH)
    if after is None:
        return None
    root = tree_of(after)
    parts = [*root.leaves, *root.groups()]
    return after, {path_of(part) for part in parts if part.label == FRESH}


def repeat(subject: Subject, random: Random) -> Found:
    """A number in a list of depths is one more."""
    text = subject.graph.instance.scope.definition
    source = subject.source if text is None else text.span.source
    spec = from_buffers(subject.path, {})
    assert not isinstance(spec, Diagnostic)
    definition = spec.models[subject.model].definition
    numbers = [
        item
        for n in tree.walk(definition)
        if isinstance(n, tree.ListOf) and len(n.items) > 1
        for item in n.items
        if isinstance(item, tree.Number) and type(item.value) is int and item.value < 10
    ]
    if not numbers:
        return None
    number = random.choice(numbers)
    source = number.span.source
    after = subject.edited(source, number.span.start, number.span.end, f"{number.value + 1}")
    if after is None or len(after.weights) <= len(subject.graph.weights):
        return None
    known = {group.path for group in subject.root.groups()}
    new = [group for group in tree_of(after).groups() if group.path not in known]
    outermost = {group.path for group in new if group.scope in known}
    return (after, outermost) if len(outermost) == 1 else None


def swap(subject: Subject, random: Random) -> Found:
    """Two layers next to each other in a chain change places."""
    listed = [
        (chain, number) for chain, number in chains(subject) if number > 1 and (chain, number - 1) in chains(subject)
    ]
    if not listed:
        return None
    chain, number = random.choice(listed)
    first, second = chain.items[number - 1 : number + 1]
    source = chain.span.source
    texts = [source.text[item.span.start : item.span.end] for item in (first, second)]
    if texts[0].split("(")[0].split(":")[-1].strip() == texts[1].split("(")[0].split(":")[-1].strip():
        return None  # two layers of one operator are changed rather than moved
    between = source.text[first.span.end : second.span.start]
    after = subject.edited(source, first.span.start, second.span.end, texts[1] + between + texts[0])
    if after is None:
        return None
    place = Place(source, first.span.start, second.span.end)
    return after, {path_of(leaf) for leaf in at(tree_of(after), place)}


def change_nothing(subject: Subject, random: Random) -> Found:
    """Names of values, comments, empty lines, and loops written over lists."""
    source = subject.source
    way = random.choice(("comment", "loop", "name"))
    nodes = list(tree.walk(subject.graph.instance.scope.text))
    if way == "comment":
        line = source.text.find("\n", random.randrange(len(source.text)))
        after = subject.edited(source, line, line, "  # nothing\n") if line >= 0 else None
    elif way == "loop":
        loops = [n.iterable for n in nodes if isinstance(n, tree.For) and isinstance(n.iterable, tree.Range)]
        if not loops:
            return None
        span = random.choice(loops).span
        after = subject.edited(source, span.start, span.end, f"[each for each in {span.text}]")
    else:
        named = [n.target for n in nodes if isinstance(n, tree.Step) and isinstance(n.target, tree.Name)]
        named += [n.pattern for n in nodes if isinstance(n, tree.Let) and isinstance(n.pattern, tree.Name)]
        if not named:
            return None
        name = random.choice(named).text
        spans = [n.span for n in nodes if isinstance(n, tree.Name) and n.text == name]
        text = source.text
        for span in sorted(spans, key=lambda s: -s.start):
            text = text[: span.start] + FRESH + text[span.end :]
        after = subject.edited(source, 0, len(source.text), text)
    return None if after is None else (after, set())


KINDS: dict[str, Callable[[Subject, Random], Found]] = {
    "argument": change_argument,
    "remove": remove,
    "insert": insert,
    "replace": replace_layer,
    "rename": rename,
    "repeat": repeat,
    "swap": swap,
    "nothing": change_nothing,
}
