"""What ``archdsl check --fix`` makes of the files of a spec: the certain fixes of diagnostics, applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from archdsl.checks.report import check
from archdsl.compiler import Spec, from_buffers
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.edits import edited
from archdsl.evaluate.workspace import library_root

ROUNDS = 20
"""Rounds: a fix may bring another fault to light."""

Texts = dict[Path, str]
"""New texts of files, by resolved path."""


def fixed_texts(spec: Spec) -> Texts:
    """The files of a spec that change, with their new texts. The library that ships with the package never does.

    Faults come first, then, when nothing stands before them, warnings: of those only what makes nothing wrong, such as
    a claim about the number of parameters.
    """
    texts: Texts = {}
    for _ in range(ROUNDS):
        found = check(_with(spec, texts)).diagnostics
        wrong = _applied(texts, (d for d in found if d.severity == "error"))
        changed = wrong if wrong != texts else _harmless(spec, texts, found)
        if changed == texts:
            break
        texts = changed
    return texts


def _with(spec: Spec, texts: Texts) -> Spec:
    """The spec as it is with other texts."""
    if not texts:
        return spec
    changed = from_buffers(Path(spec.scope.file.source.name), texts)
    assert isinstance(changed, Spec), "its file was read before"
    return replace(changed, model=spec.model)


def _applied(texts: Texts, diagnostics: Iterable[Diagnostic]) -> Texts:
    """The texts with what some diagnostics are sure of."""
    by_source: dict = {}
    for diagnostic in diagnostics:
        for source in {edit.span.source for edit in diagnostic.edits}:
            by_source.setdefault(source, []).append(diagnostic)
    changed = dict(texts)
    for source, found in by_source.items():
        path = Path(source.name).resolve()
        if not path.is_relative_to(library_root()):
            changed[path] = edited(source, found)
    return changed


def _harmless(spec: Spec, texts: Texts, found: Sequence[Diagnostic]) -> Texts:
    """The texts with the fixes of warnings that make nothing wrong: all of them if that is so, else one by one."""
    before = _faults(found)
    warnings = [d for d in found if d.severity == "warning" and d.edits]
    kept: list[Diagnostic] = []
    for more in (warnings, *([d] for d in warnings)):
        tried = _applied(texts, [*kept, *more])
        if not _faults(check(_with(spec, tried)).diagnostics) - before:
            kept += more
        if len(kept) == len(warnings):
            break
    return _applied(texts, kept)


def _faults(found: Iterable[Diagnostic]) -> set[tuple[str, str]]:
    return {(d.code, d.message) for d in found if d.severity == "error"}
