"""Modules of loaded models survive pickling, whatever else was loaded, and in processes that never saw their spec."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.errors import SpecError

pytest.importorskip("torch")

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

UNITS = "arch 1\nblock Unit(width) { conv: conv(width, 3, pad=1) -> relu }\n"
NET = 'arch 1\nuse Unit from "units.arch"\nmodel Net(width = 4) {\n  input x: [N, 3, H, W]\n  a: Unit(width)\n'
TAIL = "  b: seq { for i in 0..3 { Unit(width) } }\n  output y\n}\n"


def written(folder: Path, text: str = NET + TAIL) -> str:
    (folder / "units.arch").write_text(UNITS, encoding="utf-8")
    (folder / "net.arch").write_text(text, encoding="utf-8")
    return str(folder / "net.arch")


def in_a_fresh_process(code: str, folder: Path) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_it_pickles_whatever_was_loaded_after_it() -> None:
    first = archdsl.load("lenet5").module()
    second = archdsl.load("lenet5", classes=17).module()
    x = torch.rand(2, 1, 32, 32)
    for module in (first, second):
        again = pickle.loads(pickle.dumps(module))
        assert type(again) is type(module)
        assert torch.equal(again(x), module(x))
    assert type(first) is not type(second)


def test_the_same_network_has_one_class() -> None:
    assert type(archdsl.load("lenet5").module()) is type(archdsl.load("lenet5").module())


def test_it_pickles_as_it_was_loaded_last() -> None:
    """With its own sizes, although another model with the same source was loaded before."""
    model = archdsl.load("lenet5", classes=23, input="Nx1x32x32").module()
    module = archdsl.load("lenet5", classes=23).module()
    assert type(module) is type(model)
    again = pickle.loads(pickle.dumps(module, protocol=0))  # which cannot hold symbols, such as N
    assert list(again.state_dict()) == list(module.state_dict())


def test_a_process_that_never_saw_the_spec_unpickles_it(tmp_path: Path) -> None:
    module = archdsl.load(written(tmp_path), width=5, input="2x3xHx7").module()
    x = torch.rand(2, 3, 6, 7)
    torch.save(module, tmp_path / "net.pt")
    torch.save((x, module(x)), tmp_path / "data.pt")
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(module))
    for file in tmp_path.glob("*.arch"):
        file.unlink()
    load = (
        "import pickle, torch; x, y = torch.load('data.pt')\n"
        "for module in (torch.load('net.pt', weights_only=False), pickle.load(open('net.pkl', 'rb'))):\n"
        "    print(torch.allclose(module(x), y, atol=1e-6))"
    )
    assert in_a_fresh_process(load, tmp_path).split() == ["True", "True"]


def test_copies_share_their_class_and_no_weights() -> None:
    module = archdsl.load("lenet5").module()
    twin = copy.deepcopy(module)
    assert type(twin) is type(module)
    first, second = next(module.parameters()), next(twin.parameters())
    assert torch.equal(first, second)
    assert first.data_ptr() != second.data_ptr()


class Seen(Dataset[Any]):
    """A data set that computes with a module."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        with torch.no_grad():
            return self.module(torch.full((1, 1, 32, 32), float(index)))


def test_workers_of_a_data_loader_get_it() -> None:
    data = Seen(archdsl.load("lenet5").module().eval())
    archdsl.load("lenet5", classes=17).module()
    found = list(DataLoader(data, batch_size=1, num_workers=1, multiprocessing_context="spawn"))
    for index, value in enumerate(found):
        assert torch.allclose(value[0], data[index], atol=1e-6)


def test_each_class_has_its_own_source() -> None:
    first = archdsl.load("lenet5").module()
    second = archdsl.load("lenet5", classes=17).module()
    assert "classes: int = 10" in inspect.getsource(type(first))
    assert "classes: int = 17" in inspect.getsource(type(second))
    unit = archdsl.load("resnet18").module().get_submodule("layer1.0")
    assert inspect.getsource(type(unit)).startswith("class BasicUnit(nn.Module):")


def test_tracebacks_show_its_lines() -> None:
    module = archdsl.load("lenet5").module()
    with pytest.raises(RuntimeError) as caught:
        module(torch.zeros(1, 2, 32, 32))
    assert "self.c1(" in "".join(traceback.format_exception(caught.value))


def test_versions_of_one_file(tmp_path: Path) -> None:
    old = archdsl.load(written(tmp_path)).module()
    new = archdsl.load(written(tmp_path, NET + TAIL.replace("0..3", "0..2"))).module()
    again = archdsl.load(written(tmp_path)).module()
    for module, members in ((old, 3), (new, 2), (again, 3)):
        assert len(pickle.loads(pickle.dumps(module)).b) == members
    assert type(old) is type(again)


def test_threads_load_at_once() -> None:
    def load(classes: int) -> tuple[int, nn.Module]:
        return classes, archdsl.load("lenet5", classes=classes).module()

    with ThreadPoolExecutor(4) as pool:
        for classes, module in pool.map(load, [10, 11, 12, 10, 11, 12]):
            assert pickle.loads(pickle.dumps(module))(torch.zeros(1, 1, 32, 32)).shape == (1, classes)


class Wrapped(nn.Module):
    """Somebody's own network around one."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


def test_inside_another_module_and_as_a_part() -> None:
    module = archdsl.load("resnet18").module()
    whole = pickle.loads(pickle.dumps(Wrapped(module)))
    part = pickle.loads(pickle.dumps(module.get_submodule("layer1")))
    assert type(whole.inner) is type(module)
    assert list(part.state_dict()) == list(module.get_submodule("layer1").state_dict())


def test_a_subclass_is_its_own_module_s() -> None:
    cls = type("Mine", (type(archdsl.load("lenet5").module()),), {"__module__": __name__})
    globals()["Mine"] = cls
    assert type(pickle.loads(pickle.dumps(cls()))) is cls


@pytest.mark.parametrize(
    "change",
    [
        (b"self.c3(x)", b"self.c1(x)"),
        (b"torch.sigmoid", b"torch.relu"),
        (b"return self.output(x)", b"print('executed'); return self.output(x)"),
        (b"import torch\n", b"import torch\nprint('executed')\n"),
        (b"model LeNet5", b"model LaNet5"),
        (b"arch 1", b"arch 9"),
    ],
)
def test_a_changed_pickle_is_refused_before_its_source_runs(
    change: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = archdsl.load("lenet5").module()
    data = pickle.dumps(module, protocol=0)
    monkeypatch.delitem(sys.modules, type(module).__module__)  # as in a process that has not defined the classes yet
    old, new = (text.replace(b"\n", b"\\u000a") for text in change)
    assert old in data
    with pytest.raises(SpecError, match="A0504"):
        pickle.loads(data.replace(old, new))
    assert capsys.readouterr().out == ""


def test_what_is_no_recipe_is_refused() -> None:
    from archdsl.evaluate.workspace import Bundle
    from archdsl.pickles import Recipe, _empty_instance

    recipe = Recipe(Bundle((("a.arch", 'arch 1\nuse B from "b.arch"\n', (7,)),)), "Net", (), ())
    with pytest.raises(SpecError, match="A0504"):
        _empty_instance("import os\n", "Net", recipe, "Net")
