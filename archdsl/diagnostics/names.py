"""A02xx: names, arguments and kinds: errors that do not depend on sizes."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic, Severity
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class UnknownName(Diagnostic):
    """An undefined name.

    A name is defined above its first use: by `block`, `model`, `fn`, `let`, `as`, `input`, a parameter, or by `use`,
    which imports it from another file.
    """

    code = "A0201"
    title = "unknown name `{name}`"
    at = "not defined here"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class WrongKind(Diagnostic):
    """A value of the wrong kind, such as a number instead of a layer.

    Numbers, lists, layers and values (tensors) are different kinds. A layer applied to a value gives a value.
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

    The reference of the operators lists all arguments.
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

    An argument without a default is required.
    """

    code = "A0204"
    title = "`{callee}` is missing the argument `{name}`"
    at = "{doc}"
    hint = "it takes {signature}"

    callee: str
    name: str
    doc: str | None = None
    signature: str | None = None


@record(kw_only=True)
class TooManyArguments(Diagnostic):
    """Too many positional arguments.

    Positional arguments are taken in order; the hint lists them.
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
    """An invalid value of an argument.

    Each argument has a type: for example a size, a probability between 0 and 1, or one of a few strings.
    """

    code = "A0206"
    title = "invalid `{argument}` of `{callee}`: {reason}"
    hint = "{advice}"

    callee: str
    argument: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class OtherOrder(Diagnostic):
    """Arguments in the order of another library.

    In torch the first argument of a layer is often the size of its input. Here it is inferred, so a positional number
    would set another argument: `batchnorm(64)` would set `eps` to 64. If that is intended, name the argument.
    """

    code = "A0418"
    title = "`{call}` sets {read}"
    at = "{reason}"
    hint = "{advice}"

    call: str
    read: str
    reason: str | None
    advice: str


@record(kw_only=True)
class RepeatedArgument(Diagnostic):
    """An argument given twice.

    An argument is given by position or by name, not both.
    """

    code = "A0207"
    title = "the argument `{name}` of `{callee}` is given twice"

    callee: str
    name: str


@record(kw_only=True)
class Unlabelled(Diagnostic):
    """A layer with parameters, a block or a `seq` without a name.

    The name is its path in the state dict, so the spec states it. A block is a module of the network even if it has no
    parameters. The members of a `seq` are numbered.
    """

    code = "A0208"
    title = "this {what} needs a name"
    at = "{reason}"
    hint = "give it a label (`{example}: …`), or put it in a `seq`, which numbers its members"

    what: str
    reason: str
    example: str


@record(kw_only=True)
class DuplicatePath(Diagnostic):
    """Two modules with the same path.

    Paths are keys of the state dict: each belongs to one module.
    """

    code = "A0209"
    title = "two modules have the same path `{path}`"
    at = "the second one"
    hint = "{advice}"

    path: str
    advice: str = "use different labels; to share one module, declare it with `let {label}: …` and call `{label}` twice"

    @property
    def label(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def help(self) -> str:
        return self.advice.format(label=self.label)


@record(kw_only=True)
class NeverRun(Diagnostic):
    """A declared module that is never called.

    Its parameters would receive no gradient.
    """

    code = "A0210"
    title = "the module `{label}` is declared, but never called"
    hint = "call it (`-> {label}`), or remove it"

    label: str


@record(kw_only=True)
class UnusedName(Diagnostic):
    """A name that is never used.

    Something may be missing, or the name is superfluous. A name that begins with `_` is never reported.
    """

    code = "A0211"
    severity: ClassVar[Severity] = "warning"
    lint: ClassVar[str] = "unused"
    title = "`{name}` is never used"
    hint = "{advice}"

    name: str
    advice: str | None = None
    statement: Span | None = None
    """The statement that binds the name: all of it has no effect."""

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"to keep it, rename it to `_{self.name}`, or add a comment with the reason: `# allow: {self.lint}`",)


@record(kw_only=True)
class Recursive(Diagnostic):
    """A block or function that contains itself.

    A network is finite, so recursion is an error. Repetition is written as a loop.
    """

    code = "A0212"
    title = "`{name}` contains itself"
    at = "it is used here: {route}"
    hint = "use a `for` loop"

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
    """A value that discards the chain before it.

    In a chain each item takes the result of the item before. A value that does not use `it` discards that result.
    """

    code = "A0214"
    title = "this value discards the result of the chain before it"
    at = "it does not use `it`"
    hint = "use `it` in the value, or start a new step with it"


@record(kw_only=True)
class CannotUnpack(Diagnostic):
    """A list whose length differs from the number of names."""

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
    """An invalid label.

    Labels become attributes of an `nn.Module` and keys of its state dict. They consist of letters, digits, `_` and `-`,
    and must not be an attribute of every `nn.Module`, such as `forward`.
    """

    code = "A0217"
    title = "`{label}` cannot be the name of a module"
    at = "{reason}"

    label: str
    reason: str


@record(kw_only=True)
class BadArithmetic(Diagnostic):
    """Arithmetic without a valid result.

    For example a division by zero, a root of a negative number, or a number or list beyond the limits.
    """

    code = "A0218"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class BadIndex(Diagnostic):
    """An invalid index.

    Indices start at 0. Each axis of a value is indexed by an integer, a slice, a list of integers, or an int64 value.
    """

    code = "A0219"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class TooMuch(Diagnostic):
    """A spec beyond the limits.

    The limits are far above any published network. They protect the machine from a spec that would exhaust its memory
    or time.
    """

    code = "A0220"
    title = "this spec is too large to build: over {limit} {what}"
    hint = "use smaller numbers; the limit protects against specs that exhaust memory or time"

    limit: str
    what: str


@record(kw_only=True)
class Misplaced(Diagnostic):
    """Something that is not allowed at this place."""

    code = "A0221"
    title = "{what} is not allowed here"
    hint = "{advice}"

    what: str
    advice: str | None = None


@record(kw_only=True)
class NoEnd(Diagnostic):
    """A model without an input or an output."""

    code = "A0224"
    title = "the model `{model}` has no {end}"
    hint = "add one, for example `{example}`"

    model: str
    end: str

    @property
    def example(self) -> str:
        return "input x: [N, 3, H, W]" if self.end == "input" else "output x"


@record(kw_only=True)
class EmptyStream(Diagnostic):
    """A layer without an input."""

    code = "A0225"
    title = "this layer has no input"
    at = "the stream is empty here"
    hint = "begin the model or claim with `input x: [N, …]`"


@record(kw_only=True)
class ItMoved(Diagnostic):
    """`it` used as a list that is no longer `it`.

    In a chain `it` is the result of the item before. To use a list at several places of the chain, name it.
    """

    code = "A0226"
    title = "`it` is not the list here: it changes along a chain"
    at = "here `it` is {here}"
    hint = "name the list before the chain (`as xs`), and write `xs[{index}]`"

    here: str
    index: str


@record(kw_only=True)
class DeadLayer(Diagnostic):
    """A layer whose result is unused.

    It would cost time and memory, and its parameters would never be trained.
    """

    code = "A0223"
    title = "the result of this `{layer}` is unused"
    at = "no output depends on it"
    hint = "use the result, or remove the layer"

    layer: str
