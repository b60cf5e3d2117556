"""One run over a spec: what was found, what was spent, and which definitions are open.

A fault is an exception that is caught at the statement it makes unknown (see ``faults``); there it becomes one
diagnostic of the session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from archdsl.diagnostics.base import Diagnostic, Frame
from archdsl.diagnostics.names import Recursive, TooMuch
from archdsl.dims import Needs
from archdsl.evaluate.faults import Abort, Fault
from archdsl.evaluate.memory import Memory
from archdsl.evaluate.pure import plain_count
from archdsl.evaluate.recursion import recursion
from archdsl.evaluate.sizes import Questions
from archdsl.evaluate.values import FileScope, SpecValue
from archdsl.syntax import tree

MAX_STEPS = 1_000_000
"""Expressions evaluated for one model: beyond any network (Swin v2-B takes 703,000), two seconds of work."""
MAX_NESTING = 60
"""Blocks inside blocks."""


class Session:
    """What the evaluator and the elaborator share while they run over one model, claim or value."""

    def __init__(self, needs: Needs, memory: Memory[SpecValue] | None = None) -> None:
        self.needs = needs
        self.memory: Memory[SpecValue] = memory if memory is not None else Memory()
        """What functions and comprehensions gave on plain numbers, in any model of the file."""
        self.diagnostics: list[Diagnostic] = []
        self.is_incomplete = False
        """Something was left out because of a fault, found here or in a file."""
        self.frames: list[Frame] = []
        """The trace of instantiation, outermost first."""
        self.active: list[tree.Node] = []
        """Definitions being expanded, outermost first."""
        self.top: tree.Block | None = None
        """The model that is being built."""
        self.lost_families: list[re.Pattern[str]] = []
        """Computed names that a fault left unbound: what they may be is not unknown."""
        self._reported: set[object] = set()
        self._charged: set[Hashable] = set()
        """What is remembered, and paid for in this session."""
        self._steps = 0

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic with the trace of where we are; the same fault in another instance is not repeated."""
        key = (diagnostic.code, diagnostic.span)
        if key in self._reported:
            return
        self._reported.add(key)
        if not diagnostic.trace:
            diagnostic = replace(diagnostic, trace=tuple(reversed(self.frames)))
        self.diagnostics.append(diagnostic)

    def spend(self, node: tree.Node, steps: int = 1) -> None:
        """Count work; stop where a spec asks for absurdly much."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            self.give_up(TooMuch(span=node.span, limit=f"{MAX_STEPS:,}", what="evaluation steps"))

    def give_up(self, diagnostic: Diagnostic) -> NoReturn:
        """Report what makes the spec too large to go on."""
        self.report(diagnostic)
        raise Abort

    def once(self, key: Hashable | None, node: tree.Node, evaluate: Callable[[], SpecValue]) -> SpecValue:
        """What an evaluation gives; of what depends on plain numbers only, what it gave before, paid for once."""
        if key is None:
            return evaluate()
        known = self.memory.find(key)
        if known is None:
            before = self._steps
            result = evaluate()
            count = plain_count(result)
            if count is not None:
                self.memory.keep(key, result, count, self._steps - before)
            self._charged.add(key)
            return result
        if key not in self._charged:
            self._charged.add(key)
            self.spend(node, known.steps)
        return known.result

    def questions(self, site: tree.Node) -> Questions:
        """Questions about sizes that are asked at a place of the text."""
        return Questions(self.needs, site, self.frames)

    @contextmanager
    def expanding(
        self, definition: tree.Block | tree.Fn, file: FileScope, name: str, site: tree.Node
    ) -> Generator[None]:
        """While a definition is expanded: it may not name itself, nor nest absurdly deep."""
        route = recursion(definition, file)
        if route:
            raise Fault(Recursive(span=definition.name.span, name=name, route=" → ".join(route)))
        if len(self.active) >= MAX_NESTING:
            raise Fault(TooMuch(span=site.span, limit=str(MAX_NESTING), what="nested blocks"))
        self.active.append(definition)
        try:
            yield
        finally:
            self.active.pop()
