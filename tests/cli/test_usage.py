"""What all commands share: usage, suggestions, names of options, completion, colors and widths."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import argcomplete
import pytest

from archdsl.cli import COMMANDS, _parser
from archdsl.cli.common import wants_color, width_of

NAMES = [name for name, _ in COMMANDS]


# ---- wrong usage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "usage", "says"),
    [
        (("chekc",), "archdsl COMMAND [OPTIONS] ...", "unknown command `chekc`; did you mean `check`?"),
        (("check", "lenet5", "--fomat", "json"), "archdsl check [OPTIONS] SPEC...", "did you mean `--format`?"),
        (("check", "lenet5", "--wholly-other"), "archdsl check [OPTIONS] SPEC...", "unknown option `--wholly-other`\n"),
        (("train", "lenet5", "--epochz=3"), "archdsl train [OPTIONS] SPEC", "unknown option `--epochz`; did you mean"),
        (("viz", "lenet5", "resnet50"), "archdsl viz [OPTIONS] SPEC", "unexpected argument `resnet50`"),
        (("viz", "lenet5", "--theme", "drak"), "archdsl viz [OPTIONS] SPEC", "did you mean `dark`?"),
        (("check", "lenet5", "--deny", "dense-haed"), "archdsl check [OPTIONS] SPEC...", "did you mean `dense-head`?"),
        (("weights", "inpsect"), "archdsl weights [OPTIONS] ACTION ...", "unknown action `inpsect`; did you mean"),
        (("weights", "map", "a", "b"), "archdsl weights map --output OUT [OPTIONS] FILE SPEC", "-o/--output"),
        (("weights", "diff", "a", "b", "--fromat"), "archdsl weights diff [OPTIONS] FILE OTHER", "`--format`"),
        (("compile", "lenet5", "-o", "a.txt"), "archdsl compile [OPTIONS] SPEC", "does not end in .py or .onnx"),
        (("summary", "lenet5", "--batch-sizes", "3"), "archdsl summary [OPTIONS] SPEC", "did you mean `--batch-size`?"),
    ],
)
def test_wrong_usage_is_answered_by_the_command(archdsl, argv: tuple[str, ...], usage: str, says: str) -> None:
    ran = archdsl(*argv)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"usage: {usage}\n")
    assert says in ran.err
    assert len(ran.err.splitlines()) == 3
    assert "--help` describes the arguments" in ran.err


def test_nothing_is_written_where_the_format_is_unknown(archdsl, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert archdsl("compile", "lenet5", "-o", "net.txt").code == 2
    assert not list(tmp_path.iterdir())
    assert archdsl("compile", "lenet5", "--to", "torch", "-o", "net.txt").code == 0
    assert "class LeNet5" in Path("net.txt").read_text()


# ---- names of options --------------------------------------------------------------------------------------


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _parsers(below)


@pytest.mark.parametrize("name", NAMES)
def test_one_name_for_one_thing(name: str) -> None:
    """What is written is `-o`, `--output`; the size of a batch is `--batch-size`."""
    parser = argparse.ArgumentParser()
    import_module(f"archdsl.cli.{name}").configure(parser)
    for command in _parsers(parser):
        for action in command._actions:
            if action.help is argparse.SUPPRESS:
                continue
            options = set(action.option_strings)
            assert not options & {"--out", "--batch", "--batches", "--dest"}
            assert ("-o" in options) == ("--output" in options)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (("train", "lenet5", "--out", "run"), "output", Path("run")),
        (("demo", "--out", "run"), "output", Path("run")),
        (("report", "run", "--out", "r.html"), "output", Path("r.html")),
        (("bench", "lenet5", "--out", "b.png"), "output", Path("b.png")),
        (("gradients", "lenet5", "--out", "g.png"), "output", Path("g.png")),
        (("summary", "lenet5", "--batch", "4"), "batch_size", 4),
        (("compare", "lenet5", "alexnet", "--batch", "4"), "batch_size", 4),
        (("bench", "lenet5", "--batches", "4,8"), "batch_sizes", (4, 8)),
        (("bench", "lenet5"), "batch_sizes", (1, 2, 4, 8)),
    ],
)
def test_old_names_are_still_read(argv: tuple[str, ...], name: str, value: object) -> None:
    assert getattr(_parser(list(argv)).parse_args(argv), name) == value


@pytest.mark.parametrize("name", NAMES)
def test_help_fits_in_80_columns(archdsl, name: str, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = archdsl(name, "--help")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.out.startswith(f"usage: archdsl {name} ")


def test_the_list_of_commands_fits_in_80_columns(archdsl, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = archdsl("--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line[:2] == "  " and line[2] not in " -"] == NAMES


# ---- completion --------------------------------------------------------------------------------------------


def completions(line: str) -> set[str]:
    """What a shell offers at the end of a line, as argcomplete computes it."""
    finder = argcomplete.CompletionFinder(_parser(line.split()[1:]), always_complete_options="long")
    _, prefix, _, before, _ = argcomplete.split_line(line)
    return {word.rstrip() for word in finder._get_completions(before, prefix, "", None)}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("archdsl comp", {"compare", "compile", "completion"}),
        ("archdsl viz lenet5 --theme d", {"dark"}),
        ("archdsl check --fo", {"--format"}),
        ("archdsl weights con", {"convert"}),
        ("archdsl summary resnet1", {"resnet18", "resnet101", "resnet152"}),
        ("archdsl check --deny dense", {"dense-head"}),
        ("archdsl check first.a", {"first.arch"}),
    ],
)
def test_words_are_completed(line: str, offered: set[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("first.arch").write_text("")
    assert offered <= completions(line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_a_shell_names_the_program(archdsl, shell: str) -> None:
    ran = archdsl("completion", shell)
    assert ran.code == 0
    assert "archdsl" in ran.out
    assert "_ARGCOMPLETE" in ran.out


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no bash")
def test_bash_completes(archdsl, tmp_path: Path) -> None:
    """The script in a real shell, which asks a program of that name."""
    program = tmp_path / "archdsl"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m archdsl\n")
    program.chmod(0o755)
    line = "archdsl summ"
    script = (
        f"{archdsl('completion', 'bash').out}\n"
        f"COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9 COMP_WORDS=(archdsl summ) COMP_CWORD=1\n"
        f"_python_argcomplete_archdsl archdsl\nprintf '%s,' \"${{COMPREPLY[@]}}\"\n"
    )
    found = [name for name in script.split() if name.startswith("_python_argcomplete")]
    assert found
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(["bash", "-c", script.replace("_python_argcomplete_archdsl", "_python_argcomplete")],
                         env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    assert ran.stdout.strip(", \n") == "summary", ran.stderr


# ---- colors and widths -------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "color"),
    [
        (Terminal, {}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": ""}, False),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_color(stream: type, environment: dict[str, str], color: bool, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(stream()) is color


@pytest.mark.parametrize(
    ("columns", "width"), [("72", 72), ("0", None), ("", None), ("wide", None), ("-3", None), ("99999", None)]
)
def test_the_width_of_a_pipe_is_that_of_the_environment(columns: str, width: int | None, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width_of(io.StringIO()) == width


def test_reports_are_wrapped_to_the_width(archdsl, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for command in (("check", "lenet5"), ("summary", "lenet5"), ("compare", "lenet5", "resnet50")):
        assert max(map(len, archdsl(*command).out.splitlines())) <= 60
    assert max(map(len, archdsl("check", "resnet5").err.splitlines())) <= 60
