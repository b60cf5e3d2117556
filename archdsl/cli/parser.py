"""The parser of arguments: a short usage line, suggestions for misspelled words, and completion in shells."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

WIDEST = 100
"""Maximum width of a help text, in columns."""


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument with the usage of its own command, and the word that was probably meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Refuses unknown arguments here, where the command is known, and not in the parser above it."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        from archdsl.diagnostics.layout import printable

        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {printable(message)}\n`{self.prog} --help` describes the arguments\n")

    def format_usage(self) -> str:
        self._with_usage()
        return super().format_usage()

    def format_help(self) -> str:
        self._with_usage()
        return super().format_help()

    def _with_usage(self) -> None:
        usage: str | None = self.usage or self._short_usage()
        self.usage: str | None = usage

    def _short_usage(self) -> str:
        """The arguments that must be given: a command can have fifty options, which its help lists."""
        words = [self.prog.replace("%", "%%")]
        for action in self._actions:
            if action.option_strings and action.required:
                words.append(f"{action.option_strings[-1]} {action.metavar or action.dest.upper()}")
        if any(action.option_strings and not action.required for action in self._actions):
            words.append("[OPTIONS]")
        for action in self._actions:
            if not action.option_strings:
                name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
                shapes = {"*": f"[{name}...]", "+": f"{name}...", argparse.PARSER: f"{name} ..."}
                words.append(shapes.get(str(action.nargs), name))
        return " ".join(words)

    def _unknown(self, word: str) -> str:
        from archdsl.diagnostics.nearest import nearest

        if not word.startswith("-"):
            return f"unexpected argument `{word}`"
        option = word.partition("=")[0]
        known = [name.lstrip("-") for name in self._option_string_actions if name.startswith("--")]
        meant = nearest(option.lstrip("-"), known)
        return f"unknown option `{option}`" + (f"; did you mean `--{meant}`?" if meant else "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        from archdsl.diagnostics.nearest import did_you_mean

        choices = [str(choice) for choice in action.choices]
        advice = did_you_mean(str(value), choices) or f"choose from {', '.join(choices)}"
        if isinstance(action, argparse._SubParsersAction):
            self.error(f"unknown {str(action.metavar).lower()} `{value}`; {advice}")
        raise argparse.ArgumentError(action, f"{value!r} is unknown; {advice}")


class _Formatter(argparse.HelpFormatter):
    """As wide as the terminal, up to a width that can be read."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"width": _width(), **options})


def overview(description: str, groups: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """The help of the program: its description, and its commands under the titles of their groups."""
    groups = list(groups)
    indent = 4 + max(len(name) for _, commands in groups for name, _ in commands)
    width = _width()
    lines = textwrap.wrap(description, width)
    for title, commands in groups:
        lines += ["", f"{title}:"]
        for name, help in commands:
            first, *more = textwrap.wrap(help, max(20, width - indent))
            lines += [f"  {name}".ljust(indent) + first, *(" " * indent + line for line in more)]
    return "\n".join(lines)


def _width() -> int:
    return min(WIDEST, shutil.get_terminal_size().columns) - 2
