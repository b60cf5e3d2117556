"""What emitted source must be like, read off its text; torch's own signatures say what a default is."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from ruff import find_ruff_bin
from torch import nn

from archdsl.emit.torch.helpers import HELPERS

TORCH = {"torch": torch, "nn": nn, "F": F}
OWN_NAMES = ("x", "out", "y", "z", "u", "v", "value", "layers", "flag", "constant")
"""What the back end calls things that have no name; with a number behind it such a name says nothing."""


def faults(source: str) -> list[str]:
    """What a reviewer would send back."""
    tree = ast.parse(source)
    checks = (_imports, _defaults, _own_defaults, _dead_definitions, _dead_arguments, _dead_attributes, _dead_locals)
    return [f for check in checks for f in check(tree)]


def poor_names(source: str) -> list[str]:
    """Names that say nothing."""
    return list(_names(ast.parse(source)))


def lint(source: str) -> str:
    """What ruff says of a file, with the settings that it has where nobody set any."""
    found = ""
    for command in (["check", "--select", "E,F,W,I,UP,B,SIM,C4,PIE,RUF"], ["format", "--diff"]):
        ruff = [find_ruff_bin(), *command, "--isolated", "--quiet", "--target-version", "py310", "-"]
        found += subprocess.run(ruff, input=source, capture_output=True, text=True, check=False).stdout
    return found


def types(files: Sequence[Path]) -> str:
    """What pyright says of some files."""
    command = [sys.executable, "-m", "pyright", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {a.name}" for a in node.names if a.name.partition(".")[0] != "torch")
        if isinstance(node, ast.ImportFrom) and node.module != "torch":
            yield f"imports from {node.module}"


# ---- defaults ----------------------------------------------------------------------------------------------


def _defaults(tree: ast.Module) -> Iterator[str]:
    """Arguments that torch would have chosen itself."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        signature = _signature(ast.unparse(node.func))
        given = _constants(node)
        if signature is None or given is None:
            continue
        bound = signature.bind(*given[0], **given[1]).arguments
        for name, value in bound.items():
            parameter = signature.parameters[name]
            if _same(value, parameter.default) and (parameter.name in given[1] or name == list(bound)[-1]):
                yield f"line {node.lineno}: {ast.unparse(node)} states {name}={value!r}, torch's default"
        if bound.get("stride") is not None and "Pool" in ast.unparse(node.func) and _same(*_window(bound)):
            yield f"line {node.lineno}: a pool's stride is its kernel"


def _window(bound: dict[str, Any]) -> tuple[Any, Any]:
    return bound["stride"], bound.get("kernel_size")


@cache
def _signature(function: str) -> inspect.Signature | None:
    first, _, rest = function.partition(".")
    target: Any = TORCH.get(first)
    if target is None or not re.fullmatch(r"[\w.]+", function):
        return None
    for name in rest.split("."):
        target = getattr(target, name)
    try:
        return inspect.signature(target)
    except ValueError:
        return None  # written in C


class _Unknown:
    """An argument whose value the text does not say."""


def _constants(call: ast.Call) -> tuple[list[Any], dict[str, Any]] | None:
    """Arguments with their values, where they are literals; None if some are unpacked."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    return [_value(a) for a in call.args], {str(k.arg): _value(k.value) for k in call.keywords}


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return _Unknown()


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default and not isinstance(value, _Unknown)


def _own_defaults(tree: ast.Module) -> Iterator[str]:
    """Arguments that a class of the file would have chosen itself."""
    known: dict[str, dict[str, Any]] = {}
    for definition in (n for n in tree.body if isinstance(n, ast.ClassDef)):
        for init in (n for n in definition.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"):
            names = [a.arg for a in init.args.args]
            defaults = init.args.defaults
            known[definition.name] = {
                n: _value(d) for n, d in zip(names[len(names) - len(defaults) :], defaults, strict=True)
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
            for keyword in node.keywords:
                if _same(_value(keyword.value), known[node.func.id].get(str(keyword.arg), _Unknown())):
                    yield f"line {node.lineno}: {ast.unparse(node)} states {keyword.arg}, which is the default"


# ---- what nothing reads ------------------------------------------------------------------------------------


def _dead_definitions(tree: ast.Module) -> Iterator[str]:
    definitions = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for definition in definitions[:-1]:  # the last is the network
        if definition.name not in read:
            yield f"{definition.name} is not used"


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name not in HELPERS)


def _reads(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _dead_arguments(tree: ast.Module) -> Iterator[str]:
    for function in _functions(tree):
        read = set().union(*(_reads(s) for s in function.body))
        for arg in (*function.args.args, function.args.vararg):
            if arg is not None and arg.arg != "self" and arg.arg not in read:
                yield f"line {function.lineno}: {function.name} does not read {arg.arg}"


def _dead_attributes(tree: ast.Module) -> Iterator[str]:
    """Attributes that hold no module and are read by nobody."""
    for definition in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
        attributes = [n for n in ast.walk(definition) if isinstance(n, ast.Attribute)]
        own = [n for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "self"]
        read = {n.attr for n in own if isinstance(n.ctx, ast.Load)}
        arguments = {a.arg for a in ast.walk(definition) if isinstance(a, ast.arg)}
        for statement in ast.walk(definition):
            match statement:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                    if name not in read and not _is_module(value, arguments):
                        yield f"line {statement.lineno}: {definition.name} does not read self.{name}"


def _is_module(value: ast.expr, arguments: set[str]) -> bool:
    """A module or parameter, which the state dict holds even where nothing runs it."""
    return isinstance(value, ast.Call) or (isinstance(value, ast.Name) and value.id not in arguments)


def _dead_locals(tree: ast.Module) -> Iterator[str]:
    for function in _functions(tree):
        read = _reads(function)
        stored = [n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        for name in stored:
            if name.id != "_" and name.id not in read:
                yield f"line {name.lineno}: nothing reads {name.id}"


# ---- names -------------------------------------------------------------------------------------------------


def _names(tree: ast.Module) -> Iterator[str]:
    numbered = re.compile(rf"({'|'.join(OWN_NAMES)})_?\d+")
    for node in ast.walk(tree):
        names = {
            ast.Name: lambda n: [n.id], ast.arg: lambda n: [n.arg], ast.Attribute: lambda n: [n.attr],
            ast.ClassDef: lambda n: [n.name], ast.FunctionDef: lambda n: [n.name],
        }.get(type(node), lambda _: [])(node)  # fmt: skip
        for name in names:
            is_own = not (isinstance(node, ast.Attribute) and _is_torch(node))
            is_left_over = (name.endswith("_") and name.strip("_")) or name.endswith("_value")
            if is_own and not name.startswith("__") and is_left_over:
                yield f"the name {name}"
            if not isinstance(node, ast.Attribute) and numbered.fullmatch(name):
                yield f"the numbered name {name}"


def _is_torch(node: ast.Attribute) -> bool:
    """``nn.init.zeros_``, and methods of tensors."""
    return not (isinstance(node.value, ast.Name) and node.value.id == "self")
