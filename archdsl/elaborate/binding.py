"""Arguments bound to what an operator or a definition takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from archdsl.arguments import FlagKind, InitKind, takes_value
from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.edits import without_argument
from archdsl.diagnostics.names import (
    BadArgument,
    MissingArgument,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
)
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.elaborate.context import Context, Fault, Here, Poison, require_good
from archdsl.elaborate.habits import Call, meant_otherwise
from archdsl.evaluate.env import Env, FileScope
from archdsl.evaluate.values import BAD, Applicable, Given, OpLayer, is_list
from archdsl.graph import Value
from archdsl.op import Arriving, Dropped, Op, Operand, Order, Parameter, Reject, Tensor, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.source import Span
from archdsl.syntax import tree

Written = Mapping[str, tuple[tree.Node, Env]]


class Binding(Context):
    """Binds arguments; the fault of an argument stands at that argument."""

    def bind_operator(
        self,
        layer: OpLayer,
        defaults: Mapping[str, Given],
        site: tree.Node,
        inputs: tuple[Value, ...] | None,
        here: Here,
    ) -> tuple[Op, tuple[Value, ...], Written]:
        """The operator with its arguments, the values given among them, and the arguments as they were written.

        ``inputs`` come on the stream (None: unknown): values given as arguments are the operands after them.
        """
        found: list[Diagnostic] = []
        try:
            bound = self._bound(layer, defaults, site, len(inputs or ()), found, here)
        except Fault as fault:
            found.append(fault.diagnostic)
        except Poison:
            if not found:
                raise
        else:
            return bound
        call = Call(layer, defaults, site, types_of(inputs))
        meant = meant_otherwise(call, found[0].message, must_repeat=isinstance(found[0], RepeatedArgument))
        for diagnostic in found if meant is None else (meant,):
            self.report(diagnostic)
        raise Poison

    def _bound(
        self,
        layer: OpLayer,
        defaults: Mapping[str, Given],
        site: tree.Node,
        arriving: int,
        found: list[Diagnostic],
        here: Here,
    ) -> tuple[Op, tuple[Value, ...], Written]:
        """See ``bind_operator``. The faults of arguments are added to ``found``: one hides none of the others.

        Raises:
            Fault: a fault that hides others.
            Poison: something was found, or is unknown.
        """
        known = parameters(layer.op)
        given = self._named(layer.name, [p.name for p in known], layer, found)
        if found:
            raise Poison
        given = {**{n: g for n, g in defaults.items() if n not in given}, **given}
        operands: list[Value] = []
        accepted: dict[str, Any] = {}
        for parameter in known:
            if parameter.name in given:
                value = given[parameter.name].value
                if is_list(value) and takes_value(parameter.kind):
                    value = self.constant(value, given[parameter.name].site, here)
                if isinstance(value, Value):
                    operands.append(value)
                    value = Operand(arriving + len(operands) - 1)
                try:
                    if value is not BAD:
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
            raise Poison
        if layer.op.takes_axes:
            names = {p.name for p in known}
            accepted["axes"] = tuple((n, g.value) for n, g in given.items() if n not in names)
        try:
            op = layer.op(**accepted)
        except Reject as reject:
            raise self._rejected(layer.name, reject, given, site) from None
        return op, tuple(operands), {n: (g.site, g.env) for n, g in given.items()}

    def _accept(
        self, layer: OpLayer, parameter: Parameter, value: Any, given: Given, accepted: Mapping[str, Any]
    ) -> Any:
        try:
            return parameter.kind.accept(_operands(value))
        except Reject as reject:
            words = parameter.kind.words
            advice = layer.op.instead(parameter.name, value, accepted) or reject.help
            advice = advice or (did_you_mean(value, words) if isinstance(value, str) else None)
            raise Fault(
                BadArgument(
                    span=given.site.span, callee=layer.name, argument=parameter.name, reason=reject.message,
                    advice=advice or _arrow(layer, given) or _by_position(layer, parameter, given),
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

    def _named(self, callee: str, names: list[str], layer: Applicable, found: list[Diagnostic]) -> dict[str, Given]:
        """All given arguments by name; what a fault made unknown is among them. Unknown ones are added to ``found``."""
        is_open_ended = isinstance(layer, OpLayer) and layer.op.takes_axes
        if len(layer.positional) > len(names):
            require_good(layer.positional)
            first = layer.positional[len(names)]
            takes = f"{len(names) or 'no'} argument{'' if len(names) == 1 else 's'}"
            raise Fault(
                TooManyArguments(
                    span=first.site.span, callee=callee, takes=takes, given=len(layer.positional),
                    signature=", ".join(names) or None, advice=_arrow(layer, first),
                )
            )  # fmt: skip
        given = dict(zip(names, layer.positional, strict=False))
        orders = layer.op.orders() if isinstance(layer, OpLayer) else ()
        for name, argument in layer.named.items():
            if name not in names and not is_open_ended:
                taken = {*given, *layer.named}
                found.append(self.no_argument(callee, name, names, argument, taken=taken, orders=orders))
            elif name in given:
                raise Fault(RepeatedArgument(span=argument.span, callee=callee, name=name))
            else:
                given[name] = argument
        return given

    @staticmethod
    def no_argument(
        callee: str, name: str, names: list[str], argument: Given, taken: Collection[str] = (),
        orders: tuple[Order, ...] = (),
    ) -> Diagnostic:  # fmt: skip
        """An argument that is not there, with the nearest that is; those ``taken`` are given already.

        ``orders`` are those of other libraries, whose names may stand for others or for nothing.
        """
        free = [n for n in names if n not in taken]
        at = argument.name.span if argument.name is not None else None
        match next((o.arguments[name] for o in orders if name in o.arguments), None):
            case Arriving(what=what):
                advice = f"leave it out: the {what} of the input {'are' if what.endswith('s') else 'is'} inferred"
                edits = without_argument(argument.span) if at is not None else ()
            case Dropped():
                advice = "leave it out: nothing corresponds to it"
                edits = without_argument(argument.span) if at is not None else ()
            case str() as ours:
                advice = f"did you mean `{ours}`?"
                edits = (Edit(at, ours),) if ours in free and at is not None and at.text == name else ()
            case _:
                advice = did_you_mean(name, names) or (f"it takes {', '.join(names)}" if names else "it takes none")
                edits = respelt(at, name, free) if at is not None else ()
        return UnknownArgument(span=argument.span, callee=callee, name=name, advice=advice, edits=edits)

    def bind_parameters(
        self, name: str, params: tuple[tree.Param, ...], layer: Applicable, file: FileScope, here: Here,
        site: tree.Node, defaults: Mapping[str, Given],
    ) -> tuple[dict[str, Any], dict[str, Given]]:  # fmt: skip
        """Values of a definition's parameters (defaults see those before them), and the arguments that were given."""
        found: list[Diagnostic] = []
        given = self._named(name, [p.name.text for p in params], layer, found)
        if found:
            for diagnostic in found:
                self.report(diagnostic)
            raise Poison
        require_good(given.values())
        given = {**{n: g for n, g in defaults.items() if n not in given}, **given}
        env = Env(file.env)
        for param in params:
            if param.name.text in given:
                env.bind(param.name.text, given[param.name.text].value)
            elif param.default is None:
                takes = ", ".join(p.name.text for p in params)
                hides = f"; `{name}` of this spec hides the operator of that name" if name in OPS_BY_NAME else ""
                raise Fault(MissingArgument(span=site.span, callee=name, name=param.name.text, signature=takes + hides))
            else:
                env.bind(param.name.text, self.evaluate(param.default, here.aside(BAD, env=env)))
        return env.names, given


def signature(known: tuple[Parameter, ...]) -> str:
    """``width, kernel, stride=1, …`` as the language writes it."""
    from archdsl.arguments import show

    return ", ".join(p.name if p.required or p.default is None else f"{p.name}={show(p.default)}" for p in known)


def _operands(value: Any) -> Any:
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
    """Which argument a number stands for, where only its position says so: `linear(64, 10)` is a habit of torch."""
    known = parameters(layer.op)
    if given.name is not None or parameter is known[0] or isinstance(given.value, str):
        return None
    if not isinstance(parameter.kind, FlagKind | InitKind):
        return None
    return f"here it is `{parameter.name}`: `{layer.name}` takes {signature(known)}"


def _arrow(layer: Applicable, given: Given) -> str | None:
    """The way out where a value was given as an argument: ``relu(x)``."""
    if not isinstance(given.value, Value) or given.name is not None:
        return None
    return f"apply the layer with an arrow: `({given.site.span.text} -> {getattr(layer, 'name', '…')})`"
