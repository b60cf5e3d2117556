"""Python syntax trees as text that `ruff format` (88 columns, its default) leaves as it is.

`ast.unparse` knows no line length. The rules are the formatter's: what fits on a line stays there; else what stands
in the last brackets goes on a line of its own; else each part of it does, with a comma behind it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeVar

WIDTH = 88
INDENT = "    "

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 6),
    ast.BitXor: ("^", 7),
    ast.BitAnd: ("&", 8),
    ast.LShift: ("<<", 9),
    ast.RShift: (">>", 9),
    ast.Add: ("+", 10),
    ast.Sub: ("-", 10),
    ast.Mult: ("*", 11),
    ast.MatMult: ("@", 11),
    ast.Div: ("/", 11),
    ast.FloorDiv: ("//", 11),
    ast.Mod: ("%", 11),
    ast.Pow: ("**", 13),
}
_UNARY: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.Not: ("not ", 4),
    ast.USub: ("-", 12),
    ast.UAdd: ("+", 12),
    ast.Invert: ("~", 12),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_TERNARY, _OR, _AND, _COMPARISON, _PREFIX, _POWER, _ATOM = 1, 2, 3, 5, 12, 13, 15

Node = TypeVar("Node", bound=ast.expr)


# ---- on one line -------------------------------------------------------------------------------------------


def flat(node: ast.expr) -> str:
    """An expression on one line."""
    return _flat(node, 0)


def _flat(node: ast.expr, level: int) -> str:
    """The text of an operand of an operator that binds as tightly as ``level``."""
    text, own = _text(node)
    return f"({text})" if own < level else text


def _text(node: ast.expr) -> tuple[str, int]:
    """The text of an expression and how tightly it binds."""
    match node:
        case ast.Name(id=name):
            return name, _ATOM
        case ast.Constant(value=value):
            return constant(value), _PREFIX if _is_negative(value) else _ATOM
        case ast.Attribute(value=value, attr=name):
            inner = _flat(value, _ATOM)
            return f"({inner}).{name}" if inner.isdigit() else f"{inner}.{name}", _ATOM
        case ast.Call():
            return f"{_flat(node.func, _ATOM)}({', '.join(_arguments(node))})", _ATOM
        case ast.Subscript(value=value, slice=index):
            return f"{_flat(value, _ATOM)}[{_subscript(index)}]", _ATOM
        case ast.Starred(value=value):
            return f"*{_flat(value, _COMPARISON)}", _ATOM
        case ast.Tuple(elts=items):
            inner = ", ".join(map(flat, items))
            return f"({inner},)" if len(items) == 1 else f"({inner})", _ATOM
        case ast.List(elts=items):
            return f"[{', '.join(map(flat, items))}]", _ATOM
        case ast.ListComp() | ast.GeneratorExp():
            opening, closing = ("[", "]") if isinstance(node, ast.ListComp) else ("(", ")")
            return f"{opening}{' '.join(_comprehension(node))}{closing}", _ATOM
        case ast.JoinedStr(values=parts):
            return f'f"{"".join(map(_formatted, parts))}"', _ATOM
    return _operation(node)


def _operation(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            gap = "" if _is_simple_power(left, is_base=True) and _is_simple_power(right) else " "
            return f"{_flat(left, _POWER + 1)}{gap}**{gap}{_flat(right, _PREFIX)}", _POWER
        case ast.BinOp(left=left, op=op, right=right):
            symbol, level = _BINARY[type(op)]
            return f"{_flat(left, level)} {symbol} {_flat(right, level + 1)}", level
        case ast.UnaryOp(op=op, operand=operand):
            symbol, level = _UNARY[type(op)]
            return f"{symbol}{_flat(operand, level)}", level
        case ast.BoolOp(op=op, values=values):
            word, level = ("and", _AND) if isinstance(op, ast.And) else ("or", _OR)
            return f" {word} ".join(_flat(v, level + 1) for v in values), level
        case ast.Compare(left=left, ops=ops, comparators=others):
            rest = (f" {_COMPARE[type(op)]} {_flat(o, _COMPARISON + 1)}" for op, o in zip(ops, others, strict=True))
            return _flat(left, _COMPARISON + 1) + "".join(rest), _COMPARISON
        case ast.IfExp(test=test, body=body, orelse=orelse):
            texts = _flat(body, _TERNARY + 1), _flat(test, _TERNARY + 1), _flat(orelse, _TERNARY)
            return "{} if {} else {}".format(*texts), _TERNARY
    raise TypeError(f"no text for {type(node).__name__}")


def constant(value: object) -> str:
    """A number, string, True, False or None as the formatter writes it."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float):
        return _float(value)
    return "..." if value is ... else repr(value)


