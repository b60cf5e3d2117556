"""The floors of docs/architecture.md: imports only go down and in no circle, and the core needs no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "archdsl"

FLOORS = (
    ("__main__",),
    ("cli",),
    ("lsp", "highlight", "notebook"),
    ("training",),
    ("importing",),
    ("model",),
    ("pickles", "views"),
    ("checks", "diff", "weights"),
    ("emit",),
    ("measure",),
    ("grouping", "program"),
    ("compiler",),
    ("files", "machine", "revisions"),
    ("elaborate",),
    ("graph",),
    ("evaluate",),
    ("errors",),
    ("reference",),
    ("ops",),
    ("arguments",),
    ("op",),
    ("formatting",),
    ("syntax",),
    ("diagnostics", "dims", "init"),
    ("source", "collection", "record", "layout", "version"),
)
"""From the top floor down. A module may import from its own floor's package and from floors below."""

LEVEL = {name: len(FLOORS) - i for i, names in enumerate(FLOORS) for name in names}
HEAVY = {
    "torch",
    "torchvision",
    "onnx",
    "onnxruntime",
    "lightning",
    "numpy",
    "matplotlib",
    "sklearn",
    "sympy",
    "pygls",
    "lsprotocol",
}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.name != "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST, at_run_time: bool) -> set[str]:
    """Dotted names that a module imports: at its top level only, or anywhere; what only type checkers see apart."""
    found: set[str] = set()
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            stack.extend(node.orelse)
            continue
        if at_run_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        stack.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    here = room(path)
    for name in imports(ast.parse(path.read_text(encoding="utf-8")), at_run_time=False):
        if name.startswith("archdsl.") and (there := name.split(".")[1]) != here:
            assert LEVEL[there] < LEVEL[here], f"{here} imports {name}"


KNOWN_CIRCLES = (
    ("dims/atoms.py", "dims/show.py", "dims/size.py"),  # a size holds atoms, and an atom holds sizes
)
"""Files and folders that may hold a circle until they are taken apart. This list only shrinks."""


def test_no_files_import_each_other() -> None:
    """Imports inside functions and for types alone count too."""
    files = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    below = {name: imported(path, files) for name, path in files.items()}
    circles = [{str(files[name].relative_to(PACKAGE).as_posix()) for name in circle} for circle in circles_of(below)]

    def is_within(circle: set[str], known: tuple[str, ...]) -> bool:
        return all(file.startswith(known) for file in circle)

    unknown = [sorted(circle) for circle in circles if not any(is_within(circle, known) for known in KNOWN_CIRCLES)]
    assert not unknown
    gone = [known for known in KNOWN_CIRCLES if not any(is_within(circle, known) for circle in circles)]
    assert not gone, "strike these off KNOWN_CIRCLES"


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, files: dict[str, Path]) -> set[str]:
    """Names of the package's files that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in files else node.module for name in inner}
    return found & files.keys() - {name_of(path)}


def circles_of(below: dict[str, set[str]]) -> list[set[str]]:
    """The largest sets of names each of which reaches all others of its set."""

    def reached(name: str) -> frozenset[str]:
        seen: set[str] = set()
        stack = list(below[name])
        while stack:
            if (next_name := stack.pop()) not in seen:
                seen.add(next_name)
                stack += below[next_name]
        return frozenset(seen)

    reach = {name: reached(name) for name in below}
    return [set(c) for c in {frozenset(m for m in reach[n] if n in reach[m]) for n in below if n in reach[n]}]


def test_circles_are_found() -> None:
    below = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "e"}, "e": {"d"}, "f": set()}
    assert sorted(map(sorted, circles_of(below))) == [["b", "c"], ["d", "e"]]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_needed(path: Path) -> None:
    if room(path) in ("training", "lsp") or "emit/onnx" in path.as_posix() or "importing/sources" in path.as_posix():
        return  # rooms that are themselves imported only inside the functions that need them
    top = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")), at_run_time=True)}
    assert not top & HEAVY


@pytest.mark.parametrize("command", [["check"], ["summary"]])
def test_a_spec_is_read_without_torch(command: list[str]) -> None:
    code = (
        "import sys; from archdsl.cli import main; "
        f"code = main({[*command, 'resnet18' if command != ['check'] else 'lenet5']!r}); "
        f"assert not {HEAVY!r} & set(sys.modules), sorted({HEAVY!r} & set(sys.modules)); sys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
