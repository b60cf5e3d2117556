"""A02xx: names, arguments and kinds: what a statement says makes no sense, whatever the sizes."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class UnknownName(Diagnostic):
    """A name that nothing defines.

    Names are defined above where they are used, by a `block`, `model`, `fn`, `let`, `as`, `input`, or a parameter;
    files are defined in by `use`.
    """

    code = "A0201"
    title = "unknown name `{name}`"
    at = "not defined here"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class WrongKind(Diagnostic):
    """A thing of the wrong kind: a number where a layer is needed, a layer where a number is.

    Numbers, lists, layers and values are told apart. A layer becomes a value by running it on the stream.
    """

    code = "A0202"
    title = "{what}"
    at = "{found}"
    hint = "{advice}"

    what: str
    found: str | None = None
    advice: str | None = None


@record(kw_only=True)
class UnknownArgument(Diagnostic):
    """An argument that the layer or block does not have.

    `archdsl` names arguments as torch does where it has them; the reference of the operators lists all.
    """

    code = "A0203"
    title = "`{callee}` has no argument `{name}`"
    hint = "{advice}"

    callee: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class MissingArgument(Diagnostic):
    """A required argument is missing.

    An argument without a default must be given.
    """

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
    """More arguments than there are.

    Arguments by position are taken in order; the hint lists them.
    """

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
    """A value that the argument cannot take.

    Each argument says what it may be: a size, a rate between 0 and 1, one of some words.
    """

    code = "A0206"
    title = "`{callee}` cannot take this `{argument}`: {reason}"
    hint = "{advice}"

    callee: str
    argument: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class OtherOrder(Diagnostic):
    """Arguments in the order of another library.

    In torch the first arguments of a layer are often the sizes of its input. Here they are inferred, so each number by
    position would be taken for another argument: `batchnorm(64)` would set `eps` to 64. A call that is meant as it is
    understood names its arguments.
    """

    code = "A0418"
    title = "`{call}` passes {read}"
    at = "{reason}"
    hint = "{advice}"

    call: str
    read: str
    reason: str | None
    advice: str


@record(kw_only=True)
class RepeatedArgument(Diagnostic):
    """An argument given twice.

    Once by position and once by name is twice.
    """

    code = "A0207"
    title = "the argument `{name}` of `{callee}` is given twice"

    callee: str
    name: str


@record(kw_only=True)
class Unlabelled(Diagnostic):
    """A layer with parameters, a block or a `seq` without a name.

    The name is its path in the state dict; so it is part of the spec. A block is a module of the network even if it
    owns no parameters. In a `seq` members are numbered.
    """

    code = "A0208"
    title = "this {what} needs a name"
    at = "{reason}"
    hint = "give it a label (`{example}: …`), or put it in a `seq`, where it takes its number"

    what: str
    reason: str
    example: str


@record(kw_only=True)
class DuplicatePath(Diagnostic):
    """Two modules with one path.

    Paths are keys of the state dict: each belongs to one module.
    """

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
    """A declared module that never runs.

    It would own parameters that no gradient reaches.
    """

    code = "A0210"
    title = "the module `{label}` is declared and never run"
    hint = "call it where it belongs (`-> {label}`), or remove it"

    label: str


@record(kw_only=True)
class UnusedName(Diagnostic):
    """A name that nothing reads.

    Either something was forgotten, or the name says more than there is. A name that begins with `_` is not meant to be
    read.
    """

    code = "A0211"
    severity = "warning"
    lint: ClassVar[str] = "unused"
    title = "`{name}` is never used"
    hint = "{advice}"

    name: str
    advice: str | None = None
    statement: Span | None = None
    """What binds it: all of this has no effect."""

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"to keep it, call it `_{self.name}`, or say why: `# allow: {self.lint}`",)


@record(kw_only=True)
class Recursive(Diagnostic):
    """A block or function that contains itself.

    A network is finite and its text is what it is made of: repetition is written as a loop.
    """

    code = "A0212"
    title = "`{name}` contains itself"
    at = "here it is used again: {route}"
    hint = "a network is finite: repeat with `for`"

    name: str
    route: str


@record(kw_only=True)
class DefinedTwice(Diagnostic):
    """A name defined twice in a file."""

    code = "A0213"
    title = "`{name}` is defined twice"

    name: str


@record(kw_only=True)
class DiscardsStream(Diagnostic):
    """A value in a chain that makes what stands before it pointless.

    In a chain each item takes what the one before gives. A value that does not mention `it` would throw that away.
    """

    code = "A0214"
    title = "this value throws the stream away"
    at = "it does not mention `it`"
    hint = "what stands before it in the chain would have no effect: start a new step with it, or combine it with `it`"


@record(kw_only=True)
class CannotUnpack(Diagnostic):
    """A list of another length than the names that take it apart."""

    code = "A0215"
    title = "cannot unpack {found} into {names}"

    found: str
    names: str


@record(kw_only=True)
class UnknownModel(Diagnostic):
    """A model that the file does not define.

    `path:Model` names one of the models of a file.
    """

    code = "A0216"
    title = "{where} has no model `{name}`"
    hint = "{advice}"

    where: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class BadLabel(Diagnostic):
    """A name that no module can have.

    Labels become attributes of an `nn.Module` and keys of its state dict: letters, digits, `_` and `-`, and no name
    that every module has already.
    """

    code = "A0217"
    title = "`{label}` cannot be the name of a module"
    at = "{reason}"

    label: str
    reason: str


@record(kw_only=True)
class BadArithmetic(Diagnostic):
    """Arithmetic without a result.

    Division by zero, a root of a negative number, numbers and lists beyond all networks.
    """

    code = "A0218"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class BadIndex(Diagnostic):
    """An index that leads to nothing.

    Lists are counted from 0. Each axis of a value is indexed by a size, a slice, or whole numbers: a list of them, or
    an int64 value.
    """

    code = "A0219"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class TooMuch(Diagnostic):
    """A spec that asks for absurdly much.

    The limits are far beyond any network that was published; they keep a spec from exhausting its reader.
    """

    code = "A0220"
    title = "this spec is too large to build: over {limit} {what}"
    hint = "the limit keeps a spec from exhausting its reader"

    limit: str
    what: str


@record(kw_only=True)
class Misplaced(Diagnostic):
    """Something that makes no sense where it stands."""

    code = "A0221"
    title = "{what} cannot stand here"
    hint = "{advice}"

    what: str
    advice: str | None = None


@record(kw_only=True)
class NoEnd(Diagnostic):
    """A model without an input or an output."""

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
    """A layer with nothing to work on."""

    code = "A0225"
    title = "nothing is on the stream here"
    at = "this needs something to work on"
    hint = "a model, and a claim that applies layers, begins with `input x: [N, …]`"


@record(kw_only=True)
class ItMoved(Diagnostic):
    """`it` where something else was meant.

    In a chain `it` is what stands before; a list that is taken apart along the chain needs a name.
    """

    code = "A0226"
    title = "`it` is not the list here: it changes along a chain"
    at = "here it is what the chain has made so far, {here}"
    hint = "name the list before the chain (`as xs`), and say `xs[{index}]`"

    here: str
    index: str


@record(kw_only=True)
class DeadLayer(Diagnostic):
    """A layer whose result goes nowhere.

    It would cost time and memory for nothing, and its parameters would never be trained.
    """

    code = "A0223"
    title = "the result of this `{layer}` goes nowhere"
    at = "no output depends on it"
    hint = "connect it, or remove it"

    layer: str
