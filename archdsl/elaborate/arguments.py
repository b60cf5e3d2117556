"""Arguments bound to what an operator takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from archdsl.arguments import FlagKind, InitKind, takes_value
from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.names import BadArgument, MissingArgument, RepeatedArgument
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.elaborate.habits import ORDINALS, Call, meant_otherwise
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.parameters import by_arrow, named
from archdsl.evaluate.place import Place
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import ERROR, Given, OpLayer, SpecValue, Value, Written, is_list, require_good
from archdsl.op import Op, Operand, Parameter, Reject, Tensor, parameters, show
from archdsl.source import Span
from archdsl.syntax import tree


class MakesConstants(Protocol):
    """Makes tensors of lists."""

    def constant(self, items: SpecValue, site: tree.Node, place: Place) -> Value:
        """A nested list of numbers as a tensor."""
        ...


class Arguments:
    """Binds arguments; the fault of an argument stands at that argument."""

    def __init__(self, session: Session, tensors: MakesConstants) -> None:
        self._session = session
        self._tensors = tensors

    def bind(
        self,
        layer: OpLayer,
        defaults: Mapping[str, Given],
        site: tree.Node,
        inputs: tuple[Value, ...] | None,
        here: Place,
    ) -> tuple[Op, tuple[Value, ...], Written]:
        """The operator with its arguments, the values given among them, and the arguments as they were written.

        ``inputs`` come on the stream (None: unknown): values given as arguments are the operands after them.
        """
        found: list[Diagnostic] = []
        try:
            bound = self._bound(layer, defaults, site, len(inputs or ()), found, here)
        except Fault as fault:
            found.append(fault.diagnostic)
        except UsesErrorValue:
            if not found:
                raise
        else:
            return bound
        call = Call(layer, defaults, site, types_of(inputs))
        meant = meant_otherwise(call, found[0].message, must_repeat=isinstance(found[0], RepeatedArgument))
        for diagnostic in found if meant is None else (meant,):
            self._session.report(diagnostic)
        raise UsesErrorValue

    def _bound(
        self,
        layer: OpLayer,
        defaults: Mapping[str, Given],
        site: tree.Node,
        arriving: int,
        found: list[Diagnostic],
        here: Place,
    ) -> tuple[Op, tuple[Value, ...], Written]:
        """See ``bind``. The faults of arguments are added to ``found``: one hides none of the others.

        Raises:
            Fault: a fault that hides others.
            UsesErrorValue: something was found, or is unknown.
        """
        known = parameters(layer.op)
        given = named(layer.name, [p.name for p in known], layer, found)
        if found:
            raise UsesErrorValue
        given = {**{n: g for n, g in defaults.items() if n not in given}, **given}
        operands: list[Value] = []
        accepted: dict[str, object] = {}
        for parameter in known:
            if parameter.name in given:
                value: SpecValue | Operand = given[parameter.name].value
                if is_list(value) and takes_value(parameter.kind):
                    value = self._tensors.constant(value, given[parameter.name].site, here)
                if isinstance(value, Value):
                    operands.append(value)
                    value = Operand(arriving + len(operands) - 1)
                try:
                    if value is not ERROR:
                        taken = self._accept(layer, parameter, value, given[parameter.name], accepted)
                        accepted[parameter.name] = taken
                except Fault as fault:
                    found.append(fault.diagnostic)
            elif parameter.required:
                raise Fault(
                    MissingArgument(
                        span=site.span, callee=layer.name, name=parameter.name, doc=parameter.doc,
                        signature=signature(known),
                    )
                )  # fmt: skip
        require_good(given.values())
        if found:
            raise UsesErrorValue
        op = self._made(layer, accepted, given, site)
        return op, tuple(operands), {n: (g.site, g.env) for n, g in given.items()}

    def _made(self, layer: OpLayer, accepted: Mapping[str, object], given: Mapping[str, Given], site: tree.Node) -> Op:
        """The operator with these arguments.

        Raises:
            Fault: the operator rejects them.
        """
        names = {p.name for p in parameters(layer.op)}
        axes = tuple((n, g.value) for n, g in given.items() if n not in names)
        try:
            return layer.op(**accepted, **({"axes": axes} if layer.op.takes_axes else {}))
        except Reject as reject:
            raise self._rejected(layer.name, reject, given, site) from None

    def _accept(
        self, layer: OpLayer, parameter: Parameter, value: SpecValue | Operand, given: Given,
        accepted: Mapping[str, object],
    ) -> object:  # fmt: skip
        try:
            return parameter.kind.accept(_operands(value))
        except Reject as reject:
            words = parameter.kind.words
            advice = layer.op.instead(parameter.name, value, accepted) or reject.help
            advice = advice or (did_you_mean(value, words) if isinstance(value, str) else None)
            raise Fault(
                BadArgument(
                    span=given.site.span, callee=layer.name, argument=parameter.name, reason=reject.message,
                    advice=advice or by_arrow(layer, given) or _by_position(layer, parameter, given),
                    edits=_word_meant(given, words) or _flag_meant(given, parameter),
                )
            ) from None  # fmt: skip

    def _rejected(self, callee: str, reject: Reject, given: Mapping[str, Given], site: tree.Node) -> Fault:
        at = given[reject.arg].site if reject.arg is not None and reject.arg in given else site
        return Fault(
            BadArgument(
                span=at.span, callee=callee, argument=reject.arg or "arguments", reason=reject.message,
                advice=reject.help,
            )
        )  # fmt: skip


def signature(known: tuple[Parameter, ...]) -> str:
    """``width, kernel, stride=1, …`` as the language writes it."""
    return ", ".join(p.name if p.required or p.default is None else f"{p.name}={show(p.default)}" for p in known)


def _operands(value: SpecValue | Operand) -> object:
    """An argument with what stands for the values in its lists, where no kind of argument takes one."""
    if isinstance(value, list):
        return [_operands(item) for item in value]
    return Operand(-1) if isinstance(value, Value) else value


def _word_meant(given: Given, words: Collection[str]) -> tuple[Edit, ...]:
    """The edit that spells a word in quotes as it was meant."""
    if not isinstance(given.site, tree.String):
        return ()
    quoted = given.site.span
    return respelt(Span(quoted.source, quoted.start + 1, quoted.end - 1), given.site.value, words)


def _flag_meant(given: Given, parameter: Parameter) -> tuple[Edit, ...]:
    """The edit that writes 0 or 1 as the truth that it stands for."""
    if not isinstance(parameter.kind, FlagKind) or given.name is None or given.site.span.text not in ("0", "1"):
        return ()
    return (Edit(given.site.span, "true" if given.site.span.text == "1" else "false"),)


def types_of(inputs: tuple[Value, ...] | None) -> tuple[Tensor, ...] | None:
    """The types of values, where they are known."""
    return None if inputs is None else tuple(value.type for value in inputs)


def _by_position(layer: OpLayer, parameter: Parameter, given: Given) -> str | None:
    """Explains which argument a positional number sets: `linear(64, 10)` is how torch is called."""
    known = parameters(layer.op)
    if given.name is not None or parameter is known[0] or isinstance(given.value, str):
        return None
    if not isinstance(parameter.kind, FlagKind | InitKind):
        return None
    place = ORDINALS[known.index(parameter)]
    return f"the {place} argument of `{layer.name}` is `{parameter.name}`: it takes {signature(known)}"
