"""What is done with a trained network: evaluated, asked, reported. One run serves all of it."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from archdsl.cli import main


@pytest.fixture(scope="module")
def run(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pictures of three colours, told apart by a network of one convolution."""
    folder = tmp_path_factory.mktemp("use")
    (folder / "net.arch").write_text(
        "model Net(classes = 10) { input x: [N, 3, 12, 12]; conv: conv(6, 3) -> relu -> global_avgpool -> flatten\n"
        "fc: linear(classes); output y: [N, classes] }"
    )
    out = folder / "run"
    torch.set_num_threads(1)
    argv = ["train", folder / "net.arch", "--data", colours, "--epochs", "6", "--batch-size", "9", "--lr", "0.02"]
    assert main([*map(str, argv), "--workers", "0", "--out", str(out), "--export", "--no-tensorboard"]) == 0
    return out


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*argv: object, code: int = 0) -> Any:
        assert main([*map(str, argv), "--format", "json"]) == code
        return json.loads(capsys.readouterr().out)

    return call


def result(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())["result"]


# ---- eval and predict ----


@pytest.mark.parametrize("file", ["", "best.ckpt", "best.onnx"])
def test_eval_finds_what_the_training_found(file: str, run: Path, colours: Path, told: Any) -> None:
    if file.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    found = told("eval", run / file, "--data", colours)
    assert found["pictures"] == 12
    assert found["accuracy"] == pytest.approx(result(run)["test_accuracy"])
    assert found["loss"] == pytest.approx(result(run)["test_loss"], rel=1e-4)
    assert found["top5"] == 1
    recalls = [row["recall"] * row["pictures"] for row in found["classes"]]
    assert sum(recalls) == pytest.approx(found["accuracy"] * 12, abs=0.01)


def test_eval_on_other_classes(run: Path, told: Any) -> None:
    found = told("eval", run, "--data", "digits", code=1)
    assert found["diagnostics"][0]["message"] == "Net has 3 output classes; digits has 10 classes"
    assert found["diagnostics"][0]["help"] == "use data with the classes of the training"


@pytest.fixture
def broken(colours: Path, tmp_path: Path) -> Path:
    """Pictures that are cut short."""
    data = Path(shutil.copytree(colours, tmp_path / "broken"))
    for path in data.glob("*/*.png"):
        path.write_bytes(path.read_bytes()[:200])
    return data


@pytest.mark.parametrize(
    "argv",
    [
        ("eval", "RUN", "--data", "DATA", "--workers", "1"),
        ("gradients", "SPEC", "--data", "DATA", "-o", "OUT.png"),
        ("report", "RUN", "--data", "DATA", "-o", "OUT.html"),
        ("train", "SPEC", "--data", "DATA", "--augment-preview", "OUT.png"),
    ],
)
def test_pictures_that_cannot_be_read(
    argv: tuple[str, ...], run: Path, broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"RUN": run, "SPEC": run / "spec" / "net.arch", "DATA": broken}
    out = {name: tmp_path / name for name in ("OUT.png", "OUT.html")}
    assert main([str({**names, **out}.get(word, word)) for word in argv]) == 1
    assert f"error[A0705]: cannot read the image `{broken}/" in capsys.readouterr().err
    assert not any(path.exists() for path in out.values())


