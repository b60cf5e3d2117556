"""The parser's callbacks: from a rule's parts to a node of the tree. All tokens arrive, so that spans are exact."""

from __future__ import annotations

import re
from math import inf
from sys import float_info
from typing import Any, NamedTuple

from lark import Token

from archdsl.source import Source, Span
from archdsl.syntax import grammar, tree
from archdsl.syntax.faults import BadNumber, Fault, MisplacedToken, end_of, start_of
from archdsl.syntax.grammar import Parts

MAX_DIGITS = 40
"""A number of more digits is no size of anything; without a limit, arithmetic on it would be slow."""


def _digits(token: Token) -> str:
    """The text of a literal without its separators.

    Raises:
        BadNumber: it is too long.
    """
    text = token.replace("_", "")
    if len(text) > MAX_DIGITS:
        raise BadNumber(token, f"has {len(text)} digits", f"at most {MAX_DIGITS} are allowed")
    return text


class _List(NamedTuple):
    """What stands between a pair of brackets, with the place of the brackets."""

    span: Span
    items: tuple[Any, ...]


class TreeBuilder:
    """Builds the nodes of a text that begins at ``offset`` of ``source``.

    ``broken``: places of marks in it, each with the statement that could not be read and for which the mark stands.
    """

    def __init__(self, source: Source, offset: int = 0, broken: dict[int, Span] | None = None) -> None:
        self._source = source
        self._offset = offset
        self._broken = broken or {}

    # ---- spans ----

    def _span(self, parts: Parts) -> Span:
        given = [p for p in parts if p is not None]
        first, last = given[0], given[-1]
        start = start_of(first) + self._offset if isinstance(first, Token) else first.span.start
        end = end_of(last) + self._offset if isinstance(last, Token) else last.span.end
        return Span(self._source, start, end)

    def _token_span(self, token: Token) -> Span:
        return Span(self._source, start_of(token) + self._offset, end_of(token) + self._offset)

    # ---- terminals ----

    def NAME(self, token: Token) -> tree.Name:
        return tree.Name(self._token_span(token), str(token))

    def INT(self, token: Token) -> tree.Number:
        return tree.Number(self._token_span(token), int(_digits(token)))

    def FLOAT(self, token: Token) -> tree.Number:
        value = float(_digits(token))
        if value == inf:
            raise BadNumber(token, "is too large", f"the largest number is about {float_info.max:.1e}")
        return tree.Number(self._token_span(token), value)

    def STRING(self, token: Token) -> tree.String:
        return tree.String(self._token_span(token), str(token)[1:-1])

    def TRUE(self, token: Token) -> tree.Number:
        return tree.Number(self._token_span(token), True)

    def FALSE(self, token: Token) -> tree.Number:
        return tree.Number(self._token_span(token), False)

    def NONE(self, token: Token) -> tree.NoneLayer:
        return tree.NoneLayer(self._token_span(token))

    def COMPUTED(self, token: Token) -> tree.Computed:
        span = self._token_span(token)
        return tree.Computed(span, self._computed_parts(str(token), span.start))

    def _computed_parts(self, text: str, start: int) -> tuple[str | tree.Expr, ...]:
        """``skip{i}``: the texts and the expressions between braces, parsed in their place."""
        parts: list[str | tree.Expr] = []
        position = 0
        while position < len(text):
            opening = text.find("{", position)
            if opening < 0:
                parts.append(text[position:])
                break
            if opening > position:
                parts.append(text[position:opening])
            closing = text.find("}", opening)
            if closing < 0:
                parts.append(text[opening:])
                break
            parts.append(self._nested(text[opening + 1 : closing], start + opening + 1))
            position = closing + 1
        return tuple(parts)

    def _nested(self, text: str, start: int) -> tree.Expr:
        try:
            return grammar.parse(text, "expr", TreeBuilder(self._source, start))
        except Fault as fault:
            found = fault
            if isinstance(fault, MisplacedToken) and fault.token.type == grammar.END:
                brace = Token("RBRACE", "}", start_pos=len(text), end_pos=len(text) + 1)
                found = MisplacedToken(brace, fault.accepted)
            found.base += start - self._offset
            raise found from None

    # ---- definitions ----

    def start(self, parts: Parts) -> list[tree.Definition]:
        definitions = [p for p in parts if p is not None and not isinstance(p, Token)]
        return [tree.Lost(d.span, names_bound_in(d.span)) if self._is_broken(d) else d for d in definitions]

    def version(self, parts: Parts) -> tree.Version:
        return tree.Version(self._span(parts), parts[1].value)

    def use(self, parts: Parts) -> tree.Use:
        names = tuple(p for p in parts if isinstance(p, tree.Name))
        return tree.Use(self._span(parts), names, parts[-1])

    def block(self, parts: Parts) -> tree.Block:
        return tree.Block(self._span(parts), "block", parts[1], _inner(parts[2]), False, parts[3])

    def block_alias(self, parts: Parts) -> tree.Block:
        return tree.Block(self._span(parts), "block", parts[1], _inner(parts[2]), True, parts[4])

    def model(self, parts: Parts) -> tree.Block:
        return tree.Block(self._span(parts), "model", parts[1], _inner(parts[2]), False, parts[3])

    def model_alias(self, parts: Parts) -> tree.Block:
        return tree.Block(self._span(parts), "model", parts[1], _inner(parts[2]), True, parts[4])

    def fn(self, parts: Parts) -> tree.Fn:
        return tree.Fn(self._span(parts), parts[1], parts[2].items, parts[4])

    def claim(self, parts: Parts) -> tree.Claim:
        return tree.Claim(self._span(parts), _inner(parts[1]), parts[2], parts[3])

    def params(self, parts: Parts) -> _List:
        return _List(self._span(parts), _items(parts))

    def param(self, parts: Parts) -> tree.Param:
        return tree.Param(self._span(parts), parts[0], parts[2])

    # ---- statements ----

    def body(self, parts: Parts) -> tree.Body:
        statements = tuple(self._readable(p) for p in parts[1:-1] if p is not None and not isinstance(p, Token))
        return tree.Body(self._span(parts), statements)

    def _is_broken(self, node: tree.Node) -> bool:
        return any(node.span.start <= mark < node.span.end for mark in self._broken)

    def _readable(self, statement: tree.Statement) -> tree.Statement:
        """A statement, unless it holds a mark: that one, or what it stands for where it is all of the statement."""
        if not self._broken or not self._is_broken(statement):
            return statement
        whole = self._broken.get(statement.span.start, statement.span)
        for mark in [mark for mark in self._broken if statement.span.start <= mark < statement.span.end]:
            del self._broken[mark]
        return tree.Broken(whole, names_bound_in(whole))

    def step(self, parts: Parts) -> tree.Step:
        return tree.Step(self._span(parts), parts[0], parts[2], parts[4])

    def input(self, parts: Parts) -> tree.Input:
        return tree.Input(self._span(parts), parts[1], parts[3])

    def output(self, parts: Parts) -> tree.Output:
        return tree.Output(self._span(parts), parts[1], parts[3], parts[5], parts[6] is not None)

    def let(self, parts: Parts) -> tree.Let:
        return tree.Let(self._span(parts), parts[1], parts[3])

    def declare(self, parts: Parts) -> tree.Declare:
        return tree.Declare(self._span(parts), parts[1], parts[2])

    def tensor_param(self, parts: Parts) -> tree.TensorParam:
        return tree.TensorParam(self._span(parts), parts[1], parts[3], parts[5])

    def tensor_buffer(self, parts: Parts) -> tree.TensorBuffer:
        return tree.TensorBuffer(self._span(parts), parts[1], parts[3], parts[5])

    def defaults(self, parts: Parts) -> tree.Defaults:
        return tree.Defaults(self._span(parts), tuple(p for p in parts if isinstance(p, tree.Call)))

    def assertion(self, parts: Parts) -> tree.Assert:
        return tree.Assert(self._span(parts), parts[1])

    def for_(self, parts: Parts) -> tree.For:
        patterns = tuple(p for p in parts[1:-3] if not isinstance(p, Token))
        return tree.For(self._span(parts), patterns, parts[-2], parts[-1])

    def if_(self, parts: Parts) -> tree.If:
        return tree.If(self._span(parts), parts[1], parts[2], parts[4])

    def unpack(self, parts: Parts) -> tree.Unpack:
        return tree.Unpack(self._span(parts), _items(parts))

    def shape(self, parts: Parts) -> tree.Shape:
        return tree.Shape(self._span(parts), _items(parts[:-1]), parts[-1])

    def label(self, parts: Parts) -> tree.Label:
        word = parts[0]
        if isinstance(word, tree.String):
            return tree.Computed(word.span, self._computed_parts(word.value, word.span.start + 1))
        return word

    # ---- flow ----

    def chain(self, parts: Parts) -> tree.Chain:
        return tree.Chain(self._span(parts), _items(parts))

    def labelled(self, parts: Parts) -> tree.Labelled:
        return tree.Labelled(self._span(parts), parts[0], parts[1])

    def merge(self, parts: Parts) -> tree.Combine:
        return tree.Combine(self._span(parts), parts[0].value, _inner(parts[1]), None)

    def labelled_merge(self, parts: Parts) -> tree.Labelled:
        return tree.Labelled(self._span(parts), parts[0], self.merge(parts[1:]))

    # ---- expressions ----

    def ternary(self, parts: Parts) -> tree.Ternary:
        return tree.Ternary(self._span(parts), parts[0], parts[2], parts[4])

    def either(self, parts: Parts) -> tree.Logic:
        return tree.Logic(self._span(parts), "or", _items(parts))

    def both(self, parts: Parts) -> tree.Logic:
        return tree.Logic(self._span(parts), "and", _items(parts))

    def not_(self, parts: Parts) -> tree.Not:
        return tree.Not(self._span(parts), parts[1])

    def compared(self, parts: Parts) -> tree.Compare:
        return tree.Compare(self._span(parts), parts[0], parts[1].value, parts[2])

    def range(self, parts: Parts) -> tree.Range:
        return tree.Range(self._span(parts), parts[0], parts[2])

    def sum(self, parts: Parts) -> tree.Arithmetic:
        rest = tuple((str(op), term) for op, term in zip(parts[1::2], parts[2::2], strict=True))
        return tree.Arithmetic(self._span(parts), parts[0], rest)

    product = sum

    def negative(self, parts: Parts) -> tree.Negative:
        return tree.Negative(self._span(parts), parts[1])

    def power(self, parts: Parts) -> tree.Power:
        return tree.Power(self._span(parts), parts[0], parts[2])

    def call(self, parts: Parts) -> tree.Call:
        return tree.Call(self._span(parts), parts[0], parts[1].items)

    def args(self, parts: Parts) -> _List:
        given = (p if isinstance(p, tree.Argument) else tree.Argument(p.span, None, p) for p in _items(parts))
        return _List(self._span(parts), tuple(given))

    def named(self, parts: Parts) -> tree.Argument:
        return tree.Argument(self._span(parts), parts[0], parts[2])

    def attribute(self, parts: Parts) -> tree.Attribute:
        return tree.Attribute(self._span(parts), parts[0], parts[2])

    def index(self, parts: Parts) -> tree.Index:
        return tree.Index(self._span(parts), parts[0], _items(parts[1:]))

    def slice(self, parts: Parts) -> tree.Slice:
        return tree.Slice(self._span(parts), parts[0], parts[2], parts[4])

    def list(self, parts: Parts) -> tree.ListOf:
        return tree.ListOf(self._span(parts), _items(parts))

    def comprehension(self, parts: Parts) -> tree.Comprehension:
        clauses = tuple(p for p in parts if isinstance(p, tree.Clause))
        return tree.Comprehension(self._span(parts), parts[1], clauses)

    def comprehend(self, parts: Parts) -> tree.Clause:
        patterns = tuple(p for p in parts[1:-4] if not isinstance(p, Token))
        return tree.Clause(self._span(parts), patterns, parts[-3], parts[-1])

    def parenthesised(self, parts: Parts) -> Any:
        return parts[1].at(self._span(parts))

    def seq(self, parts: Parts) -> tree.Seq:
        return tree.Seq(self._span(parts), parts[1])

    def combine(self, parts: Parts) -> tree.Combine:
        return tree.Combine(self._span(parts), parts[0].value, _inner(parts[1]), parts[2])

    def residual(self, parts: Parts) -> tree.Residual:
        return tree.Residual(self._span(parts), parts[1], parts[3])


