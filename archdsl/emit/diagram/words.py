"""The names of operators and places in a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.emit.diagram.sizes import size_text, typeset
from archdsl.emit.diagram.theme import Kind
from archdsl.graph import Node, Value
from archdsl.op import Op, Operand, parameters
from archdsl.ops.dropout import Inert
from archdsl.ops.einops import Rearrange, Reduce
from archdsl.ops.einsum import Einsum
from archdsl.ops.elementwise import Arithmetic
from archdsl.ops.padding import Pad
from archdsl.ops.resample import Resize
from archdsl.ops.shape import Bounds, Select, Subscript
from archdsl.ops.tensor import OwnTensor

SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_SHOWN = ("slope", "per_channel", "alpha", "low", "high", "approximate", "dilation", "groups", "mode", "factor")
"""Arguments that a card shows where they are not the default, besides those in an operator's own caption."""

# ---- operators ---------------------------------------------------------------------------------------------


def kind_of(node: Node) -> Kind:
    """The color of an operator: sampling is like pooling; what does nothing at inference is as calm as a norm."""
    match node.op:
        case Resize():
            return "pool"
        case Inert():
            return "norm"
    return node.op.palette


def title_of(node: Node) -> str:
    """The title of an operator's card: its own caption, or for an expression of the text, the expression."""
    match node.op:
        case OwnTensor() as op:
            return op.label
        case Arithmetic() as op:
            return _arithmetic(op)
        case Inert() as op:
            p = getattr(op, "p", None)
            return _spaced(op.name if p is None else f"{op.name} {p:.3g}")
        case Select() as op:
            return _crop(node) or f"[{', '.join(map(_subscript, op.subscripts))}]"
        case Pad() as op:
            mode = "" if op.mode == "constant" else f", {op.mode}"
            return f"pad {size_text(op.before)} + {size_text(op.after)}{mode}"
        case Rearrange():
            return _rearranged(node)
        case Reduce() as op:
            return f"{op.operation} over {', '.join(_reduced(op))}" if _reduced(op) else op.operation
        case Einsum() as op:
            return f"einsum, {_pattern(op.pattern)}"
        case Resize(scale=None) as op:
            return f"resize, {op.mode}"
    caption = node.op.caption(node.input_types).removesuffix(", /1")  # a stride of 1 goes without saying
    caption = _spaced(typeset(caption)).replace("transposed conv", "upconv").replace(", ×", ", stride ")
    arguments = _arguments(node.op, caption)
    if node.op.palette == "act" and len(arguments) == 1:
        return f"{caption} {re.sub('^(slope|alpha) ', '', arguments[0])}"  # leaky relu 0.2
    return ", ".join([caption, *arguments])


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _arguments(op: Op, caption: str) -> list[str]:
    """Arguments that differ from their defaults and that the caption leaves out: ``dilation 2``, ``8 groups``."""
    found = [(p, getattr(op, p.name)) for p in parameters(type(op)) if p.name in _SHOWN and p.name not in caption]
    texts = [_argument(_spaced(p.name), value) for p, value in found if value is not None and value != p.default]
    return [text for text in texts if text not in caption and not (text.endswith("groups") and "depthwise" in caption)]


def _argument(name: str, value: object) -> str:
    match value:
        case bool():
            return name if value else f"no {name}"
        case int() | float():
            return f"{value} groups" if name == "groups" else f"{name} {value:.4g}"
        case str():
            return value
        case tuple() | list():
            return f"{name} {'×'.join(map(str, value))}"
    return f"{name} {typeset(str(value))}"


# ---- axes --------------------------------------------------------------------------------------------------


def _pattern(pattern: str) -> str:
    return pattern.replace("->", "to")


def _reduced(op: Reduce) -> list[str]:
    """The axes along which a value is combined."""
    return [name for name in op.parsed.left_names if name in op.parsed.gone]


def transposed(node: Node) -> str | None:
    """``transpose to h w c``, where an operator does no more than move axes."""
    if not isinstance(node.op, Rearrange) or len(node.inputs[0].shape) != len(node.output.shape):
        return None
    left, right = (side.split() for side in node.op.pattern.split("->"))
    if sorted(left) != sorted(right) or left == right:
        return None
    return f"transpose to {' '.join(right[1:] if left[0] == right[0] else right)}"


def _rearranged(node: Node) -> str:
    """The first axis, where it stays the batch, is left out: ``rearrange, c h w to (h w) c``."""
    found = transposed(node)
    if found is not None:
        return found
    assert isinstance(node.op, Rearrange)
    left, right = (side.strip() for side in node.op.pattern.split("->"))
    batch = left.split(" ")[0]
    if right.split(" ")[0] == batch and not batch.startswith("("):
        left, right = left.removeprefix(batch).strip(), right.removeprefix(batch).strip()
    return f"rearrange, {left or '1'} to {right or '1'}"


# ---- parts and arithmetic ----------------------------------------------------------------------------------


def _crop(node: Node) -> str:
    """``crop 392×392``: what cuts as much off both ends of all axes but the first two. Empty for other parts."""
    assert isinstance(node.op, Select)
    before, kept = node.inputs[0].shape[2:], node.output.shape[2:]
    parts = [s for s in node.op.subscripts[2:] if isinstance(s, Bounds) and s.step in (None, 1)]
    is_uncut = all(isinstance(s, Bounds) and s == Bounds(None, None, None) for s in node.op.subscripts[:2])
    starts = [s.start or 0 for s in parts]
    is_middle = all(start == (old - new) // 2 for start, old, new in zip(starts, before, kept, strict=False))
    if not (is_uncut and len(parts) == len(before) == len(kept) > 1 and is_middle and before != kept):
        return ""
    return f"crop {'×'.join(map(size_text, kept))}"


def _subscript(subscript: Subscript) -> str:
    """As the language writes it: ``0``, ``2:-1``, ``::2``."""
    if not isinstance(subscript, Bounds):
        return size_text(subscript)
    start, stop, step = ("" if s is None else size_text(s) for s in (subscript.start, subscript.stop, subscript.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _arithmetic(op: Arithmetic) -> str:
    if op.op == "**" and op.right == 2:
        return "square"
    sign = SIGNS.get(op.op, op.op)
    sides = ["" if isinstance(side, Operand) else f"{side:.4g}" for side in (op.left, op.right)]
    return f"{sides[0]} {sign} {sides[1]}".strip()


def same_numbers(before: Value, after: Value) -> bool:
    """Are the sizes the same but for ones? Then a change of shape changes nothing that a reader cares for."""
    return [s for s in before.shape if s != 1] == [s for s in after.shape if s != 1]


# ---- places ------------------------------------------------------------------------------------------------


def last_name(path: str) -> str:
    return path.rpartition(".")[2]


def parent(path: str) -> str:
    return path.rpartition(".")[0]


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """Parts in one line, the empty ones left out."""
    return " · ".join(part for part in parts if part)
