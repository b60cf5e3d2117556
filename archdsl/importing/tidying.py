"""Removes steps that do nothing, joins chains of views to one pattern, and lays inputs together where they arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archdsl.importing.calls import Unsupported, Value
from archdsl.importing.layout import Irregular, Layout
from archdsl.importing.lowering import LAYOUT
from archdsl.importing.steps import Operator, Scope, ScopeRun, Step, makers, uses_of

DROPPING = ("dropout", "spatial_dropout", "alpha_dropout", "drop_path")


def tidy(scope: Scope) -> None:
    """Tidies a network in place.

    Raises:
        Unsupported: a view is no pattern of axes.
    """
    _prune(scope, set(scope.outputs))
    _simplify(scope)
    _hoist(scope)


def _prune(scope: Scope, wanted: set[Value]) -> None:
    """Keeps of a scope what its caller reads, and what that needs."""
    scope.outputs = [v for v in scope.outputs if v in wanted]
    live = set(scope.outputs)
    kept: list[Step] = []
    for step in reversed(scope.steps):
        if not any(v in live for v in step.outputs):
            continue
        if isinstance(step, ScopeRun):
            step.outputs = [v for v in step.outputs if v in live]
            _prune(step.scope, live)
            inner = step.scope.reads() | set(step.scope.outputs)
            step.inputs = [v for v in step.inputs if v in inner]
            step.scope.inputs = [v for v in step.scope.inputs if v in inner]
            live |= inner
        live.update(step.inputs)
        kept.append(step)
    scope.steps = kept[::-1]


def _renaming(same: Mapping[Value, Value]) -> Callable[[Value], Value]:
    def new(value: Value) -> Value:
        while value in same:
            value = same[value]
        return value

    return new


def _simplify(scope: Scope) -> None:
    for step in scope.steps:
        if isinstance(step, ScopeRun):
            _simplify(step.scope)
    if not scope.is_chain:
        _drop(scope)
        while _joined_layout(scope):
            pass
        _transpose_products(scope)
    for step in scope.steps:
        if isinstance(step, Operator):
            _finish(step, scope)


def _drop(scope: Scope) -> None:
    """Removes what gives its input as it is."""
    same: dict[Value, Value] = {}
    for step in scope.steps:
        step.replace_values(_renaming(same))
        if isinstance(step, Operator) and (value := _unchanged(step)) is not None:
            same[step.outputs[0]] = value
    scope.steps = [s for s in scope.steps if not any(v in same for v in s.outputs)]
    scope.replace_values(_renaming(same))


def _unchanged(step: Operator) -> Value | None:
    """The input that an operator gives as it is; None if it does something."""
    if step.name == "identity" or (step.name in DROPPING and step.arguments.get("p") == 0):
        return step.inputs[0]
    if step.name == "+":
        for operand, other in (step.operands, step.operands[::-1]):
            is_zero = isinstance(operand, Value) and operand.kind == "constant" and operand.numbers == 0
            if is_zero and isinstance(other, Value) and other.shape == step.outputs[0].shape:
                return other
    return None


# ---- layouts -----------------------------------------------------------------------------------------------


def _layout(step: Operator) -> Layout | None:
    try:
        return Layout.of(step.inputs[0].shape, step.arguments["moves"])
    except Irregular:
        return None


def _joined_layout(scope: Scope) -> bool:
    """Joins one view to the one before it, or drops one that changes nothing; false if there is none."""
    uses, made = uses_of(scope), makers(scope)
    for step in scope.steps:
        if not isinstance(step, Operator) or step.name != LAYOUT:
            continue
        before = made.get(step.inputs[0])
        if isinstance(before, Operator) and before.name == LAYOUT and uses[step.inputs[0]] == 1:
            joined = Operator(
                LAYOUT, {"moves": (*before.arguments["moves"], *step.arguments["moves"])}, before.inputs, step.outputs
            )
            if _layout(joined) is not None:
                step.arguments, step.inputs = joined.arguments, joined.inputs
                scope.steps.remove(before)
                return True
        layout = _layout(step)
        if layout is not None and layout.is_identity:
            scope.steps.remove(step)
            scope.replace_values(_renaming({step.outputs[0]: step.inputs[0]}))
            return True
    return False


def _transpose_products(scope: Scope) -> None:
    """A permutation before a product is the order of letters in its pattern."""
    for step in list(scope.steps):
        if not isinstance(step, Operator) or "axes" not in step.arguments:
            continue
        for side in (0, 1):
            uses, made = uses_of(scope), makers(scope)
            before = made.get(step.inputs[side])
            if not isinstance(before, Operator) or before.name != LAYOUT or uses[step.inputs[side]] != 1:
                continue
            if [kind for kind, _ in before.arguments["moves"]] == ["permute"] and step.inputs[0] is not step.inputs[1]:
                letters = step.arguments["axes"][side]
                order = before.arguments["moves"][0][1]
                step.arguments["axes"][side] = [letters[order.index(i)] for i in range(len(order))]
                step.inputs[side] = before.inputs[0]
                scope.steps.remove(before)


def _finish(step: Operator, scope: Scope) -> None:
    """Gives views and products the operator that the language has for them."""
    if step.name == "einsum" and "axes" in step.arguments:
        left, right, out = (" ".join(part) for part in step.arguments["axes"])
        step.arguments = {"pattern": f"{left}, {right} -> {out}"}
    elif step.name == LAYOUT:
        layout = _layout(step)
        if layout is None:
            raise Unsupported("its axes are cut and joined in a way that no pattern is", "reshape", scope.path)
        step.name, step.arguments = _named_layout(layout, step.arguments.get("flatten"))


def _named_layout(layout: Layout, flatten: tuple[int, int] | None) -> tuple[str, dict[str, object]]:
    if flatten is not None:
        start, end = flatten
        return "flatten", {**({"start": start} if start != 1 else {}), **({"end": end} if end != -1 else {})}
    if layout.shuffled_groups is not None:
        return "channel_shuffle", {"groups": layout.shuffled_groups}
    if layout.is_squeeze:
        return "flatten", {}
    pattern, sizes = layout.pattern()
    return "rearrange", {"pattern": pattern, **sizes}


# ---- concatenations ----------------------------------------------------------------------------------------


def _hoist(scope: Scope) -> None:
    """A module that begins by laying all its inputs together is given them laid together; so dense blocks loop."""
    steps: list[Step] = []
    for step in scope.steps:
        if isinstance(step, ScopeRun):
            _hoist(step.scope)
            first = step.scope.steps[0] if step.scope.steps else None
            if isinstance(first, Operator) and first.name == "concat" and _only_joins(step.scope, first):
                step.scope.steps = step.scope.steps[1:]
                step.scope.inputs, step.inputs = list(first.outputs), list(first.outputs)
                steps.append(first)
        steps.append(step)
    scope.steps = steps
    _continue_joins(scope)


def _only_joins(scope: Scope, first: Operator) -> bool:
    flowing = [v for v in scope.inputs if v.flows]
    later = {v for step in scope.steps[1:] for v in step.inputs}
    return len(flowing) > 1 and first.inputs == flowing and not later & set(flowing)


def _continue_joins(scope: Scope) -> None:
    """``concat`` of a, b, c behind that of a, b takes the earlier one and c."""
    seen: list[tuple[list[Value], object, Value]] = []
    for step in scope.steps:
        if not isinstance(step, Operator) or step.name != "concat":
            continue
        axis, values = step.arguments.get("axis"), list(step.inputs)
        for earlier, at, result in reversed(seen):
            if at == axis and len(earlier) < len(values) and values[: len(earlier)] == earlier:
                step.inputs = [result, *values[len(earlier) :]]
                break
        seen.append((values, axis, step.outputs[0]))
