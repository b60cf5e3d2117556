"""The text of an emitted file: its docstring, imports, helpers and definitions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from archdsl.emit.torch.docs import docstring
from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.operators import import_statements
from archdsl.emit.torch.render import source
from archdsl.emit.torch.terms import literal
from archdsl.graph import Graph


def file_text(doc: str, definitions: Sequence[ast.stmt], helpers: Iterable[str]) -> str:
    """A file with this docstring, these definitions, and the helpers (by name) that they call."""
    brought = [HELPERS[h].source for h in helpers]
    head: list[ast.stmt] = [ast.Expr(literal(doc)), *_imports(definitions, brought)]
    return "\n\n".join([source(ast.Module(head, [])), *brought, source(ast.Module(list(definitions), []))])


def doc_of(graph: Graph) -> str:
    """What a file says of a network: its name and the shapes of its inputs and outputs."""
    shapes = ", ".join(f"{i.name} [{', '.join(map(str, i.value.shape))}]" for i in graph.inputs)
    results = ", ".join(
        f"{o.name} [{', '.join(map(str, o.value.shape))}]" for o in graph.outputs if not o.when_training
    )
    return docstring(f"{graph.name}: {shapes} to {results}")


def _imports(definitions: Sequence[ast.stmt], helpers: Sequence[str]) -> list[ast.stmt]:
    words = {n.id for d in definitions for n in ast.walk(d) if isinstance(n, ast.Name)}
    words |= {n.id for h in helpers for n in ast.walk(ast.parse(h)) if isinstance(n, ast.Name)}
    return ast.parse("\n".join(import_statements(words))).body