def _float(value: float) -> str:
    text = repr(value)
    if text in ("inf", "-inf", "nan"):
        return f'float("{text}")'
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else text


def _string(value: str) -> str:
    """With double quotes, unless single ones save escapes."""
    text = repr(value)
    if text.startswith('"') or '"' in value:
        return text
    return f'"{text[1:-1]}"'


def _is_negative(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value < 0


def _is_simple_power(node: ast.expr, is_base: bool = False) -> bool:
    """Operands around which ``**`` stands without spaces: names, their attributes, numbers."""
    match node:
        case ast.Name():
            return True
        case ast.Attribute(value=value):
            return _is_simple_power(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return not is_base and _is_simple_power(operand)
        case ast.Constant(value=int() | float() as value):
            return not (is_base and _is_negative(value))
    return False


def _subscript(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple) and len(node.elts) > 1:
        return ", ".join(map(_subscript, node.elts))
    if not isinstance(node, ast.Slice):
        return flat(node)
    ends = [node.lower, node.upper]
    gap = "" if all(e is None or _is_simple_end(e) for e in (*ends, node.step)) else " "
    lower, upper = ("" if e is None else flat(e) for e in ends)
    text = f"{lower}{gap if lower else ''}:{gap if upper else ''}{upper}"
    return text if node.step is None else f"{text}{gap if upper else ''}:{gap}{flat(node.step)}"


def _is_simple_end(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Name | ast.Constant)
    return isinstance(node, ast.Name | ast.Constant)


def _arguments(node: ast.Call) -> Iterator[str]:
    if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
        yield " ".join(_comprehension(node.args[0]))
        return
    yield from map(flat, node.args)
    for keyword in node.keywords:
        yield f"{keyword.arg}={flat(keyword.value)}"


def _comprehension(node: ast.ListComp | ast.GeneratorExp) -> Iterator[str]:
    """The element and the clauses."""
    yield flat(node.elt)
    for clause in node.generators:
        yield f"for {_targets(clause.target)} in {_flat(clause.iter, _OR)}"
        for condition in clause.ifs:
            yield f"if {_flat(condition, _OR)}"


def _targets(node: ast.expr) -> str:
    """The left side of an assignment or a ``for``: a tuple has no parentheses."""
    if isinstance(node, ast.Tuple):
        return ", ".join(_flat(e, 0) for e in node.elts) + ("," if len(node.elts) == 1 else "")
    return flat(node)


def _formatted(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return f"{{{flat(part.value)}}}"
    assert isinstance(part, ast.Constant)
    return repr(part.value)[1:-1].replace('"', '\\"').replace("{", "{{").replace("}", "}}")


# ---- on several lines ----------------------------------------------------------------------------------------


def _lay(prefix: str, node: ast.expr | str, suffix: str, depth: int) -> list[str]:
    """The lines of ``prefix node suffix`` inside brackets, indented ``depth`` times."""
    if isinstance(node, str):
        return [INDENT * depth + prefix + node + suffix]
    line = INDENT * depth + prefix + flat(node) + suffix
    if len(line) <= WIDTH:
        return [line]
    if links := _links(node):
        return _linked(prefix, links, suffix, depth)
    match node:
        case ast.Starred(value=value):
            return _lay(prefix + "*", value, suffix, depth)
        case ast.Call(args=args, keywords=keywords) if args or keywords:
            return _bracket(f"{prefix}{_flat(node.func, _ATOM)}(", _call_parts(node), ")" + suffix, depth)
        case ast.List(elts=items) if items:
            return _bracket(prefix + "[", [("", i) for i in items], "]" + suffix, depth, spread=True)
        case ast.Tuple(elts=items) if items:
            return _bracket(prefix + "(", [("", i) for i in items], ")" + suffix, depth, spread=True)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=items)):
            parts: list[Part] = [("", _subscript(i)) for i in items]
            return _bracket(f"{prefix}{_flat(value, _ATOM)}[", parts, "]" + suffix, depth)
        case ast.ListComp():
            return _clauses(prefix + "[", node, "]" + suffix, depth)
        case ast.GeneratorExp():
            return _clauses(prefix + "(", node, ")" + suffix, depth)
        case ast.BinOp() | ast.BoolOp() | ast.IfExp():
            return _operators(prefix, node, suffix, depth)
    return [line]


def _links(node: ast.expr) -> list[str]:
    """The calls of a chain of methods, ``x.unflatten(…)`` and then ``.flatten(…)``; empty if it has less than three."""
    links: list[str] = []
    current = node
    while isinstance(current, ast.Call) and isinstance(current.func, ast.Attribute):
        inner = current.func.value
        if not isinstance(inner, ast.Call | ast.Subscript):
            break
        links.insert(0, f".{current.func.attr}({', '.join(_arguments(current))})")
        current = inner
    return [_flat(current, _ATOM), *links] if len(links) > 1 else []


def _linked(prefix: str, links: Sequence[str], suffix: str, depth: int) -> list[str]:
    """Each call of a chain on a line of its own."""
    pad = INDENT * depth
    return [pad + prefix + links[0], *(pad + link for link in links[1:-1]), pad + links[-1] + suffix]


Part = tuple[str, "ast.expr | str"]
"""A prefix (``name=``) and what follows it."""


def _call_parts(node: ast.Call) -> list[Part]:
    return [*(("", a) for a in node.args), *((f"{k.arg}=", k.value) for k in node.keywords)]


def _bracket(opening: str, parts: Sequence[Part], closing: str, depth: int, spread: bool = False) -> list[str]:
    """Brackets over several lines: their content on one line, or each part on its own."""
    pad = INDENT * depth
    if len(parts) == 1 and isinstance(parts[0][1], ast.GeneratorExp) and not parts[0][0]:
        return _clauses(opening, parts[0][1], closing, depth)
    together = pad + INDENT + ", ".join(p + (n if isinstance(n, str) else flat(n)) for p, n in parts)
    if not spread and len(together) <= WIDTH:
        return [pad + opening, together, pad + closing]
    lines = [line for prefix, node in parts for line in _lay(prefix, node, ",", depth + 1)]
    return [pad + opening, *lines, pad + closing]


def _clauses(opening: str, node: ast.ListComp | ast.GeneratorExp, closing: str, depth: int) -> list[str]:
    """A comprehension over several lines."""
    pad = INDENT * depth
    together = pad + INDENT + " ".join(_comprehension(node))
    if len(together) <= WIDTH:
        return [pad + opening, together, pad + closing]
    lines = _lay("", node.elt, "", depth + 1)
    for clause in node.generators:
        lines += _lay(f"for {_targets(clause.target)} in ", clause.iter, "", depth + 1)
        lines += (pad + INDENT + f"if {_flat(condition, _OR)}" for condition in clause.ifs)
    return [pad + opening, *lines, pad + closing]


def _operators(prefix: str, node: ast.expr, suffix: str, depth: int) -> list[str]:
    """Operands on lines of their own, each behind its operator."""
    pieces = list(_operands(node))
    lines = [line for mark, operand in pieces for line in _lay(mark, operand, "", depth)]
    lines[0] = INDENT * depth + prefix + lines[0][len(INDENT * depth) :]
    return [*lines[:-1], lines[-1] + suffix]


def _operands(node: ast.expr) -> Iterator[tuple[str, ast.expr | str]]:
    match node:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "", _flat(body, _TERNARY + 1)
            yield "if ", _flat(test, _TERNARY + 1)
            yield "else ", orelse
        case ast.BoolOp(op=op, values=values):
            word = "and " if isinstance(op, ast.And) else "or "
            level = (_AND if isinstance(op, ast.And) else _OR) + 1
            for place, value in enumerate(values):
                yield word if place else "", _flat(value, level)
        case ast.BinOp(left=left, op=op, right=right):
            symbol, level = _BINARY[type(op)]
            same = isinstance(left, ast.BinOp) and _BINARY[type(left.op)][1] == level
            if same:
                yield from _operands(left)
            else:
                yield "", _flat(left, level)
            yield f"{symbol} ", _flat(right, level + 1)


# ---- statements ----------------------------------------------------------------------------------------------


def source(module: ast.Module) -> str:
    """The text of a file."""
    return "\n".join(_file(module.body)) + "\n"


def _file(body: Sequence[ast.stmt]) -> Iterator[str]:
    before: ast.stmt | None = None
    for statement in body:
        yield from [""] * _gap(before, statement)
        yield from _statement(statement, 0)
        before = statement


def _gap(before: ast.stmt | None, statement: ast.stmt) -> int:
    """Empty lines between two statements of a file."""
    definitions = ast.ClassDef | ast.FunctionDef
    if before is None:
        return 0
    if isinstance(before, definitions) or isinstance(statement, definitions):
        return 2
    imports = ast.Import | ast.ImportFrom
    return 1 if _is_docstring(before) or isinstance(before, imports) != isinstance(statement, imports) else 0


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _statement(node: ast.stmt, depth: int) -> Iterator[str]:
    pad = INDENT * depth
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            yield from _docstring(text, depth)
        case ast.Expr(value=value):
            yield from _line("", value, "", depth)
        case ast.Assign(targets=[target], value=value):
            yield from _line(f"{_targets(target)} = ", value, "", depth)
        case ast.AnnAssign(target=target, annotation=annotation, value=None):
            yield f"{pad}{flat(target)}: {flat(annotation)}"
        case ast.AnnAssign(target=target, annotation=annotation, value=ast.expr() as value):
            yield from _line(f"{flat(target)}: {flat(annotation)} = ", value, "", depth)
        case ast.AugAssign(target=target, op=op, value=value):
            yield from _line(f"{flat(target)} {_BINARY[type(op)][0]}= ", value, "", depth)
        case ast.Return(value=ast.expr() as value):
            yield from _line("return ", value, "", depth)
        case ast.Import(names=names):
            yield f"{pad}import {', '.join(map(_alias, names))}"
        case ast.ImportFrom(module=module, names=names):
            yield f"{pad}from {module} import {', '.join(map(_alias, names))}"
        case _:
            yield from _compound(node, depth)


def _compound(node: ast.stmt, depth: int) -> Iterator[str]:
    pad = INDENT * depth
    match node:
        case ast.If():
            yield from _conditional(node, "if", depth)
        case ast.For(target=target, iter=iterable, body=body):
            yield from _line(f"for {_targets(target)} in ", iterable, ":", depth)
            yield from _block(body, depth + 1)
        case ast.FunctionDef():
            yield from _function(node, depth)
        case ast.ClassDef(name=name, bases=bases, body=body):
            yield f"{pad}class {name}({', '.join(map(flat, bases))}):"
            yield from _members(body, depth + 1)
        case _:
            raise TypeError(f"no text for {type(node).__name__}")


def _alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _block(body: Sequence[ast.stmt], depth: int) -> Iterator[str]:
    for statement in body:
        yield from _statement(statement, depth)


def _conditional(node: ast.If, word: str, depth: int) -> Iterator[str]:
    yield from _line(f"{word} ", node.test, ":", depth)
    yield from _block(node.body, depth + 1)
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        yield from _conditional(node.orelse[0], "elif", depth)
    elif node.orelse:
        yield f"{INDENT * depth}else:"
        yield from _block(node.orelse, depth + 1)


def _line(prefix: str, value: ast.expr, suffix: str, depth: int) -> list[str]:
    """A statement of one expression. What has no brackets of its own gets some where it is too long."""
    pad = INDENT * depth
    is_bare_tuple = isinstance(value, ast.Tuple) and prefix in ("return ", "for ")
    text = _targets(value) if is_bare_tuple else flat(value)
    if len(pad + prefix + text + suffix) <= WIDTH:
        return [pad + prefix + text + suffix]
    if isinstance(value, ast.Tuple) and is_bare_tuple:
        return _bracket(prefix + "(", [("", e) for e in value.elts], ")" + suffix, depth, spread=True)
    if isinstance(value, ast.BinOp | ast.BoolOp | ast.IfExp | ast.Compare) or _links(value):
        return [pad + prefix + "(", *_lay("", value, "", depth + 1), pad + ")" + suffix]
    return _lay(prefix, value, suffix, depth)


def _function(node: ast.FunctionDef, depth: int) -> Iterator[str]:
    parts: list[Part] = [("", text) for text in _parameters(node.args)]
    suffix = ")" + (f" -> {flat(node.returns)}" if node.returns is not None else "") + ":"
    opening = f"def {node.name}("
    line = INDENT * depth + opening + ", ".join(str(p) for _, p in parts) + suffix
    yield from [line] if len(line) <= WIDTH else _bracket(opening, parts, suffix, depth)
    yield from _block(node.body, depth + 1)


def _parameters(args: ast.arguments) -> Iterator[str]:
    yield from (_parameter(*pair) for pair in _with_defaults(args))
    if args.vararg is not None:
        yield f"*{_parameter(args.vararg, None)}"


def _with_defaults(args: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    missing = [None] * (len(args.args) - len(args.defaults))
    yield from zip(args.args, [*missing, *args.defaults], strict=True)


def _parameter(arg: ast.arg, default: ast.expr | None) -> str:
    text = arg.arg if arg.annotation is None else f"{arg.arg}: {flat(arg.annotation)}"
    if default is None:
        return text
    return f"{text}{' = ' if arg.annotation is not None else '='}{flat(default)}"


def _members(body: Sequence[ast.stmt], depth: int) -> Iterator[str]:
    """What a class holds: an empty line around its functions and below its docstring."""
    before: ast.stmt | None = None
    for statement in body:
        if before is not None and (_is_docstring(before) or isinstance(statement, ast.FunctionDef)):
            yield ""
        yield from _statement(statement, depth)
        before = statement


def _docstring(text: str, depth: int) -> Iterator[str]:
    pad = INDENT * depth
    lines = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').split("\n")
    if lines[-1].endswith('"'):
        lines[-1] += " "
    if len(lines) == 1:
        yield f'{pad}"""{lines[0]}"""'
        return
    yield f'{pad}"""{lines[0]}'
    yield from (pad + line if line else "" for line in lines[1:])
    yield f'{pad}"""'
