"""From recorded function calls to operators, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from archdsl.emit.torch.operators import BINARY, COMPARISONS
from archdsl.importing import facets
from archdsl.importing.calls import (
    Argument,
    Cut,
    FunctionCall,
    ModuleCall,
    Unsupported,
    Value,
    below,
    parent,
    values_of,
)
from archdsl.importing.layout import Move
from archdsl.importing.steps import Operator, Power, Scope, ScopeRun, Step

LAYOUT = "layout"
"""The name of an operator that only moves axes, until it is printed."""
INFIX = {form.method: symbol for symbol, form in (*BINARY.items(), *COMPARISONS.items()) if form.method is not None}
INFIX |= {"div": "/", "multiply": "*", "subtract": "-"}
NO_EFFECT = frozenset(
    {"contiguous", "detach", "clone", "requires_grad", "alias", "to", "float", "type_as", "type", "data"}
)
CASTS = frozenset({"to", "float", "type_as", "type"})
BATCH_AXES = "nhuvw"
Rates: TypeAlias = Mapping[str, float]
"""The rates of stochastic depth, by the path of the module that applies it."""


def lowered(call: ModuleCall, rates: Rates) -> Scope:
    """The operators of a network.

    Raises:
        Unsupported: a function is no operator.
    """
    return _Lowering(rates).scope(call)


class _Lowering:
    """Lowers one network. ``same`` gives for a value that a function returned as it came the value that it is."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._same: dict[Value, Value] = {}

    def scope(self, call: ModuleCall) -> Scope:
        steps: list[Step] = []
        for event in call.events:
            if isinstance(event, ModuleCall):
                steps += self._within(self.scope(event))
            else:
                event.arguments = {name: self._resolved(a) for name, a in event.arguments.items()}
                steps += self._function(event, call.path)
        inputs, outputs = ([self._value(v) for v in values] for values in (call.inputs, call.outputs))
        return Scope(call.path, call.facts, inputs, outputs, steps)

    def _value(self, value: Value) -> Value:
        while value in self._same:
            value = self._same[value]
        return value

    def _resolved(self, argument: Argument) -> Argument:
        if isinstance(argument, Value):
            return self._value(argument)
        return tuple(map(self._resolved, argument)) if isinstance(argument, tuple) else argument

    def _within(self, scope: Scope) -> list[Step]:
        """A module in its parent: one that is a layer is that layer, one without weights is its steps."""
        steps = scope.steps = _channel_norm(scope.steps)
        own = {v for step in steps for v in step.inputs if v.is_owned and parent(str(v.path)) == scope.path}
        match steps:
            case [Operator(module=module, outputs=outputs) as only] if not scope.is_chain and not own:
                if module in (None, scope.path) and outputs == scope.outputs:
                    only.member = scope.path
                    return steps
        if any(isinstance(step, Operator) and step.module == scope.path for step in steps):
            return steps
        weighs = any(step.module is not None or any(v.is_owned for v in step.inputs) for step in steps)
        if not weighs and not scope.is_chain:
            return steps
        inputs = [v for v in dict.fromkeys(scope.inputs) if v.flows]
        return [ScopeRun(scope, inputs, scope.outputs)]

    # ---- functions ----

    def _function(self, call: FunctionCall, path: str) -> list[Step]:
        if call.name in NO_EFFECT and self._is_same_type(call, path):
            self._same[call.outputs[0]] = _first(call)
            return []
        if call.name == "identity":
            rate = self._rates.get(path)
            name, arguments = ("identity", {}) if rate is None else ("drop_path", {"p": rate})
            return [Operator(name, arguments, [_first(call)], list(call.outputs))]
        special = FUNCTIONS.get(call.name)
        try:
            if special is not None:
                steps = list(special(call))
                for step in steps:
                    if isinstance(step, Operator) and step.name == "attention":
                        step.module = path
                return steps
            match = facets.layer(call) or facets.function(call)
        except Unsupported as error:
            raise Unsupported(error.reason, call.name, path, call.line) from None
        except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise Unsupported("its arguments have a form that is not known", call.name, path, call.line) from None
        if match is None:
            raise Unsupported("no operator of the language is this function", call.name, path, call.line)
        return [Operator(match.name, dict(match.arguments), list(match.inputs), list(call.outputs), match.module)]

    def _is_same_type(self, call: FunctionCall, path: str) -> bool:
        given, made = _first(call), call.outputs[0]
        if call.name in CASTS and given.dtype != made.dtype and not ("float" in given.dtype and "float" in made.dtype):
            raise Unsupported(f"it converts {given.dtype} to {made.dtype}", call.name, path, call.line)
        return True