def test_gradients_of_a_batch_norm_that_sees_one_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "net.arch"
    spec.write_text(
        "model Net(classes = 10) { input x: [N, 1, 8, 8]; flatten -> fc: linear(classes) -> bn: batchnorm; output y }"
    )
    assert main(["gradients", str(spec), "--batch-size", "1", "-o", str(tmp_path / "out.png")]) == 1
    said = capsys.readouterr().err
    assert "error[A0736]: Net cannot be trained with batches of one: its batch norm `bn`" in said
    assert "`--batch-size 2`" in said
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "argv",
    [
        ("gradients", "lenet5", "-o", "plot.txt"),
        ("gradients", "lenet5", "--steps", "-1"),
        ("bench", "lenet5", "-o", "plot.svg"),
        ("bench", "lenet5", "--seconds", "nan"),
        ("bench", "lenet5", "--threads", "0"),
        ("train", "lenet5", "--augment-preview", "preview.jpg"),
        ("predict", "run", "a.png", "--top", "0"),
    ],
)
def test_wrong_usage(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


@pytest.mark.parametrize("file", ["", "best.onnx"])
def test_predict(
    file: str, run: Path, colours: Path, tmp_path: Path, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    if file:
        pytest.importorskip("onnxruntime")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    pictures = [colours / "red" / "03.png", tmp_path / "bad.jpg", colours / "blue" / "05.png"]
    found = told("predict", run / file, *pictures, code=1)
    assert f"cannot read the image `{tmp_path / 'bad.jpg'}`" in found["unreadable"][0]
    assert main(["predict", str(run), str(tmp_path / "bad.jpg")]) == 1
    assert "skip-unreadable" not in capsys.readouterr().err  # which is no flag of predict
    assert [row["picture"] for row in found["pictures"]] == [str(pictures[0]), str(pictures[2])]
    for row, name in zip(found["pictures"], ("red", "blue"), strict=True):
        assert row["classes"][0]["class"] == name
        assert {guess["class"] for guess in row["classes"]} == {"red", "green", "blue"}
        assert sum(guess["probability"] for guess in row["classes"]) == pytest.approx(1)


def test_files_that_no_training_wrote(run: Path, tmp_path: Path, told: Any) -> None:
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    (tmp_path / "text.ckpt").write_text("weights")
    for name, code in (("foreign.ckpt", "A0733"), ("text.ckpt", "A0601"), ("none.ckpt", "A0601"), ("", "A0601")):
        (found,) = told("predict", tmp_path / name, "a.png", code=1)["diagnostics"]
        assert found["code"] == code


def test_a_spec_in_a_checkpoint_writes_nowhere(run: Path, tmp_path: Path, told: Any) -> None:
    checkpoint = torch.load(run / "best.ckpt", weights_only=True)
    files = checkpoint["archdsl"]["spec"]["files"]
    checkpoint["archdsl"]["spec"]["files"] = {**files, str(tmp_path / "planted.arch"): "x", "../planted.arch": "x"}
    torch.save(checkpoint, tmp_path / "hostile.ckpt")
    (found,) = told("predict", tmp_path / "hostile.ckpt", "a.png", code=1)["diagnostics"]
    assert found["code"] == "A0727"
    assert not (tmp_path / "planted.arch").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda told: told.update(classes=7), "A0733"),
        (lambda told: told.update(classes=[]), "A0733"),
        (lambda told: told["input"].update(size=[10**6, 10**6]), "A0733"),
        (lambda told: told["input"].update(std=[0.0] * len(told["input"]["std"])), "A0733"),
        (lambda told: told["input"].pop("mean"), "A0733"),
        (lambda told: told.update(classes=[*told["classes"], "one more"]), "A0601"),
        (lambda told: told["spec"].update(main="../../etc/passwd"), "A0727"),
        (lambda told: told["spec"].update(parameters={"input": "1x3x8x8"}), "A0727"),
        (lambda told: told["spec"].pop("model"), "A0727"),
        (lambda told: told.update(spec=3), "A0727"),
    ],
)
def test_what_a_checkpoint_says_is_not_taken_on_trust(
    change: Any, code: str, run: Path, tmp_path: Path, told: Any
) -> None:
    checkpoint = torch.load(run / "best.ckpt", weights_only=True)
    change(checkpoint["archdsl"])
    torch.save(checkpoint, tmp_path / "hostile.ckpt")
    (found,) = told("predict", tmp_path / "hostile.ckpt", "a.png", code=1)["diagnostics"]
    assert found["code"] == code


# ---- augmentation, drawn ----


