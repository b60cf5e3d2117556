"""A model as data that a checkpoint can carry: the text of its spec, from which it is compiled again.

Compiling runs no code of the checkpoint's, whoever wrote it: a spec is data.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import archdsl
from archdsl.diagnostics.training import NoSpecInside
from archdsl.errors import SpecError
from archdsl.evaluate.values import FileScope
from archdsl.evaluate.workspace import STDIN, descriptor, library_root
from archdsl.files import write_whole
from archdsl.model import Model
from archdsl.training.told import is_snapshot


def snapshot(model: Model) -> dict[str, Any]:
    """The spec's files by name (those of the shipped library aside), the model in it, its parameters and inputs."""
    main = model._spec.scope
    root = Path(main.file.source.name).resolve().parent
    files = {_relative(scope, root): scope.file.source.text for scope in {main: None, **dict.fromkeys(_used(main))}}
    shapes = {name or "": "x".join(map(str, shape)) for name, shape in model._shapes.items()}
    return {
        "files": files,
        "main": _relative(main, root),
        "model": model._chosen.definition.name.text,
        "parameters": {name: _plain(value) for name, value in model._parameters.items()},
        "inputs": shapes,
    }


def restore(saved: Any, path: str) -> Model:
    """The model of a snapshot in the checkpoint at ``path``.

    Raises: SpecError, where there is none, or its spec is wrong.
    """
    if not is_snapshot(saved):
        raise SpecError([NoSpecInside(path=path)])
    with tempfile.TemporaryDirectory() as folder:
        for name, text in saved["files"].items():
            write_whole(Path(folder) / name, text.encode())
        shapes = {name or None: shape for name, shape in saved["inputs"].items()}
        return archdsl.load(
            f"{Path(folder) / saved['main']}:{saved['model']}",
            input=shapes.get(None) or {k: v for k, v in shapes.items() if k} or None,
            **saved["parameters"],
        )


def _used(scope: FileScope) -> Iterator[FileScope]:
    library = library_root().resolve()
    for used in scope.used:
        if not Path(used.file.source.name).resolve().is_relative_to(library):
            yield used
            yield from _used(used)


def _relative(scope: FileScope, root: Path) -> str:
    """Used files lie below the spec's own folder: the language sees to that."""
    if scope.file.source.name == STDIN or descriptor(scope.file.source.name) is not None:
        return "stdin.arch"
    path = Path(scope.file.source.name).resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _plain(value: Any) -> Any:
    return list(map(_plain, value)) if isinstance(value, list | tuple) else value
