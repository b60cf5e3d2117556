"""Runs the terminal sessions of docs/tutorials and writes what they print: `python docs/tutorials.py`.

A block ```` ```console ```` holds commands after `$ `, each with its output at 80 columns. A block after
`<!-- write: PATH -->` is the text of that file. All of a page runs in one empty folder, in this process.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGES = sorted((HERE / "tutorials").glob("*.md"))

_BLOCK = re.compile(r"(<!-- write: (?P<path>\S+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```\n", re.DOTALL)


def filled(text: str, folder: Path) -> str:
    """The page with the outputs that its commands have now; they run in a folder, which must be empty."""
    with contextlib.chdir(folder), _columns(80):
        return _BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    if match["path"]:
        path = Path(match["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(match["text"], encoding="utf-8")
        return match[0]
    if match["language"] != "console":
        return match[0]
    commands = [line for line in match["text"].splitlines() if line.startswith("$ ")]
    return "```console\n" + "".join(f"{command}\n{_printed(command[2:])}" for command in commands) + "```\n"


def _printed(command: str) -> str:
    """What a command prints, on both streams."""
    from archdsl.cli import main

    program, *arguments = shlex.split(command)
    if program == "cd":
        os.chdir(arguments[0])
        return ""
    assert program == "archdsl", command
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
        main(arguments)
    return out.getvalue().replace(f"{ROOT}/", "")


@contextlib.contextmanager
def _columns(count: int) -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(count)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


if __name__ == "__main__":
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(filled(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
