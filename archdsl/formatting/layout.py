"""The canonical layout of each construct, put together from its parts as the parser recognises them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from lark import Token

from archdsl.formatting.comments import Comments, Gap
from archdsl.formatting.doc import Choice, Doc, Group, Hard, IfBroken, Indent, Inside, Line, Tall
from archdsl.formatting.parts import Arms, Body, Part, Piece, between, extent, filled, spaced
from archdsl.syntax.faults import end_of, start_of
from archdsl.syntax.grammar import Parts
from archdsl.syntax.parse import VERSION


class UnknownVersion(Exception):
    """The text is of a version of the language that this package does not read."""


Rule: TypeAlias = "Callable[[Layout, Parts], Part]"
"""A callback of the parser."""


class Layout:
    """The parser's callbacks: from the parts of a rule to its layout."""

    def __init__(self, comments: Comments) -> None:
        self.comments = comments

    # ---- definitions ----

    def start(self, parts: Parts) -> list[Piece]:
        return items_of(parts)

    def version(self, parts: Parts) -> Part:
        if int(parts[1]) != VERSION:
            raise UnknownVersion
        return part([str(parts[0]), " ", str(parts[1])], parts)

    def use(self, parts: Parts) -> Part:
        names = [n.doc for n in items_of(parts[1:-2])]
        return part(["use ", Group(Indent(filled(names))), " from ", str(parts[-1])], parts)

    def block(self: Layout, parts: Parts) -> Arms:
        *head, body = parts
        return Arms([(part(_signature(head), head), body_of(body))], parts)

    model: Callable[[Layout, Parts], Arms] = block
    claim: Callable[[Layout, Parts], Arms] = block

    def block_alias(self: Layout, parts: Parts) -> Part:
        *head, _, value = parts
        return _assigned(_signature(head), value, parts)

    model_alias: Rule = block_alias
    fn: Rule = block_alias

    def params(self, parts: Parts) -> Part:
        return self._brackets(parts)

    def param(self, parts: Parts) -> Piece:
        name, equal, default = parts
        return piece(name) if equal is None else part([str(name), " = ", piece(default).doc], parts)

    # ---- statements ----

    def body(self, parts: Parts) -> Arms:
        statements = items_of(parts[1:-1])
        gaps = self.comments.gaps(end_of(parts[0]), statements, start_of(parts[-1]))
        runs: list[list[Piece]] = []
        kept: list[Gap] = []
        for gap, statement in zip(gaps, statements, strict=False):
            if runs and not gap.newline:
                runs[-1].append(statement)
            else:
                runs.append([statement])
                kept.append(gap)
        return Arms([(None, Body(runs, [*kept, gaps[-1]]))], parts)

    def step(self, parts: Parts) -> Piece:
        chain, as_, target, colon, shape = parts
        if as_ is None:
            return piece(chain)
        tail: list[Doc] = [" as ", piece(target).doc]
        tail += [": ", shape.doc] if colon is not None else []
        return part([piece(chain).doc, *tail], parts)

    def input(self, parts: Parts) -> Part:
        keyword, name, _, shape = parts
        return part([f"{keyword} {name}: ", shape.doc], parts)

    def output(self, parts: Parts) -> Part:
        keyword, name, _, shape, _, value, when = parts
        head: list[Doc] = [f"{keyword} {name}", *([": ", shape.doc] if shape is not None else [])]
        tail = " when training" if when is not None else ""
        return _assigned(head, value, parts, tail) if value is not None else part([head, tail], parts)

    def let(self, parts: Parts) -> Part:
        keyword, pattern, _, value = parts
        return _assigned([f"{keyword} ", piece(pattern).doc], value, parts)

    def declare(self, parts: Parts) -> Part:
        keyword, label, layer = parts
        return part([f"{keyword} ", label.doc, " ", piece(layer).doc], parts)

    def tensor_param(self, parts: Parts) -> Part:
        keyword, name, _, shape, _, value = parts
        return _assigned([f"{keyword} {name}: ", shape.doc], value, parts)

    tensor_buffer = tensor_param

    def defaults(self, parts: Parts) -> Part:
        calls: list[Doc] = [c.doc for c in items_of(parts[1:])]
        return breaking(["with ", Indent(spaced(calls, [",", Line()]))], parts)

    def assertion(self, parts: Parts) -> Part:
        return part(["assert ", piece(parts[1]).doc], parts)

    def for_(self, parts: Parts) -> Arms:
        *head, body = parts
        return Arms([(part(_clause(head), head), body_of(body))], parts)

    def if_(self, parts: Parts) -> Arms:
        keyword, condition, then, otherwise, last = parts
        head = part([f"{keyword} ", piece(condition).doc], [keyword, condition])
        arms = [(head, body_of(then))]
        if last is not None:
            self._lead(then, last)
            (first, body), *rest = last.arms
            head = part([str(otherwise), *([" ", first.doc] if first else [])], [otherwise, first])
            arms += [(head, body), *rest]
        return Arms(arms, parts)

    def unpack(self, parts: Parts) -> Part:
        return self._brackets(parts, trailing="")

    def shape(self, parts: Parts) -> Part:
        *brackets, dtype = parts
        shape = self._brackets(brackets, trailing="")
        return shape if dtype is None else part([shape.doc, f" {dtype}"], parts)

    def label(self, parts: Parts) -> Part:
        return part(f"{parts[0]}:", parts)

    # ---- flow ----

    def chain(self, parts: Parts) -> Part:
        items = items_of(parts)
        gaps = self.comments.gaps(items[0].end, items[1:], items[-1].end)[:-1]
        pieces = [[items[0]]]
        breaks: list[Gap] = []
        for gap, item in zip(gaps, items[1:], strict=True):
            if gap.newline:
                breaks.append(gap._replace(blank=0, own=tuple((0, c) for _, c in gap.own)))
                pieces.append([item])
            else:
                pieces[-1].append(item)
        head = _flow(pieces[0], indent=True)
        if not breaks:
            return part(head, parts, hugs=True)
        rest: list[Doc] = [
            [*between(gap), "-> ", _flow(piece, indent=False)] for gap, piece in zip(breaks, pieces[1:], strict=True)
        ]
        return part(Tall([head, Indent(rest)]), parts, tall=True, hugs=True)

    def labelled(self, parts: Parts) -> Part:
        label, item = parts[0], piece(parts[1])
        hanging = [label.doc, " ", item.hanging] if item.hanging is not None else None
        return part([label.doc, " ", item.doc], parts, hanging=hanging, hugs=item.hugs)

    def merge(self, parts: Parts) -> Part:
        kind, args = parts
        return part([str(kind), *([args.doc] if args else [])], parts, simple=args is None)

    def labelled_merge(self, parts: Parts) -> Part:
        return self.labelled([parts[0], self.merge(parts[1:])])

    # ---- expressions ----

    def ternary(self, parts: Parts) -> Part:
        then, _, condition, _, otherwise = (piece(p).doc for p in parts)
        rest: list[Doc] = [Line(inner=True), "if ", condition, Line(inner=True), "else ", otherwise]
        return breaking([then, Indent(rest)], parts)

    def operators(self: Layout, parts: Parts) -> Part:
        """Operands with operators between them; lines break before operators."""
        first, *rest = (piece(p).doc for p in parts)
        pairs: list[Doc] = [[Line(inner=True), op, " ", term] for op, term in zip(rest[::2], rest[1::2], strict=True)]
        return breaking([first, Indent(pairs)], parts)

    either: Rule = operators
    both: Rule = operators
    compared: Rule = operators
    sum: Rule = operators
    product: Rule = operators

    def joined(self: Layout, parts: Parts) -> Part:
        return part([piece(p).doc for p in parts if p is not None], parts)

    range: Rule = joined
    negative: Rule = joined
    attribute: Rule = joined
    slice: Rule = joined
    named: Rule = joined

    def not_(self, parts: Parts) -> Part:
        return part(["not ", piece(parts[1]).doc], parts)

    def power(self, parts: Parts) -> Part:
        return part([piece(parts[0]).doc, " ** ", piece(parts[2]).doc], parts)

    def call(self, parts: Parts) -> Part:
        return part([piece(parts[0]).doc, parts[1].doc], parts, hugs=True)

    def index(self, parts: Parts) -> Part:
        subscripts = self._brackets(parts[1:], trailing="")
        return part([piece(parts[0]).doc, subscripts.doc], [parts[0], subscripts], hugs=True)

    def args(self, parts: Parts) -> Part:
        return self._brackets(parts)

    list = args

    def parenthesised(self, parts: Parts) -> Part:
        return self._brackets(parts, trailing="")

    def comprehension(self, parts: Parts) -> Part:
        return self._brackets(parts, separator="", trailing="")

    def comprehend(self, parts: Parts) -> Part:
        *clause, if_, condition = parts
        tail: list[Doc] = [] if if_ is None else [" if ", piece(condition).doc]
        return part([_clause(clause), *tail], parts)

    def seq(self, parts: Parts) -> Arms:
        return Arms([(piece(parts[0]), body_of(parts[1]))], parts)

    def combine(self, parts: Parts) -> Arms:
        *head, body = parts
        return Arms([(self.merge(head), body_of(body))], parts)

    def residual(self, parts: Parts) -> Arms:
        keyword, body, shortcut, path = parts
        arms: list[tuple[Piece | None, Body]] = [(piece(keyword), body_of(body))]
        if path is not None:
            self._lead(body, path)
            arms.append((piece(shortcut), body_of(path)))
        return Arms(arms, parts)

    # ---- what they share ----

    def _lead(self, before: Arms, after: Arms) -> None:
        """Comments between two bodies go into the second."""
        body_of(after).lead += self.comments.take(before.end, after.start)

    def _brackets(self, parts: Parts, separator: str = ",", trailing: str = ",") -> Part:
        """Items between brackets: on one line, or with the brackets on lines of their own.

        A line break after the opening bracket is kept; ``trailing`` then follows the last item.
        """
        opening, closing = parts[0], parts[-1]
        items = items_of(parts[1:-1])
        gaps = self.comments.gaps(end_of(opening), items, start_of(closing))
        commented = any(gap.commented for gap in gaps)
        if not items and not commented:
            return part(f"{opening}{closing}", parts)
        tall = sum(item.tall for item in items)
        kept = gaps[0].newline or commented
        if kept or tall > 1 or (tall and len(items) > 1 and opening == "["):
            rows = Indent(_rows(items, gaps, separator, trailing, kept))
            doc = Tall([str(opening), Inside(rows, True), Hard(), str(closing)])
            return part(doc, parts, tall=True, hugs=True)
        row = Indent([Line(""), _row(items, separator), IfBroken(trailing)])
        doc = Group([str(opening), Inside(row, True), Line(""), str(closing)])
        return part(doc, parts, tall=tall > 0, hugs=True)


