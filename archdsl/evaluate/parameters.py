"""Arguments bound to the parameters of a definition."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from archdsl.diagnostics.base import Diagnostic, Edit
from archdsl.diagnostics.edits import without_argument
from archdsl.diagnostics.names import MissingArgument, RepeatedArgument, TooManyArguments, UnknownArgument
from archdsl.diagnostics.nearest import did_you_mean, respelt
from archdsl.evaluate.faults import Fault, UsesErrorValue
from archdsl.evaluate.interfaces import Evaluates
from archdsl.evaluate.place import Place
from archdsl.evaluate.session import Session
from archdsl.evaluate.values import (
    ERROR,
    Applicable,
    BlockLayer,
    Env,
    FileScope,
    Given,
    OpLayer,
    SpecValue,
    Value,
    require_good,
)
from archdsl.op import Arriving, Dropped, Order
from archdsl.ops import OPS_BY_NAME
from archdsl.syntax import tree


class Parameters:
    """Binds the parameters of definitions."""

    def __init__(self, session: Session, expressions: Evaluates) -> None:
        self._session = session
        self._expressions = expressions

    def bind(
        self, name: str, params: tuple[tree.Param, ...], layer: Applicable, file: FileScope, place: Place,
        site: tree.Node, defaults: Mapping[str, Given],
    ) -> tuple[dict[str, SpecValue], dict[str, Given]]:  # fmt: skip
        """Values of a definition's parameters (defaults see those before them), and the arguments that were given."""
        found: list[Diagnostic] = []
        given = named(name, [p.name.text for p in params], layer, found)
        if found:
            for diagnostic in found:
                self._session.report(diagnostic)
            raise UsesErrorValue
        require_good(given.values())
        given = {**{n: g for n, g in defaults.items() if n not in given}, **given}
        env = Env(file.env)
        values: dict[str, SpecValue] = {}
        for param in params:
            known = param.name.text
            if known in given:
                values[known] = given[known].value
            elif param.default is None:
                takes = ", ".join(p.name.text for p in params)
                hides = f"; `{name}` of this spec hides the operator `{name}`" if name in OPS_BY_NAME else ""
                raise Fault(MissingArgument(span=site.span, callee=name, name=known, signature=takes + hides))
            else:
                values[known] = self._expressions.evaluate(param.default, place.aside(ERROR, env))
            env.bind(known, values[known])
        return values, given


def named(callee: str, names: Sequence[str], layer: Applicable, found: list[Diagnostic]) -> dict[str, Given]:
    """All given arguments by name; what a fault made unknown is among them. Unknown ones are added to ``found``.

    Raises:
        Fault: too many arguments are given, or one is given twice.
    """
    is_open_ended = isinstance(layer, OpLayer) and layer.op.takes_axes
    if len(layer.positional) > len(names):
        require_good(layer.positional)
        first = layer.positional[len(names)]
        takes = f"{len(names) or 'no'} argument{'' if len(names) == 1 else 's'}"
        raise Fault(
            TooManyArguments(
                span=first.site.span, callee=callee, takes=takes, given=len(layer.positional),
                signature=", ".join(names) or None, advice=by_arrow(layer, first),
            )
        )  # fmt: skip
    given = dict(zip(names, layer.positional, strict=False))
    orders = layer.op.orders() if isinstance(layer, OpLayer) else ()
    for name, argument in layer.named.items():
        if name not in names and not is_open_ended:
            taken = {*given, *layer.named}
            found.append(no_argument(callee, name, names, argument, taken=taken, orders=orders))
        elif name in given:
            raise Fault(RepeatedArgument(span=argument.span, callee=callee, name=name))
        else:
            given[name] = argument
    return given


def no_argument(
    callee: str, name: str, names: Sequence[str], argument: Given, taken: Collection[str] = (),
    orders: tuple[Order, ...] = (),
) -> Diagnostic:  # fmt: skip
    """An argument that is not there, with the nearest that is; those ``taken`` are given already.

    ``orders`` are those of other libraries, whose names may stand for others or for nothing.
    """
    free = [n for n in names if n not in taken]
    at = argument.name.span if argument.name is not None else None
    edits: tuple[Edit, ...]
    match next((o.arguments[name] for o in orders if name in o.arguments), None):
        case Arriving(what=what):
            advice = f"omit it: the {what} of the input {'are' if what.endswith('s') else 'is'} inferred"
            edits = without_argument(argument.span) if at is not None else ()
        case Dropped():
            advice = "omit it: archdsl has no such argument"
            edits = without_argument(argument.span) if at is not None else ()
        case str() as ours:
            advice = f"did you mean `{ours}`?"
            edits = (Edit(at, ours),) if ours in free and at is not None and at.text == name else ()
        case None:
            advice = did_you_mean(name, names) or (f"it takes {', '.join(names)}" if names else "it takes none")
            edits = respelt(at, name, free) if at is not None else ()
    return UnknownArgument(span=argument.span, callee=callee, name=name, advice=advice, edits=edits)


def by_arrow(layer: Applicable, given: Given) -> str | None:
    """The fix where a value was given as an argument: ``relu(x)``."""
    if not isinstance(given.value, Value) or given.name is not None:
        return None
    name = layer.name if isinstance(layer, OpLayer | BlockLayer) else "…"
    return f"apply the layer with an arrow: `({given.site.span.text} -> {name})`"