def test_augment_preview(run: Path, colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "preview.png"
    spec = run / "spec" / "net.arch"
    argv = ["train", spec, "--data", colours, "--augment", "rand", "--cutmix", 1, "--augment-preview", path]
    assert main([*map(str, argv), "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.strip() == f"wrote {path}"
    with Image.open(path) as image:
        assert image.width > image.height > 300
    assert not (tmp_path / "run").exists()


# ---- the report ----


class Page(HTMLParser):
    """Tags that are open, text, and what a page asks others for."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        if tag == "img":
            self.images.append(found["src"])
        self.asked += [v for k, v in attrs if k in ("src", "href", "xlink:href") and not v.startswith(("data:", "#"))]
        if tag not in self.VOID and "/" not in found:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(run: Path) -> Path:
    assert main(["report", str(run)]) == 0
    return run / "report.html"


def test_the_report_holds_everything_itself(page: Path, run: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parsed = Page()
    parsed.feed(text)
    assert (parsed.open, parsed.asked) == ([], [])
    assert "@import" not in text
    assert "url(http" not in text
    accuracy = result(run)["test_accuracy"]
    for part in (f"{100 * accuracy:.1f} %", "Net on colours", 'optimizer = "adamw"', "archdsl train", "conv 3×3, 6"):
        assert part in html.unescape(text)
    wrong = round((1 - accuracy) * 12)
    assert len(parsed.images) == min(wrong, 24)
    assert len(re.findall(r"<svg", text)) == 2


def test_the_commands_in_the_report_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = html.unescape(page.read_text(encoding="utf-8")).rpartition("<pre>")[2].splitlines()
    monkeypatch.chdir(tmp_path)
    _, *again = shlex.split(commands[0])
    assert main([*again, "--epochs", "1"]) == 0
    first = [(out / "log.csv").read_text().splitlines()[1] for out in (page.parent, tmp_path / "again")]
    assert first[0].split(",")[0] == first[1].split(",")[0]


def test_the_report_in_a_browser(page: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    shot = tmp_path / "page.png"
    size = ["--window-size=1000,2400", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}"]
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", *size, f"--screenshot={shot}", page.as_uri()]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    if not shot.exists():
        pytest.skip(f"Chromium does not run here: {ran.stderr[-200:]}")
    with Image.open(shot) as image:
        pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8).view(2400, 1000, 3)
    blue = (pixels.int() - torch.tensor([31, 111, 235])).abs().sum(2) < 12  # the diagonal of the matrix, the curves
    rows = blue.any(1).nonzero().flatten()
    assert blue.sum() > 200
    assert rows.max() - rows.min() > 200


@pytest.mark.parametrize("state", ["none", "not ended"])
def test_no_report_of_what_is_no_run(state: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if state == "not ended":
        facts = json.loads((run / "run.json").read_text())
        del facts["result"]
        (tmp_path / "run.json").write_text(json.dumps(facts))
    assert main(["report", str(tmp_path)]) == 1
    assert "A0601" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


# ---- what is read is not written over, and what is not finite is no score ----------------------------------


@pytest.mark.parametrize("name", ["best.ckpt", "run.json", "log.csv", "recipe.toml"])
def test_a_report_replaces_nothing_that_it_reads(run: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / name).read_bytes()
    with pytest.raises(SystemExit):
        main(["report", str(run), "-o", str(run / name)])
    assert "does not end in .html" in capsys.readouterr().err
    assert (run / name).read_bytes() == before


def test_an_export_says_which_checkpoint_it_is_of(run: Path) -> None:
    onnx = pytest.importorskip("onnx")
    told = {entry.key: entry.value for entry in onnx.load(run / "best.onnx").metadata_props}
    digest = hashlib.sha256((run / "best.ckpt").read_bytes()).hexdigest()
    assert told["weights"] == f"best.ckpt (sha256 {digest})"
    assert json.loads(told["archdsl"])["model"] == "Net"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite(value: float, run: Path, colours: Path, tmp_path: Path, told: Any) -> None:
    checkpoint = torch.load(run / "best.ckpt", weights_only=True)
    checkpoint["state_dict"]["network.fc.bias"][1] = value
    torch.save(checkpoint, tmp_path / "diverged.ckpt")
    for argv in (("eval",), ("predict", colours / "red" / "03.png")):
        (found,) = told(argv[0], tmp_path / "diverged.ckpt", *argv[1:], code=1)["diagnostics"]
        assert found["code"] == "A0735"


def test_a_class_that_is_ruled_out_is_no_fault(run: Path, colours: Path, tmp_path: Path, told: Any) -> None:
    checkpoint = torch.load(run / "best.ckpt", weights_only=True)
    checkpoint["state_dict"]["network.fc.bias"][1] = float("-inf")
    torch.save(checkpoint, tmp_path / "ruled.ckpt")
    (row,) = told("predict", tmp_path / "ruled.ckpt", colours / "red" / "03.png")["pictures"]
    assert row["classes"][-1]["probability"] == 0


def test_a_network_from_standard_input_is_trained_and_used(
    colours: Path, tmp_path: Path, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "model Net(classes = 10) { input x: [N, 3, 12, 12]; flatten -> fc: linear(classes); output y }"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    out = tmp_path / "run"
    argv = ("train", "-", "--data", colours, "--epochs", "1", "--workers", "0", "--no-tensorboard", "--out", out)
    assert told(*argv)["model"] == "Net"
    assert (out / "spec" / "stdin.arch").read_text() == text
    assert told("predict", out, colours / "red" / "03.png")["ok"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows knows no named pipes")
def test_a_pipe_is_no_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "recipe.toml")
    assert main(["train", "lenet5", "--data", "digits", "--recipe", str(tmp_path / "recipe.toml")]) == 1
    assert "A0601" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv", [("train", "lenet5", "--out", ""), ("train", "lenet5", "--resume", ""), ("demo", "--out", "")]
)
def test_an_empty_name_is_no_folder(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