def _rows(items: list[Piece], gaps: list[Gap], separator: str, trailing: str, kept: bool) -> list[Doc]:
    """Items in the rows in which their author set them (``kept``), or each in its own."""
    doc = between(gaps[0].first())
    for before, item, after in zip(gaps, items, gaps[1:], strict=False):
        same_row = kept and not before.newline and item is not items[0]
        doc.append(Group([Line(), item.doc]) if same_row else item.doc)
        if item is items[-1]:
            doc += [trailing, *between(after)]
        else:
            doc += [separator, *(between(after) if after.newline or not kept else [])]
    return doc[:-1]


def _row(items: list[Piece], separator: str) -> Doc:
    """Items on one line if they fit; else names and numbers as many as fit, and other things one a line."""
    docs = [item.doc for item in items]
    if any(item.tall for item in items):
        return spaced(docs, [separator, Line()])
    return filled(docs) if all(item.simple for item in items) else Group(spaced(docs, [separator, Line()]))


def _flow(items: list[Piece], indent: bool) -> Doc:
    """Items of a chain on a line if they fit, else with a break before each arrow.

    One in the middle that takes several lines breaks the chain; one at its start or end does not.
    """
    first, *others = items
    arrows: list[Doc] = [[Line(), "-> ", item.doc] for item in others]
    if any(item.tall for item in others[:-1]):
        return Tall([first.doc, _indented(arrows, indent)])
    if first.tall:
        return [first.doc, Group(_indented(arrows, indent))]
    whole = Group([first.doc, _indented(arrows, indent)])
    last = items[-1]
    if not others or last.tall or last.hanging is None:
        return whole
    return Choice(whole, Group([first.doc, *arrows[:-1], Line(), "-> ", last.hanging]))


