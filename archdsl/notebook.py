"""The cell magic ``%%arch`` of IPython: ``%load_ext archdsl``, and then a spec in a cell."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics.files import BadSetting
from archdsl.errors import SpecError
from archdsl.model import TEXT, Model, open_model
from archdsl.views.results import CheckResult

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Registers ``%%arch``; IPython calls it for ``%load_ext archdsl``."""

    def arch(line: str, cell: str) -> CellResult:
        """%%arch [NAME]: checks the spec of the cell, and assigns its models to variables of their names.

        With NAME, the only or main model of the spec is assigned to this variable.
        """
        found = run(line.strip(), cell)
        shell.push(dict(found.models))
        return found

    shell.magics_manager.register_function(arch, magic_kind="cell", magic_name="arch")


class CellResult:
    """What a cell made: the report of its check, and models by variable."""

    def __init__(self, checked: CheckResult, models: dict[str, Model]) -> None:
        self.checked = checked
        self.models = models

    def __repr__(self) -> str:
        return "\n".join([repr(self.checked), *(f"{name} = {model!r}" for name, model in self.models.items())])

    def _repr_html_(self) -> str:
        models = "".join(f"<li><code>{name}</code>: {escape(repr(m)[1:-1])}</li>" for name, m in self.models.items())
        return f"{self.checked._repr_html_()}<ul>{models}</ul>"


def run(variable: str, text: str) -> CellResult:
    """Checks a spec and builds its models. With errors there are no models, and the result shows the errors.

    Raises:
        SpecError: the variable is not a name of Python, or the spec has no main model for it.
    """
    spec = from_text(text, TEXT)
    report = check(spec)
    models: dict[str, Model] = {}
    if variable and not variable.isidentifier():
        raise SpecError([BadSetting(span=None, reason=f"`%%arch {variable}`: {variable!r} is not a name of Python")])
    if report.ok and variable:
        models[variable] = open_model(spec, {}, {})
    elif report.ok:
        models = {name: open_model(from_text(text, TEXT, name), {}, {}) for name in spec.buildable}
    return CellResult(CheckResult(report), models)
