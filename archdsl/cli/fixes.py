"""``archdsl check --fix`` and ``--diff``: the certain fixes of specs, written or shown, and a report of the changes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

from archdsl.checks.fixing import fixed_texts
from archdsl.cli.common import print_diff, shown, width_of
from archdsl.compiler import open_spec
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.layout import wrap
from archdsl.files import write_whole
from archdsl.source import Source

MAX_CHANGES = 20
"""Changes of a file that are listed."""


class Fix(NamedTuple):
    """A file whose text has certain fixes."""

    path: Path
    source: Source
    after: str


class Change(NamedTuple):
    """A line that a fix changes: its number before (after, if it is added), and its texts, None if it is not there."""

    line: int
    before: str | None
    after: str | None

    def __str__(self) -> str:
        match self.before, self.after:
            case None, after:
                what = f"added `{after}`"
            case before, None:
                what = f"removed `{before}`"
            case before, after:
                what = f"`{before}` is now `{after}`"
        return f"  line {self.line}: {shown(what)}"


def fixes(names: Iterable[str]) -> list[Fix]:
    """Returns the files of specs that have certain fixes. A file whose bytes differ from its text is left out."""
    found: dict[Path, Fix] = {}
    for name in names:
        spec = open_spec(name)
        if isinstance(spec, Diagnostic):
            continue
        sources = {Path(s.name).resolve(): s for s in spec.sources}
        for path, text in fixed_texts(spec).items():
            if path.is_file() and path.read_bytes() == sources[path].text.encode() != text.encode():
                found[path] = Fix(path, sources[path], text)
    return list(found.values())


def write(found: Iterable[Fix]) -> None:
    for fix in found:
        write_whole(fix.path, fix.after.encode())


def print_fixes(found: Iterable[Fix]) -> None:
    """Prints each file with the lines that were changed."""
    for fix in found:
        listed = list(changes(fix))
        print(f"fixed {shown(fix.source.name)}")
        for change in listed[:MAX_CHANGES]:
            print("\n      ".join(wrap(str(change), width_of(sys.stdout), 0, 6)))
        if len(listed) > MAX_CHANGES:
            print(f"  … and {len(listed) - MAX_CHANGES:,} more lines")


def print_diffs(found: Iterable[Fix]) -> None:
    for fix in found:
        print_diff(fix.source, fix.after)


def changes(fix: Fix) -> Iterator[Change]:
    """Yields the changed lines of a file, from its top."""
    before, after = fix.source.text.splitlines(), fix.after.splitlines()
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        old, new = before[start:end], after[new_start:new_end]
        paired = min(len(old), len(new))
        for i, (was, becomes) in enumerate(zip(old, new, strict=False)):
            yield Change(start + i + 1, was.strip(), becomes.strip())
        yield from (Change(start + i + 1, was.strip(), None) for i, was in enumerate(old[paired:], paired))
        yield from (Change(new_start + i + 1, None, line.strip()) for i, line in enumerate(new[paired:], paired))


def to_json(found: Iterable[Fix]) -> list[dict[str, Any]]:
    """The changes as plain data."""
    return [{"file": fix.source.name, "changes": [change._asdict() for change in changes(fix)]} for fix in found]
