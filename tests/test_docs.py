"""Documents that come from the code are current, and links between documents lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import archdsl
from archdsl.cli import _parser

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "examples" / "lessons").glob("*/README.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


@pytest.fixture(scope="module")
def generate():
    specification = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_changelog_ends_with_this_version() -> None:
    """The newest section with a number is that of `archdsl --version`; the editor's extension has the same."""
    released = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert released[0] == archdsl.__version__
    extension = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text(encoding="utf-8"))
    assert extension["version"] == archdsl.__version__


def test_the_operator_reference_is_current(generate) -> None:
    written = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert generate.operators() == written, "run: python docs/generate.py"


def test_what_the_readme_shows_is_what_the_tool_prints(generate) -> None:
    written = (ROOT / "README.md").read_text(encoding="utf-8")
    assert generate.filled(written) == written, "run: python docs/generate.py"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Several workers side by side are faster with one each."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("page", LESSONS, ids=lambda p: p.parent.name)
def test_a_lesson_shows_what_its_commands_give(generate, page: Path, tmp_path: Path) -> None:
    """Run in a copy without the pictures: the text is what is printed, and the pictures are drawn anew.

    What trains or amplifies rounding computes in float64, on images that are not resized: its figures differ between
    processors and thread counts by less than they are rounded to.
    """
    for folder in ("examples", "specs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.png", "*.svg"))
    written = page.read_text(encoding="utf-8")
    found = generate.filled(written, tmp_path).replace(f"{ROOT}/", "")  # a spec by name is the shipped one
    assert _without_fractions(found) == _without_fractions(written), "run: python docs/generate.py"
    assert _fractions(found) == pytest.approx(_fractions(written), rel=0.1), "run: python docs/generate.py"
    pictures = re.findall(r"(?:src=\"|!\[[^\]]*\]\()([^\s\")]+)", written)
    assert pictures
    for picture in pictures:
        assert (tmp_path / page.relative_to(ROOT)).with_name(picture).stat().st_size > 1_000
        assert page.with_name(picture).stat().st_size < 160_000


FRACTION = re.compile(r"\d+\.\d+(?:e[-+]\d+)?|\d+e[-+]\d+")
"""What was measured in floating point: another processor may give another last digit."""


def _without_fractions(text: str) -> str:
    return FRACTION.sub("…", text)


def _fractions(text: str) -> list[float]:
    return [float(number) for number in FRACTION.findall(text)]


def test_the_tables_of_the_zoo_are_current() -> None:
    """But for what stands in italics: seconds, and the lines of the torchvision that is installed."""
    command = [sys.executable, str(ROOT / "docs" / "zoo.py"), "-"]
    printed = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    written = (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8")
    assert _without_italics(printed) == _without_italics(written), "run: python docs/zoo.py"


def _without_italics(text: str) -> str:
    return re.sub(r"(?<!\*)\*[\d.%]+\*(?!\*)", "*…*", text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_are_ones_that_there_are(path: Path) -> None:
    """Those in blocks of code, with whatever stands for a path or a number in them: their flags exist."""
    text = path.read_text(encoding="utf-8")
    for _, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for line in re.findall(r"^ *(?:\$ )?archdsl (.+)", block.replace("\\\n", " "), re.MULTILINE):
            words = shlex.split(re.sub(r"[\[\]](?=[ \n]|$|--)", "", line), comments=True)
            arguments = [re.sub(r"\$seed", "0", word) for word in words]
            _parser(arguments).parse_args(arguments)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_anchors_are_headings(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-")
        for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in headings


@pytest.mark.parametrize(
    "command",
    [
        "check examples/tiny.arch",
        "check examples/mistakes/residual.arch",
        "summary examples/tiny.arch",
        "compare examples/tiny.arch lenet5",
    ],
)
def test_every_key_of_the_json_is_documented(generate, command: str) -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    names = {"image", "logits", "N", "float32", "int64"}  # of the network, not of the format
    printed = json.loads(generate.printed(f"archdsl {command} --format json"))
    assert [key for key in sorted(_keys(printed) - names) if f"`{key}`" not in written] == []


def _keys(facts: object) -> set[str]:
    if isinstance(facts, dict):
        return set(facts) | {k for v in facts.values() for k in _keys(v)}
    return {k for v in facts for k in _keys(v)} if isinstance(facts, list) else set()
