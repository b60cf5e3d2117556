"""Where a command writes: through links, into devices and pipes, and never over what it reads."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archdsl.errors import SpecError
from archdsl.files import write_whole

SPEC = "model Net {\n  input x: [N, 3, 8, 8]\n  c: conv(4, 3)\n  output y\n}\n"
OLD = b"what was here before"

COMMANDS = {
    "compile to torch": ("net.py", ("compile", "net.arch", "--to", "torch", "-o")),
    "compile to onnx": ("net.onnx", ("compile", "net.arch", "-o")),
    "viz": ("net.dot", ("viz", "net.arch", "-o")),
    "gradients": ("net.png", ("gradients", "lenet5", "--data", "digits", "--steps", "0", "-o")),
    "augment preview": ("net.png", ("train", "lenet5", "--data", "digits", "--augment-preview")),
}
QUICK = ("compile to torch", "viz")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(SPEC)
    return tmp_path


def run(archdsl: Callable, name: str, output: str | Path) -> tuple[int, str]:
    """A command, writing there: its exit code and what it printed."""
    ran = archdsl(*COMMANDS[name][1], output)
    return ran.code, ran.out + ran.err


# ---- links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_a_link_is_written_through(archdsl, name: str) -> None:
    output = COMMANDS[name][0]
    Path("kept").mkdir()
    Path("kept", output).write_bytes(OLD)
    Path("kept", output).chmod(0o640)
    Path("chain.link").symlink_to(f"kept/{output}")
    Path(output).symlink_to("chain.link")
    assert run(archdsl, name, output)[0] == 0
    assert Path(output).is_symlink()
    assert Path("chain.link").is_symlink()
    assert Path("kept", output).read_bytes() != OLD
    assert stat.S_IMODE(Path("kept", output).stat().st_mode) == 0o640
    assert [p.name for p in Path("kept").iterdir()] == [output]


def test_a_link_that_leads_nowhere_makes_the_file_it_names(archdsl) -> None:
    Path("kept").mkdir()
    Path("net.py").symlink_to("kept/new.py")
    assert run(archdsl, "compile to torch", "net.py")[0] == 0
    assert "class Net" in Path("kept/new.py").read_text()
    assert Path("net.py").is_symlink()


@pytest.mark.parametrize("target", ["net.py", "other.py", "no/such/folder/net.py", "folder"])
def test_a_link_that_leads_to_no_file(archdsl, target: str) -> None:
    """To itself, in a circle, into a folder that is not there, to a folder."""
    Path("folder").mkdir()
    Path("other.py").symlink_to("net.py")
    Path("net.py").symlink_to(target)
    code, printed = run(archdsl, "compile to torch", "net.py")
    assert code == 1
    assert "A0609" in printed
    assert os.readlink("net.py") == target
    assert not Path("no").exists()


def test_a_link_survives_a_run_that_fails(archdsl) -> None:
    Path("kept.py").write_bytes(OLD)
    Path("net.py").symlink_to("kept.py")
    Path("net.arch").write_text(SPEC.replace("conv", "covn"))
    assert run(archdsl, "compile to torch", "net.py")[0] == 1
    assert Path("kept.py").read_bytes() == OLD


def test_fmt_and_fix_write_through_links(archdsl) -> None:
    Path("kept").mkdir()
    for command, text in (("fmt", "model   " + SPEC[6:]), ("check --fix", SPEC.replace("c: conv", "w = 4\n  c: conv"))):
        Path("kept/ugly.arch").write_text(text)
        Path("ugly.arch").unlink(missing_ok=True)
        Path("ugly.arch").symlink_to("kept/ugly.arch")
        archdsl(*command.split(), "ugly.arch")
        assert Path("ugly.arch").is_symlink()
        assert Path("kept/ugly.arch").read_text() != text


# ---- what is not a regular file -------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[list[bytes]]:
    """A named pipe `net.pipe` with a reader; what it has read."""
    os.mkfifo("net.pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("net.pipe").read_bytes()), daemon=True)
    reader.start()
    yield read
    reader.join(timeout=60)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows knows no named pipes")
def test_a_pipe_is_written_into(archdsl, pipe: list[bytes]) -> None:
    code, _ = run(archdsl, "compile to torch", "net.pipe")
    for _ in range(600):
        if pipe:
            break
        threading.Event().wait(0.1)
    assert code == 0
    assert b"class Net" in pipe[0]
    assert stat.S_ISFIFO(Path("net.pipe").stat().st_mode)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Windows knows no such sockets")
def test_a_socket_is_written_into(archdsl, monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> None:
    received: list[bytes] = []
    monkeypatch.chdir(tmp_path_factory.mktemp("s"))  # names of sockets are short
    Path("net.arch").write_text(SPEC)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sink")
        server.listen(1)

        def receive() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                received.append(stream.read())

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        assert run(archdsl, "compile to torch", "sink")[0] == 0
        thread.join(timeout=60)
    assert b"class Net" in received[0]
    assert stat.S_ISSOCK(Path("sink").stat().st_mode)
    code, printed = run(archdsl, "compile to torch", "sink")  # nobody listens any more
    assert (code, "A0609" in printed) == (1, True)
    assert stat.S_ISSOCK(Path("sink").stat().st_mode)


def device(name: str, minor: int) -> Path:
    """A node of `/dev/null` (3) or `/dev/full` (7) in the test's own folder."""
    try:
        os.mknod(name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        Path(name).open("wb").close()
    except (OSError, AttributeError):
        pytest.skip("making a device takes root")
    return Path(name)


@pytest.mark.parametrize("name", ["compile to torch", "compile to onnx"])
def test_a_device_is_written_into(archdsl, name: str) -> None:
    sink = device("sink", 3)
    options = ("--to", "onnx") if "onnx" in name else ()
    for output in (sink, Path("link")):
        if output.name == "link":
            output.symlink_to(sink)
        assert archdsl("compile", "net.arch", *options, "-o", output).code == 0
        assert stat.S_ISCHR(sink.stat().st_mode)
    assert Path("link").is_symlink()


def test_a_device_that_is_full(archdsl) -> None:
    full = device("full", 7)
    code, printed = run(archdsl, "compile to torch", full)
    assert (code, "No space left on device" in printed) == (1, True)
    assert stat.S_ISCHR(full.stat().st_mode)


def test_what_is_no_file_is_not_read_back(archdsl) -> None:
    os.mkfifo("net.pipe")
    ran = archdsl("compile", "net.arch", "--to", "onnx", "--verify", "-o", "net.pipe")
    assert ran.code == 2
    assert "--verify reads the file again" in ran.err


# ---- names that are no output ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("output", ["", "new/", ".", ".."])
def test_a_name_of_no_file_is_wrong_usage(archdsl, name: str, output: str) -> None:
    code, printed = run(archdsl, name, output)
    assert code == 2
    assert "is not a file name" in printed
    assert sorted(os.listdir()) == ["net.arch"]


@pytest.mark.parametrize("name", QUICK)
def test_a_folder_that_is_missing_is_made_and_a_file_is_none(archdsl, name: str) -> None:
    output = COMMANDS[name][0]
    assert run(archdsl, name, f"a/b/{output}")[0] == 0
    assert Path("a/b", output).is_file()
    Path("b").mkdir()
    Path("b", output).mkdir()
    for wrong in (f"net.arch/{output}", f"b/{output}", f"{'x' * 300}/{output}"):
        code, printed = run(archdsl, name, wrong)
        assert (code, "A0609" in printed) == (1, True)
    assert Path("net.arch").read_text() == SPEC


def test_permissions_are_kept_or_those_of_a_new_file(archdsl) -> None:
    mask = os.umask(0o027)
    try:
        assert run(archdsl, "compile to torch", "new.py")[0] == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE(Path("new.py").stat().st_mode) == 0o640
    Path("new.py").chmod(0o755)
    assert run(archdsl, "compile to torch", "new.py")[0] == 0
    assert stat.S_IMODE(Path("new.py").stat().st_mode) == 0o755


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("protected", ["file", "folder"])
def test_a_protected_file_or_folder(archdsl, protected: str) -> None:
    Path("kept").mkdir()
    Path("kept/net.py").write_bytes(OLD)
    Path("kept/net.py" if protected == "file" else "kept").chmod(0o555)
    code, printed = run(archdsl, "compile to torch", "kept/net.py")
    assert (code, "Permission denied" in printed) == (1, True)
    assert Path("kept/net.py").read_bytes() == OLD
    Path("kept").chmod(0o755)


def test_a_write_protected_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all users: root is asked as if it were another."""
    Path("net.py").write_bytes(OLD)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SpecError, match="Permission denied"):
        write_whole(Path("net.py"), b"new")
    assert Path("net.py").read_bytes() == OLD


# ---- never over an input -----------------------------------------------------------------------------------


def spelled(way: str, file: str) -> str:
    """Another name of a file."""
    match way:
        case "hard link":
            os.link(file, f"hard{Path(file).suffix}")
            return f"hard{Path(file).suffix}"
        case "link":
            Path("soft.any").symlink_to(file)
            return "soft.any"
        case "detour":
            Path("sub").mkdir(exist_ok=True)
            return f"sub/../{file}"
        case "absolute":
            return str(Path(file).resolve())
    return file


@pytest.mark.parametrize("way", ["plain", "hard link", "link", "detour", "absolute"])
def test_a_spec_is_not_written_over(archdsl, way: str) -> None:
    code, printed = run(archdsl, "compile to torch", spelled(way, "net.arch"))
    assert code == 1
    assert "A0611" in printed
    assert "`net.arch`" in printed
    assert Path("net.arch").read_text() == SPEC


@pytest.mark.parametrize("used", ["one.arch", "deep/two.arch"])
def test_a_used_file_is_not_written_over(archdsl, used: str) -> None:
    Path("deep").mkdir()
    Path("deep/two.arch").write_text("let wide = 4\n")
    Path("one.arch").write_text('use wide from "deep/two.arch"\nblock Part = conv(wide, 3)\n')
    Path("net.arch").write_text('use Part from "one.arch"\n' + SPEC.replace("c: conv(4, 3)", "c: Part"))
    before = Path(used).read_text()
    for to in ("torch", "onnx"):
        ran = archdsl("compile", "net.arch", "--to", to, "-o", used)
        assert (ran.code, "A0611" in ran.err) == (1, True), ran
    assert Path(used).read_text() == before
    assert archdsl("compile", "net.arch", "-o", "net.py").code == 0


def test_standard_input_is_not_written_over(archdsl, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = os.dup(0)
    try:
        with Path("net.arch").open() as file:
            os.dup2(file.fileno(), 0)
            monkeypatch.setattr("sys.stdin", file)
            ran = archdsl("compile", "-", "--to", "torch", "-o", "net.arch")
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
    assert (ran.code, "A0611" in ran.err) == (1, True)
    assert "standard input" in ran.err
    assert Path("net.arch").read_text() == SPEC


def test_a_checkpoint_is_not_written_over(archdsl) -> None:
    torch = pytest.importorskip("torch")
    import archdsl as package

    torch.save(package.load("net.arch").module().state_dict(), "w.pth")
    before = Path("w.pth").read_bytes()
    os.link("w.pth", "w.onnx")
    for output in ("w.pth", "w.onnx"):
        ran = archdsl("compile", "net.arch", "--to", "onnx", "--weights", "w.pth", "-o", output)
        assert (ran.code, "A0611" in ran.err) == (1, True)
    assert Path("w.pth").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        ("viz", "net.dot", "-o"),
        ("bench", "net.png", "--batches", "1", "--seconds", "0.01", "-o"),
        ("train", "net.png", "--data", "digits", "--augment-preview"),
        ("gradients", "net.png", "--data", "digits", "--steps", "0", "-o"),
    ],
    ids=lambda command: command[0],
)
def test_a_spec_of_any_name_is_not_written_over(archdsl, command: tuple[str, ...]) -> None:
    _, name, *options = command
    spec = "model Net {\n  input x: [N, 1, 8, 8]\n  global_avgpool -> flatten\n  fc: linear(10)\n  output y\n}\n"
    Path(name).write_text(spec)
    ran = archdsl(command[0], name, *options, name)
    assert (ran.code, "A0611" in ran.err) == (1, True), ran
    assert Path(name).read_text() == spec
