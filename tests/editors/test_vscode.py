"""The VS Code extension: its files agree with each other and with the language, and it builds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.syntax.lines import KEYWORDS

HERE = Path(__file__).parents[2] / "editors" / "vscode"


def read(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def patterns(rule: Any) -> Iterator[str]:
    """All regular expressions of a grammar."""
    if isinstance(rule, dict):
        yield from (rule[key] for key in ("match", "begin", "end", "while") if key in rule)
    for inner in rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ():
        yield from patterns(inner)


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = read("package.json")
    assert manifest["version"] == archdsl.__version__
    contributed = manifest["contributes"]
    for item in (*contributed["grammars"], *contributed["languages"]):
        assert (HERE / (item.get("path") or item["configuration"])).is_file()
    source = "".join(p.read_text(encoding="utf-8") for p in (HERE / "src").glob("*.ts"))
    for command in contributed["commands"]:
        assert f'registerCommand("{command["command"]}"' in source
    for setting in contributed["configuration"]["properties"]:
        assert f'"{setting.removeprefix("archdsl.")}"' in source


def test_the_grammar_knows_the_words_of_the_language() -> None:
    expressions = list(patterns(read("syntaxes/arch.tmLanguage.json")))
    words = {word for e in map(re.compile, expressions) for word in re.findall(r"[a-z]+", e.pattern)}
    assert {k.lower() for k in KEYWORDS - {"COMBINE"}} | {"add", "mul", "concat", "stack"} <= words


def test_a_line_is_coloured() -> None:
    rules = read("syntaxes/arch.tmLanguage.json")["repository"]["all"]["patterns"]
    line, position, found = "  c{i}: conv(64, stride=2) -> relu as x  # why", 0, {}
    while position < len(line):  # what an editor does: the leftmost match, of several the first rule's
        matches = [
            (m.start(), n, m) for n, r in enumerate(rules) if (m := re.compile(r["match"]).search(line, position))
        ]
        if not matches:
            break
        _, rule, match = min(matches, key=lambda m: m[:2])
        found[match[0].strip()] = rules[rule].get("name") or rules[rule]["captures"]["1"]["name"]
        position = match.end()
    assert found == {
        "c{i}:": "entity.name.tag.label.arch",
        "conv": "entity.name.function.arch",
        "64": "constant.numeric.arch",
        "stride=": "variable.parameter.arch",
        "2": "constant.numeric.arch",
        "->": "keyword.operator.flow.arch",
        "as": "keyword.control.arch",
        "# why": "comment.line.number-sign.arch",
    }


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="run `npm ci` in editors/vscode first")
def test_it_builds() -> None:
    subprocess.run(["npm", "run", "package", "--silent"], cwd=HERE, check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(HERE / "archdsl.vsix") as packed:
        names = set(packed.namelist())
    wanted = {"package.json", "dist/extension.js", "syntaxes/arch.tmLanguage.json", "language-configuration.json"}
    assert {f"extension/{name}" for name in wanted} <= names
    assert not any("node_modules" in name or name.endswith(".ts") for name in names)