_BINDS = re.compile(
    r"\b(?:let|as|input|param|buffer|for|block|model|fn)\s+\[?(?P<several>\w+(?:\s*,\s*\w+)*)"
    r"|^[ \t]*(?P<one>[A-Za-z_]\w*)\s*(?::|=(?!=))",
    re.MULTILINE,
)


_WORD = re.compile(r"[A-Za-z_]\w*")
_WORD_OR_BRACE = re.compile(r"[A-Za-z_]\w*|[{}]")
_STATES = re.compile(r"^[ \t]*input\b|\bas\b", re.MULTILINE)
_LAST = re.compile(r"(?<=[\w)}\]] )[A-Za-z_]\w*(?=\s*$)")


def names_bound_in(span: Span) -> tuple[tree.Name, ...]:
    """The names that a text seems to bind: what could not be read need not make others unknown.

    Among them the sizes of a stated shape, and the last word: it may be a name before which the ``as`` is missing.
    """
    found = [m.span("several" if m["several"] else "one") for m in _BINDS.finditer(span.text)]
    words = [m for start, end in found for m in _WORD.finditer(span.text, start, end)]
    if "[" in span.text and _STATES.search(span.text):
        words += [m for m in _WORD.finditer(span.text) if m[0][0].isupper()]
    words += [m for m in [_LAST.search(span.text)] if m is not None]
    words += _names_of_loops(span.text)
    return tuple(tree.Name(Span(span.source, span.start + m.start(), span.start + m.end()), m[0]) for m in words)


def _names_of_loops(text: str) -> list[re.Match[str]]:
    """The words before each ``in``: from its ``for`` on, or as far as commas reach. Linear in the text."""
    found: list[re.Match[str]] = []
    group: list[re.Match[str]] = []
    is_loop, end = False, 0
    for match in _WORD_OR_BRACE.finditer(text):
        has_comma = "," in text[end : match.start()]
        end = match.end()
        match match[0]:
            case "{" | "}" | "for":
                group, is_loop = [], match[0] == "for"
            case "in":
                found += group
                group, is_loop = [], False
            case _:
                if not (is_loop or has_comma):
                    group = []
                group.append(match)
    return found


def _inner(brackets: _List | None) -> tuple:
    return brackets.items if brackets is not None else ()


def _items(parts: Parts) -> tuple:
    """The parts that are nodes: without punctuation and what was left out."""
    return tuple(p for p in parts if p is not None and not isinstance(p, Token))
