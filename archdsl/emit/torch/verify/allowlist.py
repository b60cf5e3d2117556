"""Is a file nothing but what the back end writes? Asked of its text, before anything of it is run.

Names and labels come from a spec that nobody need trust. They are checked where they are used; here the finished file
is parsed, and must consist of the few forms that emitted source has, on the few names that it may use.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from archdsl.emit.torch.helpers import HELPERS
from archdsl.emit.torch.terms import BUILTINS

IMPORTS = ("import torch", "import torch.nn.functional as F", "from torch import nn", "from torch import Tensor",
           "from torch import Tensor, nn")  # fmt: skip
STATEMENTS = (
    ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.For, ast.Return, ast.FunctionDef, ast.ClassDef,
)  # fmt: skip
OTHERS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice, ast.Tuple,
    ast.List, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.arguments, ast.arg, ast.expr_context, ast.operator,
    ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
KNOWN = frozenset(
    [*BUILTINS, "torch", "nn", "F", "Tensor", "super", "isinstance", "float", "bool", "str", "type", "self"]
)


def stranger(source: str) -> str | None:
    """What does not belong in emitted source; None if all does."""
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return next(_strangers(module), None)


def _strangers(module: ast.Module) -> Iterator[str]:
    defined = {n.name for n in module.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for statement in module.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if ast.unparse(statement) not in IMPORTS:
                yield f"line {statement.lineno}: {ast.unparse(statement)}"
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield from _definition(statement, defined)
        elif statement is not module.body[0] or not _is_text(statement):
            yield f"line {statement.lineno}: a statement outside of a class"


def _definition(node: ast.FunctionDef | ast.ClassDef, defined: set[str]) -> Iterator[str]:
    if node.name in HELPERS:
        if ast.dump(node) != ast.dump(ast.parse(HELPERS[node.name].source).body[0]):
            yield f"line {node.lineno}: another {node.name}"
        return
    if node.decorator_list or (isinstance(node, ast.ClassDef) and node.keywords):
        yield f"line {node.lineno}: a decorator or keyword of a definition"
    bound = defined | {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    for inner in ast.walk(node):
        yield from (f"line {getattr(inner, 'lineno', node.lineno)}: {reason}" for reason in _reasons(inner, bound))


def _reasons(node: ast.AST, bound: Iterable[str]) -> Iterator[str]:
    match node:
        case ast.Name(id=text):
            if text not in KNOWN and text not in bound:
                yield f"the name {text}"
        case ast.Attribute(attr=text):
            if text.startswith("__") and text != "__init__":
                yield f"the attribute {text}"
        case ast.Constant(value=value):
            if not isinstance(value, str | int | float | bool | None) and value is not ...:
                yield "a constant of another kind"
        case _ if not isinstance(node, (*STATEMENTS, *OTHERS)):
            yield f"a {type(node).__name__}"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
