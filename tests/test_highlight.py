"""The Pygments lexer: every shipped spec is coloured whole, and the words mean what they are coloured as."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from pygments.token import Comment, Error, Keyword, Name, Number, String

from archdsl.highlight import ArchLexer

ROOT = Path(__file__).parents[1]


def colours(text: str) -> dict[str, object]:
    return {value: kind for kind, value in ArchLexer().get_tokens(text) if value.strip()}


def test_every_shipped_spec_is_coloured_whole() -> None:
    for path in ROOT.glob("specs/**/*.arch"):
        text = path.read_text(encoding="utf-8")
        tokens = list(ArchLexer().get_tokens(text))
        assert "".join(value for _, value in tokens) == text
        assert [value for kind, value in tokens if kind in Error] == [], path


def test_words() -> None:
    found = colours('## Doc\n# why\nmodel Net(n = 3) {\n  c{i}: conv(n, kernel=1.5) -> "a-b"\n  output logits: [N]\n}')
    assert found["## Doc"] is String.Doc
    assert found["# why"] is Comment.Single
    assert found["model"] is Keyword.Declaration
    assert found["Net"] is Name.Class
    assert found["c{i}"] is Name.Label
    assert found["conv"] is Name.Builtin
    assert found["kernel"] is Name.Attribute
    assert found["1.5"] is Number.Float
    assert found["output"] is Keyword


def test_pygments_finds_it_by_its_entry_point() -> None:
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    module, _, name = declared["pygments.lexers"]["arch"].partition(":")
    assert (module, name) == (ArchLexer.__module__, ArchLexer.__name__)
    found = [e for e in entry_points(group="pygments.lexers") if e.name == "arch"]
    assert not found or found[0].load() is ArchLexer
