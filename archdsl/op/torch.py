"""How an operator reads in PyTorch: expressions as data, which the back end for torch writes."""

from __future__ import annotations

from typing import Any, TypeAlias

from archdsl.record import record


class Required:
    """Stands for the default of an argument that torch requires."""


REQUIRED = Required()


@record
class Hole:
    """A value in emitted source, with where it came from: the emitter may write it in terms of that.

    ``source`` is the name of the operator's argument, or (input number, axis) of an input's size.
    """

    value: Any
    source: str | tuple[int, int] | None = None


@record
class Input:
    """Input number ``index`` of the operator."""

    index: int = 0


@record
class Training:
    """``self.training``."""


@record
class Conditional:
    """``value if condition else otherwise``."""

    condition: TorchExpr
    value: Hole | TorchExpr
    otherwise: Hole | TorchExpr


@record
class SelfModule:
    """The layer's own module."""


@record
class Own:
    """``self.name`` of the module around: a tensor that the module itself owns."""

    name: str


@record
class Arg:
    """An argument of a torch call; left out where its value equals torch's ``default`` for that call."""

    value: Hole | TorchExpr
    keyword: str | None = None
    default: Any = REQUIRED


@record
class Call:
    """``callee(*args)``; ``callee`` is dotted as the source writes it: ``nn.Conv2d``, ``torch.cat``.

    One without a dot (``drop_path``) is defined by the emitted file itself: ``archdsl.emit.torch.helpers``.
    """

    callee: str | SelfModule
    args: tuple[Arg, ...]


@record
class Method:
    """``receiver.name(*args)``."""

    receiver: TorchExpr
    name: str
    args: tuple[Arg, ...]


@record
class UnaryOp:
    """``op value``, ``op`` a Python operator: ``-x``, ``~x``."""

    op: str
    value: TorchExpr


@record
class BinaryOp:
    """``left op right``, ``op`` a Python operator."""

    op: str
    left: TorchExpr | Hole
    right: TorchExpr | Hole


@record
class Attribute:
    """``value.name``: ``x.shape``, or ``weight`` of the layer's own module."""

    value: TorchExpr | SelfModule
    name: str


@record
class SliceExpr:
    """``start:stop:step`` in a subscript."""

    start: Hole | None = None
    stop: Hole | None = None
    step: Hole | None = None


@record
class Item:
    """``value[subscripts]``."""

    value: TorchExpr
    subscripts: tuple[Hole | SliceExpr | TorchExpr, ...]


@record
class ListExpr:
    """A list of expressions, as ``torch.cat`` takes it, or a tuple, as ``x.unflatten`` takes sizes."""

    items: tuple[Hole | TorchExpr, ...]
    is_tuple: bool = False


TorchExpr: TypeAlias = (
    Input | Training | Conditional | Own | Call | Method | UnaryOp | BinaryOp | Attribute | Item | ListExpr
)


@record
class Torch:
    """How torch says an operator: as a module, as an expression, or either.

    ``module`` constructs it; ``run`` applies it (``SelfModule`` called on the inputs, unless stated). ``function``
    is the form without a module, which an operator that owns weights has not.
    """

    module: Call | None = None
    run: TorchExpr | None = None
    function: TorchExpr | None = None
