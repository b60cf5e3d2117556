"""Initial values in torch's words, in a form in which equal ones are equal."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

from archdsl.emit.torch.operators import BY_FUNCTION, INITIALIZERS
from archdsl.emit.torch.verify.computation import Distribution
from archdsl.emit.torch.verify.terms import Refused
from archdsl.emit.torch.verify.tracing import Weight
from archdsl.init import Computed, Constant, Init, Uniform
from archdsl.op import Weight as Declared

BY_CONSTRUCTOR: frozenset[Distribution | None] = frozenset({None})


def found(weight: Weight) -> frozenset[Distribution | None]:
    """What a traced weight is drawn from at last; None: as its constructor does."""
    if weight.initial is not None:
        return frozenset({_called(*weight.initial)})
    if weight.blank is not None and weight.blank.fill is not None:
        return frozenset({_normal("constant_", {"val": weight.blank.fill})})
    return BY_CONSTRUCTOR


def declared(weight: Declared) -> frozenset[Distribution | None]:
    """What a checked graph says of a weight."""
    return _declared(weight.init, weight.by_torch or isinstance(weight.init, Computed))


@lru_cache
def _declared(init: Init, by_constructor: bool) -> frozenset[Distribution | None]:
    stated = [_stated(init)] if type(init) in INITIALIZERS else []
    return frozenset([*stated, None] if by_constructor else stated)


def _called(function: str, args: tuple[object, ...], keywords: dict[str, object]) -> Distribution:
    known = BY_FUNCTION[function].arguments
    given = {**dict(zip(known, args, strict=False)), **keywords}
    if len(args) > len(known) or not given.keys() <= known.keys():
        raise Refused(f"nn.init.{function} takes other arguments")
    return _normal(function, {**known, **given})


def _stated(init: Init) -> Distribution:
    entry = INITIALIZERS[type(init)]
    match init:
        case Constant(value=value):
            given: dict[str, object] = {"val": value}
        case Uniform(bound=bound):
            given = {"a": -bound, "b": bound}
        case _:
            given = {entry.fields[f.name]: getattr(init, f.name) for f in fields(init)}
    return _normal(entry.function, {**entry.arguments, **given})


def _normal(function: str, given: dict[str, object]) -> Distribution:
    """Zeros and ones are constants; numbers are floats."""
    constants = {"zeros_": 0.0, "ones_": 1.0}
    if function in constants:
        function, given = "constant_", {"val": constants[function]}
    return function, tuple(sorted((name, _argument(function, value)) for name, value in given.items()))


def _argument(function: str, value: object) -> float | str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise Refused(f"nn.init.{function} is not given numbers")
