"""``archdsl diff``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

PAPER = "specs/resnet.arch:PaperResNet50"
NET = 'arch 1\nuse Unit from "parts.arch"\nmodel Net { input x: [N, 3, 8, 8]\n a: Unit\n output y }\n'
PART = "arch 1\nblock Unit { conv: conv(4, 3) -> relu }\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A repository whose first commit has `net.arch` and `parts.arch`; gives a function that runs git in it."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    Path("net.arch").write_text(NET)
    Path("parts.arch").write_text(PART)
    git("add", ".")
    git("commit", "-qm", "first")
    return git


def test_text_names_the_edit_and_fits_80_columns(archdsl) -> None:
    ran = archdsl("diff", "resnet50", PAPER)
    assert ran.code == 0
    assert "layer2–4.0  stride 2 moved from conv2 to conv1" in ran.out
    assert "4.09 G → 3.86 G" in ran.out
    assert "checkpoints load, but" in ran.out
    ran = archdsl("diff", "torchvision/densenet121", "torchvision/swin_t")
    assert max(map(len, ran.out.splitlines())) <= 80


def test_exit_code(archdsl) -> None:
    assert archdsl("diff", "resnet50", PAPER, "--exit-code").code == 1
    same = archdsl("diff", "resnet50", "torchvision/resnet50", "--exit-code")
    assert (same.code, same.out) == (0, "no difference: ResNet50 → resnet50\n")


def test_json(archdsl) -> None:
    facts = json.loads(archdsl("diff", "resnet50", PAPER, "--format", "json").out)
    assert (facts["ok"], facts["equal"]) == (True, False)
    (model,) = facts["models"]
    (edit,) = model["edits"]
    assert (edit["kind"], edit["argument"], edit["paths"]) == (
        "shifted",
        "stride",
        [f"layer{n}.0.conv2" for n in (2, 3, 4)],
    )
    assert model["costs"]["macs"]["after"] == 3_857_973_248
    assert model["checkpoint"]["standing"] == "identical"


def test_markdown_and_html_escape_names(archdsl, spec) -> None:
    text = 'arch 1\nmodel A {{ input x: [N, 4]\n "a{}": linear(4)\n output y }}\n'
    one, two = spec(text.format("<b>"), "one.arch"), spec(text.format("*c*"), "two.arch")
    if archdsl("check", one).code:  # labels are identifiers; then nothing has to be escaped
        one, two = (
            spec(text.format("b").replace('"', ""), "one.arch"),
            spec(text.format("c").replace('"', ""), "two.arch"),
        )
    markdown = archdsl("diff", one, two, "--format", "markdown").out
    assert "### A" in markdown
    assert "**edits**" in markdown
    page = archdsl("diff", one, two, "--format", "html").out
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page


def test_all_models_of_two_files_are_compared_by_name(archdsl, spec) -> None:
    models = {n: f"model {n} {{ input x: [N, 4]\n fc: linear(4)\n output y }}\n" for n in "ABC"}
    one = spec(f"arch 1\n{models['A']}{models['B']}", "one.arch")
    two = spec(f"arch 1\n{models['A']}{models['C']}", "two.arch")
    ran = archdsl("diff", one, two, "--exit-code")
    assert ran.code == 1
    assert ran.out.splitlines() == ["no difference: A", "new model: C", "model removed: B"]


def test_wrong_arguments(archdsl) -> None:
    assert archdsl("diff", "resnet50").code == 2
    assert archdsl("diff", "a", "b", "c").code == 2
    assert archdsl("diff", "lenet5", "lenet6").code == 1


# ---- git ---------------------------------------------------------------------------------------------------


def test_a_revision_reads_the_used_files_of_that_revision(archdsl, repository) -> None:
    Path("parts.arch").write_text(PART.replace("conv(4, 3)", "conv(5, 3)"))
    ran = archdsl("diff", "git:HEAD:net.arch", "net.arch")
    assert "a.conv  conv: width 4 → 5" in ran.out
    Path("parts.arch").unlink()
    assert archdsl("diff", "git:HEAD:net.arch", "git:main:net.arch:Net").out.startswith("no difference")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("git:HEAD", "write it as `git:REVISION:PATH`"),
        ("git::net.arch", "write it as `git:REVISION:PATH`"),
        ("git:none:net.arch", "there is no revision `none`"),
        ("git:--output=x:net.arch", "there is no revision `--output=x`"),
        ("git:HEAD:other.arch", "there is no such file in this revision"),
        ("git:HEAD:../net.arch", "it is outside this repository"),
        ("git:HEAD:/etc/passwd", "it is outside this repository"),
        ("git:HEAD:*.arch", "there is no such file in this revision"),
        ("git:HEAD:folder", "it is a folder"),
        ("git:HEAD:link.arch", "it is a symbolic link"),
    ],
)
def test_what_is_no_file_of_a_revision(archdsl, repository, name: str, reason: str) -> None:
    Path("folder").mkdir()
    Path("folder/a.arch").write_text(PART)
    Path("link.arch").symlink_to("/etc/passwd")
    repository("add", ".")
    repository("commit", "-qm", "more")
    ran = archdsl("diff", name, "lenet5")
    assert ran.code == 1
    assert reason in ran.err
    assert not Path("x").exists()


def test_a_use_does_not_leave_the_folder_of_the_spec(archdsl, repository) -> None:
    Path("sub").mkdir()
    Path("sub/net.arch").write_text(NET.replace("parts.arch", "../parts.arch"))
    repository("add", ".")
    repository("commit", "-qm", "more")
    ran = archdsl("diff", "git:HEAD:sub/net.arch", "lenet5")
    assert (ran.code, "A0602" in ran.err) == (1, True)


def test_as_a_driver_of_git(archdsl, repository) -> None:
    changed = NET.replace("a: Unit", "a: Unit -> b: linear(3)")
    Path("net.arch").write_text(changed)
    Path("old").write_text(NET)
    ran = archdsl("diff", "--git-driver", "--", "net.arch", "old", "1" * 40, "100644", "net.arch", "0" * 40, "100644")
    assert ran.code == 0
    assert "new linear 3" in ran.out
    assert "+model Net" not in ran.out
    assert "+ a: Unit -> b: linear(3)" in ran.out
    gone = archdsl("diff", "--git-driver", "--", "net.arch", "old", "1" * 40, "100644", "/dev/null", ".", ".")
    assert (gone.code, "file removed" in gone.out) == (0, True)
    Path("net.arch").write_text("arch 1\nmodel {")
    broken = archdsl("diff", "--git-driver", "--", "net.arch", "old", "1" * 40, "100644", "net.arch", ".", "100644")
    assert (broken.code, "error" in broken.err, "+model {" in broken.out) == (0, True, True)


def test_the_script_for_pull_requests_writes_a_comment(repository, tmp_path: Path, monkeypatch) -> None:
    """On a local repository, with an event as GitHub sends it, cut to what the script reads."""
    base = repository("rev-parse", "HEAD").strip()
    Path("net.arch").write_text(NET.replace("a: Unit", "a: Unit -> b: linear(3)"))
    Path("new `x`.arch").write_text(PART)
    repository("add", ".")
    repository("commit", "-qm", "second")
    head = repository("rev-parse", "HEAD").strip()
    event = {"action": "synchronize", "pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": head}}}
    Path("event.json").write_text(json.dumps(event))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    subprocess.run([sys.executable, ROOT / "examples" / "ci" / "pull_request.py", "body.md"], check=True)
    body = Path("body.md").read_text()
    assert "`net.arch`" in body
    assert "`b` new linear 3" in body
    assert "parts.arch" not in body


def test_the_workflow_for_pull_requests_runs_the_script() -> None:
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "diff.yml").read_text())
    steps = workflow["jobs"]["diff"]["steps"]
    assert any(step.get("run") == "python .github/pull_request.py body.md" for step in steps)
    assert next(s for s in steps if "checkout" in s.get("uses", ""))["with"]["fetch-depth"] == 0
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
