"""``archdsl new``, and what users get for continuous integration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from archdsl.cli.new import FILES, TEMPLATES

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "spec", "model"),
    [
        ("my-net", "my_net.arch", "MyNet"),
        ("ResNet", "resnet.arch", "ResNet"),
        ("deep/er/tiny_2", "tiny_2.arch", "Tiny2"),
        ("two words", "two_words.arch", "TwoWords"),
        ("NAME", "name.arch", "NAME"),
    ],
)
def test_the_new_spec_is_right_and_formatted(archdsl, name: str, spec: str, model: str) -> None:
    ran = archdsl("new", name)
    assert (ran.code, ran.err) == (0, "")
    path = Path(name, spec)
    written = sorted(str(p) for p in Path(name).rglob("*") if p.is_file())
    assert sorted(re.findall(r"^wrote (.+)$", ran.out, re.MULTILINE)) == written
    assert len(written) == len(FILES)
    checked = archdsl("check", name, "--deny", "warnings")
    assert (checked.code, checked.err) == (0, "")
    assert f"{model}: image [N, 3, 32, 32] -> logits [N, 10]" in checked.out
    assert checked.out.count("✓") == 2
    assert archdsl("fmt", "--check", name).code == 0
    readme = Path(name, "README.md").read_text()
    for command in re.findall(r"`archdsl (?!train|explain)([^`]+)`", readme):
        assert archdsl(*(path if word == spec else word for word in command.split())).code == 0, command
    assert not {"FILE", "STEM"} & set(re.findall(r"\w+", readme))


@pytest.mark.parametrize("held", ["file", "hidden", "folder", "is a file"])
def test_what_is_there_stays(archdsl, held: str) -> None:
    if held == "is a file":
        Path("net").write_text("mine")
    else:
        Path("net").mkdir()
        (Path("net", "x").mkdir if held == "folder" else Path("net", ".x" if held == "hidden" else "x").touch)()
    before = sorted(map(str, Path().rglob("*")))
    ran = archdsl("new", "net")
    assert (ran.code, ran.out) == (1, "")
    assert "error[A0609]: cannot write `net`" in ran.err
    assert sorted(map(str, Path().rglob("*"))) == before


def test_an_empty_folder_is_used(archdsl) -> None:
    Path("net").mkdir()
    assert archdsl("new", "net").code == 0
    assert archdsl("new", ".").code == 1


@pytest.mark.parametrize("name", ["", "123", "9net", "…", "_"])
def test_a_name_that_no_model_can_have(archdsl, name: str) -> None:
    ran = archdsl("new", name)
    assert ran.code == 2
    assert not list(Path().iterdir())


def test_the_example_is_the_workflow_that_is_written() -> None:
    assert (ROOT / "examples" / "ci" / "archdsl.yml").read_text() == (TEMPLATES / "archdsl.yml").read_text()


def _commands(steps: list[dict]) -> list[str]:
    return [step["run"] for step in steps if step.get("run", "").startswith("archdsl ")]


def test_the_workflow_passes_for_a_new_folder_and_fails_for_a_wrong_spec(archdsl, monkeypatch) -> None:
    archdsl("new", "net")
    monkeypatch.chdir("net")
    workflow = yaml.safe_load(Path(".github/workflows/archdsl.yml").read_text())
    commands = _commands(workflow["jobs"]["check"]["steps"])
    assert len(commands) == 2
    assert [archdsl(*command.split()[1:]).code for command in commands] == [0, 0]
    path = Path("net.arch")
    path.write_text(path.read_text().replace("relu\n}", "reluu\n}").replace("width = 16", "width=16"))
    ran = [archdsl(*command.split()[1:]) for command in commands]
    assert [r.code for r in ran] == [1, 1]
    assert "::error title=archdsl A0201,file=net.arch,line=" in ran[0].out


def test_hooks_run_commands_on_specs(archdsl) -> None:
    archdsl("new", "net")
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = yaml.safe_load(Path("net/.pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {hook["id"] for hook in local} == {"archdsl-check", "archdsl-fmt"}
    for hook in (*hooks, *local):
        assert re.search(hook["files"], "deep/net.arch")
        assert not re.search(hook["files"], "net.archive")
        program, *arguments = hook["entry"].split()
        assert (program, archdsl(*arguments, "net/net.arch").code) == ("archdsl", 0)
