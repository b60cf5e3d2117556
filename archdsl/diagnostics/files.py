"""A06xx: files, inputs and outputs."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class CannotRead(Diagnostic):
    """A file that cannot be read."""

    code = "A0601"
    title = "cannot read `{path}`: {reason}"
    hint = "{advice}"

    path: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class OutsideRoot(Diagnostic):
    """A file outside the folder of the spec.

    A spec from elsewhere cannot read files of its reader: `use` reaches files beside it and below, and the library.
    Symbolic links are followed before this is decided.
    """

    code = "A0602"
    title = "`{path}` lies outside the folder of this spec"
    hint = "a spec may use files in its own folder or below it, and the library that ships with archdsl"

    path: str


@record(kw_only=True)
class CircularUse(Diagnostic):
    """Files that use each other in a circle."""

    code = "A0603"
    title = "these files use each other: {route}"

    route: str


@record(kw_only=True)
class NotInFile(Diagnostic):
    """A name that the used file does not define."""

    code = "A0604"
    title = "`{path}` defines no `{name}`"
    hint = "{advice}"

    path: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class NothingToBuild(Diagnostic):
    """A file that does not say which of its models is meant.

    A command for one model needs the file's only one, the one with the file's name, or `path:Model`.
    """

    code = "A0605"
    title = "`{path}` {reason}"
    hint = "{advice}"

    path: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class BadSetting(Diagnostic):
    """A setting that the model does not take.

    `--set` overrides parameters of the model, `--input` shapes of its inputs.
    """

    code = "A0606"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class MissingExtra(Diagnostic):
    """A part of archdsl that is not installed.

    The bare package checks, measures, draws and writes source; the rest comes as extras.
    """

    code = "A0607"
    title = "{what} needs `{package}`, which is not installed"
    hint = "pip install 'archdsl[{extra}]'"

    what: str
    package: str
    extra: str


@record(kw_only=True)
class WeightsDiffer(Diagnostic):
    """A checkpoint of another network.

    Weights are loaded strictly: the names and shapes of the state dict are those of the spec.
    """

    code = "A0608"
    title = "the weights in `{path}` are not those of {network}"
    at = "{difference}"
    hint = "{advice}"

    path: str
    network: str
    difference: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{super().message}: {self.difference}"


@record(kw_only=True)
class SeveralStateDicts(Diagnostic):
    """A checkpoint that holds several state dicts, where one is needed.

    A training may save its weights and their moving average, or a student and its teacher, in one file. Which is meant
    is stated after the file's name: an entry of the file, or a prefix of the names in it.
    """

    code = "A0616"
    title = "`{path}` holds several state dicts{fitting}: {parts}"
    hint = "name one: `{path}:{first}`"

    path: str
    fitting: str
    """`` that fit NETWORK``, or nothing where no network is given"""
    parts: str
    first: str


@record(kw_only=True)
class NoSuchPart(Diagnostic):
    """A part of a checkpoint that it does not hold.

    `FILE:PART` names an entry of the file that holds a state dict, or a prefix of the names in one.
    """

    code = "A0617"
    title = "`{path}` holds no `{part}`"
    at = "it holds {held}"

    path: str
    part: str
    held: str

    @property
    def message(self) -> str:
        return f"{super().message}; it holds {self.held}"


@record(kw_only=True)
class CannotWrite(Diagnostic):
    """A file that cannot be written.

    Files are written whole or not at all: what was there before is untouched.
    """

    code = "A0609"
    title = "cannot write `{path}`: {reason}"

    path: str
    reason: str


@record(kw_only=True)
class OutputIsInput(Diagnostic):
    """A file that a command is to read and to write.

    The spec, the files that it uses, a checkpoint and whatever else a command reads are never written over, whether
    they are named in the same way, in another one, or through a link.
    """

    code = "A0611"
    title = "cannot write `{path}`: it is an input of this command (`{given}`)"
    hint = "name another file for the output"

    path: str
    given: str


@record(kw_only=True)
class SystemRefuses(Diagnostic):
    """Something that a command needs, and that the system does not give.

    Standard output on a full disk, a working folder that was deleted meanwhile, a device that does not answer.
    """

    code = "A0612"
    title = "{what}: {reason}"
    hint = "{advice}"

    what: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class WeightsTooLarge(Diagnostic):
    """Weights that do not fit into the memory of the machine.

    Such a network can be checked, measured, drawn and written as source. A module, an ONNX file, a benchmark or a
    training needs its weights in memory.
    """

    code = "A0613"
    title = "the weights of `{network}` take {size} of memory, and this process can get {limit}"
    hint = "build a smaller network with `--set`; `archdsl summary` shows which layers have the weights"

    network: str
    size: str
    limit: str


@record(kw_only=True)
class MemoryExhausted(Diagnostic):
    """A command that needs more memory than it can get."""

    code = "A0614"
    title = "not enough memory: {reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class InternalFault(Diagnostic):
    """A fault of archdsl itself.

    No command is known that leads here. With the environment variable `ARCHDSL_DEBUG=1`, Python's traceback is shown.
    """

    code = "A0615"
    title = "archdsl failed with {kind}: {reason} ({place})"
    hint = "this is a fault of archdsl: please report it with the spec and the output of `ARCHDSL_DEBUG=1`"

    kind: str
    reason: str
    place: str


@record(kw_only=True)
class UnknownCode(Diagnostic):
    """A code that no message has, and no lint of that name."""

    code = "A0610"
    title = "there is no code or lint `{asked}`"
    hint = "{advice}"

    asked: str
    advice: str | None = None
