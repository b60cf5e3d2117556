"""Commands whose surroundings fail: closed or full streams, a working folder that is gone, names of any bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.cli import guard
from archdsl.diagnostics.files import InternalFault, MemoryExhausted, SystemRefuses

SPEC = 'model Net {\n  input x: [N, 3, 8, 8]\n  c: conv(4, 3)\n  output y\n}\nclaim "one" { assert 1 == 1 }\n'
WRONG = SPEC.replace("conv", "covn")
PYTHON = f"{sys.executable} -m archdsl"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the shell is POSIX's")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(SPEC)
    Path("wrong.arch").write_text(WRONG)
    return tmp_path


def shell(line: str, unbuffered: bool = False) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `archdsl` is this package."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONUNBUFFERED": ""}
    if unbuffered:
        environment["PYTHONUNBUFFERED"] = "1"
    script = f'archdsl() {{ {PYTHON} "$@"; }}\n{line}'
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, errors="replace")


COMMANDS = (
    "check net.arch",
    "check net.arch --format json",
    "check net.arch --format sarif",
    "summary net.arch",
    "compare net.arch net.arch",
    "compile net.arch -o -",
    "fmt --diff net.arch wrong.arch",
    "fmt - < net.arch",
    "explain A0312",
    "--help",
    "check --help",
    "--version",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("where", "reason"), [(">&-", "it is closed"), ("> /dev/full", "No space left on device")], ids=["closed", "full"]
)
def test_standard_output_that_takes_nothing(command: str, where: str, reason: str) -> None:
    for unbuffered in (False, True)[: 1 + command.startswith("check net.arch")]:
        ran = shell(f"archdsl {command} {where}", unbuffered)
        assert (ran.returncode, ran.stdout) == (1, ""), ran
        assert f"cannot write to standard output: {reason}" in ran.stderr
        assert len(ran.stderr.splitlines()) <= (1 if "wrong" not in command else 20)


@pytest.mark.parametrize(
    "command", ["summary resnet50", "compile resnet50 -o -", "check resnet:ResNet50 --format json"]
)
def test_a_reader_that_has_enough(command: str) -> None:
    ran = shell(f"archdsl {command} | head -1")
    assert len(ran.stdout.splitlines()) == 1
    assert ran.stderr == ""


@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full"])
@pytest.mark.parametrize(("spec", "code"), [("net.arch", 0), ("wrong.arch", 1)])
def test_standard_error_that_takes_nothing_changes_no_exit_code(spec: str, code: int, where: str) -> None:
    ran = shell(f"archdsl check {spec} {where}; echo $?")
    assert ran.stdout.splitlines()[-1] == str(code)
    assert ran.stderr == ""


def test_all_streams_closed() -> None:
    assert shell("archdsl check net.arch <&- >&- 2>&-; echo $?").stdout == "1\n"
    assert shell("archdsl compile net.arch -o net.py <&- >&- 2>&-; echo $?").stdout == "1\n"
    assert "class Net" in Path("net.py").read_text(), "no stream takes the number of an output"


@pytest.mark.parametrize("command", ["check -", "fmt -", "compile - -o -", "summary /dev/stdin"])
def test_standard_input_that_gives_nothing(command: str) -> None:
    ran = shell(f"archdsl {command} <&-")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cannot read `<stdin>`" in ran.stderr


# ---- a working folder that is gone -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    ["check net.arch", "check --fix net.arch", "fmt net.arch", "compile lenet5", "check lenet5",
     "check - < ../net.arch", "check net.arch --format sarif", "train lenet5 --data digits", "report runs/x"],
)  # fmt: skip
def test_a_working_folder_that_is_gone(command: str) -> None:
    ran = shell(f"mkdir gone; cd gone; rmdir ../gone; archdsl {command} 2>&1")
    assert ran.returncode == 1
    assert "the working folder is gone" in ran.stdout
    assert "Traceback" not in ran.stdout


# ---- names -------------------------------------------------------------------------------------------------

NAMES = {
    "escape": b"red\x1b[31m.arch",
    "newline": b"two\nlines.arch",
    "no text": b"by\xfftes.arch",
    "C1 control": "c1\x9b31m.arch".encode(),
    "turned": "\u202eright.arch".encode(),
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_of_any_bytes(archdsl, name: bytes) -> None:
    """Nothing of a name reaches the terminal that could drive it, or look like another line of output."""
    file, stem = os.fsdecode(name), os.fsdecode(name.removesuffix(b".arch"))
    try:
        Path(file).write_text(SPEC)
        Path(f"wrong{file}").write_text(WRONG)
    except OSError:
        pytest.skip("no such names in this file system")
    for command in (
        ("check", file, f"wrong{file}"),
        ("check", file, f"wrong{file}", "--format", "json"),
        ("check", file, f"wrong{file}", "--format", "sarif"),
        ("check", file, f"wrong{file}", "--format", "github"),
        ("check", f"wrong{file}", "--diff"),
        ("check", f"wrong{file}", "--fix"),
        ("fmt", "--check", file, f"wrong{file}"),
        ("fmt", "--diff", file, f"wrong{file}"),
        ("fmt", file),
        ("summary", file),
        ("compare", file, file),
        ("compile", file, "-o", f"{stem}.py"),
        ("compile", file, "-o", f"{stem}.py", "--format", "json"),
        ("compile", file, "--to", "onnx", "-o", f"{stem}.onnx"),
        ("viz", file, "-o", f"{stem}.dot"),
        ("check", f"no{file}"),
        ("explain", file),
        (f"nonsense{file}",),
        ("check", "net.arch", file, f"--nonsense{file}"),
        ("compile", file, "--set", file),
        ("compile", "net.arch", "--to", "onnx", "-o", f"{stem}.py"),
        ("train", file, "--data", file),
        ("predict", file, file),
    ):
        ran = archdsl(*command)
        printed = ran.out + ran.err
        assert ran.code in (0, 1, 2)
        assert "A0615" not in printed, command
        assert not [c for c in printed if not c.isprintable() and c != "\n"], command
        assert not any(line.startswith("lines") for line in printed.splitlines()), command
        if "--format" in command and "github" not in command:
            json.loads(ran.out)


# ---- faults that nobody expected ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (MemoryError(), MemoryExhausted, "not enough memory"),
        (
            RuntimeError("[enforce fail] can't allocate memory: you tried"),
            MemoryExhausted,
            "tried",
        ),
        (FileNotFoundError(2, "No such file or directory", "a\nb"), SystemRefuses, "cannot use `a"),
        (OSError(5, "Input/output error"), SystemRefuses, "Input/output error"),
        (KeyError("conv1"), InternalFault, "KeyError"),
        (ValueError(), InternalFault, "please report"),
    ],
)
def test_a_fault_that_nobody_expected(archdsl, monkeypatch: pytest.MonkeyPatch, error, kind, says: str) -> None:
    def fails(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("archdsl.cli.check.check", fails)
    ran = archdsl("check", "net.arch")
    assert ran.code == 1
    assert f"error[{kind.code}]" in ran.err
    assert says in ran.err
    assert "\n".join(ran.err.splitlines()[:1]).isprintable()
    told = json.loads(archdsl("check", "net.arch", "--format", "json").out)
    assert [d["code"] for d in told["diagnostics"]] == [kind.code]
    monkeypatch.setenv(guard.DEBUG, "1")
    with pytest.raises(type(error)):
        archdsl("check", "net.arch")
