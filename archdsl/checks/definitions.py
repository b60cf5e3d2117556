"""Definitions that no model uses: they are held to the same rules as those that one does."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.names import Recursive
from archdsl.dims import Needs
from archdsl.evaluate.evaluator import Evaluator
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.recursion import recursion
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import Env, FileScope
from archdsl.syntax import tree


def recursive_definitions(scope: FileScope) -> Iterator[Diagnostic]:
    """Blocks and fns whose text leads back to them; one message for each circle."""
    told: set[str] = set()
    for definition in scope.file.definitions:
        if not isinstance(definition, tree.Block | tree.Fn) or definition.name.text in told:
            continue
        if isinstance(definition, tree.Block) and definition.kind == "model":
            continue  # building it finds out
        route = recursion(definition, scope)
        if route:
            told.update(route)
            yield Recursive(span=definition.name.span, name=definition.name.text, route=" → ".join(route))


def top_level_values(scope: FileScope) -> Iterator[Diagnostic]:
    """What is wrong with the ``let``s of a file."""
    for definition in scope.file.definitions:
        if not isinstance(definition, tree.Let):
            continue
        session = Session(Needs())
        evaluator = Evaluator(session)
        for name in tree.walk(definition.pattern):
            if isinstance(name, tree.Name):
                try:
                    evaluator.resolve(name.text, name, Env(scope.env))
                except Fault as fault:
                    session.report(fault.diagnostic)
                except (UsesErrorValue, Abort):
                    pass
        yield from session.diagnostics
