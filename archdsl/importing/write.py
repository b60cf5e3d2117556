"""Prints a tree as the text of a spec, which the formatter then lays out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from archdsl.importing.tree import (
    Apply,
    Body,
    Chain,
    Code,
    Condition,
    CutText,
    Declared,
    Do,
    For,
    Given,
    Group,
    If,
    Index,
    Infix,
    It,
    Item,
    Label,
    Labelled,
    Let,
    Literal,
    Merge,
    Name,
    Number,
    Open,
    Own,
    Parenthesis,
    Pass,
    Quantity,
    Range,
    Residual,
    Rows,
    Several,
    Statement,
    value_text,
)
from archdsl.importing.unify import Blocks

SHORT = 100
ROW_LENGTH = 104
PRECEDENCE = {"==": 0, "!=": 0, "<": 0, ">": 0, "<=": 0, ">=": 0, "+": 1, "-": 1, "*": 2, "/": 2, "**": 3}
RESERVED = frozenset(
    {"shortcut", "residual", "seq", "add", "mul", "concat", "stack", "for", "if", "else", "in", "as", "input", "output",
     "param", "buffer", "let", "with", "assert", "model", "block", "when", "training", "use", "family", "member", "it",
     "and", "or", "not", "true", "false", "none", "claim"}
)  # fmt: skip
"""Words that are no label without quotes."""


class Writer:
    """Prints the text of one spec."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    def body(self, body: Body) -> str:
        """Statements, one a line."""
        return "\n".join(self.statements(body.statements))

    # ---- statements ----

    def statements(self, statements: Sequence[Statement]) -> list[str]:
        """Statements as lines; items that read as one chain are joined by arrows."""
        lines: list[str] = []
        chain: list[str] = []
        was_if: str | None = None

        def close() -> None:
            if chain:
                lines.append(" -> ".join(chain))
                chain.clear()

        for statement in _without_idle_names(statements):
            condition = statement.condition if isinstance(statement, If) else None
            if isinstance(statement, Do):
                self._do(statement, chain, lines, close)
            else:
                close()
                text = self._statement(statement)
                if condition is not None and was_if is not None and is_opposite(was_if, _code(condition)):
                    assert isinstance(statement, If)
                    lines[-1] += f" else {_braces(self.body(statement.body))}"
                else:
                    lines.append(text)
            was_if = _code(condition) if condition is not None else None
        close()
        return lines

    def _do(self, do: Do, chain: list[str], lines: list[str], close: Callable[[], None]) -> None:
        names = [str(n) for n in do.names]
        shown = f" as {names[0]}" if len(names) == 1 else f" as [{', '.join(names)}]" if names else ""
        if isinstance(do.item, Pass):
            if chain:
                chain[-1] += shown
                close()
            else:
                lines.append(f"it{shown}")
            return
        if do.starts or (self._is_heavy(do.item) and chain and not chain[-1].endswith("]")):
            close()
        chain.append(self.item(do.item) + shown)
        if names or isinstance(do.item, Residual | Merge | Chain | Group):
            close()

    def _is_heavy(self, item: Item) -> bool:
        """Does an item begin a line of its own?"""
        inner = item.item if isinstance(item, Labelled) else item
        if isinstance(inner, Residual | Merge | Chain | Group):
            return True
        if not isinstance(inner, Apply) or not isinstance(inner.name, str):
            return False
        is_block = inner.name in self._blocks.parameters
        return is_block or inner.name in ("conv", "linear") or (inner is not item and inner.name not in FOLLOWING)

    def _statement(self, statement: Statement) -> str:
        match statement:
            case Own(kind=kind, name=name, shape=shape, initial=initial):
                return f"{kind} {name}: [{', '.join(map(self.quantity, shape))}] = {initial}"
            case Let(label=label, item=item):
                return f"let {_quoted(label)}: {self.item(item)}"
            case Given(text=text):
                return text
            case If(condition=condition, body=body):
                return f"if {_code(condition)} {_braces(self.body(body))}"
            case For(variables=variables, source=source, body=body):
                return (
                    f"for {', '.join(variables)} in {self._source(source, len(variables))} {_braces(self.body(body))}"
                )
            case Do():
                return self.item(statement.item)

    def _source(self, source: Range | Rows, variables: int) -> str:
        if isinstance(source, Range):
            return f"0..{self.quantity(source.count)}"
        rows = _filled(source.rows)
        return f"enumerate({rows})" if variables == 2 else rows

    # ---- items ----

    def item(self, item: Item) -> str:
        """An item of a chain."""
        match item:
            case Apply():
                return self.apply(item)
            case Labelled(label=label, item=inner):
                return f"{self.label(label)}: {self.item(inner)}"
            case Chain(body=body):
                return self._chain(body)
            case Group(body=body):
                return _braces(self.body(body))
            case Residual(body=body, shortcut=shortcut):
                text = f"residual {_braces(self.body(body))}"
                return f"{text} shortcut {_braces(self.body(shortcut))}" if shortcut.statements else text
            case Merge(name=name, arguments=arguments, branches=branches):
                head = self.apply(Apply(name, arguments))
                return f"{head} {{\n{chr(10).join(map(self._branch, branches))}\n}}"
            case Infix(symbol=symbol, left=left, right=right):
                return self._infix(symbol, left, right)
        return self._leaf(item)

    def _leaf(self, item: Item) -> str:
        match item:
            case It() | Pass():
                return "it"
            case Name(what=what):
                assert isinstance(what, str)
                return what
            case Index(cuts=cuts):
                return f"it[{', '.join(map(self._cut, cuts))}]"
            case Several(items=items):
                return f"[{', '.join(map(self.item, items))}]"
            case Number(quantity=quantity):
                return self.quantity(quantity)
            case Parenthesis(body=body):
                return f"({' -> '.join(self.statements(body.statements))})"
            case Declared(text=text) | Code(text=text):
                return text
        raise AssertionError(item)

    def _chain(self, body: Body) -> str:
        lines = self.statements(body.statements)
        one = " -> ".join(lines)
        is_short = "\n" not in one and len(one) < SHORT - 20
        if is_short and not any(line.startswith(("for ", "if ", "let ")) for line in lines):
            return f"seq {{ {one} }}"
        return f"seq {{\n{chr(10).join(lines)}\n}}"

    def _branch(self, body: Body) -> str:
        lines = self.statements(body.statements)
        if not lines:
            return "it"
        is_one = len(lines) == 1 and not lines[0].startswith(("for ", "if "))
        return lines[0] if is_one else _braces("\n".join(lines))

    def _infix(self, symbol: str, left: Item, right: Item) -> str:
        if symbol == "[]":
            return f"{self.item(left)}[{self.item(right)}]"
        if symbol in ("maximum", "minimum"):
            return f"{symbol}({self.item(right)})"

        def side(item: Item) -> str:
            text = self.item(item)
            is_code = isinstance(item, Number) and isinstance(item.quantity, Code) and not text.isidentifier()
            is_loose = isinstance(item, Infix) and PRECEDENCE.get(item.symbol, 9) < 3
            return f"({text})" if is_code or is_loose or (text.startswith("-") and symbol == "**") else text

        return f"{side(left)} {symbol} {side(right)}"

    def _cut(self, cut: Quantity | CutText) -> str:
        if not isinstance(cut, CutText):
            return self.quantity(cut)
        start, stop, step = (
            "" if isinstance(end, Literal) and end.value is None else self.quantity(end)
            for end in (cut.start, cut.stop, cut.step)
        )
        return f"{start}:{stop}" + (f":{step}" if step else "")

    def quantity(self, quantity: Quantity) -> str:
        """A number or an expression."""
        assert not isinstance(quantity, Open)
        return quantity.text

    def apply(self, apply: Apply) -> str:
        """An operator or block with its arguments: required ones by position, those at their defaults left out."""
        if not isinstance(apply.name, str):
            return self.quantity(apply.name)
        defaults = self._blocks.defaults(apply.name)
        given = dict(apply.arguments)
        names = [n for n in defaults if n in given] + [n for n in given if n not in defaults]
        order, is_block = list(defaults), apply.name in self._blocks.parameters
        is_positional = True
        shown: list[str] = []
        for name in names:
            if defaults.get(name) is not None and given[name] == defaults[name]:
                is_positional = False
                continue
            is_next = is_positional and len(shown) < len(order) and order[len(shown)] == name
            is_plain = defaults.get(name) is None or name in BY_POSITION or (is_block and name == "stride")
            if name in defaults and is_next and is_plain:
                shown.append(self.quantity(given[name]))
            else:
                is_positional = False
                shown.append(f"{name}={self.quantity(given[name])}")
        return f"{apply.name}({', '.join(shown)})" if shown else apply.name

    def label(self, label: Label) -> str:
        """A label, in quotes where it is no name."""
        text = "".join(
            part if isinstance(part, str) else part.text if isinstance(part, Literal) else f"{{{self.quantity(part)}}}"
            for part in label.parts
        )
        return _quoted(text)


