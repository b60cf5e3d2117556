"""Colours for specs: a Pygments lexer, which notebooks, Sphinx, MkDocs and `rich` find by its entry point.

It reads spellings only, so that a text that is not right is coloured too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from archdsl.ops import OPS_BY_NAME

KEYWORDS = ("arch", "use", "from", "block", "model", "fn", "let", "claim", "input", "output", "param", "buffer", "with")
FLOW = ("assert", "for", "in", "if", "else", "as", "seq", "residual", "shortcut", "add", "mul", "concat", "stack")


class ArchLexer(RegexLexer):
    """Specs of archdsl."""

    name: ClassVar[str] = "arch"
    aliases: ClassVar[Sequence[str]] = ("arch", "archdsl")
    filenames: ClassVar[Sequence[str]] = ("*.arch",)
    url = "https://pypi.org/project/archdsl"

    tokens: ClassVar[dict[str, list[tuple[object, object]]]] = {
        "root": [
            (r"\s+", Whitespace),
            (r"##[^\n]*", String.Doc),
            (r"#[^\n]*", Comment.Single),
            (r'("[^"\n]*")(\s*)(:)(?=\s)', bygroups(Name.Label, Whitespace, Punctuation)),
            (r'"[^"\n]*"', String.Double),
            (r"\b(block|model|fn)(\s+)(\w+)", bygroups(Keyword.Declaration, Whitespace, Name.Class)),
            (r"([A-Za-z_](?:\w|\{[^{}\n\s][^{}\n]*\})*)(\s*)(:)(?=\s)", bygroups(Name.Label, Whitespace, Punctuation)),
            (r"when[ \t]+training\b", Keyword),
            (words((*KEYWORDS, *FLOW), prefix=r"\b", suffix=r"\b"), Keyword),
            (r"\b(and|or|not)\b", Operator.Word),
            (r"\b(true|false|none|it)\b", Keyword.Constant),
            (r"\b([A-Za-z_]\w*)(=)(?!=)", bygroups(Name.Attribute, Operator)),
            (words(tuple(OPS_BY_NAME), prefix=r"\b", suffix=r"\b"), Name.Builtin),
            (r"\b[A-Z]\w*[a-z]\w*(?=\()", Name.Class),
            (r"[0-9][0-9_]*\.[0-9]+([eE][+-]?[0-9]+)?|[0-9][0-9_]*[eE][+-]?[0-9]+", Number.Float),
            (r"[0-9][0-9_]*", Number.Integer),
            (r"[A-Za-z_]\w*", Name),
            (r"->|\.\.|\*\*|//|[=!<>]=|[-+*/%<>=]", Operator),
            (r"[()\[\]{},:;.]", Punctuation),
        ]
    }


__all__ = ["ArchLexer"]
