"""Writes what comes from the code into the documents: `python docs/generate.py`. A test fails where it is not current.

The reference of the operators is written as a whole. In the README, the block of code after `<!-- file: PATH -->` is
that file, and the one after `<!-- run: COMMAND -->` is what the command prints.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import shlex
from pathlib import Path

import archdsl
from archdsl.op import Op
from archdsl.ops import FAMILIES
from archdsl.reference import arguments_table, description, example, markdown, signature

HERE = Path(__file__).parent
ROOT = HERE.parent

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
    return markdown((inspect.getdoc(family) or "").split("\n")[0].rstrip(".").split(": ")[0])


def _operator(op: type[Op]) -> str:
    lines = [f"### `{op.name}`", "", f"```\n{signature(op)}\n```", "", description(op), ""]
    if table := arguments_table(op):
        lines += [*table, ""]
    lines += ["```arch", example(op), "```", ""]
    return "\n".join(lines)


_BLOCK = re.compile(r"<!-- (file|run): (.+?) -->\n```(\w*)\n.*?```\n", re.DOTALL)


def readme(text: str) -> str:
    """The README with its marked blocks as the files and commands give them now."""
    return _BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    kind, what, language = match.groups()
    content = (ROOT / what).read_text(encoding="utf-8") if kind == "file" else printed(what)
    shown = f"$ {what}\n{content}" if kind == "run" and not language else content
    return f"<!-- {kind}: {what} -->\n```{language}\n{shown.rstrip()}\n```\n"


def printed(command: str) -> str:
    """What a command prints, in the folder of the project."""
    from archdsl.cli import main

    out = io.StringIO()
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main(shlex.split(command)[1:])
    finally:
        os.chdir(before)
    return out.getvalue()


def write() -> None:
    """All documents, and the README's pictures."""
    import diagnostic_pages

    diagnostic_pages.write()
    (HERE / "operators.md").write_text(operators(), encoding="utf-8")
    path = ROOT / "README.md"
    path.write_text(readme(path.read_text(encoding="utf-8")), encoding="utf-8")
    for spec in (ROOT / "examples" / "tiny.arch", "resnet50"):
        model = archdsl.load(spec)
        model.diagram().save(HERE / "images" / f"{model.name.lower()}.svg")


if __name__ == "__main__":
    write()