BY_POSITION = frozenset({"kernel", "p", "slope"})
"""Arguments that are given by position though they have a default."""
FOLLOWING = frozenset({"batchnorm", "layernorm", "groupnorm"})
"""Layers that stand behind another one on its line."""


def _quoted(label: str) -> str:
    plain = re.sub(r"\{[^}]*\}", "0", label)
    is_name = plain.isidentifier() and not label.startswith("{") and label not in RESERVED
    return label if is_name else f'"{label}"'


def _code(condition: Condition | Code) -> str:
    assert isinstance(condition, Code)
    return condition.text


def _braces(text: str) -> str:
    if not text:
        return "{}"
    return f"{{ {text} }}" if "\n" not in text and len(text) < SHORT else f"{{\n{text}\n}}"


def _filled(rows: Literal) -> str:
    """Rows of numbers, as many on a line as fit."""
    text = rows.text
    if len(text) < SHORT - 30:
        return text
    lines: list[str] = []
    for row in rows.value:
        piece = f"{value_text(row)},"
        if lines and len(lines[-1]) + len(piece) < ROW_LENGTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return "[\n" + "\n".join(lines) + "\n]"


def is_opposite(a: str, b: str) -> bool:
    """Does one condition hold where the other does not?"""
    if b == f"not {a}" or a == f"not {b}":
        return True
    is_single = not re.search(r" (or|and) ", f"{a} {b}")
    return is_single and (a.replace(" != ", " == ") == b or a == b.replace(" != ", " == ")) and a != b


def _without_idle_names(statements: Iterable[Statement]) -> list[Statement]:
    """Statements without names on the stream that the next statement does not read from there."""
    listed = list(statements)
    kept: list[Statement] = []
    for i, statement in enumerate(listed):
        following = listed[i + 1] if i + 1 < len(listed) else None
        is_idle = isinstance(statement, Do) and isinstance(statement.item, Name) and not statement.names
        if not (is_idle and isinstance(following, Do) and following.starts):
            kept.append(statement)
    return kept
