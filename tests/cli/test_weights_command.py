"""``archdsl weights``: what it says of checkpoints, and what it writes."""

from __future__ import annotations

import json
import resource
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import archdsl
from archdsl.cli import main
from archdsl.weights import Checkpoint, read_checkpoint
from archdsl.weights.statistics import statistics

SPEC = """
block Unit(width) { conv: conv(width, 3, pad=1) -> relu }
model Net(classes = 4) {
  input image: [N, 3, 8, 8]
  a: Unit(8) -> b: Unit(8)
  global_avgpool -> flatten -> fc: linear(classes)
  output y
}
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.arch").write_text(SPEC)
    return str(tmp_path / "net.arch")


def run(capsys: pytest.CaptureFixture[str], *argv: Any, code: int = 0) -> str:
    assert main(["weights", *map(str, argv)]) == code
    found = capsys.readouterr()
    return found.err if code and not found.out else found.out


def test_inspect_names_tensors_and_the_networks_that_fit(
    net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = archdsl.load(net).module().state_dict()
    state["a.conv.bias"] = torch.tensor([0.0, 1, 2, 3, float("nan"), 5, float("inf"), 7])
    torch.save({"model": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, tmp_path / "w.pth")
    shown = run(capsys, "inspect", tmp_path / "w.pth", net)
    assert shown.startswith("entry `model`: 6 tensors, 844 elements, 3.38 KB\n")
    (line,) = [line for line in shown.splitlines() if "a.conv.bias" in line]
    assert line.split() == ["module.a.conv.bias", "[8]", "float32", "3", "2.38", "0", "7", "1", "NaN,", "1", "infinite"]
    assert shown.endswith(f"fits {net} (`model`)\n")
    facts = json.loads(run(capsys, "inspect", tmp_path / "w.pth", net, "--format", "json"))
    assert facts["fits"] == [{"network": net, "entry": "model", "prefix": "", "without": []}]
    assert facts["entries"]["model"]["module.a.conv.bias"]["nan"] == 1


def test_a_shipped_network_is_recognised_without_its_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = archdsl.load("lenet5").module().state_dict()
    head = [name for name in state if name.startswith("output.")]
    assert head
    save_file({n: v for n, v in state.items() if n not in head}, tmp_path / "lenet5-trained.safetensors")
    shown = run(capsys, "inspect", tmp_path / "lenet5-trained.safetensors", "lenet5", "--no-statistics")
    assert shown.endswith("fits lenet5, without `output`\n")
    save_file(state, tmp_path / "lenet5-trained.safetensors")
    shown = run(capsys, "inspect", tmp_path / "lenet5-trained.safetensors", "--no-statistics")
    assert shown.endswith("fits lenet5\n")


def test_statistics_are_numpys_whatever_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.weights.statistics.PIECE", 7)
    numbers = torch.randn(50, generator=torch.Generator().manual_seed(0))
    found = statistics(numbers.reshape(5, 10).t())
    assert found is not None
    array = numbers.double().numpy()
    wanted = [array.mean(), array.std(), array.min(), array.max(), 0, 0]
    assert list(vars(found).values()) == pytest.approx(wanted)
    assert statistics(torch.zeros(0)) is None
    assert statistics(torch.tensor([True, False])).mean == 0.5  # type: ignore[union-attr]


def test_diff_lists_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = {
        "a": torch.ones(2),
        "b": torch.ones(3),
        "c": torch.tensor([float("nan")]),
        "d": torch.ones(1),
        "s": torch.tensor(1),
    }
    theirs = {"a": torch.ones(2) + 0.5, "b": torch.ones(4), "c": ours["c"], "e": torch.ones(1), "s": torch.tensor(1)}
    torch.save(ours, tmp_path / "a.pth")
    save_file(theirs, tmp_path / "b.safetensors")
    shown = run(capsys, "diff", tmp_path / "a.pth", tmp_path / "b.safetensors", code=1)
    assert shown.splitlines() == [
        "- d",
        "+ e",
        "~ a: differs by up to 0.5",
        "~ b: shape [3] -> [4]",
        "2 equal, 2 changed, 1 gone, 1 new",
    ]
    assert run(capsys, "diff", tmp_path / "a.pth", tmp_path / "a.pth") == "5 equal, 0 changed, 0 gone, 0 new\n"
    half = {k: v.half() if v.is_floating_point() else v for k, v in ours.items()}
    torch.save(half, tmp_path / "h.pth")
    assert "~ a: dtype float32 -> float16" in run(capsys, "diff", tmp_path / "a.pth", tmp_path / "h.pth", code=1)


def test_map_writes_the_networks_names_and_convert_another_form(
    net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = archdsl.load(net).module().state_dict()
    torch.save({f"module.{k}": v for k, v in state.items()}, tmp_path / "w.pth")
    shown = run(capsys, "map", tmp_path / "w.pth", net, "-o", tmp_path / "m.safetensors")
    assert shown.splitlines()[1:] == ["  removed `module.` from the names"]
    mapped = load_file(tmp_path / "m.safetensors")
    assert mapped.keys() == state.keys()
    assert all(torch.equal(mapped[name], value) for name, value in state.items())
    run(capsys, "convert", tmp_path / "m.safetensors", "-o", tmp_path / "c.pth")
    assert archdsl.load(net).module(tmp_path / "c.pth")
    torch.save({"model": state, "ema": state}, tmp_path / "two.pth")
    assert "A0616" in run(capsys, "convert", tmp_path / "two.pth", "-o", tmp_path / "x.pth", code=1)
    run(capsys, "convert", f"{tmp_path / 'two.pth'}:ema", "-o", tmp_path / "x.pth")
    with pytest.raises(SystemExit):
        main(["weights", "convert", str(tmp_path / "two.pth"), "-o", "x.bin"])


def test_tensors_that_share_memory_are_written_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = torch.arange(6.0).reshape(2, 3)
    torch.save({"embed": table, "head": table, "turned": table.t()}, tmp_path / "tied.pth")
    run(capsys, "convert", tmp_path / "tied.pth", "-o", tmp_path / "tied.safetensors")
    found = load_file(tmp_path / "tied.safetensors")
    assert torch.equal(found["embed"], table)
    assert torch.equal(found["head"], table)
    assert torch.equal(found["turned"], table.t())


# ---- files of several parts, large ones ------------------------------------------------------------------------


def shards(folder: Path, places: dict[str, str]) -> Path:
    for name in set(places.values()):
        if name == Path(name).name:
            save_file({k: torch.full((2,), float(i)) for i, k in enumerate(places) if places[k] == name}, folder / name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder / "model.safetensors.index.json"


def test_an_index_stands_for_its_shards(tmp_path: Path) -> None:
    found = read_checkpoint(shards(tmp_path, {"a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors"}))
    assert isinstance(found, Checkpoint)
    assert {k: v.tolist() for k, v in found.entries[""].items()} == {"a": [0, 0], "b": [1, 1], "c": [2, 2]}


@pytest.mark.parametrize("place", ["../secret.safetensors", "/etc/passwd", "gone.safetensors", ""])
def test_an_index_reads_only_beside_itself(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"a": torch.zeros(1)}, tmp_path / "secret.safetensors")
    (folder / "m.index.json").write_text(json.dumps({"weight_map": {"a": place}}))
    found = read_checkpoint(folder / "m.index.json")
    assert not isinstance(found, Checkpoint)
    assert "in the same folder" in found.message


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": 5}', '{"weight_map": {"a": 5}}', "[" * 100_000])
def test_what_is_no_index(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.index.json").write_text(text)
    assert not isinstance(read_checkpoint(tmp_path / "m.index.json"), Checkpoint)


def test_a_large_file_is_mapped_and_not_read(tmp_path: Path) -> None:
    """4 GB of zeros in a sparse file: the process grows by less than 100 MB."""
    numbers = 10**9
    header = json.dumps({"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 4 * numbers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = read_checkpoint(path)
    assert isinstance(found, Checkpoint)
    assert found.entries[""]["w"][-1] == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_numbers_of_an_old_form_above_2_gb_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.weights.read.LEGACY_LIMIT", 1000)
    torch.save({"a": torch.zeros(1000)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    found = read_checkpoint(tmp_path / "old.pth")
    assert not isinstance(found, Checkpoint)
    assert "PyTorch before 1.6" in found.message
    torch.save({"a": torch.zeros(10)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert isinstance(read_checkpoint(tmp_path / "old.pth"), Checkpoint)


def test_numpy_arrays_are_no_tensors(tmp_path: Path) -> None:
    torch.save({"a": np.zeros(3)}, tmp_path / "n.pth")
    assert not isinstance(read_checkpoint(tmp_path / "n.pth"), Checkpoint)
