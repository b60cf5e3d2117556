"""Command line options for the settings of a run, generated from their declarations in ``training.config``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from archdsl.training.settings import ABOVE_ZERO, SWITCH, TEXTS, Kind, Setting


def add_settings(parser: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    """Adds an option for each setting, in groups. An option that is not given is absent from the namespace."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, about in settings.items():
        if about.group not in groups:
            groups[about.group] = parser.add_argument_group(about.group)
        if name != "lr_of":  # set by --lr
            groups[about.group].add_argument("--" + name.replace("_", "-"), dest=name, **_options(name, about))
    if "augment" not in settings:
        return
    groups["data"].add_argument(
        "--no-augment", action="store_const", const="none", dest="augment", help="no augmentation"
    )


def _options(name: str, about: Setting) -> dict[str, Any]:
    text = f"{about.help} ({about.default})" if about.default and about.help else about.help or about.default
    common: dict[str, Any] = {"default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
    if about.kind is SWITCH:
        return {"action": argparse.BooleanOptionalAction, **common}
    if about.kind is TEXTS:
        return {"action": "append", "metavar": about.metavar, **common}
    if name == "lr":
        return {"action": _Rates, "metavar": about.metavar, **common}
    if about.kind.choices:
        return {"choices": about.kind.choices, **common}
    return {"type": reader(about.kind), "metavar": about.metavar, **common}


def reader(kind: Kind) -> Callable[[str], Any]:
    """Returns the argparse type of a kind of setting."""

    def read(text: str) -> Any:
        try:
            return kind.read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind.what}") from None

    return read


class _Rates(argparse.Action):
    """``--lr RATE`` sets the rate of all parameters, ``--lr SELECTOR=RATE`` that of the selected ones."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        selector, equals, rate = values.rpartition("=")
        try:
            found = ABOVE_ZERO.read(rate)
        except ValueError:
            raise argparse.ArgumentError(self, f"{rate!r} is not {ABOVE_ZERO.what}") from None
        if equals and not selector:
            raise argparse.ArgumentError(self, f"{values!r} has no selector before `=`")
        if selector:
            namespace.lr_of = {**getattr(namespace, "lr_of", {}), selector: found}
        else:
            namespace.lr = found
