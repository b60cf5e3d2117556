"""A06xx: files, inputs and outputs."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class CannotRead(Diagnostic):
    code = "A0601"
    title = "cannot read `{path}`: {reason}"
    hint = "{advice}"

    path: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class OutsideRoot(Diagnostic):
    code = "A0602"
    title = "`{path}` lies outside the folder of this spec"
    hint = "a spec may use files in its own folder or below it, and the library that ships with archdsl"

    path: str


@record(kw_only=True)
class CircularUse(Diagnostic):
    code = "A0603"
    title = "these files use each other: {route}"

    route: str


@record(kw_only=True)
class NotInFile(Diagnostic):
    code = "A0604"
    title = "`{path}` defines no `{name}`"
    hint = "{advice}"

    path: str
    name: str
    advice: str | None = None


@record(kw_only=True)
class NothingToBuild(Diagnostic):
    code = "A0605"
    title = "`{path}` defines no model that can be built as it stands"
    hint = "{advice}"

    path: str
    advice: str | None = None


@record(kw_only=True)
class BadSetting(Diagnostic):
    code = "A0606"
    title = "{reason}"
    hint = "{advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class MissingExtra(Diagnostic):
    code = "A0607"
    title = "{what} needs `{package}`, which is not installed"
    hint = "pip install 'archdsl[{extra}]'"

    what: str
    package: str
    extra: str


@record(kw_only=True)
class WeightsDiffer(Diagnostic):
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
class CannotWrite(Diagnostic):
    code = "A0609"
    title = "cannot write `{path}`: {reason}"

    path: str
    reason: str
