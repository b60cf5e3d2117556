"""Writes what comes from the code into the documents: `python docs/generate.py`. A test fails where it is not current.

The reference of the operators is written as a whole. In the README and in the lessons, the block of code after
`<!-- file: PATH -->` is that file, and the one after `<!-- run: COMMAND -->` is what the command prints, `archdsl …` or
`python SCRIPT …`. The pictures of a lesson are written by the commands that it shows.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import runpy
import shlex
import sys
from pathlib import Path

import archdsl
from archdsl.op import Op
from archdsl.ops import FAMILIES
from archdsl.reference import arguments_table, description, example, markdown, signature

HERE = Path(__file__).parent
ROOT = HERE.parent
LESSONS = ROOT / "examples" / "lessons"

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


def filled(text: str, root: Path = ROOT) -> str:
    """A document with its marked blocks as files and commands give them now. Commands run in the folder ``root``."""
    return _BLOCK.sub(lambda match: _block(match, root), text)


def _block(match: re.Match[str], root: Path) -> str:
    kind, what, language = match.groups()
    content = (root / what).read_text(encoding="utf-8") if kind == "file" else printed(what, root)
    shown = f"$ {what}\n{content}" if kind == "run" and not language else content
    return f"<!-- {kind}: {what} -->\n```{language}\n{shown.rstrip()}\n```\n"


def printed(command: str, root: Path = ROOT) -> str:
    """What a command prints, in the folder of the project or a copy of it."""
    from archdsl.cli import main

    program, *arguments = shlex.split(command)
    out = io.StringIO()
    with contextlib.chdir(root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        if program == "python":
            _script(arguments)
        else:
            main(arguments)
    return out.getvalue()


def _script(arguments: list[str]) -> None:
    """In this process, which has imported torch already. A script may set torch's default element type for itself."""
    import torch

    before, sys.argv = sys.argv, arguments
    dtype = torch.get_default_dtype()
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    finally:
        sys.argv = before
        torch.set_default_dtype(dtype)


def write() -> None:
    """All documents, and the README's pictures."""
    import diagnostic_pages

    diagnostic_pages.write()
    (HERE / "operators.md").write_text(operators(), encoding="utf-8")
    for path in (ROOT / "README.md", *sorted(LESSONS.glob("*/README.md"))):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    for spec in (ROOT / "examples" / "tiny.arch", "resnet50"):
        model = archdsl.load(spec)
        model.diagram().save(HERE / "images" / f"{model.name.lower()}.svg")


if __name__ == "__main__":
    write()
