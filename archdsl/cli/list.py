"""``archdsl list``: the shipped networks with their inputs, parameters and multiply-accumulates.

The facts are in ``specs/index.json``, because building all networks takes seconds. `python docs/index.py` writes the
file, and a test compares it with the networks (docs/decisions/0040).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from archdsl.cli.common import add_format_argument, print_json
from archdsl.compiler import build, library_root, open_spec, shipped_name, shipped_specs
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import CannotRead
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.emit.summary import plain
from archdsl.errors import SpecError
from archdsl.measure import macs, params
from archdsl.views.numbers import short

INDEX = "index.json"
HEADINGS = ("network", "input", "parameters", "MACs")
NUMBERS = ("parameters", "MACs")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "patterns", nargs="*", metavar="PATTERN",
        help="part of a name (resnet), or a pattern with * and ? (torchvision/*); case and underscores are ignored",
    )  # fmt: skip
    add_format_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the networks whose name has one of the patterns.

    Raises:
        SpecError: there is none.
    """
    networks = [network for network in index() if _matches(network["name"], args.patterns)]
    if not networks:
        known = {part for network in index() for part in (network["name"], network["name"].rpartition("/")[2])}
        advice = did_you_mean(args.patterns[0], known) or "`archdsl list` shows all"
        reason = "no shipped network has this name"
        raise SpecError([CannotRead(span=None, path=" ".join(args.patterns), reason=reason, advice=advice)])
    if args.format == "json":
        print_json({"ok": True, "networks": networks})
    else:
        _print(networks)
    return 0


def index() -> list[dict[str, Any]]:
    """Returns the facts of the shipped networks, as they were measured when the specs were written."""
    return json.loads((library_root() / INDEX).read_text(encoding="utf-8"))


def measured() -> Iterator[dict[str, Any]]:
    """Builds every shipped network that needs no argument, and yields its facts."""
    for path in shipped_specs():
        spec = open_spec(str(path))
        assert not isinstance(spec, Diagnostic), spec.message
        aliases = {_plain(name) for name, model in spec.buildable.items() if model.definition.is_alias}
        for name, model in spec.buildable.items():
            if not model.definition.is_alias and _plain(name) in aliases:
                continue  # a family whose defaults are those of a member: AlexNet, alexnet
            graph = build(spec, model, {}, {}).graph
            assert graph is not None, f"{path}:{name} cannot be built"
            yield {
                "name": shipped_name(path, name),
                "file": path.relative_to(library_root()).as_posix(),
                "model": name,
                "inputs": {i.name: [plain(size) for size in i.value.shape] for i in graph.inputs},
                "params": plain(params(graph)),
                "macs": plain(macs(graph)),
            }


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(_plain(name), _pattern(pattern)) for pattern in patterns)


def _pattern(text: str) -> str:
    """A pattern for names; a word without ``*`` and ``?`` is any part of the name."""
    plain = _plain(text).replace("[", "[[]")
    return plain if "*" in text or "?" in text else f"*{plain}*"


def _plain(text: str) -> str:
    return text.lower().replace("_", "")


def _print(networks: Sequence[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from archdsl.cli.tables import show, terminal_width

    rows = [_row(network) for network in networks]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    left_out = {"input"} if sum(widths) + 2 * len(widths) > terminal_width() else set()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in HEADINGS:
        if heading not in left_out:
            table.add_column(heading, justify="right" if heading in NUMBERS else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(cell for heading, cell in zip(HEADINGS, row, strict=True) if heading not in left_out))
    count = f"{len(networks)} network{'s' * (len(networks) != 1)}. MACs: multiply-accumulates of one example."
    show(table, "", Text(count, style="dim"), width=min(terminal_width(), max(sum(widths) + 2 * len(widths), 80)))


def _row(network: dict[str, Any]) -> tuple[str, ...]:
    """The texts of a row. The input is that of one example: ``3×224×224``."""
    inputs = ", ".join("×".join(map(str, shape[1:])) for shape in network["inputs"].values())
    return (network["name"], inputs, *(_size(network[key]) for key in ("params", "macs")))


def _size(size: int | str) -> str:
    if isinstance(size, int):
        return short(size)
    return re.sub(r"\d{4,}", lambda number: short(int(number[0])), size.replace(" * ", "·"))
