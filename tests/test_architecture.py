"""The floors of docs/architecture.md: imports only go down, and the core needs no torch."""

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
    ("lsp", "highlight"),
    ("training",),
    ("model",),
    ("pickles",),
    ("checks", "weights"),
    ("emit",),
    ("measure",),
    ("grouping", "program"),
    ("compiler",),
    ("files", "machine"),
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
    ("source", "collection", "record", "layout"),
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


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_needed(path: Path) -> None:
    if room(path) in ("training", "lsp") or "emit/onnx" in path.as_posix():
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
