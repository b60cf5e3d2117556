"""Layers as arguments of a class: activations that differ between its instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from archdsl.arguments import TEXT
from archdsl.evaluate.values import Env, Given, OpLayer
from archdsl.op import Call, Op, Order, Tensor, Torch, arg, parameters
from archdsl.ops.activation import Keep, Pointwise
from archdsl.record import record
from archdsl.syntax import tree


@record
class OpenLayer(Pointwise):
    """The activation that an argument of a class is."""

    name: ClassVar[str] = "layer"
    is_internal: ClassVar[bool] = True
    cost: ClassVar[int] = 0
    kept: ClassVar[tuple[Keep, ...]] = ()
    argument: str = arg("the argument's name", TEXT)

    @classmethod
    def orders(cls) -> tuple[Order, ...]:
        return ()

    def torch(self, inputs: tuple[Tensor, ...]) -> Torch:
        return Torch(Call(self.argument, ()))

    def onnx(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[()]:
        return ()


def are_activations(values: Sequence[Any]) -> bool:
    """Are all of them activations without arguments?"""
    return all(
        isinstance(v, OpLayer)
        and issubclass(v.op, Pointwise)
        and not v.positional
        and (v.op is OpenLayer or not v.named)
        and not any(p.required for p in parameters(v.op) if v.op is not OpenLayer)
        for v in values
    )


def open_layer(argument: str, site: tree.Node, env: Env) -> OpLayer:
    """The layer that an argument of a class is, as a value of the language."""
    return OpLayer(op=OpenLayer, named={"argument": Given(argument, site, env)})


def operator(layer: OpLayer) -> Op:
    """The operator that an activation without arguments is."""
    return layer.op(**{name: given.value for name, given in layer.named.items()})
