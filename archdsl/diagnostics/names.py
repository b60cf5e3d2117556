"""A02xx: names, arguments and kinds: what a statement says makes no sense, whatever the sizes."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class UnknownName(Diagnostic):
    code = "A0201"
    title = "unknown name `{name}`"
    at = "not defined here"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class WrongKind(Diagnostic):
    code = "A0202"
    title = "{what}"
    at = "{found}"
    hint = "{advice}"

    what: str
    found: str | None = None
    advice: str | None = None


@record(kw_only=True)
class UnknownArgument(Diagnostic):
    code = "A0203"
    title = "`{callee}` has no argument `{name}`"
    hint = "{advice}"

    callee: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class MissingArgument(Diagnostic):
    code = "A0204"
    title = "`{callee}` needs its argument `{name}`"
    at = "{doc}"
    hint = "it takes {signature}"

    callee: str
    name: str
    doc: str | None = None
    signature: str | None = None


@record(kw_only=True)
class TooManyArguments(Diagnostic):
    code = "A0205"
    title = "`{callee}` takes {takes}, not {given}"
    hint = "it takes {signature}"

    callee: str
    takes: str
    given: int
    signature: str | None = None
    advice: str | None = None

    @property
    def help(self) -> str:
        return self.advice or super().help


@record(kw_only=True)
class BadArgument(Diagnostic):
    code = "A0206"
    title = "`{callee}` cannot take this `{argument}`: {reason}"
    hint = "{advice}"

    callee: str
    argument: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class RepeatedArgument(Diagnostic):
    code = "A0207"
    title = "the argument `{name}` of `{callee}` is given twice"

    callee: str
    name: str


@record(kw_only=True)
class Unlabelled(Diagnostic):
    code = "A0208"
    title = "this {what} owns parameters and needs a name"
    at = "its parameters need a path in the state dict"
    hint = "give it a label (`{example}: …`), or put it in a `seq`, where it takes its number"

    what: str
    example: str


@record(kw_only=True)
class DuplicatePath(Diagnostic):
    code = "A0209"
    title = "two modules have the path `{path}`"
    at = "the second one"
    hint = "{advice}"

    path: str
    advice: str = "name them apart, or run one module twice: `let {label}: …`, then `{label}` where it runs"

    @property
    def label(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def help(self) -> str:
        return self.advice.format(label=self.label)


@record(kw_only=True)
class NeverRun(Diagnostic):
    code = "A0210"
    title = "the module `{label}` is declared and never run"
    hint = "call it where it belongs (`-> {label}`), or remove it"

    label: str


@record(kw_only=True)
class UnusedName(Diagnostic):
    code = "A0211"
    title = "`{name}` is never used"
    hint = "{advice}"

    name: str
    advice: str | None = None
    statement: Span | None = None
    """What binds it: all of this has no effect."""


@record(kw_only=True)
class Recursive(Diagnostic):
    code = "A0212"
    title = "`{name}` contains itself"
    at = "here it is used again: {route}"
    hint = "a network is finite: repeat with `for`"

    name: str
    route: str


@record(kw_only=True)
class DefinedTwice(Diagnostic):
    code = "A0213"
    title = "`{name}` is defined twice"

    name: str


@record(kw_only=True)
class DiscardsStream(Diagnostic):
    code = "A0214"
    title = "this value throws the stream away"
    at = "it does not mention `it`"
    hint = "what stands before it in the chain would have no effect: start a new step with it, or combine it with `it`"


@record(kw_only=True)
class CannotUnpack(Diagnostic):
    code = "A0215"
    title = "cannot unpack {found} into {names}"

    found: str
    names: str


@record(kw_only=True)
class UnknownModel(Diagnostic):
    code = "A0216"
    title = "{where} has no model `{name}`"
    hint = "{advice}"

    where: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class BadLabel(Diagnostic):
    code = "A0217"
    title = "`{label}` cannot be the name of a module"
    at = "{reason}"

    label: str
    reason: str


@record(kw_only=True)
class BadArithmetic(Diagnostic):
    code = "A0218"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class BadIndex(Diagnostic):
    code = "A0219"
    title = "{reason}"

    reason: str


@record(kw_only=True)
class TooMuch(Diagnostic):
    code = "A0220"
    title = "this spec is too large to build: over {limit} {what}"
    hint = "the limit keeps a spec from exhausting its reader"

    limit: str
    what: str


@record(kw_only=True)
class Misplaced(Diagnostic):
    code = "A0221"
    title = "{what} cannot stand here"
    hint = "{advice}"

    what: str
    advice: str | None = None


@record(kw_only=True)
class WordTaken(Diagnostic):
    code = "A0222"
    title = "`{name}` is a word of the language"
    hint = "choose another name"

    name: str


@record(kw_only=True)
class NoEnd(Diagnostic):
    code = "A0224"
    title = "the model `{model}` has no {end}"
    hint = "every model says what {verb}: `{end} x: [N, …]`"

    model: str
    end: str

    @property
    def verb(self) -> str:
        return "goes in" if self.end == "input" else "comes out"


@record(kw_only=True)
class EmptyStream(Diagnostic):
    code = "A0225"
    title = "nothing is on the stream here"
    at = "this needs something to work on"
    hint = "a model, and a claim that applies layers, begins with `input x: [N, …]`"


@record(kw_only=True)
class ItMoved(Diagnostic):
    code = "A0226"
    title = "`it` is not the list here: it changes along a chain"
    at = "here it is what the chain has made so far, {here}"
    hint = "name the list before the chain (`as xs`), and say `xs[{index}]`"

    here: str
    index: str


@record(kw_only=True)
class DeadLayer(Diagnostic):
    code = "A0223"
    title = "the result of this `{layer}` goes nowhere"
    at = "no output depends on it"
    hint = "connect it, or remove it"

    layer: str
