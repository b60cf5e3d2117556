"""What a command writes is there whole or not at all: the disk is full, or the process is killed in the midst."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archdsl.cli import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows neither SIGKILL nor a limit to a file's size")

SPEC = """model Net(classes = 10) {
    input x: [N, 3, 32, 32]
    width = 64
    conv1: conv(width, 3, pad=1) -> relu
    conv2: conv(width, 3, pad=1) -> relu
    global_avgpool -> flatten
    fc: linear(classes)
    output y
}
"""
RIGHT = SPEC.replace("width =", "let width =")

WRITERS = {
    "compile to torch": ("compile", "net.arch", "-o", "net.py"),
    "compile to onnx": ("compile", "net.arch", "--to", "onnx", "-o", "net.onnx"),
    "viz as svg": ("viz", "net.arch", "-o", "net.svg"),
    "viz as dot": ("viz", "net.arch", "-o", "net.dot"),
    "fmt": ("fmt", "net.arch"),
    "check --fix": ("check", "--fix", "net.arch"),
}
OLD = b"what was here before"
KILLED_AT = {
    "while it writes": "pathlib.Path.write_bytes = lambda self, data: (open(self, 'wb').write(data[:9]), die())",
    "before it is done": "os.replace = lambda *args: die()",
}


@pytest.fixture(params=WRITERS)
def command(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A command that writes; its folder holds the spec and what was written before."""
    monkeypatch.chdir(tmp_path)
    command = WRITERS[request.param]
    Path("net.arch").write_text(SPEC if "--fix" in command else RIGHT)
    if "-o" in command:
        Path(command[-1]).write_bytes(OLD)
    return command


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path().iterdir()}


def test_a_full_disk_leaves_what_was_there(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Simulated: no file may grow beyond a few bytes."""
    before = contents()
    with small_files(100):
        code = main(command)
    assert (code, contents()) == (1, before)
    printed = "".join(capsys.readouterr())
    assert "A0609" in printed
    assert "File too large" in printed
    assert main(command) == 0
    assert contents().keys() == before.keys()
    assert contents() != before


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("moment", KILLED_AT)
@pytest.mark.parametrize("command", [name for name in WRITERS if "onnx" not in name], indirect=True)
def test_a_kill_leaves_what_was_there(command: tuple[str, ...], moment: str) -> None:
    before = contents()
    assert killed(command, KILLED_AT[moment]) == -signal.SIGKILL
    assert {name: data for name, data in contents().items() if not name.startswith(".")} == before


def test_a_kill_amid_the_weights_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an ONNX file and of the one beside it that holds its weights."""
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(RIGHT)
    Path("net.onnx").write_bytes(OLD)
    before = contents()
    beside = "import archdsl.emit.onnx.file as f; f.SMALL = 64; f.write.__defaults__ = (1000,)"
    amid = (
        "real = f._header; seen = []; f._header = lambda *a: seen.append(1) or (die() if len(seen) > 2 else real(*a))"
    )
    assert killed(WRITERS["compile to onnx"], f"{beside}; {amid}") == -signal.SIGKILL
    assert {name: data for name, data in contents().items() if not name.startswith(".")} == before


def killed(command: tuple[str, ...], patch: str) -> int:
    """Run a command that kills itself at some moment; how it ended."""
    die = "die = lambda: os.kill(os.getpid(), signal.SIGKILL)"
    code = f"import os, pathlib, signal, sys; {die}; {patch}; from archdsl.cli import main; main(sys.argv[1:])"
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", code, *command], env=environment, capture_output=True).returncode
