"""Writes the documents that come from the code: `python docs/generate.py`. A test fails where they are not current."""

from __future__ import annotations

import inspect
from pathlib import Path

from archdsl.arguments import show
from archdsl.op import Op, Parameter, parameters
from archdsl.ops import FAMILIES

HERE = Path(__file__).parent

INTRODUCTION = """\
# Operators

Written by `python docs/generate.py` from the operators' declarations: every argument with its meaning and default, and
an example that is run as a test. Arguments go by position, in this order, or by name.
"""


def operators() -> str:
    """The reference of all operators, family by family."""
    parts = [INTRODUCTION]
    for family in FAMILIES:
        words = [op for op in family.OPS if not op.is_internal]
        if words:
            parts.append(f"## {_title(family)}\n")
            parts.extend(_operator(op) for op in words)
    return "\n".join(parts)


def _title(family: object) -> str:
    """The first line of a family's file, without its period."""
    return _markdown((inspect.getdoc(family) or "").split("\n")[0].rstrip(".").split(": ")[0])


def _operator(op: type[Op]) -> str:
    text, _, example = (inspect.getdoc(op) or "").partition("Example:")
    known = parameters(op)
    lines = [
        f"### `{op.name}`",
        "",
        f"```\n{op.name}({', '.join(_signature(p) for p in known)})\n```",
        "",
        _markdown(text),
        "",
    ]
    if known:
        lines += ["| argument | default | meaning |", "| --- | --- | --- |", *map(_row, known), ""]
    lines += ["```arch", inspect.cleandoc(example), "```", ""]
    return "\n".join(lines)


def _markdown(text: str) -> str:
    """A docstring's double backticks as Markdown's single ones."""
    return text.strip().replace("``", "`")


def _signature(parameter: Parameter) -> str:
    if parameter.required:
        return parameter.name
    return f"{parameter.name}={'…' if parameter.default is None else show(parameter.default)}"


def _row(parameter: Parameter) -> str:
    default = "required" if parameter.required else "" if parameter.default is None else f"`{show(parameter.default)}`"
    return f"| `{parameter.name}` | {default} | {_markdown(parameter.doc).replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    (HERE / "operators.md").write_text(operators(), encoding="utf-8")
