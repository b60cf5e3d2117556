"""The pages in `docs/diagnostics`: for every code what it means, an example, and the fixed example.

What it means is the docstring of its class. The example is a folder `tests/diagnostics/examples/CODE`: `wrong.arch` and
`fixed.arch`, which `archdsl check` reads; or `wrong.sh` and `fixed.sh`, commands; or `wrong.py` and `fixed.py`. What
needs a broken disk or a day of training has a sample of its message instead (`tests/diagnostics/samples.py`).
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import os
import runpy
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.catalogue import catalogue
from archdsl.diagnostics.render import render
from archdsl.errors import SpecError

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "diagnostics"
EXAMPLES = ROOT / "tests" / "diagnostics" / "examples"
LANGUAGES = {".sh": "sh", ".py": "python", ".arch": "arch"}


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    made = {f"{code}.md": page(code) for code in catalogue()}
    return {**made, "README.md": index()}


def index() -> str:
    """A list of all codes."""
    lines = [
        "# Diagnostics",
        "",
        "Written by `python docs/generate.py`. `archdsl explain CODE` shows a page in the terminal.",
        "",
        *(f"- [{code}]({code}.md): {summary(kind)}" for code, kind in catalogue().items()),
    ]
    return "\n".join(lines) + "\n"


def summary(kind: type[Diagnostic]) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0].rstrip(".")


def page(code: str) -> str:
    """One page."""
    kind = catalogue()[code]
    body = (inspect.getdoc(kind) or "").partition("\n")[2].strip()
    parts = [f"# {code}: {summary(kind)}", *([body] if body else [])]
    folder = EXAMPLES / code
    if folder.is_dir():
        fixed = _example(folder, "fixed")
        parts += [*_example(folder, "wrong"), *_others(folder), *(["Fixed:", *fixed] if fixed else [])]
    else:
        parts += ["It looks like this:", _fence(render([sample(code)]))]
    return "\n\n".join(parts) + "\n"


def sample(code: str) -> Diagnostic:
    """A diagnostic with fields made up."""
    specification = importlib.util.spec_from_file_location("samples", ROOT / "tests" / "diagnostics" / "samples.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return catalogue()[code](**{"span": None, **module.SAMPLES[code]})


def _example(folder: Path, stem: str) -> list[str]:
    """The wrong or the fixed text and its output."""
    file = min(folder.glob(f"{stem}.*"), key=lambda p: p.suffix == ".arch", default=None)
    if file is None:
        return []
    shown = run(folder, stem)
    text = file.read_text(encoding="utf-8").rstrip()
    command = text if file.suffix == ".sh" else f"archdsl check {file.name}"
    parts = [] if file.suffix == ".sh" else [_fence(text, LANGUAGES[file.suffix])]
    said = f"$ {command}\n{shown}" if file.suffix != ".py" else shown
    return [*parts, *([_fence(said)] if said.strip() else [])]


def _others(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.arch")):
        name = str(file.relative_to(folder))
        if name not in ("wrong.arch", "fixed.arch") or (folder / "wrong.sh").exists():
            yield f"`{name}`:"
            yield _fence(file.read_text(encoding="utf-8").rstrip(), "arch")


def _fence(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def run(folder: Path, stem: str) -> str:
    """Returns the output of the wrong or fixed example, in a copy of its folder."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        with _working_in(Path(copy)):
            if (folder / f"{stem}.py").exists():
                return _python(f"{stem}.py")
            script = Path(f"{stem}.sh")
            command = script.read_text() if script.exists() else f"archdsl check {stem}.arch"
            return command_output(command)


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def command_output(command: str) -> str:
    from archdsl.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        main(shlex.split(command)[1:])
    return out.getvalue()


def _python(name: str) -> str:
    """What a script prints, its error as a terminal shows it."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            runpy.run_path(name)
    except SpecError as error:
        return f"archdsl.errors.SpecError: {error}"
    return out.getvalue()


def write() -> None:
    """All pages; what belongs to no code is removed."""
    PAGES.mkdir(exist_ok=True)
    made = pages()
    for old in PAGES.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
