"""Arguments bound to what an operator or a definition takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from archdsl.arguments import FlagKind, InitKind
from archdsl.build.context import Context, Fault, Here, Poison, require_good
from archdsl.build.env import Env, FileScope
from archdsl.build.values import BAD, Applicable, Given, OpLayer
from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.names import (
    BadArgument,
    MissingArgument,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
)
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.graph import Value
from archdsl.op import Op, Operand, Parameter, Reject, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.source import Span
from archdsl.syntax import tree

Written = Mapping[str, tuple[tree.Node, Env]]


class Binding(Context):
    """Binds arguments; the fault of an argument stands at that argument."""

    def bind_operator(
        self, layer: OpLayer, defaults: Mapping[str, Given], site: tree.Node, arriving: int
    ) -> tuple[Op, tuple[Value, ...], Written]:
        """The operator with its arguments, the values given among them, and the arguments as they were written.

        ``arriving`` values come on the stream: those given as arguments are the operands after them.
        """
        known = parameters(layer.op)
        given = self._named(layer.op.name, [p.name for p in known], layer, site, layer.op.takes_axes)
        given = {**{n: g for n, g in defaults.items() if n not in given}, **given}
        operands: list[Value] = []
        accepted: dict[str, Any] = {}
        for parameter in known:
            if parameter.name in given:
                value = given[parameter.name].value
                if isinstance(value, Value):
                    operands.append(value)
                    value = Operand(arriving + len(operands) - 1)
                try:
                    if value is not BAD:
                        accepted[parameter.name] = self._accept(layer, parameter, value, given[parameter.name])
                except Fault as fault:  # the arguments behind it can be wrong by themselves
                    self.report(fault.diagnostic)
            elif parameter.required:
                raise Fault(
                    MissingArgument(
                        span=site.span, callee=layer.name, name=parameter.name, doc=parameter.doc,
                        signature=signature(known),
                    )
                )  # fmt: skip
        require_good(given.values())
        if any(p.name in given and p.name not in accepted for p in known):
            raise Poison
        if layer.op.takes_axes:
            names = {p.name for p in known}
            accepted["axes"] = tuple((n, g.value) for n, g in given.items() if n not in names)
        try:
            op = layer.op(**accepted)
        except Reject as reject:
            raise self._rejected(layer.name, reject, given, site) from None
        return op, tuple(operands), {n: (g.site, g.env) for n, g in given.items()}

    def _accept(self, layer: OpLayer, parameter: Parameter, value: Any, given: Given) -> Any:
        try:
            return parameter.kind.accept(_operands(value))
        except Reject as reject:
            words = parameter.kind.words
            advice = reject.help or (did_you_mean(value, words) if isinstance(value, str) else None)
            raise Fault(
                BadArgument(
                    span=given.site.span, callee=layer.name, argument=parameter.name, reason=reject.message,
                    advice=advice or _arrow(layer, given) or _by_position(layer, parameter, given),
                    edits=_word_meant(given, words),
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

    def _named(
        self, callee: str, names: list[str], layer: Applicable, site: tree.Node, open_ended: bool = False
    ) -> dict[str, Given]:
        """All given arguments by name; what a fault made unknown is among them."""
        if len(layer.positional) > len(names):
            require_good(layer.positional)
            first = layer.positional[len(names)]
            extra = first.site
            takes = f"{len(names) or 'no'} argument{'' if len(names) == 1 else 's'}"
            raise Fault(
                TooManyArguments(
                    span=extra.span, callee=callee, takes=takes, given=len(layer.positional),
                    signature=", ".join(names) or None, advice=_arrow(layer, first),
                )
            )  # fmt: skip
        given = dict(zip(names, layer.positional, strict=False))
        unknown = False
        for name, argument in layer.named.items():
            if name not in names and not open_ended:
                self.report(self.no_argument(callee, name, names, argument, taken={*given, *layer.named}))
                unknown = True
            elif name in given:
                raise Fault(RepeatedArgument(span=argument.span, callee=callee, name=name))
            else:
                given[name] = argument
        if unknown:
            raise Poison
        return given

    @staticmethod
    def no_argument(
        callee: str, name: str, names: list[str], argument: Given, taken: Collection[str] = ()
    ) -> Diagnostic:
        """An argument that is not there, with the nearest that is; those ``taken`` are given already."""
        advice = did_you_mean(name, names) or (f"it takes {', '.join(names)}" if names else "it takes none")
        free = [n for n in names if n not in taken]
        edits = respelt(argument.name.span, name, free) if argument.name is not None else ()
        return UnknownArgument(span=argument.span, callee=callee, name=name, advice=advice, edits=edits)

    def bind_parameters(
        self, name: str, params: tuple[tree.Param, ...], layer: Applicable, file: FileScope, here: Here,
        site: tree.Node, defaults: Mapping[str, Given],
    ) -> tuple[dict[str, Any], dict[str, Given]]:  # fmt: skip
        """Values of a definition's parameters (defaults see those before them), and the arguments that were given."""
        given = self._named(name, [p.name.text for p in params], layer, site)
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