def _channel_norm(steps: list[Step]) -> list[Step]:
    """Channels moved last, normalized and moved back are a norm over axis 1."""
    match steps:
        case [Operator() as before, Operator(name="layernorm") as norm, Operator() as after]:
            moves = [step.arguments.get("moves") for step in (before, after)]
            is_line = norm.inputs == before.outputs and after.inputs == norm.outputs
            if is_line and moves == [(("permute", (0, 2, 3, 1)),), (("permute", (0, 3, 1, 2)),)]:
                arguments = {**norm.arguments, "axis": 1}
                return [Operator(norm.name, arguments, before.inputs, after.outputs, norm.module)]
    return steps


def _first(call: FunctionCall) -> Value:
    value = next(iter(call.arguments.values()), None)
    if not isinstance(value, Value):
        raise Unsupported("its first argument is no tensor", call.name, "", call.line)
    return value


def _tensors(arguments: Iterable[Argument]) -> list[Value]:
    return [v for v in arguments if isinstance(v, Value)]


def _temporary(shape: Sequence[Any], like: Value) -> Value:
    return Value("computed", tuple(shape), like.dtype)


# ---- arithmetic --------------------------------------------------------------------------------------------


def _infix(symbol: str, left: Any, right: Any, outputs: Sequence[Value]) -> Operator:
    values = [v for v in (left, right) if isinstance(v, Value)]
    return Operator(symbol, {}, values, list(outputs), operands=[left, right])


def _arithmetic(call: FunctionCall) -> list[Step]:
    left, right, *_ = call.arguments.values()
    if call.arguments.get("alpha", 1) != 1 or call.arguments.get("rounding_mode") is not None:
        raise Unsupported("it has a factor or a rounding")
    return [_infix(INFIX[call.name], left, right, call.outputs)]


def _reversed(call: FunctionCall) -> list[Step]:
    left, right, *_ = call.arguments.values()
    return [_infix(INFIX[call.name.removeprefix("r")], right, left, call.outputs)]


def _negative(call: FunctionCall) -> list[Step]:
    return [_infix("*", -1.0, _first(call), call.outputs)]


def _square(call: FunctionCall) -> list[Step]:
    return [_infix("**", _first(call), 2, call.outputs)]


def _product_sum(call: FunctionCall) -> list[Step]:
    given = call.arguments
    if given.get("value", 1) != 1:
        raise Unsupported("it has a factor")
    product = _temporary(call.outputs[0].shape, _first(call))
    return [
        _infix("*", given["tensor1"], given["tensor2"], [product]),
        _infix("+", _first(call), product, call.outputs),
    ]


def _extremum(call: FunctionCall) -> list[Step]:
    values = [v for a in call.arguments.values() for v in values_of(a)]
    return [Operator(call.name, {}, values, list(call.outputs))]


def _bounded(call: FunctionCall) -> list[Step]:
    low, high = call.arguments.get("min_val", -1.0), call.arguments.get("max_val", 1.0)
    if (low, high) == (0, 6):
        return [Operator("relu6", {}, [_first(call)], list(call.outputs))]
    match = facets.function(call)
    assert match is not None
    return [Operator(match.name, dict(match.arguments), list(match.inputs), list(call.outputs))]


# ---- axes --------------------------------------------------------------------------------------------------


def _moved(call: FunctionCall, *moves: Move, flatten: tuple[int, int] | None = None) -> list[Step]:
    arguments: dict[str, Any] = {"moves": moves}
    if flatten is not None:
        arguments["flatten"] = flatten
    return [Operator(LAYOUT, arguments, [_first(call)], list(call.outputs))]


def _reshaped(call: FunctionCall) -> list[Step]:
    return _moved(call, ("reshape", call.outputs[0].shape))


