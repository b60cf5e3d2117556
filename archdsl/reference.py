"""What the documents and editors say of an operator: its signature, its text, its arguments, an example."""

from __future__ import annotations

import inspect

from archdsl.op import Op, Parameter, parameters, show


def signature(op: type[Op]) -> str:
    """``conv(width, kernel, stride=1, …)``."""
    return f"{op.name}({', '.join(map(parameter_text, parameters(op)))})"


def parameter_text(parameter: Parameter) -> str:
    """An argument in a signature: its name, and its default if it has one."""
    if parameter.required:
        return parameter.name
    return f"{parameter.name}={'…' if parameter.default is None else show(parameter.default)}"


def description(op: type[Op]) -> str:
    """The operator's docstring without its example, as Markdown."""
    return markdown((inspect.getdoc(op) or "").partition("Example:")[0])


def example(op: type[Op]) -> str:
    """The example at the end of the operator's docstring: a few lines of a spec."""
    return inspect.cleandoc((inspect.getdoc(op) or "").partition("Example:")[2])


def arguments_table(op: type[Op]) -> list[str]:
    """The lines of a Markdown table of the arguments; none where there are none."""
    rows = list(map(_row, parameters(op)))
    return ["| argument | default | meaning |", "| --- | --- | --- |", *rows] if rows else []


def _row(parameter: Parameter) -> str:
    default = "required" if parameter.required else "" if parameter.default is None else f"`{show(parameter.default)}`"
    return f"| `{parameter.name}` | {default} | {markdown(parameter.doc).replace('|', chr(92) + '|')} |"


def markdown(text: str) -> str:
    """A docstring's double backticks as Markdown's single ones."""
    return text.strip().replace("``", "`")
