"""Is a file nothing but what the back end writes? Asked of its text, before anything of it is run.

Names and labels come from a spec that nobody need trust. They are checked where they are used; here the finished file
must consist of the few forms that emitted source has, on the few names that it may use: of torch, those that the
operators of its networks use and those that construct modules, so that no file is read or written and nothing imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.operators import BUILTINS, CONSTRUCTION, EXITS, IMPORTS, INITIALIZERS, OTHER_BUILTINS, ROOTS

STATEMENTS = (
    ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.For, ast.Return, ast.FunctionDef, ast.ClassDef,
)  # fmt: skip
OTHERS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice, ast.Tuple,
    ast.List, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.arguments, ast.arg, ast.expr_context, ast.operator,
    ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
FIXED = frozenset([*BUILTINS, *OTHER_BUILTINS, *ROOTS])
"""Names that mean what they mean everywhere: nothing in the file has one of its own."""
KNOWN = FIXED | {"type", "self"}
_FORMS = (*STATEMENTS, *OTHERS)
_SETUP = CONSTRUCTION | {entry.callee for entry in INITIALIZERS.values()}


def disallowed(module: ast.Module, functions: set[str]) -> str | None:
    """The first construct of a file that emitted source has not; None if there is none.

    Args:
        functions: the names of torch that the operators of its networks use.
    """
    return next(_disallowed(module, functions | _SETUP), None)


def _disallowed(module: ast.Module, functions: set[str]) -> Iterator[str]:
    defined = {n.name for n in module.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for statement in module.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if ast.unparse(statement) not in IMPORTS:
                yield f"line {statement.lineno}: {ast.unparse(statement)}"
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield from _definition(statement, defined, functions)
        elif statement is not module.body[0] or not _is_text(statement):
            yield f"line {statement.lineno}: a statement outside of a class"


def _definition(node: ast.FunctionDef | ast.ClassDef, defined: set[str], functions: set[str]) -> Iterator[str]:
    if node.name in HELPERS:
        if ast.dump(node) != ast.dump(ast.parse(HELPERS[node.name].source).body[0]):
            yield f"line {node.lineno}: another {node.name}"
        return
    if node.decorator_list or (isinstance(node, ast.ClassDef) and node.keywords):
        yield f"line {node.lineno}: a decorator or keyword of a definition"
    inner = list(ast.walk(node))
    bound = defined | {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for a in inner if isinstance(a, ast.arg)}
    parts: set[ast.AST] = set()
    """What an attribute is of, so that a dotted name is looked at as a whole: outer nodes come first."""
    for part in inner:
        if isinstance(part, ast.Attribute):
            parts.add(part.value)
        reason = _reason(part, bound) or (None if part in parts else _torch_name(part, functions))
        if reason is not None:
            yield f"line {getattr(part, 'lineno', node.lineno)}: {reason}"


def _reason(node: ast.AST, bound: set[str]) -> str | None:
    match node:
        case ast.Name(id=text):
            if text not in KNOWN and text not in bound:
                return f"the name {text}"
            return f"another {text}" if text in FIXED and not isinstance(node.ctx, ast.Load) else None
        case ast.Attribute(attr=text):
            is_strange = (text.startswith("__") and text != "__init__") or text in EXITS
            return f"the attribute {text}" if is_strange else None
        case ast.arg(arg=text, annotation=annotation):
            return f"the argument {text}" if text in FIXED or _has_call(annotation) else None
        case ast.AnnAssign(annotation=annotation) | ast.FunctionDef(returns=annotation):
            return "a call in an annotation" if _has_call(annotation) else None
        case ast.FormattedValue(conversion=conversion, format_spec=spec):
            return "a format" if conversion != -1 or spec is not None else None
        case ast.Constant(value=value):
            is_plain = value is None or value is ... or isinstance(value, str | int | float)
            return None if is_plain else "a constant of another kind"
        case _:
            return None if isinstance(node, _FORMS) else f"a {type(node).__name__}"


def _torch_name(node: ast.AST, functions: set[str]) -> str | None:
    """A dotted name of torch must be one of these functions."""
    text = ""
    while isinstance(node, ast.Attribute):
        text = f".{node.attr}{text}"
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in ROOTS or node.id + text in functions:
        return None
    return f"the name {node.id}{text}"


def _has_call(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(isinstance(n, ast.Call) for n in ast.walk(annotation))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
