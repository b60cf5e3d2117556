"""What a diagnostic is: a frozen value whose wording is text of its class and whose data are its fields.

The core reports diagnostics and raises none; the terminal, JSON and an editor render the same value.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from archdsl.record import record
from archdsl.source import Span

Severity = Literal["error", "warning"]


@record
class Label:
    """A second place with its text, such as where the other side of a conflict comes from."""

    span: Span
    text: str


@record
class Frame:
    """One step of the instantiation trace: ``Bottleneck(width=64)``, instantiated as ``layer1.0`` at ``span``."""

    what: str
    path: str
    span: Span


@record
class Edit:
    """A replacement of a span that fixes the fault."""

    span: Span
    replacement: str


@record(kw_only=True)
class Diagnostic:
    """Base of all diagnostics. Subclasses add fields and set the class texts, templates over the fields.

    ``title`` states the fact, ``at`` the reason (at the underlined place), ``hint`` the fix; a template with a field
    that is None is omitted.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    title: ClassVar[str]
    at: ClassVar[str] = ""
    hint: ClassVar[str] = ""

    span: Span | None
    labels: tuple[Label, ...] = ()
    trace: tuple[Frame, ...] = ()
    edits: tuple[Edit, ...] = ()
    is_denied: bool = False
    """Whether the command line makes this warning an error."""

    @property
    def level(self) -> Severity:
        """Returns the severity, or ``error`` for a warning that is denied."""
        return "error" if self.is_denied else self.severity

    @property
    def message(self) -> str:
        return self._fill(self.title)

    @property
    def note(self) -> str:
        """Returns the text at the underlined place; empty if the title is enough."""
        return self._fill(self.at)

    @property
    def help(self) -> str:
        """Returns the fix; empty if none is known."""
        return self._fill(self.hint)

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns further remarks: a source, how to switch a lint off."""
        return ()

    def _fill(self, template: str) -> str:
        values = _Values(self)
        text = template.format_map(values)
        return "" if values.missing else text


class _Values:
    """The fields of a diagnostic for ``str.format_map``; remembers whether one of those asked for is None."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self._diagnostic = diagnostic
        self.missing = False

    def __getitem__(self, name: str) -> object:
        value = getattr(self._diagnostic, name)
        if value is None or value == "":
            self.missing = True
        return value
