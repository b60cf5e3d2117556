"""``archdsl new``: a folder with a first spec, its claims, a README and a CI workflow."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from archdsl.cli.common import report_written, shown
from archdsl.diagnostics.files import CannotWrite
from archdsl.errors import SpecError
from archdsl.files import cannot_write, write_whole

TEMPLATES = Path(__file__).parent / "project"
FILES = {
    "net.arch": "{stem}.arch",
    "README.md": "README.md",
    "archdsl.yml": ".github/workflows/archdsl.yml",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
}
"""Where each template goes."""
WORD = re.compile(r"[^\W_]+", re.ASCII)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=project, metavar="NAME", help="folder to make; the network is named after it")


def project(text: str) -> Path:
    """Reads the name of a folder that a model can be named after, for argparse."""
    path = Path(text)
    if not text or not _model_name(path.resolve().name)[:1].isalpha():
        raise argparse.ArgumentTypeError(f"no model can be named after {text!r}: begin the name with a letter")
    return path


def run(args: argparse.Namespace) -> int:
    """Writes the files, and prints the next commands.

    Raises:
        SpecError: the folder is not empty, or cannot be written.
    """
    folder: Path = args.name
    _must_be_empty(folder)
    name = folder.resolve().name
    stem = "_".join(WORD.findall(name)).lower()
    values = {"NAME": _model_name(name), "FILE": f"{stem}.arch", "STEM": stem}
    for template, target in FILES.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        path = folder / target.format(stem=stem)
        write_whole(path, _PLACEHOLDER.sub(lambda found: values[found[0]], text).encode())
        report_written(path)
    print(f"\nnext: cd {shown(shlex.quote(str(folder)))} && archdsl check {stem}.arch && archdsl viz {stem}.arch")
    return 0


_PLACEHOLDER = re.compile(r"\b(?:NAME|FILE|STEM)\b")


def _model_name(folder: str) -> str:
    """``my-net`` and ``my_net`` are ``MyNet``; ``ResNet`` is unchanged."""
    return "".join(word[:1].upper() + word[1:] for word in WORD.findall(folder))


def _must_be_empty(folder: Path) -> None:
    """
    Raises:
        SpecError: the folder holds files, or is a file.
    """
    try:
        held = next(folder.iterdir(), None) if folder.exists() else None
    except OSError as error:
        raise SpecError([cannot_write(folder, error)]) from None
    if held is not None:
        raise SpecError([CannotWrite(span=None, path=str(folder), reason="the folder is not empty")])
