"""The proof proved: a file that was changed anywhere is refused, or the change is known to mean nothing.

Each mutant is one small change of an emitted file: a number, a name, an operator, an argument or a statement.
`survivors.txt` lists those that are accepted because they compute the same; write it anew, and read what changed, with
`python -m tests.emit.torch.verify.test_mutants`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.emit.torch.emission import emit

from ..networks import model_of
from ..proof import refusal

SURVIVORS = Path(__file__).with_name("survivors.txt")
SOURCES = {
    "residual": """arch 1
block Unit(width, stride = 1, drop = 0.1) {
  input x: [N, C, H, W]
  residual {
    conv1: conv(width, 3, stride=stride, pad=1, bias=false) -> bn1: batchnorm -> relu
    conv2: conv(width, 3, pad=1, bias=false) -> dropout(drop)
  } shortcut { if stride != 1 or C != width { project: conv(width, 1, stride=stride, init=zeros) } }
  relu
}
model Net(classes = 10) {
  with conv(init=kaiming_normal(mode="fan_out"))
  input image: [N, 3, 16, 16]
  stem: conv(8, 1)
  body: seq { for i in 0..6 { Unit(8 + 4 * i, stride=2 if i == 1 else 1) } }
  output aux: [N, classes] = it -> global_avgpool -> flatten -> aux: linear(classes) when training
  global_avgpool -> flatten
  fc: linear(classes, init=normal(std=0.01))
  output logits: [N, classes]
}
""",
    "tensors": """arch 1
fn pairs(n) = [[i - j + n - 1 for j in 0..n] for i in 0..n]
block Attend(heads, length) {
  input x: [N, L, D]
  param table: [2 * length - 1, heads] = trunc_normal(std=0.02)
  buffer index: [length, length] = pairs(length)
  qkv: linear(3 * D) -> rearrange("n l (k h d) -> k n h l d", k=3, h=heads) as [q, k, v]
  (q * (D // heads) ** -0.5, k) -> einsum("n h i d, n h j d -> n h i j")
  it + (table[index] -> rearrange("i j h -> h i j")) -> softmax(axis=-1) -> dropout(0.2)
  (it, v) -> einsum("n h i j, n h j d -> n h i d") -> rearrange("n h l d -> n l (h d)")
  out: linear(D) -> it + x
}
model Net(classes = 5) {
  input tokens: [N, 6, 8]
  let norm: layernorm
  norm -> first: Attend(2, 6) -> norm -> second: Attend(4, 6)
  it * [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
  if classes > 2 { drop_path(0.1) }
  reduce("n l d -> n d", "mean")
  head: linear(classes)
  output logits: [N, classes]
}
""",
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """What was changed, and the changed source."""
    tree = ast.parse(source)
    for place, node in enumerate(ast.walk(tree)):
        for number in range(len(list(changes(copy.deepcopy(node))))):
            mutant = copy.deepcopy(tree)
            target = list(ast.walk(mutant))[place]
            before = ast.unparse(target) if isinstance(target, ast.expr | ast.stmt | ast.keyword) else "arguments"
            what, change = list(changes(target))[number]
            change()
            text = ast.unparse(ast.fix_missing_locations(mutant))
            if text != ast.unparse(tree):
                yield f"{before.splitlines()[0]}: {what}", text


def changes(node: ast.AST) -> list[tuple[str, object]]:
    """Small changes to a node, in place."""
    out = []

    def setting(what: str, **fields: object) -> None:
        out.append((what, lambda: [setattr(node, k, v) for k, v in fields.items()]))

    match node:
        case ast.Constant(value=bool(value)):
            setting("other truth", value=not value)
        case ast.Constant(value=int(value) | float(value)):
            setting("one more", value=value + 1)
        case ast.BinOp(op=op):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            if not isinstance(op, ast.BitOr):
                setting("other operator", op=other)
                setting("operands swapped", left=node.right, right=node.left)
        case ast.Compare(ops=[op]):
            setting("condition reversed", ops=[ast.Eq() if isinstance(op, ast.NotEq) else ast.NotEq()])
        case ast.IfExp():
            setting("arms swapped", body=node.orelse, orelse=node.body)
        case ast.Call(args=args, keywords=keywords):
            if len(args) > 1:
                setting("arguments swapped", args=[args[1], args[0], *args[2:]])
            if len(args) == 1 and not keywords and not isinstance(args[0], ast.Starred):
                out.append(("call left out", lambda: _become(node, args[0])))
            for k in range(len(keywords)):
                setting(f"without {keywords[k].arg}", keywords=[*keywords[:k], *keywords[k + 1 :]])
        case ast.Attribute(attr="relu"):
            setting("other function", attr="silu")
        case ast.Attribute(value=ast.Name(id="self"), attr="conv1" | "q" | "first"):
            setting("other module", attr={"conv1": "conv2", "q": "k", "first": "second"}[node.attr])
    for name in ("body", "orelse"):
        body = getattr(node, name, None)
        if isinstance(body, list) and not isinstance(node, ast.Module):
            for k, statement in enumerate(body):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    continue  # documentation
                rest = [*body[:k], *body[k + 1 :]] or [ast.Pass()]
                setting(f"without `{ast.unparse(statement).splitlines()[0]}`", **{name: rest})
                if k + 1 < len(body):
                    swapped = [*body[:k], body[k + 1], statement, *body[k + 2 :]]
                    setting(f"`{ast.unparse(statement).splitlines()[0]}` one later", **{name: swapped})
    return out


def _become(node: ast.Call, other: ast.expr) -> None:
    """A call replaced by its argument, in place."""
    node.func, node.args = ast.Name("tuple"), [ast.List([other])]
    node.__class__ = type(other)
    node.__dict__.update(other.__dict__)
    node._fields = other._fields  # type: ignore[misc]


def accepted(name: str) -> list[str]:
    """The changes that go unnoticed."""
    model = model_of(SOURCES[name])
    source = emit(model)
    assert source.diagnostics == ()
    found = []
    for what, text in mutants(source.text):
        if refusal(text, source.class_name, model.graph) is None:
            found.append(what)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_accepted_means_nothing(name: str) -> None:
    reviewed = SURVIVORS.read_text(encoding="utf-8").split(f"[{name}]\n")[1].split("\n\n")[0].splitlines()
    assert sorted(accepted(name)) == sorted(reviewed)


def test_nearly_all_mutants_are_refused() -> None:
    """The lists above are few among them."""
    count = sum(len(list(mutants(emit(model_of(text)).text))) for text in SOURCES.values())
    assert count > 200
    assert len(SURVIVORS.read_text(encoding="utf-8").splitlines()) < count / 8


if __name__ == "__main__":
    SURVIVORS.write_text("\n\n".join(f"[{n}]\n" + "\n".join(accepted(n)) for n in SOURCES) + "\n", encoding="utf-8")
