"""The operators by their form in PyTorch: each operator's own `Op.torch`, read backward.

The example in an operator's documentation is built, and the expressions of its torch form are the patterns: where a
call has the pattern's function, its arguments are the operator's. Layers that own weights are found by the class of
their module; arguments that only the constructor takes are those with which the operator has the recorded weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache, reduce
from importlib import import_module
from itertools import product
from typing import Any, TypeAlias

from archdsl.compiler import from_text
from archdsl.emit.torch.operators import ROOTS
from archdsl.errors import SpecError
from archdsl.importing.calls import Argument, FunctionCall, Value, last, parent
from archdsl.importing.sources.signatures import Unknown, bound
from archdsl.model import open_model
from archdsl.op import Arg, Call, Hole, Input, ListExpr, Method, Op, Reject, Tensor, Training, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.record import record
from archdsl.reference import example

Role: TypeAlias = "Hole | Input | ListExpr | Training | None"
"""What an argument of a torch function is to the operator."""
WITHOUT_EFFECT = frozenset({"inplace", "_stacklevel", "training", "dtype", "sparse", "max_norm", "scale_grad_by_freq",
                            "norm_type", "return_indices", "antialias", "recompute_scale_factor"})  # fmt: skip
"""Arguments that change no number, or that have one value where they are recorded."""


@record
class Pattern:
    """An operator, and what each argument of the torch function is to it."""

    op: type[Op]
    function: str
    roles: tuple[tuple[str, Role], ...]


@record
class Match:
    """An operator with its arguments, on these inputs; ``module`` owns its weights."""

    name: str
    arguments: tuple[tuple[str, Any], ...]
    inputs: tuple[Value, ...]
    module: str | None = None


def key(name: str) -> str:
    """A name for all ranks and both styles: ``conv`` of ``conv2d`` and ``Conv1d``."""
    return re.sub(r"\d+d$", "", name).replace("_", "").lower()


def compact(value: Any) -> Any:
    """One number for all axes, if it is the same."""
    if isinstance(value, tuple) and value and all(type(v) is int and v == value[0] for v in value):
        return value[0]
    return value


# ---- patterns ----------------------------------------------------------------------------------------------


@cache
def functions() -> Mapping[str, tuple[Pattern, ...]]:
    """The patterns of each torch function; those with more constants first."""
    found: dict[str, list[Pattern]] = {}
    for op, node in _probes().items():
        form = node.facets.torch.function
        match form:
            case Call(callee=str() as callee, args=args):
                name, roles = callee, _roles(callee, args)
            case Method(receiver=Input() as receiver, name=name, args=args):
                roles = _roles(f"torch.Tensor.{name}", (Arg(receiver), *args))
            case _:
                continue
        found.setdefault(key(last(name)), []).append(Pattern(op, last(name), roles))
    return {name: tuple(sorted(patterns, key=_openness)) for name, patterns in found.items()}


@cache
def layers() -> Mapping[str, Pattern]:
    """The patterns of layers that own weights."""
    found: dict[str, Pattern] = {}
    for op, node in _probes().items():
        module = node.facets.torch.module
        if module is not None and node.weights and isinstance(module.callee, str):
            found.setdefault(
                key(last(module.callee)), Pattern(op, last(module.callee), _roles(module.callee, module.args))
            )
    return found


def _openness(pattern: Pattern) -> int:
    return len({role.source for _, role in pattern.roles if isinstance(role, Hole) and _is_argument(pattern.op, role)})


def _is_argument(op: type[Op], hole: Hole) -> bool:
    return isinstance(hole.source, str) and hole.source in {f.name for f in fields(op)}


@cache
def _probes() -> Mapping[type[Op], Any]:
    """The operator of each documented example."""
    found: dict[type[Op], Any] = {}
    for op in OPS_BY_NAME.values():
        text = "\n".join(f"  {line}" for line in example(op).splitlines())
        tail = "" if re.search(r"^  output ", text, re.MULTILINE) else "\n  output probe_result"
        try:
            graph = open_model(from_text(f"arch 1\n\nmodel Probe {{\n{text}{tail}\n}}\n"), {}, {}).graph
        except SpecError:
            continue
        for node in graph.nodes:
            if type(node.op) is op:
                found.setdefault(op, node)
    return found


def _roles(callee: str, args: Sequence[Arg]) -> tuple[tuple[str, Role], ...]:
    """What the arguments of a torch function are, by torch's names for them."""
    first, *rest = callee.split(".")
    if first not in ROOTS:
        return ()
    package, _, attribute = ROOTS[first].rpartition(".")
    root = getattr(import_module(package), attribute) if package else import_module(ROOTS[first])
    function: Any = reduce(getattr, rest, root)
    stands_for = {Unknown(): arg for arg in args}
    positional = [u for u, arg in stands_for.items() if arg.keyword is None]
    keywords = {arg.keyword: u for u, arg in stands_for.items() if arg.keyword is not None}
    names = bound(function, positional, keywords)
    return tuple((name, _role(stands_for[u])) for name, u in names.items() if isinstance(u, Unknown))


