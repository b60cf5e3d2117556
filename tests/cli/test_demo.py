"""``archdsl demo``, without its training and with one small network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.cli import demo
from archdsl.compiler import library_root

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a demo of LeNet-5 alone."""

    def trained(model: object, out: Path, epochs: int) -> tuple[Path, float]:
        out.mkdir(parents=True)
        (out / "curves.png").write_bytes(PNG)
        (out / "report.html").write_text("<p>report</p>")
        return out, 0.985 if epochs > 1 else 0.2

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "NETWORKS", ("lenet5", "Stacked3x3"))
    monkeypatch.setattr(demo, "EXPORTED", ())
    monkeypatch.setattr(demo, "_train", trained)
    monkeypatch.setattr(demo, "shipped_specs", lambda: [library_root() / "lenet5.arch"])
    return tmp_path / "archdsl-demo"


def test_it_says_what_it_does_and_ends_with_one_page(archdsl, small: Path) -> None:
    ran = archdsl("demo", "--epochs", "2")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("This checks 1 specs, compares, draws and compiles")
    assert "archdsl-demo/index.html\n" in ran.out
    assert ran.out.splitlines()[-1] == "  archdsl check archdsl-demo/specs/lenet5.arch"
    assert str(library_root()) not in ran.out
    for path in re.findall(r"^wrote ([^:\n]+)", ran.out, re.MULTILINE):
        assert Path(path).is_file()
    page = (small / "index.html").read_text(encoding="utf-8")
    assert "98.5" in page
    assert page.count("data:image/svg+xml;base64,") == 2
    assert page.count("data:image/png;base64,") == 1
    assert "arch 1" in page
    assert "class LeNet5(nn.Module)" in page
    assert '<a href="lenet5-digits/report.html">' in page
    assert not re.findall(r'(?:src|href)="(?:https?:|/)', page), "it holds all that it shows"
    assert str(library_root()) not in page


def test_changed_specs_are_kept_and_a_poor_training_is_reported(archdsl, small: Path) -> None:
    kept = small / "specs" / "lenet5.arch"
    kept.parent.mkdir(parents=True)
    kept.write_text("# mine\n")
    ran = archdsl("demo", "--epochs", "1")
    assert ran.code == 1
    assert "LeNet-5 should reach a test accuracy of 95%." in ran.out
    assert kept.read_text() == "# mine\n"
