"""Arguments in the order of another library: recognized, and answered with the call that was meant.

In torch the first arguments of a layer are often the sizes of its input, which are inferred here. So `conv(3, 16, 3)`
gives 3 filters of 16×16, and `batchnorm(64)` an `eps` of 64. Each operator states the orders of other libraries
(``Op.orders``). One of them is what was meant where the call makes no sense in ours, or where it gives a value that
hardly any network has (``Op.doubt``), while the other order repeats the sizes that arrive and gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from archdsl.arguments import FlagKind
from archdsl.diagnostics.base import Edit
from archdsl.diagnostics.names import OtherOrder
from archdsl.dims import Size
from archdsl.evaluate.values import ERROR, Given, OpLayer, Value
from archdsl.op import Arriving, Doubt, Dropped, Op, Order, Parameter, Reject, Tensor, parameters, show
from archdsl.record import record
from archdsl.source import Span
from archdsl.syntax import tree

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


@record
class Call:
    """A layer with its arguments, on what arrives (None: unknown). ``defaults`` are those that ``with`` set."""

    layer: OpLayer
    defaults: Mapping[str, Given]
    site: tree.Node
    inputs: tuple[Tensor, ...] | None


@record
class Reading:
    """A call as another library would take it: the layer that was meant, and the arguments that say it here.

    ``repeats`` are the sizes of the input that were given.
    """

    op: Op
    texts: Mapping[str, str]
    repeats: tuple[tuple[Arriving, Given], ...]
    order: Order


def meant_otherwise(call: Call, reason: str, op: Op | None = None, *, must_repeat: bool = False) -> OtherOrder | None:
    """What is to be said of a call that failed for ``reason``, if its arguments are in another order.

    ``op`` is what the call gives, where its arguments make sense and only what arrives does not fit them. Then an order
    that repeats sizes of the input counts only if the call gives a value that hardly any network has. With
    ``must_repeat`` the sizes that it repeats must be those that arrive.
    """
    is_doubted = op is None or _doubt(call, op, {}) is not None
    for reading in _readings(call):
        is_certain = bool(reading.repeats) and _repeats_sizes(reading, call.inputs)
        is_meant = is_doubted or not reading.repeats
        if is_meant and (is_certain or not must_repeat) and _doubt(call, reading.op, {}) is None:
            return _message(call, reading, reason, _edits(call, reading) if is_certain else ())
    return None


def doubtful(call: Call, op: Op) -> OtherOrder | None:
    """What is to be said of a call that gives ``op``, which can be built but is probably not what was meant."""
    if not call.layer.positional or call.inputs is None:
        return None
    names = [p.name for p in parameters(call.layer.op)]
    given = dict.fromkeys(names[: len(call.layer.positional)], True) | dict.fromkeys(call.layer.named, False)
    doubt = _doubt(call, op, given)
    if doubt is None:
        return None
    readings = [r for r in _readings(call) if _doubt(call, r.op, {}) is None]
    for reading in readings:
        if _repeats_sizes(reading, call.inputs):
            is_literal = any(isinstance(given.site, tree.Number) for given in call.layer.positional)
            edits = _edits(call, reading) if is_literal else ()  # else another instance may mean what it says
            return _message(call, reading, _arriving(call, reading), edits, named=_by_name(call))
    if not doubt.is_sure:
        return None
    reason = f"this value of `{doubt.argument}` is very unusual"
    if readings and readings[0].repeats:
        return _message(call, readings[0], reason, (), named=_by_name(call))
    return _unusual(call, doubt, reason)


# ---- reading a call in another order ----------------------------------------------------------------------


def _readings(call: Call) -> list[Reading]:
    """The orders in which the arguments of a call make a layer that fits what arrives."""
    found = (_read(call, order) for order in call.layer.op.orders())
    return [reading for reading in found if reading is not None]


def _read(call: Call, order: Order) -> Reading | None:
    names = list(order.arguments)
    positional, named = call.layer.positional, call.layer.named
    ours = [p.name for p in parameters(call.layer.op)]
    if not positional or len(positional) > len(names):
        return None
    if [order.arguments[name] for name in names[: len(positional)]] == ours[: len(positional)]:
        return None  # the same order as ours
    pairs = [*zip(names, positional, strict=False), *named.items()]
    arguments: dict[str, Given] = {}
    values: dict[str, object] = dict(order.implied)
    texts: dict[str, str] = {name: show(value) for name, value in order.implied.items()}
    repeats: list[tuple[Arriving, Given]] = []
    for name, given in pairs:
        match order.arguments.get(name, name if name in ours else None):
            case Arriving() as arriving if _is_size(given.value, arriving):
                repeats.append((arriving, given))
                values |= _stated_by(arriving, given.value)
                texts |= {n: show(v) for n, v in _stated_by(arriving, given.value).items()}
            case Dropped(values=allowed) if isinstance(given.value, bool | int | float | str) and (
                allowed is None or given.value in allowed
            ):
                pass
            case str() as argument if argument not in arguments:
                arguments[argument] = given
                texts[argument] = _text(given)
            case _:
                return None
    values |= {name: given.value for name, given in call.defaults.items() if name not in values}
    op = _constructed(call, {**values, **{name: given.value for name, given in arguments.items()}})
    if op is None:
        return None
    for name, given in arguments.items():
        accepted = getattr(op, name)
        if isinstance(given.value, float) and isinstance(accepted, int):
            texts[name] = show(accepted)
    return Reading(op, texts, tuple(repeats), order)


def _is_size(value: object, arriving: Arriving) -> bool:
    if isinstance(value, list):
        return arriving.lists is not None and bool(value) and all(_is_size(v, arriving) for v in value)
    return isinstance(value, Size) and not isinstance(value, bool)


def _stated_by(arriving: Arriving, value: object) -> dict[str, object]:
    """The arguments here that a repeated size stands for."""
    if isinstance(value, list) and len(value) > 1 and arriving.lists is not None:
        return {arriving.lists: list(range(-len(value), 0))}
    return {} if value == 1 else dict(arriving.sets)


def _constructed(call: Call, values: Mapping[str, object]) -> Op | None:
    """The operator with these arguments, if it can have them and fits what arrives."""
    accepted: dict[str, object] = {}
    try:
        for parameter in parameters(call.layer.op):
            if parameter.name in values:
                accepted[parameter.name] = _accepted(parameter, values[parameter.name])
            elif parameter.required:
                return None
        op = call.layer.op(**accepted)
        if call.inputs is not None:
            op.infer(call.inputs, _Lenient())
    except Reject:
        return None
    return op


def _accepted(parameter: Parameter, value: object) -> object:
    if value is ERROR or isinstance(value, Value):
        raise Reject("not known")
    if isinstance(value, float) and value.is_integer():  # torch takes p=2.0 for a norm
        try:
            return parameter.kind.accept(int(value))
        except Reject:
            pass
    return parameter.kind.accept(value)


class _Lenient:
    """Answers what an operator asks of sizes (``archdsl.op.Needs``): symbolic ones may be what they must."""

    def require(
        self, left: Size, op: Literal["==", ">="], right: Size, message: str, *, arg: str | None = None,
        help: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(left, int) and isinstance(right, int) and not (left == right if op == "==" else left >= right):
            raise Reject(message)

    def multiple(self, size: Size, of: Size, message: str, *, arg: str | None = None, help: str | None = None) -> None:
        if isinstance(size, int) and isinstance(of, int) and size % of:
            raise Reject(message)


def _doubt(call: Call, op: Op, given: Mapping[str, bool]) -> Doubt | None:
    """What is doubtful of an operator; with nothing ``given``, as if all of its arguments were given by position."""
    if call.inputs is None or not call.inputs:
        return None
    try:
        return op.doubt(call.inputs, given or {p.name: True for p in parameters(type(op))})
    except Reject:  # the arguments do not fit each other: another message says so
        return None


def _repeats_sizes(reading: Reading, inputs: tuple[Tensor, ...] | None) -> bool:
    """Whether every size of the input that was given is the one that arrives."""
    return inputs is not None and all(
        _sizes_at(arriving, given.value, inputs[0])
        == tuple(given.value if isinstance(given.value, list) else [given.value])
        for arriving, given in reading.repeats
    )


def _sizes_at(arriving: Arriving, value: object, tensor: Tensor) -> tuple[Size, ...]:
    if isinstance(value, list):
        return tensor.shape[-len(value) :]
    return tensor.shape[arriving.axis :][:1] if -tensor.rank <= arriving.axis < tensor.rank else ()


# ---- the answer --------------------------------------------------------------------------------------------


def _message(
    call: Call, reading: Reading, reason: str, edits: tuple[Edit, ...], named: str | None = None
) -> OtherOrder:
    advice = f"{_explained(call, reading)}: write `{_written(call, reading)}`"
    if named is not None:
        advice += f"; if the call is intended, name its arguments: `{named}`"
    return OtherOrder(
        span=call.site.span, call=_shown(call), read=_meaning(call), reason=reason, advice=advice, edits=edits
    )


def _unusual(call: Call, doubt: Doubt, reason: str) -> OtherOrder:
    """What is to be said of an unusual value where no other order fits."""
    return OtherOrder(
        span=call.site.span, call=_shown(call), read=_meaning(call), reason=reason if doubt.advice is None else None,
        advice=doubt.advice or f"if the value is intended, name the argument: `{_by_name(call)}`",
    )  # fmt: skip


def _explained(call: Call, reading: Reading) -> str:
    """Why the call means something else here: sizes that are inferred, or the first argument that is another one."""
    if reading.repeats:
        arriving, given = reading.repeats[0]
        wrong = ""
        if call.inputs is not None and not _repeats_sizes(reading, call.inputs):
            sizes = _sizes_at(arriving, given.value, call.inputs[0])
            wrong = f" ({', '.join(map(str, sizes))}, not {show(given.value)})" if sizes else ""
        verb = "are" if arriving.what.endswith("s") else "is"
        return f"the {arriving.what} of the input {verb} inferred{wrong}"
    names = [p.name for p in parameters(call.layer.op)]
    for place, (theirs, _) in enumerate(zip(reading.order.arguments.items(), call.layer.positional, strict=False)):
        if theirs[1] != (names[place] if place < len(names) else None):
            if isinstance(theirs[1], Dropped):
                return f"archdsl has no `{theirs[0]}`"
            return f"the {ORDINALS[place]} argument of `{call.layer.name}` is `{names[place]}`, not `{theirs[0]}`"
    return "the arguments have another order"


def _arriving(call: Call, reading: Reading) -> str:
    if not reading.repeats:
        return "such a layer is very unusual"
    arriving, given = reading.repeats[0]
    verb = "are" if arriving.what.endswith("s") else "is"
    return f"this looks like `{reading.order.of}`: the {arriving.what} of the input {verb} {show(given.value)}"


def _meaning(call: Call) -> str:
    """The arguments by our names: ``width=3, kernel=16, stride=3``."""
    known = parameters(call.layer.op)
    found = [f"{p.name}={show(g.value)}" for p, g in zip(known, call.layer.positional, strict=False)]
    extra = len(call.layer.positional) - len(known)
    return ", ".join([*found, *(["one argument too many"] if extra == 1 else [f"{extra} too many"] * (extra > 0))])


def _shown(call: Call) -> str:
    """The call with the values of its arguments."""
    named = [f"{name}={show(given.value)}" for name, given in call.layer.named.items()]
    return f"{call.layer.name}({', '.join([*(show(g.value) for g in call.layer.positional), *named])})"


def _by_name(call: Call) -> str:
    """The call as it is understood, with names for its arguments: all but a first one that is required."""
    known = parameters(call.layer.op)
    pairs = [*zip((p.name for p in known), call.layer.positional, strict=False), *call.layer.named.items()]
    texts = [f"{name}={_text(given)}" for name, given in pairs]
    if known[0].required and len(texts) > 1:
        texts[0] = _text(pairs[0][1])
    return f"{call.layer.name}({', '.join(texts)})"


def _written(call: Call, reading: Reading) -> str:
    """The call that was meant: arguments by position up to the first that is left out, then by name.

    Truths, and what stands behind an argument that the other library need not be given, have their names.
    """
    parts: list[str] = []
    is_positional = True
    for parameter in parameters(call.layer.op):
        text = reading.texts.get(parameter.name)
        is_positional = is_positional and text is not None and not isinstance(parameter.kind, FlagKind)
        if text is not None and (parameter.required or text != show(parameter.default)):
            parts.append(text if is_positional else f"{parameter.name}={text}")
        is_positional = is_positional and text in (parts[-1:] or [None]) and parameter.name not in reading.order.implied
    return f"{call.layer.name}({', '.join(parts)})" if parts else call.layer.name


def _text(given: Given) -> str:
    """An argument as it stands in the text."""
    return given.site.span.text


def _edits(call: Call, reading: Reading) -> tuple[Edit, ...]:
    """The edit that writes the call in our order, where it stands in one piece and holds all of its arguments."""
    site = call.site
    if not isinstance(site, tree.Call) or site.callee.span.text != call.layer.name:
        return ()
    here = site.span
    given = [*call.layer.positional, *call.layer.named.values()]
    is_whole = all(g.site.span.source is here.source and here.start <= g.site.span.start < here.end for g in given)
    if not is_whole or "\n" in here.text or "#" in here.text:
        return ()
    return (Edit(Span(here.source, here.start, here.end), _written(call, reading)),)