def _indented(docs: list[Doc], indent: bool) -> Doc:
    return Indent(docs) if indent else docs


def _assigned(head: list[Doc], value: Token | Piece, parts: Parts, tail: str = "") -> Part:
    """``head = value``: a value that has breaks of its own stays on the line, another may have the next for itself."""
    given = piece(value)
    if given.hugs:
        return part([*head, " = ", given.doc, tail], parts)
    return part([*head, breaking([" =", Indent([Line(), given.doc, tail])], [given]).doc], parts)


def _signature(head: list) -> list[Doc]:
    """``block Name(…)``, ``claim(…) "text"``."""
    keyword, *rest = head
    doc: list[Doc] = [str(keyword)]
    for item in rest:
        if item is not None:
            doc += [item.doc] if isinstance(item, Part) else [" ", str(item)]
    return doc


def _clause(head: list) -> list[Doc]:
    """``for a, b in items``."""
    keyword, *patterns, word, iterable = head
    names: list[Doc] = [p.doc for p in items_of(patterns)]
    return [f"{keyword} ", *spaced(names, ", "), f" {word} ", piece(iterable).doc]


# ---- parts -------------------------------------------------------------------------------------------------

_SIMPLE = frozenset({"NAME", "COMPUTED", "INT", "FLOAT", "TRUE", "FALSE", "NONE", "STRING"})
_BETWEEN = frozenset({"COMMA", "_NL", "ARROW"})


def piece(x: Token | Piece) -> Piece:
    """A token as a part."""
    if isinstance(x, Token):
        return Part(str(x), start_of(x), end_of(x), simple=x.type in _SIMPLE)
    return x


def items_of(parts: Parts) -> list[Piece]:
    """The parts without what stands between them."""
    return [piece(p) for p in parts if p is not None and not (isinstance(p, Token) and p.type in _BETWEEN)]


def part(doc: Doc, parts: Parts, **facts: Any) -> Part:
    """What a rule made of its parts; tall if any of them is."""
    tall = any(not isinstance(p, Token) and p.tall for p in parts if p is not None)
    return Part(doc, *extent(parts), **{"tall": tall, **facts})


def breaking(doc: Doc, parts: Parts) -> Part:
    """Parts on one line if they fit and none of them is tall; else broken, so that a text laid out is left alone."""
    made = part(doc, parts)
    made.doc = Tall(doc) if made.tall else Group(doc)
    return made


def body_of(body: Arms) -> Body:
    """The body that a plain ``{ … }`` is."""
    return body.arms[0][1]
