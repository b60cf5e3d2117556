"""What a figure says of sizes, operators and places."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.dims import Floor, Pos, Size
from archdsl.dims.atoms import CONSTANT
from archdsl.dims.evaluate import compounds, replace
from archdsl.emit.diagram.text import ELLIPSIS, SMALL, width
from archdsl.emit.diagram.theme import Kind
from archdsl.graph import Node, Value
from archdsl.op import Operand
from archdsl.ops.dropout import Inert
from archdsl.ops.elementwise import Arithmetic
from archdsl.ops.padding import Pad
from archdsl.ops.resample import Resize
from archdsl.ops.shape import Bounds, Select, Subscript
from archdsl.ops.tensor import OwnTensor

EXACT_BELOW = 100_000
"""A model with fewer parameters has them written out at each layer."""
SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


# ---- sizes -------------------------------------------------------------------------------------------------


def size_text(size: Size) -> str:
    """A size as a figure writes it: ``64``, ``H/8``; the caption says which way division rounds."""
    text = str(size).replace(" // ", "/").replace(" * (", "(").replace(" * ", "·").replace("**2", "²").replace(" ", "")
    return f"({text})" if _is_sum(text) else text


def _is_sum(text: str) -> bool:
    """Does a plus or minus stand outside parentheses?"""
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter in "+-" and depth == 0:
            return True
    return False


def rounded_up(atom: Floor | Pos) -> Size | None:
    """What ``atom`` is the quotient of, rounded up: H where it is ``(H + 7) // 8``. None where it is no such thing."""
    if not isinstance(atom, Floor) or not isinstance(atom.den, int):
        return None
    whole = atom.num - (atom.den - 1)
    return None if isinstance(whole, int) or CONSTANT in whole.terms or any(compounds(whole)) else whole


def in_quotients(size: Size) -> Size:
    """The size with ``H // 8`` wherever H / 8, rounded up, stands in it: to be read so."""
    atoms = [atom for atom in compounds(size) if isinstance(atom, Floor)]
    return replace(size, {atom: whole // atom.den for atom in atoms if (whole := rounded_up(atom)) is not None})


def shape_text(shape: Sequence[Size], batch: Size | None) -> str:
    """``64×56×56``: without the batch, where it stands first. A value of one number is ``1``."""
    sizes = shape[1:] if shape and batch is not None and shape[0] == batch else shape
    return "×".join(map(size_text, sizes)) or "1"


def short_shape(shape: str, room: float) -> str:
    """The text of a shape within ``room`` points: each size whole, or left out."""
    sizes = shape.split("×")
    while width("×".join(sizes), SMALL) > room and any(size != ELLIPSIS for size in sizes):
        longest = max(range(len(sizes)), key=lambda i: (sizes[i] != ELLIPSIS, width(sizes[i], SMALL)))
        sizes[longest] = ELLIPSIS
    return "×".join(sizes)


def count_text(count: Size, exact: bool = False) -> str:
    """A number of parameters: 156, 9.54 k, 25.6 M; ``exact`` writes it out. Empty for none."""
    if not isinstance(count, int):
        return str(count)
    if exact or count < 1000:
        return f"{count:,}" if count else ""
    return rounded(count)


def rounded(count: int, space: str = " ") -> str:
    """Three digits and a unit: ``4.09 G``."""
    unit, name = next((u, n) for u, n in _UNITS if count >= 0.9995 * u)
    value = count / unit
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{space}{name}"


# ---- operators ---------------------------------------------------------------------------------------------


def kind_of(node: Node) -> Kind:
    """The colour of an operator: sampling is like pooling; what does nothing at inference is as calm as a norm."""
    match node.op:
        case Resize():
            return "pool"
        case Inert():
            return "norm"
    return node.op.palette


def title_of(node: Node) -> str:
    """What a card says of an operator: its own caption, or for what the text wrote as an expression, that."""
    op = node.op
    if isinstance(op, OwnTensor):
        return op.label
    if isinstance(op, Arithmetic):
        return _arithmetic(op)
    if isinstance(op, Inert) and hasattr(op, "p"):
        return f"{op.name} {op.p:.3g}".replace("_", " ")  # type: ignore[attr-defined]
    if isinstance(op, Select):
        return _crop(node) or f"[{', '.join(map(_subscript, op.subscripts))}]"
    if isinstance(op, Pad):
        return f"pad {size_text(op.before)} + {size_text(op.after)}"
    if isinstance(op, Resize) and op.scale is None:
        return f"resize, {op.mode}"
    caption = op.caption(node.input_types).removesuffix(", /1")  # a stride of 1 goes without saying
    return caption.replace("_", " ").replace("transposed conv", "upconv")


def _crop(node: Node) -> str:
    """``crop 392×392``: what cuts as much off both ends of all axes but the first two. Empty for other parts."""
    assert isinstance(node.op, Select)
    before, kept = node.inputs[0].shape[2:], node.output.shape[2:]
    parts = [s for s in node.op.subscripts[2:] if isinstance(s, Bounds) and s.step in (None, 1)]
    whole = all(isinstance(s, Bounds) and s == Bounds(None, None, None) for s in node.op.subscripts[:2])
    starts = [s.start or 0 for s in parts]
    is_middle = all(start == (old - new) // 2 for start, old, new in zip(starts, before, kept, strict=False))
    if not (whole and len(parts) == len(before) == len(kept) > 1 and is_middle and before != kept):
        return ""
    return f"crop {'×'.join(map(size_text, kept))}"


def _subscript(subscript: Subscript) -> str:
    """As the language writes it: ``0``, ``2:-1``, ``::2``."""
    if not isinstance(subscript, Bounds):
        return size_text(subscript)
    start, stop, step = ("" if s is None else size_text(s) for s in (subscript.start, subscript.stop, subscript.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _arithmetic(op: Arithmetic) -> str:
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
