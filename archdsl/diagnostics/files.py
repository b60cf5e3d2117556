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

    A downloaded spec must not read arbitrary files: `use` reaches only files in the spec's folder and below it, and the
    shipped library. Symbolic links are resolved first.
    """

    code = "A0602"
    title = "`{path}` is outside the folder of this spec"
    hint = "copy the file into the folder of the spec, or use a file of the shipped library"

    path: str


@record(kw_only=True)
class CircularUse(Diagnostic):
    """A circular `use`."""

    code = "A0603"
    title = "circular `use`: {route}"

    route: str


@record(kw_only=True)
class NotInFile(Diagnostic):
    """A name that the used file does not define."""

    code = "A0604"
    title = "`{path}` does not define `{name}`"
    hint = "{advice}"

    path: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class NothingToBuild(Diagnostic):
    """A file in which the model to use is ambiguous or missing.

    A command for one model takes the file's only model, the model with the file's name, or `path:Model`.
    """

    code = "A0605"
    title = "`{path}` {reason}"
    hint = "{advice}"

    path: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class BadSetting(Diagnostic):
    """An invalid setting.

    `--set` overrides parameters of the model, `--input` the shapes of its inputs.
    """

    code = "A0606"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class MissingExtra(Diagnostic):
    """An optional dependency that is not installed.

    The base package checks, measures, draws and writes source; everything else is an extra.
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
    title = "the weights in `{path}` do not fit {network}"
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
    """A checkpoint with several state dicts.

    Some training scripts save the weights and their moving average, or a student and its teacher, in one file. Select
    one by adding the entry of the file, or a prefix of its names, to the path.
    """

    code = "A0616"
    title = "`{path}` contains several state dicts{fitting}: {parts}"
    hint = "select one, for example `{path}:{first}`"

    path: str
    fitting: str
    """`` that fit NETWORK``, or nothing where no network is given"""
    parts: str
    first: str


@record(kw_only=True)
class NoSuchPart(Diagnostic):
    """A part that the checkpoint does not contain.

    In `FILE:PART`, PART is an entry of the file with a state dict, or a prefix of the names in one.
    """

    code = "A0617"
    title = "`{path}` does not contain `{part}`"
    at = "it contains {held}"

    path: str
    part: str
    held: str

    @property
    def message(self) -> str:
        return f"{super().message}; it contains {self.held}"


@record(kw_only=True)
class CannotWrite(Diagnostic):
    """A file that cannot be written.

    A file is written completely or not at all: on failure the previous file is unchanged.
    """

    code = "A0609"
    title = "cannot write `{path}`: {reason}"

    path: str
    reason: str


@record(kw_only=True)
class OutputIsInput(Diagnostic):
    """An output that would overwrite an input of the command.

    A command never overwrites the files it reads (the spec, the files it uses, a checkpoint), even if the output names
    them by another path or a link.
    """

    code = "A0611"
    title = "cannot write `{path}`: it is an input of this command (`{given}`)"
    hint = "choose another output file"

    path: str
    given: str


@record(kw_only=True)
class SystemRefuses(Diagnostic):
    """A failure of the operating system.

    For example a full disk, a deleted working folder, or a device that does not respond.
    """

    code = "A0612"
    title = "{what}: {reason}"
    hint = "{advice}"

    what: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class WeightsTooLarge(Diagnostic):
    """Weights that do not fit into memory.

    Such a network can still be checked, measured, drawn and written as source. A module, an ONNX file, a benchmark and
    training need the weights in memory.
    """

    code = "A0613"
    title = "the weights of `{network}` need {size} of memory; {limit} is available"
    hint = "build a smaller network with `--set`; `archdsl summary` shows the parameters of each layer"

    network: str
    size: str
    limit: str


@record(kw_only=True)
class MemoryExhausted(Diagnostic):
    """A command that ran out of memory."""

    code = "A0614"
    title = "not enough memory: {reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class InternalFault(Diagnostic):
    """A bug in archdsl.

    No command is known to cause it. With the environment variable `ARCHDSL_DEBUG=1`, Python's traceback is shown.
    """

    code = "A0615"
    title = "archdsl failed with {kind}: {reason} ({place})"
    hint = "this is a bug in archdsl: please report it with the spec and the output of `ARCHDSL_DEBUG=1`"

    kind: str
    reason: str
    place: str


@record(kw_only=True)
class UnknownCode(Diagnostic):
    """An unknown code or lint."""

    code = "A0610"
    title = "unknown code or lint `{asked}`"
    hint = "{advice}"

    asked: str
    advice: str | None = None
