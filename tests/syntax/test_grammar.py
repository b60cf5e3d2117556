"""Lark with saved tables: they belong to the grammar, are made anew when they do not, and no other pickle is read."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import lark
import pytest

from archdsl.source import Source
from archdsl.syntax import grammar
from archdsl.syntax.parse import parse

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.arch"))
GRAMMAR = files("archdsl.syntax").joinpath("grammar.lark").read_bytes()
SAVED = files("archdsl.syntax").joinpath("grammar.pickle").read_bytes()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The grammars of which tables are made."""
    found: list[bytes] = []
    make = grammar.make

    def recorded(text: bytes) -> lark.Lark:
        found.append(text)
        return make(text)

    monkeypatch.setattr(grammar, "make", recorded)
    return found


def test_the_packaged_tables_are_those_of_the_grammar(made: list[bytes]) -> None:
    grammar.load(GRAMMAR, SAVED)
    assert not made, "run: python -m archdsl.syntax"


def test_tables_of_another_grammar_are_made_anew(made: list[bytes]) -> None:
    changed = GRAMMAR.replace(b'"model"', b'"network"')
    parser = grammar.load(changed, SAVED)
    assert made == [changed]
    assert [token.type for token in parser.lex("network A")] == ["NETWORK", "NAME"]


def test_tables_of_another_lark_are_made_anew(made: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lark, "__version__", "0.0")
    grammar.load(GRAMMAR, SAVED)
    assert made == [GRAMMAR]


@pytest.mark.parametrize("saved", [b"", SAVED[:-1], SAVED[:1000], SAVED + b"\0", b"0" * 64 + SAVED[64:]])
def test_tables_that_are_not_whole_are_made_anew(made: list[bytes], saved: bytes) -> None:
    grammar.load(GRAMMAR, saved)
    assert made == [GRAMMAR]


class Pairs:
    """Callbacks that make of each rule its name and its parts."""

    def __getattr__(self, name: str):
        if name.isupper():
            raise AttributeError(name)
        return lambda parts: (name, tuple(parts))


@pytest.mark.parametrize("spec", SPECS[::8], ids=lambda path: path.stem)
def test_saved_tables_read_as_new_ones_do(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = spec.read_text(encoding="utf-8")
    by_saved = grammar.parse(text, "start", Pairs())
    made = grammar.make(GRAMMAR)
    monkeypatch.setattr(grammar, "parser", lambda: made)
    assert grammar.parse(text, "start", Pairs()) == by_saved


def test_nothing_outside_the_package_is_unpickled(tmp_path: Path) -> None:
    """Lark's own cache would read a file of a known name in the folder for temporary files, which others can write."""
    code = f"""
import sys, tempfile
tempfile.tempdir = {str(tmp_path)!r}
found = []
def seen(event, args):
    if event == "pickle.find_class":
        found.append(".".join(args))
    elif event == "open" and str(args[0]).startswith({str(tmp_path)!r}):
        found.append(args[0])
sys.addaudithook(seen)
from archdsl.syntax import grammar
grammar.parser()
grammar.make(grammar.text().encode())
print(*sorted(found))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["archdsl.syntax.grammar.Dispatch", "archdsl.syntax.grammar.Significant"]


def test_threads_read_different_texts_at_once() -> None:
    texts = [f"block A{n} {{ conv({n}, {n}) as skip{{{n} + 1}} }}\n" * (1 + n % 3) for n in range(60)]

    def read(text: str) -> str:
        return repr(parse(Source("<text>", text)))

    expected = [read(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, texts * 4)) == expected * 4