def _role(arg: Arg) -> Role:
    value = arg.value
    return value if isinstance(value, Hole | Input | ListExpr | Training) else None


# ---- functions ---------------------------------------------------------------------------------------------


def function(call: FunctionCall) -> Match | None:
    """The operator that a call of a function without weights is."""
    known = functions().get(key(call.name), ())
    for pattern in sorted(known, key=lambda p: p.function != call.name):
        found = _matched(pattern, call.arguments)
        if found is not None:
            return found
    return None


def _matched(pattern: Pattern, given: Mapping[str, Argument]) -> Match | None:
    roles = dict(pattern.roles)
    arguments: dict[str, Any] = {}
    inputs: list[Value] = []
    for name, value in given.items():
        role = roles.get(name) or (Input() if name in ("self", "input") else None)
        match role:
            case Input() if isinstance(value, Value):
                inputs.append(value)
            case ListExpr() if isinstance(value, tuple) and all(isinstance(v, Value) for v in value):
                inputs += [v for v in value if isinstance(v, Value)]
            case Hole() if _is_argument(pattern.op, role):
                arguments[str(role.source)] = compact(value)
            case Hole() if compact(value) == compact(role.value):
                pass
            case Training():
                pass
            case None if name in WITHOUT_EFFECT or value is None:
                pass
            case _:
                return None
    return Match(pattern.op.name, tuple(_stated(pattern.op, arguments).items()), tuple(inputs))


def _stated(op: type[Op], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in the operator's order, without those at their defaults."""
    stated: dict[str, Any] = {}
    for parameter in parameters(op):
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        if value is None or value == ():
            continue
        if parameter.name == "stride" and parameter.default is None and value == arguments.get("kernel"):
            continue
        default = None if parameter.required else parameter.default
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if parameter.required or default != value or type(default) is not type(value):
            stated[parameter.name] = value
    return stated


# ---- layers ------------------------------------------------------------------------------------------------


def layer(call: FunctionCall) -> Match | None:
    """The layer that a call of a function with weights is: all of one module, under the names that the layer has."""
    tensors = {name: v for name, v in call.arguments.items() if isinstance(v, Value) and v.is_owned and v.path}
    owners = {parent(str(v.path)) for v in tensors.values()}
    pattern = layers().get(key(call.name))
    flowing = [v for v in call.arguments.values() if isinstance(v, Value) and not v.is_owned]
    if pattern is None or len(owners) != 1 or len(flowing) != 1:
        return None
    shapes = {last(str(v.path)): v.shape for v in tensors.values()}
    given: dict[str, Any] = {}
    for name, role in pattern.roles:
        if isinstance(role, Hole) and _is_argument(pattern.op, role) and name in call.arguments:
            value = call.arguments[name]
            if not isinstance(value, Value) and not (value is None and name == "bias"):
                given[str(role.source)] = compact(value)
    if any(isinstance(v, str) and not (n == "pad" and v == "same") for n, v in given.items()):
        given = {n: 0 if v == "valid" else v for n, v in given.items()}
    for arguments in _candidates(pattern.op, given, shapes):
        if _weights(pattern.op, arguments, flowing[0]) == shapes:
            stated = _stated(pattern.op, arguments)
            return Match(pattern.op.name, tuple(stated.items()), (flowing[0],), owners.pop())
    return None


def _candidates(
    op: type[Op], given: Mapping[str, Any], shapes: Mapping[str, tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    """Arguments that the weights may have: flags both ways, sizes among those of the weights."""
    numbers = list(dict.fromkeys(n for shape in shapes.values() for n in shape))
    groups = given.get("groups", 1)
    sizes = [*numbers, *(n * groups for n in numbers if isinstance(groups, int) and groups > 1)]
    kernels = [compact(shape[2:]) for shape in shapes.values() if len(shape) > 2]
    choices: dict[str, Sequence[Any]] = {}
    for parameter in parameters(op):
        if parameter.name in given:
            choices[parameter.name] = [given[parameter.name]]
        elif parameter.required:
            choices[parameter.name] = kernels if parameter.name == "kernel" else sizes
        elif isinstance(parameter.default, bool):
            choices[parameter.name] = [parameter.default, not parameter.default]
        elif parameter.name == "axis":
            choices[parameter.name] = [parameter.default, *(tuple(range(-k, 0)) for k in (2, 3))]
    for values in product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _weights(op: type[Op], arguments: Mapping[str, Any], value: Value) -> Mapping[str, tuple[Any, ...]] | None:
    """The weights that an operator would own; None if it cannot be so."""
    try:
        made = op(**arguments)
        owned = made.weights((Tensor(value.shape, "int64" if value.dtype == "int64" else "float32"),))
    except (Reject, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError):
        return None
    return {w.name: w.shape for w in owned if w.name != "num_batches_tracked"}
