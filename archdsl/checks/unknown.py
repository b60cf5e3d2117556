"""Names that nothing defines, also in blocks that no model uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.build.env import FileScope
from archdsl.build.expressions import BUILTINS, WORDS
from archdsl.checks.claims import MEASURES
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.names import UnknownName
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.syntax import tree


def unknown_names(scope: FileScope) -> Iterator[Diagnostic]:
    """Names in blocks, models, fns and claims that neither they nor their file bind, and that are no built-in.

    Read off the text, so a name that is bound later or in another arm of an ``if`` passes here: building finds those.
    """
    for definition in scope.file.definitions:
        if isinstance(definition, tree.Block | tree.Fn | tree.Claim):
            yield from _unknown_in(definition, scope)


def _unknown_in(definition: tree.Block | tree.Fn | tree.Claim, scope: FileScope) -> Iterator[Diagnostic]:
    names = Names(definition)
    known = names.bound | scope.env.names.keys() | BUILTINS.keys() | {"it", "_"}
    if isinstance(definition, tree.Claim):
        known |= MEASURES.keys()
    for name in names.read:
        if name.text not in known and not any(family.fullmatch(name.text) for family in names.families):
            edits = respelt(name.span, name.text, known | WORDS)
            yield UnknownName(
                span=name.span, name=name.text, advice=did_you_mean(name.text, known | WORDS), edits=edits
            )


class Names:
    """The names of a definition: what it binds, and where it reads names."""

    def __init__(self, definition: tree.Block | tree.Fn | tree.Claim) -> None:
        self.bound: set[str] = {p.name.text for p in definition.params}
        self.families: list[re.Pattern[str]] = []
        """What computed names may bind: `c{i}` binds names such as `c3`."""
        self.read: list[tree.Name] = []
        no_reads: set[tree.Node | None] = {p.name for p in definition.params}
        no_reads.add(getattr(definition, "name", None))
        for node in tree.walk(definition):
            for name in _not_read(node):
                no_reads.add(name)
                if not isinstance(node, tree.Argument | tree.Attribute | tree.Labelled | tree.Output):
                    self._bind(name)
            if isinstance(node, tree.Shape):
                self.bound |= {d.text for d in node.dims if isinstance(d, tree.Name) and d.text[:1].isupper()}
            if isinstance(node, tree.Name) and node not in no_reads:
                self.read.append(node)

    def _bind(self, name: tree.Node) -> None:
        if isinstance(name, tree.Name):
            self.bound.add(name.text)
        elif isinstance(name, tree.Computed):
            self.families.append(family(name))


def family(name: tree.Computed) -> re.Pattern[str]:
    """The names that a computed name may come out as."""
    return re.compile("".join(re.escape(part) if isinstance(part, str) else r"\w*" for part in name.parts))


def _not_read(node: tree.Node) -> list[tree.Node]:
    """The names below a node that it binds, or that only say which: labels, names of arguments, element types."""
    found: list[tree.Node | None] = []
    match node:
        case tree.Let():
            found = [node.pattern]
        case tree.Step():
            found = [node.target]
        case tree.For() | tree.Clause():
            found = list(node.patterns)
        case tree.Input() | tree.Output() | tree.TensorParam() | tree.TensorBuffer():
            found = [node.name]
        case tree.Argument() | tree.Attribute():
            found = [node.name]
        case tree.Declare() | tree.Labelled():
            found = [node.label]
        case tree.Shape():
            found = [node.dtype]
        case tree.Broken():
            found = list(node.names)
    return [name for f in found if f is not None for name in _leaves(f)]


def _leaves(pattern: tree.Node) -> Iterator[tree.Node]:
    if isinstance(pattern, tree.Unpack):
        for item in pattern.items:
            yield from _leaves(item)
    else:
        yield pattern
