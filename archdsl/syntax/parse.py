"""Text to syntax tree. ``parse`` reports every fault it can tell apart and raises none.

The whole text is parsed in one go; only if that fails are its definitions parsed one by one, so that a fault in one
hides none in another.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

from lark import Token

from archdsl.collection import paused_collection
from archdsl.diagnostics.base import Diagnostic, Edit, Label
from archdsl.diagnostics.nearest import certain
from archdsl.diagnostics.syntax import (
    NameTooLong,
    NestedTooDeep,
    NumberTooLarge,
    TooManyWords,
    UnexpectedCharacter,
    UnexpectedToken,
    UnpairedBracket,
    UnsupportedVersion,
)
from archdsl.source import Source, Span
from archdsl.syntax import grammar, tree
from archdsl.syntax.builder import TreeBuilder
from archdsl.syntax.faults import (
    BadNumber,
    BracketError,
    Fault,
    IllegalCharacter,
    LongName,
    MisplacedToken,
    TokenFault,
    TooDeep,
    TooLong,
    end_of,
    start_of,
)
from archdsl.syntax.grammar import END
from archdsl.syntax.lines import KEYWORDS, MAX_DEPTH, MAX_NAME, MAX_STATEMENT, MAX_WORDS
from archdsl.syntax.recover import Attempt, Effort, lost

VERSION = 1
"""The version of the language that this package reads (``arch 1``)."""

_DEFINITION = re.compile(
    r"^(?:arch|use|block|model|fn|let|claim)\b"
    r"|^(?!(?:output|with|for|if|assert|input|param|buffer)\b)[a-z]+[ \t]+[A-Za-z_]\w*[ \t]*(?:[({=,]|from\b)",
    re.MULTILINE,
)
"""The beginning of a definition, also of one whose first word is misspelt."""
_WORD = re.compile(r'#[^\n]*|(?P<word>"[^"\n]*"|\w+(?:\.\d\w*)?|->|\*\*|//|\.\.|[=!<>]=|[^\w\s])')
"""A comment, or a word of the language."""


@paused_collection()
def parse(source: Source) -> tuple[tree.File, list[Diagnostic]]:
    """Returns the definitions of a source that could be read, and what is wrong with the others."""
    comments = comments_of(source)
    if (word := word_beyond_limit(source)) is not None:
        return tree.File(source, (), comments), [_file_too_long(word)]
    problems: list[Diagnostic] = []
    definitions = parse_piece(source, 0, len(source.text))
    if isinstance(definitions, Diagnostic):
        first = definitions
        definitions = _by_definition(source, first, problems)
        problems = problems or [first]
    for definition in definitions:
        if isinstance(definition, tree.Version) and definition.number != VERSION:
            problems.append(UnsupportedVersion(span=definition.span, found=definition.number, known=VERSION))
    return tree.File(source, tuple(definitions), comments), problems


def word_beyond_limit(source: Source) -> Span | None:
    """Returns the first word that a file may no longer have."""
    if len(source.text) <= MAX_WORDS:
        return None
    words = (match for match in _WORD.finditer(source.text) if match["word"] is not None)
    word = next(islice(words, MAX_WORDS, None), None)
    return Span(source, *word.span()) if word is not None else None


def parse_expression(source: Source) -> tree.Expr | Diagnostic:
    """One expression, as after ``--set name=``."""
    try:
        return grammar.parse(source.text, "expr", TreeBuilder(source))
    except Fault as fault:
        return _explain(fault, source, 0, len(source.text))


def _by_definition(source: Source, first: Diagnostic, problems: list[Diagnostic]) -> list[tree.Definition]:
    """Returns what can be read of a text with faults, definition by definition. The faults go to ``problems``.

    As compilers do, it stops after many errors, and says so at the last; the rest still gives its names.

    Args:
        first: the first fault of the whole text.
    """
    effort = Effort()
    definitions: list[tree.Definition] = []
    for start, end in pieces(source.text):
        if effort.is_spent(len(problems)):
            definitions += lost(source, start, len(source.text))
            break
        piece = first if (start, end) == (0, len(source.text)) else parse_piece(source, start, end)
        effort.read += end - start
        definitions += (
            _recovered(source, start, end, piece, problems, effort) if isinstance(piece, Diagnostic) else piece
        )
    if effort.is_spent(len(problems)) and (place := problems[-1].span) is not None:
        stopped = Label(place, "too many errors: syntax errors after this one are not reported")
        problems[-1] = replace(problems[-1], labels=(*problems[-1].labels, stopped))
    return definitions


def _recovered(
    source: Source, start: int, end: int, fault: Diagnostic, problems: list[Diagnostic], effort: Effort
) -> list[tree.Definition]:
    """Returns the definitions of a piece without the statements that cannot be read; these are reported.

    Args:
        fault: the first of the piece.
    """
    attempt = Attempt(source.text[start:end])
    pairs_up, reported = _pairs_up(source.text[start:end]), False
    piece: list[tree.Definition] | Diagnostic = fault
    while isinstance(piece, Diagnostic):
        if not reported or pairs_up:  # else this one may well follow from the first
            problems.append(piece)
        reported = True
        for following in attempt.without(piece, start):
            if effort.is_spent(len(problems)):
                return lost(source, start, end)
            piece = parse_piece(source, start, end, following)
            effort.read += end - start
            if not isinstance(piece, Diagnostic) or following.is_behind(piece, start):
                attempt = following
                break
        else:
            return lost(source, start, end)
    return piece


def _pairs_up(text: str) -> bool:
    """Are there as many closing brackets of each kind as opening ones?"""
    found = [m[0] for m in _BRACKET.finditer(text)]
    return all(found.count(a) == found.count(b) for a, b in ("()", "[]", "{}"))


def pieces(text: str) -> list[tuple[int, int]]:
    """Spans of the definitions: each begins with its keyword in the first column of a line."""
    starts = [m.start() for m in _DEFINITION.finditer(text)]
    if not starts or text[: starts[0]].strip():
        starts.insert(0, 0)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def parse_piece(
    source: Source, start: int, end: int, attempt: Attempt | None = None
) -> list[tree.Definition] | Diagnostic:
    """The definitions between two offsets, with some lines left out in a later attempt; or the first fault."""
    text = source.text[start:end] if attempt is None else attempt.text
    marks = {} if attempt is None else {start + at: Span(source, start + a, start + b) for at, a, b in attempt.marks}
    try:
        return grammar.parse(text, "start", TreeBuilder(source, start, marks))
    except Fault as fault:
        return _explain(fault, source, start, end)


def comments_of(source: Source) -> tuple[tree.Comment, ...]:
    """The comments of a text, in order; it need not be right."""
    if "#" not in source.text:
        return ()
    found = []
    for match in re.finditer(r'"[^"\n]*"|(#[^\n]*)', source.text):
        if match[1] is not None:
            text = match[1].rstrip()
            found.append(tree.Comment(Span(source, match.start(), match.start() + len(text)), text))
    return tuple(found)


# ---- faults ------------------------------------------------------------------------------------------------

_ADVICE = {
    "'": 'write strings in double quotes: `"…"`',
    "^": "write a power as `**`",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=` to compare",
    "@": "write a matrix product as an `einsum`",
    '"': 'close the string with `"` on its line',
    "→": "write an arrow as `->`",
    "×": "write `*`",
    "≥": "write `>=`",
    "≤": "write `<=`",
    "≠": "write `!=`",
    "−": "write `-`",
    "–": "write `-`",
    "÷": "write `//` for integers, `/` for floats",
    "…": "a range is written `0..n`",
    "“": 'write strings in straight quotes: `"…"`',
    "”": 'write strings in straight quotes: `"…"`',
    "\u00a0": "replace this no-break space by a space",
    "\u200b": "remove this invisible character",
}
_INSTEAD = {
    "^": "**", "→": "->", "×": "*", "≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "–": "-", "…": "..",
    "\u00a0": " ", "\u200b": "",
}  # fmt: skip
"""What surely was meant by a character."""
_QUOTED = re.compile(r"'([^'\"\n]*)'|[“”]([^“”\"\n]*)[“”]")
_TWICE = {"&&": "and", "||": "or"}

_SHOWN = {
    "LPAR": "`(`", "RPAR": "`)`", "LSQB": "`[`", "RSQB": "`]`", "LBRACE": "`{`", "RBRACE": "`}`", "COMMA": "`,`",
    "COLON": "`:`", "EQUAL": "`=`", "ARROW": "`->`", "DOT": "`.`", "RANGE": "`..`", "POWER": "`**`",
    "_NL": "the end of the line", END: "the end of the file", "INT": "a number", "FLOAT": "a number",
    "STRING": "a string", "NAME": "a name", "COMPUTED": "a name", "PLUS": "`+`", "MINUS": "`-`",
    "PRODUCT_OP": "`*`, `/`, `//` or `%`", "COMPARE": "a comparison", "COMBINE": "`add`, `mul`, `concat` or `stack`",
    "WHEN_TRAINING": "`when training`",
}  # fmt: skip
_DEFINITIONS = ("arch", "use", "block", "model", "fn", "let", "claim")
_STATEMENTS = ("input", "output", "let", "param", "buffer", "with", "assert", "for", "if", "residual", "shortcut")
_ELSEWHERE = {
    "import": "use", "network": "model", "elif": "else if", "var": "let", "const": "let",
}  # fmt: skip
"""What begins a definition or statement in other languages, and what it is in this one."""
_PARTS = "use `fn f(x) = …` for numbers, `block` or `model` for layers"
_RESEMBLING = {
    "class": _PARTS, "module": _PARTS, "def": _PARTS, "func": _PARTS, "function": _PARTS,
    "return": "a block returns the result of its last step; in a model write `output y`",
    "while": "use `for`, over a range or list",
}  # fmt: skip
"""What has no word of its own here, and how it is said."""
_BEGINS_EXPRESSION = frozenset({"INT", "FLOAT", "STRING", "NAME", "LPAR", "LSQB", "SEQ", "RESIDUAL"})
_CONTINUES_EXPRESSION = frozenset({"PLUS", "MINUS", "PRODUCT_OP", "COMPARE", "POWER", "DOT", "RANGE", "AND", "OR"})


def _explain(fault: Fault, source: Source, start: int, end: int) -> Diagnostic:
    """The diagnostic for what the parser raised while it read ``start`` to ``end`` of the source."""
    start += fault.base
    match fault:
        case IllegalCharacter():
            return _explain_character(source, start + fault.position)
        case BracketError():
            return _explain_bracket(fault, source, start, end)
        case MisplacedToken():
            return _explain_token(fault, source, start, end)
        case TokenFault():
            return _explain_limit(fault, _token_span(source, start, fault.token))
    raise fault


def _explain_character(source: Source, at: int) -> Diagnostic:
    character = source.text[at]
    advice = _ADVICE.get(character) or _digit_advice(character)
    edits = _respelt_character(source, at)
    return UnexpectedCharacter(span=Span(source, at, at + 1), character=character, advice=advice, edits=edits)


def _explain_limit(fault: TokenFault, span: Span) -> Diagnostic:
    match fault:
        case TooDeep():
            return NestedTooDeep(span=span, limit=MAX_DEPTH)
        case TooLong():
            advice = "use a `for` loop, or split it into a `block` or a `let`"
            return TooManyWords(span=span, part="statement", limit=f"{MAX_STATEMENT:,}", advice=advice)
        case LongName():
            return NameTooLong(span=span, limit=f"{MAX_NAME:,}")
        case BadNumber():
            return NumberTooLarge(span=span, problem=fault.problem, limit=fault.limit)
    raise fault


def _file_too_long(span: Span) -> Diagnostic:
    advice = "repeat layers by a `for` loop, or move definitions to another file and `use` them"
    return TooManyWords(span=span, part="file", limit=f"{MAX_WORDS:,}", advice=advice)


def _respelt_character(source: Source, at: int) -> tuple[Edit, ...]:
    """The edit of what begins with a strange character, if it can only mean one thing."""
    quoted = _QUOTED.match(source.text, at)
    if quoted is not None:
        return (Edit(Span(source, at, quoted.end()), f'"{quoted[1] or quoted[2] or ""}"'),)
    twice = source.text[at : at + 2]
    if twice in _TWICE:
        return (Edit(Span(source, at, at + 2), _TWICE[twice]),)
    instead = _INSTEAD.get(source.text[at], _plain_digit(source.text[at]))
    return (Edit(Span(source, at, at + 1), instead),) if instead is not None else ()


def _plain_digit(character: str) -> str | None:
    """The digit 0 to 9 that a decimal digit of another script or width stands for."""
    return str(unicodedata.decimal(character)) if character.isdecimal() else None


def _digit_advice(character: str) -> str | None:
    """What to write for a digit of another script or width, a superscript, a fraction or a Roman numeral."""
    if not character.isnumeric():
        return None
    plain = _plain_digit(character)
    return f"numbers have the digits 0 to 9: write `{plain}`" if plain else "numbers have the digits 0 to 9"


def _token_span(source: Source, start: int, token: Token) -> Span:
    return Span(source, start + start_of(token), start + end_of(token))


def _end_span(source: Source, start: int, end: int) -> Span:
    """The last character of a piece that is not white space."""
    last = start + len(source.text[start:end].rstrip())
    return Span(source, max(start, last - 1), last)


def _explain_token(fault: MisplacedToken, source: Source, start: int, end: int) -> Diagnostic:
    token, expected = fault.token, fault.accepted
    at_end = token.type == END
    span = _end_span(source, start, end) if at_end else _token_span(source, start, token)
    advice, edits = (
        _advice_on_word(token, span)
        or _advice_on_name(token, expected, span)
        or _advice_on_sign(token, expected, span)
        or _advice_on_chain(token, expected, span)
        or (None, ())
    )
    found = "end of the line" if token.type == "_NL" else "end of the file" if at_end else f"`{token}`"
    return UnexpectedToken(
        span=span,
        found=found,
        expected=_describe(expected),
        advice=advice,
        edits=edits,
        labels=_still_open(source, start, span.start),
    )


_Advice: TypeAlias = "tuple[str | None, tuple[Edit, ...]]"
"""What to do, in words, and the edits that do it."""


def _advice_on_word(token: Token, span: Span) -> _Advice | None:
    """For a line that begins with a word of another language, or a misspelt one."""
    word = _word_before(token, span)
    if word is None:
        return None
    if word.text in _RESEMBLING:
        return _RESEMBLING[word.text], ()
    meant = _keyword_meant(word)
    return (f"did you mean `{meant}`?", (Edit(word, meant),)) if meant is not None else None


def _advice_on_name(token: Token, expected: frozenset[str], span: Span) -> _Advice | None:
    """For a reserved word where a name is expected."""
    if token.type == "AS":
        return "write `as` on the same line, after what it names: `relu as r`", ()
    if token == "it" and expected == {"NAME"}:
        return "`it` is the stream: choose another name", ()
    if "NAME" not in expected:
        return None
    reserved = str(token) if token.type in KEYWORDS else _keyword_before(span)
    return (f"`{reserved}` is a keyword: choose another name", ()) if reserved is not None else None


def _advice_on_sign(token: Token, expected: frozenset[str], span: Span) -> _Advice | None:
    """For `=`, `:`, `//` and comparisons that mean something else here."""
    source = span.source
    if token.type == "EQUAL" and "COMPARE" in expected:
        return _explain_equal(source, span)
    if token.type == "COLON" and "EQUAL" in expected:
        return "write `name=value` for arguments and `let`; a label `name:` belongs before a layer of a chain", ()
    if str(token) == "//" and expected & _BEGINS_EXPRESSION:
        before = source.line(source.position(span.start).line)[: _column(span)]
        return "begin a comment with `#`", () if before.strip() else (Edit(span, "#"),)
    if token.type == "COMPARE" and "EQUAL" not in expected:
        return "comparisons do not chain: write `a < b and b < c`", ()
    return None


def _advice_on_chain(token: Token, expected: frozenset[str], span: Span) -> _Advice | None:
    """For an `else` apart from its `if`, and layers that no arrow joins."""
    before = span.source.text[: span.start]
    if token.type == "ELSE":
        return "write `else` directly after the `}` of an `if`", ()
    if token.type not in _BEGINS_EXPRESSION or "ARROW" not in expected or before.rstrip()[-1:] not in ")]}":
        return None
    if token.type == "LPAR" and before.endswith(")"):
        return "write the values of a combinator as branches: `concat(axis=1) { a; b }`", ()
    return "join layers with arrows: `a -> b`", (Edit(Span(span.source, span.start, span.start), "-> "),)


def _column(span: Span) -> int:
    """Characters before a place on its line."""
    return span.source.position(span.start).column - 1


def _word_before(token: Token, span: Span) -> Span | None:
    """The word that a line begins with, if what was not expected is that word or the one behind it."""
    if token.type not in _BEGINS_EXPRESSION | KEYWORDS:
        return None
    source = span.source
    line = source.position(span.start).line
    match = re.match(r"[\s}]*([A-Za-z_]+)[ \t]*", source.line(line))
    at = _column(span)
    if match is None or at not in (match.start(1), match.end()):
        return None
    begin = source.line_start(line)
    return Span(source, begin + match.start(1), begin + match.end(1))


def _keyword_meant(word: Span) -> str | None:
    """The word of the language that a definition or statement surely was to begin with."""
    known = _DEFINITIONS if _column(word) == 0 else _STATEMENTS
    return _ELSEWHERE.get(word.text) or (certain(word.text, known) if word.text not in known else None)


def _keyword_before(span: Span) -> str | None:
    """The word of the language right before a `=`, an arrow or a dot, where a name would stand."""
    if span.text not in ("=", "->", ".", ")", ",", "]"):
        return None
    source = span.source
    match = re.search(r"([a-z]+)[ \t]*$", source.line(source.position(span.start).line)[: _column(span)])
    return match[1] if match is not None and match[1].upper() in KEYWORDS else None


def _explain_equal(source: Source, span: Span) -> tuple[str, tuple[Edit, ...]]:
    """A `=` that stands alone: a name without its `let`, or a comparison."""
    line = source.position(span.start).line
    before = source.line(line)[: _column(span)]
    name = before.strip()
    if name.isidentifier():
        start = span.start - len(before.lstrip())
        return f"to name a value, write `let {name} = …`", (Edit(Span(source, start, start), "let "),)
    return "to compare, write `==`", (Edit(span, "=="),)


def _still_open(source: Source, start: int, position: int) -> tuple[Label, ...]:
    """The bracket that is open at a place, if it was opened on an earlier line: probably the one that is at fault."""
    opened: list[int] = []
    for match in _BRACKET.finditer(source.text, start, position):
        if match[0] in "([{":
            opened.append(match.start())
        elif match[0] in ")]}" and opened:
            opened.pop()
    if not opened or source.text[opened[-1]] == "{" or "\n" not in source.text[opened[-1] : position]:
        return ()
    bracket = source.text[opened[-1]]
    return (Label(Span(source, opened[-1], opened[-1] + 1), f"this `{bracket}` is still open"),)


_BRACKET = re.compile(r'"[^"\n]*"|#[^\n]*|[()\[\]{}]')


def _describe(expected: frozenset[str]) -> str | None:
    if len(expected & _BEGINS_EXPRESSION) > 4:
        return "an expression"
    if len(expected & _CONTINUES_EXPRESSION) > 3:
        ends = [_SHOWN[t] for t in ("_NL", "COMMA", "RPAR", "RSQB", "RBRACE", "EQUAL", "LBRACE") if t in expected]
        return "an operator or " + " or ".join(ends) if ends else "an operator"
    words = sorted({_SHOWN.get(t, f"`{t.lower()}`") for t in expected if not t.startswith("__")})
    if not words:
        return None
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _explain_bracket(fault: BracketError, source: Source, start: int, end: int) -> Diagnostic:
    opened, closed = fault.opened, fault.closed
    if closed is None:
        assert opened is not None
        span = _token_span(source, start, opened)
        return UnpairedBracket(
            span=span,
            what=f"this `{opened}` is never closed",
            where="opened here",
            labels=(Label(_end_span(source, start, end), "the definition ends here"),),
        )
    span = _token_span(source, start, closed)
    if opened is None:
        return UnpairedBracket(span=span, what=f"`{closed}` closes nothing")
    pair = {"(": ")", "[": "]", "{": "}"}[str(opened)]
    return UnpairedBracket(
        span=span,
        what=f"`{closed}` does not close `{opened}`",
        where=f"expected `{pair}`",
        labels=(Label(_token_span(source, start, opened), "opened here"),),
    )
