"""Help texts, diagnostics and documents avoid a reviewed list of coined, archaic and British words.

A reader knows PyTorch and may know no more English than its documentation uses. A word is banned outright where it has
no technical meaning, and else only in the phrases in which it was coined.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from archdsl.cli import COMMANDS
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.catalogue import catalogue
from archdsl.diagnostics.elsewhere import STANDS_FOR

ROOT = Path(__file__).parents[1]

WORDS = {
    "mend mends mended mending": "fix",
    "dearest": "most expensive",
    "spoil spoils spoilt spoiled": "invalidate",
    "stranger strangers": "disallowed construct",
    "strand strands": "lane",
    "abreast": "aligned",
    "told tells": "reported, stated",
    "formless": "unsupported",
    "picture pictures photograph": "image",
    "anew": "again",
    "midst": "within",
    "whilst amongst": "while, among",
    "misspelt": "misspelled",
    "colour colours coloured": "color",
    "normalise normalised normalises normalisation": "normalize",
    "initialise initialised initialisation": "initialize",
    "optimise optimised optimisation": "optimize",
    "generalise generalised generalisation": "generalize",
    "labelled labelling": "labeled",
    "capitalised": "capitalized",
    "neighbour neighbours neighbouring": "neighbor",
    "centre centres": "center",
    "behaviour": "behavior",
}
"""Word forms, and what to write instead."""

PHRASES = {
    r"whole numbers?": "integer",
    r"written whole|whole or not at all|stays whole": "atomically",
    r"as wholes": "as lists",
    r"(?:can(?:not)?|does not|do not) bear|bears": "support",
    r"(?:go|goes) first": "override",
    r"gone better": "improved",
    r"of chance": "random",
    r"not for nothing": "(leave it out)",
    r"(?:cells?|distance) between the looks": "input distance between adjacent outputs",
    r"classes apart": "output classes",
    r"the way out": "the fix",
    r"the way of": "how … is",
    r"(?:stands?|standing) (?:here|there|in|at|before|behind|beside|still|on)": "is",
    r"(?:is|are|be) to be (?:had|said)": "(state it)",
    r"to keep it, say why": "add a comment with the reason",
    r"for want of": "if … runs out",
    r"comes? to light": "is found",
    r"throws? (?:\w+ ){1,3}away": "discards",
    r"takes? away again": "subtracts",
    r"lies (?:in|outside|beside)": "is",
    r"a colleague": "(name the check)",
    r"as it stands": "unchanged",
    r"no such thing": "unknown",
    r"(?<!there )(?:is|are) no (?!longer|more|less|such)(?:\w+)": "is not a",
}
"""Regular expressions, within a sentence."""

_WORD = re.compile(r"\b(" + "|".join(form for forms in WORDS for form in forms.split()) + r")\b", re.IGNORECASE)
_PHRASE = re.compile(r"\b(" + "|".join(f"(?:{phrase})" for phrase in PHRASES) + r")\b", re.IGNORECASE)
_CODE = re.compile(r"^```.*?^```|``.+?``|`[^`]+`|<!--.*?-->|\]\([^)]*\)|<[^>]+>|--[a-z-]+", re.DOTALL | re.MULTILINE)


def violations(text: str) -> list[str]:
    """The banned words and phrases of a text, without its code and links."""
    prose = re.sub(r"\s+", " ", _CODE.sub(" § ", text))
    return [match[1] for pattern in (_WORD, _PHRASE) for match in pattern.finditer(prose)]


# ---- help texts --------------------------------------------------------------------------------------------


def _helps(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The texts of a parser, of its groups, options and subcommands."""
    yield from filter(None, (parser.description, parser.epilog))
    yield from (group.title for group in parser._action_groups if group.title)
    for action in parser._actions:
        if action.help and action.help is not argparse.SUPPRESS:
            yield action.help
        if isinstance(action, argparse._SubParsersAction):
            yield from (choice.help for choice in action._choices_actions if choice.help)
            for below in action.choices.values():
                yield from _helps(below)


@pytest.mark.parametrize(("name", "line"), COMMANDS)
def test_help_texts(name: str, line: str) -> None:
    parser = argparse.ArgumentParser()
    import_module(f"archdsl.cli.{name}").configure(parser)
    assert {text: found for text in (line, *_helps(parser)) if (found := violations(text))} == {}


# ---- diagnostics -------------------------------------------------------------------------------------------


def _texts(kind: type[Diagnostic]) -> Iterator[str]:
    """The documentation of a diagnostic, its templates, and the defaults of its fields."""
    yield inspect.getdoc(kind) or ""
    yield from (value for name, value in vars(kind).items() if isinstance(value, str) and not name.startswith("__"))


@pytest.mark.parametrize("code", catalogue())
def test_diagnostics(code: str) -> None:
    assert {text: found for text in _texts(catalogue()[code]) if (found := violations(text))} == {}


def test_advice_on_names_of_other_libraries() -> None:
    assert {text: found for text in STANDS_FOR.values() if (found := violations(text))} == {}


# ---- documents ---------------------------------------------------------------------------------------------

DOCUMENTS = sorted(
    {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    }
    - {ROOT / "CHANGELOG.md", ROOT / "CODE_OF_CONDUCT.md"}
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents(path: Path) -> None:
    assert violations(path.read_text(encoding="utf-8")) == []


def test_recent_changes() -> None:
    """Those that are not released, and those of the newest release."""
    _, unreleased, newest, *_ = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")
    assert unreleased.startswith("Unreleased\n")
    assert violations(unreleased) == []
    assert violations(newest) == []


# ---- the checker itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the dearest first", ["dearest"]),
        ("A Mended file\nis written whole", ["Mended", "written whole"]),
        ("flags go first", ["go first"]),
        ("Reg tells 1 classes apart", ["tells", "classes apart"]),
        ("the initial value is a whole\nnumber", ["whole number"]),
        ("this is no number", ["is no number"]),
        ("the whole axis; a look at the stream; it is no longer used", []),
        ("the key `pictures`, and `mend()`", []),
        ("```\nmended.arch\n```\nfixed", []),
        ("--augment colour", ["colour"]),
    ],
)
def test_the_checker_finds_words_in_prose_only(text: str, found: list[str]) -> None:
    assert violations(text) == found