def _flattened(call: FunctionCall) -> list[Step]:
    rank = len(_first(call).shape)
    start, end = (_axis(call, name, default) % rank for name, default in (("start_dim", 0), ("end_dim", -1)))
    return _moved(call, ("reshape", call.outputs[0].shape), flatten=(start, -1 if end == rank - 1 else end))


def _axis(call: FunctionCall, name: str, default: int) -> int:
    value = call.arguments.get(name, default)
    if not isinstance(value, int):
        raise Unsupported(f"its argument {name} is no axis")
    return value


def _permuted(call: FunctionCall) -> list[Step]:
    order = call.arguments.get("dims")
    rank = len(_first(call).shape)
    assert isinstance(order, tuple)
    return _moved(call, ("permute", tuple(i % rank for i in order if isinstance(i, int))))


def _transposed(call: FunctionCall) -> list[Step]:
    rank = len(_first(call).shape)
    i, j = (_axis(call, name, default) % rank for name, default in (("dim0", -2), ("dim1", -1)))
    order = list(range(rank))
    order[i], order[j] = j, i
    return _moved(call, ("permute", tuple(order)))


def _expanded(call: FunctionCall) -> list[Step]:
    return _moved(call, ("expand", call.outputs[0].shape))


def _unbound(call: FunctionCall) -> list[Step]:
    given = _first(call)
    rank = len(given.shape)
    axis = _axis(call, "dim", 0) % rank
    if axis == 0:
        return [Operator("unbind", {}, [given], list(call.outputs))]
    order = (axis, *(i for i in range(rank) if i != axis))
    first = _temporary([given.shape[i] for i in order], given)
    return [
        Operator(LAYOUT, {"moves": (("permute", order),)}, [given], [first]),
        Operator("unbind", {}, [first], list(call.outputs)),
    ]


def _divided(call: FunctionCall) -> list[Step]:
    axis = _axis(call, "dim", 0) % len(_first(call).shape)
    sizes = tuple(v.shape[axis] for v in call.outputs)
    parts: Any = len(sizes) if len(set(sizes)) == 1 else sizes
    arguments = {"parts": parts} if axis == 1 else {"parts": parts, "axis": axis}
    return [Operator("split", arguments, [_first(call)], list(call.outputs))]


def _joined(call: FunctionCall) -> list[Step]:
    values = [v for a in call.arguments.values() for v in values_of(a)]
    if len(values) == 1 and call.name != "stack":
        return [Operator("identity", {}, values, list(call.outputs))]
    axis = _axis(call, "dim", 0)
    rank = len(call.outputs[0].shape)
    axis = axis % rank if axis >= 0 or axis % rank == 1 else axis
    name = {"cat": "concat", "concatenate": "concat"}.get(call.name, call.name)
    arguments = {} if name == "concat" and axis == 1 else {"axis": axis}
    return [Operator(name, arguments, values, list(call.outputs))]


def _indexed(call: FunctionCall) -> list[Step]:
    given, index = list(call.arguments.values())[:2]
    assert isinstance(given, Value)
    items = index if isinstance(index, tuple) else (index,)
    if any(True for item in items for _ in values_of(item)):
        if len(items) == 1:
            return [_infix("[]", given, items[0], call.outputs)]
        raise Unsupported("it picks elements on several axes by a tensor")
    cuts = _cuts(items, len(given.shape))
    if any(item is None for item in cuts):
        if any(not _is_all(item) for item in cuts if item is not None):
            raise Unsupported("it adds an axis and cuts another in one index")
        return _reshaped(call)
    while cuts and _is_all(cuts[-1]):
        cuts.pop()
    if not cuts:
        return _reshaped(call)
    return [Operator("item", {"index": tuple(map(_plain_cut, cuts))}, [given], list(call.outputs))]


def _cuts(items: Sequence[Argument], rank: int) -> list[Argument]:
    """The index of each axis."""
    found: list[Argument] = []
    written = sum(item is not None and item != "Ellipsis" for item in items)
    for item in items:
        found += [Cut(None, None, None)] * (rank - written) if item == "Ellipsis" else [item]
    return found


def _is_all(item: Argument) -> bool:
    return _plain_cut(item) == ("slice", None, None, None)


def _plain_cut(item: Any) -> Any:
    return ("slice", item.start, item.stop, item.step) if hasattr(item, "step") else item


