"""Differences of networks as text for a terminal, Markdown, HTML and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, Literal, NamedTuple, TypeAlias

from archdsl.diagnostics.layout import printable
from archdsl.diff import Change, Checkpoint, Difference
from archdsl.diff.effects import Cost, PlaceChange
from archdsl.diff.interface import InterfaceChange
from archdsl.diff.places import places
from archdsl.dims import Size
from archdsl.emit.summary import plain
from archdsl.record import record
from archdsl.views.numbers import compact_shape, exact, in_bytes, short

Mark: TypeAlias = Literal["+", "-", "~", " "]
"""Added, removed, changed; a blank for what follows from that."""
COLORS: dict[Mark, str] = {"+": "#1a7f37", "-": "#cf222e", "~": "#9a6700", " ": "#57606a"}
MOST_CAUSES, MOST_PLACES, MOST_TENSORS = 3, 6, 4
"""Of a list, what the texts show; JSON has all."""


@record
class Compared:
    """Two models of one name, or the two that were named; ``difference`` is None if one of them is missing."""

    before: str
    after: str
    difference: Difference | None

    @property
    def title(self) -> str:
        names = [name for name in (self.before, self.after) if name]
        return " → ".join(dict.fromkeys(names))

    @property
    def differs(self) -> bool:
        return self.difference is None or not self.difference.is_equal


class Line(NamedTuple):
    """A line of a difference: where, and what is there; ``depth`` indents what belongs to the line before."""

    mark: Mark
    place: str
    text: str
    depth: int = 0


class Section(NamedTuple):
    title: str
    lines: list[Line]


def sections(difference: Difference) -> list[Section]:
    """The parts of a difference as lines, those without lines left out."""
    found = difference.effects
    all_sections = [
        Section("edits", [_change(change) for change in difference.changes]),
        Section("interface", [_interface(change) for change in difference.interface]),
        Section(f"shapes: {_count(found.reached, 'layer')} with another, first at", _places(found.shapes)),
        Section("receptive fields, where they differ first", [*_places(found.output_fields), *_places(found.fields)]),
        Section("costs", list(_costs(found.costs))),
        Section("checkpoints", list(_checkpoint(difference.checkpoint, difference.is_equal))),
    ]
    return [section for section in all_sections if section.lines]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _change(change: Change) -> Line:
    what = f"{change.what}: " if change.what else ""
    follows = ", follows from a shape" if change.follows else ""
    match change.kind:
        case "added":
            return Line("+", change.place, f"new {change.what}{follows}")
        case "removed":
            return Line("-", change.place, f"{change.what} removed{follows}")
        case "repeated":
            scope = places(change.scopes)
            text = f"{change.before} → {change.after} {change.what}: {change.name} {change.argument}"
            return Line("+" if change.argument == "added" else "-", f"{scope}.*" if scope else "*", text)
        case "moved":
            return Line("~", change.place, f"{what}moved from after {change.before} to after {change.after}")
        case "renamed":
            return Line("~", change.place, f"renamed: {change.before} → {change.after}")
        case "replaced":
            return Line("~", change.place, f"{change.before} → {change.after}")
        case "changed":
            mark: Mark = " " if change.follows else "~"
            return Line(mark, change.place, f"{what}{change.argument} {change.before} → {change.after}{follows}")
        case "shifted":
            text = f"{change.argument} {change.before} moved from {change.name} to {change.after}"
            return Line("~", places(change.scopes), text)
        case "rewired":
            return Line("~", change.place, f"{what}reads {change.before} → {change.after}")
        case "reordered":
            return Line("~", "", f"order of {change.what}")


def _interface(change: InterfaceChange) -> Line:
    if not change.before:
        return Line("+", change.role, compact_shape(change.after))
    if not change.after:
        return Line("-", change.role, compact_shape(change.before))
    return Line("~", change.role, f"{compact_shape(change.before)} → {compact_shape(change.after)}")


def _places(found: Sequence[PlaceChange]) -> list[Line]:
    lines = [Line(" ", f.place, f"{compact_shape(f.before)} → {compact_shape(f.after)}") for f in found[:MOST_PLACES]]
    more = len(found) - MOST_PLACES
    return [*lines, Line(" ", "", f"and {_count(more, 'other place')}")] if more > 0 else lines


def _costs(costs: Sequence[Cost]) -> Iterator[Line]:
    for cost in costs:
        if cost.before == cost.after:
            continue
        yield Line("~", cost.name, f"{_size(cost, cost.before)} → {_size(cost, cost.after)}{_percent(cost)}")
        for cause in cost.causes[:MOST_CAUSES]:
            sign = "" if isinstance(cause.delta, int) and cause.delta < 0 else "+"
            yield Line(" ", cause.place, f"{sign}{_delta(cost, cause.delta)}", 1)
        more = len(cost.causes) - MOST_CAUSES
        if more > 0:
            yield Line(" ", "", f"and {_count(more, 'other place')}", 1)


def _size(cost: Cost, size: Size) -> str:
    if cost.name.endswith("bytes"):
        return in_bytes(size)
    return exact(size) if cost.name in ("parameters", "depth") else short(size) or "0"


def _delta(cost: Cost, delta: Size) -> str:
    if isinstance(delta, int) and delta < 0:
        return f"-{_size(cost, -delta)}"
    return _size(cost, delta)


def _percent(cost: Cost) -> str:
    if not (isinstance(cost.before, int) and isinstance(cost.after, int) and cost.before) or cost.name == "depth":
        return ""
    return f" ({100 * (cost.after - cost.before) / cost.before:+.3g} %)"


def _checkpoint(found: Checkpoint, is_equal: bool) -> Iterator[Line]:
    tensors = _count(found.tensors, "tensor")
    if found.standing == "identical":
        other = "" if is_equal else ", but the network that loads them computes something else"
        yield Line(" ", "", f"the same names and shapes ({tensors}): checkpoints load{other}")
        return
    if found.standing == "renamed":
        yield Line("~", "", f"checkpoints load after these renames ({_count(len(found.renames), 'tensor')}):")
    else:
        yield Line("~", "", "checkpoints load only in part:")
    for old, new in found.modules_renamed[: 2 * MOST_TENSORS]:
        yield Line("~", old, f"→ {new}", 1)
    if len(found.modules_renamed) > 2 * MOST_TENSORS:
        yield Line("~", "", f"and {_count(len(found.modules_renamed) - 2 * MOST_TENSORS, 'other rename')}", 1)
    lists: tuple[tuple[Mark, str, Sequence[tuple[str, str]]], ...] = (
        ("+", "new", [(name, "") for name in found.new]),
        ("-", "gone", [(name, "") for name in found.gone]),
        ("~", "reshaped", [(name, f"{x} → {y}") for name, (x, y) in found.reshaped.items()]),
    )
    for mark, word, names in lists:
        if names:
            yield Line(mark, "", f"{_count(len(names), 'tensor')} {word}:", 1)
            yield from (Line(mark, name, text, 2) for name, text in names[:MOST_TENSORS])
            if len(names) > MOST_TENSORS:
                yield Line(mark, "", f"and {len(names) - MOST_TENSORS:,} more", 2)


# ---- documents ---------------------------------------------------------------------------------------------


def summary_lines(compared: Sequence[Compared]) -> list[str]:
    """What is equal, new or gone, in a line each."""
    equal = [c.title for c in compared if not c.differs]
    lines = [f"no difference: {', '.join(equal)}"] if equal else []
    lines += [f"new model: {c.after}" for c in compared if not c.before]
    return [*lines, *(f"model removed: {c.before}" for c in compared if not c.after)]


def _shown(compared: Iterable[Compared]) -> Iterator[tuple[Compared, Difference]]:
    for each in compared:
        if each.difference is not None and each.differs:
            yield each, each.difference


def markdown(compared: Sequence[Compared]) -> str:
    """Headings and lists, as a comment on a pull request shows them."""
    parts = [f"{_escaped(line)}\n" for line in summary_lines(compared)]
    for each, difference in _shown(compared):
        parts.append(f"### {_escaped(printable(each.title))}\n")
        for section in sections(difference):
            lines = "".join(f"{'  ' * line.depth}- {_markdown_line(line)}\n" for line in section.lines)
            parts.append(f"**{section.title}**\n\n{lines}")
    return "\n".join(parts)


def _markdown_line(line: Line) -> str:
    place = f"`{line.place.replace('`', '')}` " if line.place else ""
    mark = f"{line.mark} ".replace("-", "−").replace("+", "＋") if line.mark in "+-" else ""
    return f"{mark}{place}{_escaped(printable(line.text))}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_|<>[]#~@" else c for c in text)


def html(compared: Sequence[Compared]) -> str:
    """A page without scripts."""
    rows = [f"<p>{escape(line)}</p>" for line in summary_lines(compared)]
    for each, difference in _shown(compared):
        rows.append(f"<h2>{escape(printable(each.title))}</h2>")
        for section in sections(difference):
            rows.append(f"<h3>{escape(section.title)}</h3>\n<ul>")
            rows += [_html_line(line) for line in section.lines]
            rows.append("</ul>")
    style = "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto}ul{list-style:none;padding:0}"
    head = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>archdsl diff</title><style>{style}'
    return "\n".join([f"{head}</style></head><body>", *rows, "</body></html>\n"])


def _html_line(line: Line) -> str:
    place = f"<code>{escape(printable(line.place))}</code> " if line.place else ""
    style = f"color:{COLORS[line.mark]};padding-left:{2 * line.depth}em"
    return f'<li style="{style}">{line.mark} {place}{escape(printable(line.text))}</li>'


def to_json(compared: Compared) -> dict[str, Any]:
    """A comparison as plain data. Symbolic sizes are text."""
    found = compared.difference
    facts: dict[str, Any] = {"before": compared.before or None, "after": compared.after or None}
    if found is None:
        return {**facts, "equal": False}
    changes = [
        {
            "kind": c.kind, "place": c.place, "paths": list(c.paths), "what": c.what, "argument": c.argument or None,
            "before": c.before or None, "after": c.after or None, "follows": c.follows,
        }
        for c in found.changes
    ]  # fmt: skip
    return {
        **facts,
        "equal": found.is_equal,
        "edits": changes,
        "interface": [{"role": i.role, "before": i.before or None, "after": i.after or None} for i in found.interface],
        "costs": {cost.name.replace(" ", "_").lower(): _cost(cost) for cost in found.effects.costs},
        "shapes": [p.__dict__ for p in found.effects.shapes],
        "reshaped_layers": found.effects.reached,
        "receptive_fields": [p.__dict__ for p in (*found.effects.output_fields, *found.effects.fields)],
        "checkpoint": {
            "standing": found.checkpoint.standing,
            "renames": dict(found.checkpoint.renames),
            "new": list(found.checkpoint.new),
            "gone": list(found.checkpoint.gone),
            "reshaped": {n: {"before": x, "after": y} for n, (x, y) in found.checkpoint.reshaped.items()},
        },
    }


def _cost(cost: Cost) -> dict[str, Any]:
    causes = [{"place": c.place, "delta": plain(c.delta), "follows": c.follows} for c in cost.causes]
    return {"before": plain(cost.before), "after": plain(cost.after), "causes": causes}
