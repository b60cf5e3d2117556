"""Bodies of ``forward`` before and after an idiom."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from textwrap import dedent, indent

from archdsl.emit.torch.lower.classir import ClassIR
from archdsl.emit.torch.lower.idioms import Idiom
from archdsl.emit.torch.render import source
from archdsl.program.hints import NO_HINT, Hint


def after(idiom: Idiom, body: str, hints: Mapping[str, Hint] | None = None) -> str:
    """The body of ``forward(self, x)`` after one idiom. Variables ``v1``, ``v2``, … have a hint, perhaps empty."""
    text = "def forward(self, x):\n" + indent(dedent(body), "    ")
    (method,) = ast.parse(text).body
    assert isinstance(method, ast.FunctionDef)
    numbered = {n.id for n in ast.walk(method) if isinstance(n, ast.Name) and n.id[0] == "v" and n.id[1:].isdigit()}
    all_hints = {**dict.fromkeys(sorted(numbered), NO_HINT), **(hints or {})}
    (made,) = idiom(ClassIR("nn.Module", (), (), (), (method,), hints={"forward": all_hints})).methods
    return dedent(source(ast.Module([made], [])).split("\n", 1)[1])


def statement(
    number: int, *turns: int, is_merged: bool = False, is_light: bool = False, is_random: bool = False
) -> Hint:
    """A value that a statement of the text computes, on a line of its own."""
    return Hint((), False, (number, *turns), number, is_merged, is_light, is_random)