def _selected(call: FunctionCall) -> list[Step]:
    axis = _axis(call, "dim", 0) % len(_first(call).shape)
    index = (*(("slice", None, None, None),) * axis, call.arguments["index"])
    return [Operator("item", {"index": index}, [_first(call)], list(call.outputs))]


def _narrowed(call: FunctionCall) -> list[Step]:
    axis = _axis(call, "dim", 0) % len(_first(call).shape)
    start, length = _axis(call, "start", 0), _axis(call, "length", 0)
    index = (*(("slice", None, None, None),) * axis, ("slice", start, start + length, None))
    return [Operator("item", {"index": index}, [_first(call)], list(call.outputs))]


def _chain(call: FunctionCall, name: str, arguments: Sequence[dict[str, Any]]) -> list[Step]:
    """The same operator several times, one after the other."""
    if not arguments:
        return [Operator("identity", {}, [_first(call)], list(call.outputs))]
    steps: list[Step] = []
    value = _first(call)
    for k, each in enumerate(arguments):
        made = call.outputs[0] if k == len(arguments) - 1 else _temporary((), value)
        steps.append(Operator(name, each, [value], [made]))
        value = made
    return steps


def _padded(call: FunctionCall) -> list[Step]:
    rank = len(_first(call).shape)
    pads = [p for p in call.arguments["pad"] if isinstance(p, int)] if isinstance(call.arguments["pad"], tuple) else []
    more = {"mode": call.arguments.get("mode", "constant"), "value": call.arguments.get("value")}
    kept = {name: value for name, value in more.items() if value not in ("constant", 0, None)}
    each: list[dict[str, Any]] = []
    for i, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True)):
        sides = {"before": before, "after": after}
        if before or after:
            each.append({"axis": rank - 1 - i, **{n: s for n, s in sides.items() if s}, **kept})
    return _chain(call, "pad", each)


def _rolled(call: FunctionCall) -> list[Step]:
    shifts, axes = (a if isinstance(a, tuple) else (a,) for a in (call.arguments["shifts"], call.arguments["dims"]))
    return _chain(call, "roll", [{"axis": a, "by": s} for s, a in zip(shifts, axes, strict=True) if s != 0])


# ---- reductions and products -------------------------------------------------------------------------------


def _reduced(call: FunctionCall) -> list[Step]:
    kind = {"amax": "max", "amin": "min"}.get(call.name, call.name)
    given, axes = _first(call), call.arguments.get("dim")
    rank = len(given.shape)
    if axes is None or (call.name in ("max", "min") and not call.gives_list):
        raise Unsupported("it reduces all axes")
    chosen = sorted(a % rank for a in (axes if isinstance(axes, tuple) else (axes,)) if isinstance(a, int))
    keeps = bool(call.arguments.get("keepdim", False))
    if kind == "mean" and rank == 4 and chosen == [2, 3] and keeps:
        return [Operator("global_avgpool", {}, [given], list(call.outputs))]
    names = ("nchw" if rank == 4 else "nlcd" if rank <= 4 else "nabcdef")[:rank]
    left = [("1" if i in chosen else c) for i, c in enumerate(names) if keeps or i not in chosen]
    pattern = f"{' '.join(names)} -> {' '.join(left)}"
    return [Operator("reduce", {"pattern": pattern, "operation": kind}, [given], list(call.outputs[:1]))]


def _einsum(a: Value, b: Value, axes: tuple[str, str, str], outputs: Sequence[Value]) -> Operator:
    return Operator("einsum", {"axes": [list(part) for part in axes]}, [a, b], list(outputs))


def _matmul(call: FunctionCall) -> list[Step]:
    a, b = _tensors(call.arguments.values())[:2]
    ranks = len(a.shape), len(b.shape)
    if min(ranks) < 2:
        raise Unsupported("a matrix by a vector")
    batch = BATCH_AXES[: max(ranks) - 2]
    left, right = (batch[len(batch) - (rank - 2) :] for rank in ranks)
    if [*a.shape[:-2]][-len(right) :] != [*b.shape[:-2]][-len(left) :] and left and right:
        raise Unsupported("a matrix product that repeats an axis")
    return [_einsum(a, b, (f"{left}ik", f"{right}kj", f"{max(left, right, key=len)}ij"), call.outputs)]


def _written_einsum(call: FunctionCall) -> list[Step]:
    equation, *operands = call.arguments.values()
    values = [v for o in operands for v in values_of(o)]
    if not isinstance(equation, str) or len(values) != 2 or "." in equation:
        raise Unsupported("an einsum of other than two values")
    left, right = equation.replace(" ", "").split("->")
    first, second = left.split(",")
    return [_einsum(values[0], values[1], (first, second, right), call.outputs)]


def _attended(call: FunctionCall) -> list[Step]:
    """Scaled dot products, as their own steps: scale, product, mask, softmax, product."""
    given = call.arguments
    q, k, v = _tensors(given[name] for name in ("query", "key", "value"))
    mask = given.get("attn_mask")
    if (
        given.get("is_causal") is True
        or q.shape[:-2] != k.shape[:-2]
        or (isinstance(mask, Value) and mask.dtype == "bool")
    ):
        raise Unsupported("attention that is causal, has groups of queries or a mask of booleans")
    batch = BATCH_AXES[: len(q.shape) - 2]
    scores = _temporary((*q.shape[:-1], k.shape[-2]), q)
    scaled, weights = _temporary(q.shape, q), _temporary(scores.shape, q)
    scale = given.get("scale")
    steps: list[Step] = [_infix("*", q, Power(q.shape[-1], -0.5) if scale is None else scale, [scaled])]
    steps.append(_einsum(scaled, k, (f"{batch}id", f"{batch}jd", f"{batch}ij"), [scores]))
    if isinstance(mask, Value):
        masked = _temporary(scores.shape, q)
        steps.append(_infix("+", scores, mask, [masked]))
        scores = masked
    steps.append(Operator("softmax", {"axis": -1}, [scores], [weights]))
    steps.append(_einsum(weights, v, (f"{batch}ij", f"{batch}jd", f"{batch}id"), call.outputs))
    return steps


def _multihead(call: FunctionCall) -> list[Step]:
    given = call.arguments
    q, k, v = (given[name] for name in ("query", "key", "value"))
    if q is not k or k is not v or given["batch_first"] is not True or given.get("attn_mask") is not None:
        raise Unsupported("attention between sequences, with a mask, or with the batch second")
    assert isinstance(q, Value)
    arguments = {"heads": given["heads"]}
    arguments |= {"dropout": given["dropout"]} if given["dropout"] != 0.0 else {}
    arguments |= {"bias": False} if given["bias"] is False else {}
    return [Operator("attention", arguments, [q], list(call.outputs))]


FUNCTIONS: Mapping[str, Callable[[FunctionCall], Sequence[Step]]] = {
    **dict.fromkeys(INFIX, _arithmetic),
    **{f"r{name}": _reversed for name in ("add", "sub", "mul", "div", "truediv", "pow")},
    **dict.fromkeys(("view", "reshape", "unflatten", "view_as", "reshape_as", "squeeze", "unsqueeze"), _reshaped),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims", "t", "T", "mT"), _transposed),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _joined),
    **dict.fromkeys(("split", "split_with_sizes", "tensor_split", "chunk"), _divided),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min"), _reduced),
    **dict.fromkeys(("maximum", "minimum"), _extremum),
    **dict.fromkeys(("matmul", "bmm", "mm"), _matmul),
    **dict.fromkeys(("expand", "expand_as"), _expanded),
    "neg": _negative,
    "square": _square,
    "addcmul": _product_sum,
    "hardtanh": _bounded,
    "flatten": _flattened,
    "permute": _permuted,
    "unbind": _unbound,
    "getitem": _indexed,
    "select": _selected,
    "narrow": _narrowed,
    "pad": _padded,
    "roll": _rolled,
    "einsum": _written_einsum,
    "scaled_dot_product_attention": _attended,
    "MultiheadAttention": _multihead,
}
"""Functions that are several operators or none, or whose axes are counted otherwise."""


def relative(path: str, scope: Scope) -> str:
    """The path of a module from a scope.

    Raises:
        Unsupported: it is not below it.
    """
    if scope.path and not path.startswith(f"{scope.path}."):
        raise Unsupported(f"it runs {path}, which is not a part of it", path=scope.path)
    return below(path, scope.path)
