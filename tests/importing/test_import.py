"""Small torch modules become specs that a person would write, proved equal; what cannot be said is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl.cli import main
from archdsl.errors import SpecError
from archdsl.formatting import format_source
from archdsl.importing.sources.module import Imported, complement, import_module
from archdsl.source import Source
from tests.importing import networks

SHAPES = {
    networks.Residual: (1, 3, 32, 32),
    networks.Transformer: (1, 3, 16, 16),
    networks.Efficient: (1, 3, 16, 16),
    networks.Dense: (1, 3, 16, 16),
    networks.Disordered: (1, 12),
    networks.Branches: (1, 3, 8, 8),
}
TEXTS = Path(__file__).parent / "texts"
ROOT = Path(__file__).parents[2]


def module_of(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind()


@cache
def imported(kind: type[nn.Module]) -> Imported:
    return import_module(module_of(kind), [torch.randn(SHAPES[kind])], kind.__name__)


@pytest.mark.parametrize("kind", SHAPES, ids=lambda k: k.__name__)
def test_text(kind: type[nn.Module]) -> None:
    """As reviewed; ``python -m tests.importing.test_import`` writes the texts."""
    assert imported(kind).text == (TEXTS / f"{kind.__name__.lower()}.arch").read_text(encoding="utf-8")


def test_resnet50_of_torchvision_is_what_the_documents_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torchvision")
    path = tmp_path / "resnet50.arch"
    assert main(["import", "torchvision:resnet50", "--input", "1x3x64x64", "-o", str(path)]) == 0
    assert "inference: proved equal for all weights and inputs" in capsys.readouterr().out
    shown = f"<!-- torchvision:resnet50 -->\n```\n{path.read_text(encoding='utf-8')}```\n"
    for document in ("README.md", "docs/import.md"):
        assert shown in (ROOT / document).read_text(encoding="utf-8")


SOURCE = "python:tests.importing.networks:Branches"


def test_commands_take_networks_of_other_packages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", SOURCE, "--input", "1x3x8x8"]) == 0
    assert "Branches: image [1, 3, 8, 8]" in capsys.readouterr().out
    path = tmp_path / "branches.arch"
    assert main(["check", SOURCE, "--input", "1x3x8x8"]) == 0
    assert main(["import", SOURCE, "--input", "1x3x8x8", "-o", str(path)]) == 0
    capsys.readouterr()
    assert main(["compile", SOURCE, "--input", "2x3x8x8", "-o", str(tmp_path / "net.py")]) == 0
    assert main(["viz", SOURCE, "--input", "2x3x8x8", "-o", str(tmp_path / "net.svg")]) == 0
    assert main(["compare", SOURCE, str(path), "--input", "1x3x8x8"]) == 0
    assert capsys.readouterr().out.count("×1 ") >= 4  # as much of everything


def test_a_network_without_its_input_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", SOURCE]) == 1
    assert "its input is unknown" in capsys.readouterr().err


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("timm:net").write_text("arch 1\nmodel M { input x: [N, 4]; relu; output y }\n", encoding="utf-8")
    assert main(["check", "timm:net"]) == 0


@pytest.mark.parametrize("kind", SHAPES, ids=lambda k: k.__name__)
def test_is_formatted(kind: type[nn.Module]) -> None:
    text = imported(kind).text
    assert format_source(Source("spec", text)) == text


@pytest.mark.parametrize("kind", SHAPES, ids=lambda k: k.__name__)
@pytest.mark.parametrize("batch", [1, 5])
def test_computes_the_same(kind: type[nn.Module], batch: int) -> None:
    """Torch is the oracle, at batch sizes that were not recorded."""
    module = module_of(kind).eval()
    rebuilt = imported(kind).model.module().eval()
    wanted = module.state_dict()
    assert [(n, t.shape, t.dtype) for n, t in wanted.items()] == [
        (n, t.shape, t.dtype) for n, t in rebuilt.state_dict().items()
    ]
    rebuilt.load_state_dict(wanted)
    x = torch.randn(batch, *SHAPES[kind][1:])
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(x), module(x), rtol=1e-4, atol=1e-5)


def test_proofs() -> None:
    proofs = {kind.__name__: imported(kind).proof for kind in SHAPES}
    by_terms = {name for name, p in proofs.items() if (p.inference, p.training) == ("terms", "terms")}
    assert by_terms == {"Residual", "Efficient", "Dense", "Disordered", "Branches"}
    assert (proofs["Transformer"].inference, proofs["Transformer"].training) == ("numbers", "numbers")


def test_open_height_and_width() -> None:
    module, rebuilt = module_of(networks.Efficient).eval(), imported(networks.Efficient).model.module().eval()
    rebuilt.load_state_dict(module.state_dict())
    x = torch.randn(2, 3, 24, 40)
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(x), module(x), rtol=1e-4, atol=1e-5)


def test_the_module_is_left_as_it_was() -> None:
    module = module_of(networks.Residual)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    call = nn.Module.__call__
    archdsl.from_torch(module, torch.randn(1, 3, 32, 32))
    assert nn.Module.__call__ is call
    assert module.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_from_torch() -> None:
    model = archdsl.from_torch(module_of(networks.Disordered), [torch.randn(1, 12)], name="net")
    assert model.name == "net"
    assert "body -> tanh -> head" in model.spec()
    assert model.params == 12 * 8 + 8 + 8 * 5 + 5


# ---- refused -----------------------------------------------------------------------------------------------


def refusal(kind: type[nn.Module]) -> str:
    with pytest.raises(SpecError) as caught:
        import_module(module_of(kind), [torch.randn(1, 4)], kind.__name__)
    return str(caught.value)


def test_unknown_function() -> None:
    text = refusal(networks.Inverse)
    assert "A0540" in text
    assert "`erfinv` in `Inverse`" in text
    assert "networks.py:" in text


def test_layer_that_never_runs() -> None:
    text = refusal(networks.Unused)
    assert "A0541" in text
    assert "`unused.weight`" in text


def test_batch_that_is_too_small_is_no_matter() -> None:
    """One example is enough: the recorded batches are made of it."""
    assert imported(networks.Residual).model.inputs["image"].shape[0] != 1


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_no_spec_can_write(number: float) -> None:
    module = nn.Sequential(nn.Linear(4, 4), networks.Shift(number))
    with pytest.raises(SpecError, match="which a spec cannot write"):
        import_module(module, [torch.randn(1, 4)], "net")


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("raise RuntimeError('a fault')", "raises RuntimeError when it is imported: a fault"),
        ("import sys; sys.exit(3)", "raises SystemExit when it is imported: 3"),
        ("def (", "raises SyntaxError when it is imported"),
        ("def Net(): raise SystemExit(4)", "`Net` raises SystemExit: 4"),
    ],
)
def test_code_that_raises_is_no_fault_of_ours(
    code: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = f"faulty_{tmp_path.name}"
    (tmp_path / f"{package}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["import", f"python:{package}:Net", "--input", "1x4", "-o", str(tmp_path / "net.arch")]) == 1
    error = capsys.readouterr().err
    assert "A0542" in error
    assert answer in error
    assert not (tmp_path / "net.arch").exists()


@pytest.mark.parametrize("source", ["python::Net", "python:torch:", "python:torch"])
def test_a_source_without_a_name(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", source, "--input", "1x4"]) == 1
    assert "it names no object of a Python module" in capsys.readouterr().err


def test_a_network_that_raises() -> None:
    with pytest.raises(SpecError, match="it raises RuntimeError"):
        import_module(nn.Linear(3, 2), [torch.randn(1, 5)], "net")


def test_training_that_differs_is_stated_in_the_first_line() -> None:
    found = import_module(module_of(networks.Training), [torch.randn(1, 4)], "Net")
    assert found.proof.training is None
    assert found.text.startswith("# Proved at inference only")


@pytest.mark.parametrize("rate", [0.1, 0.025, 0.2, 1 / 3, 0.0875])
def test_rate_of_a_drop(rate: float) -> None:
    assert 1 - complement(1 - rate) == 1 - rate


# ---- the command -------------------------------------------------------------------------------------------


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "net.arch"
    source = "python:tests.importing.networks:Disordered"
    assert main(["import", source, "--input", "1x12", "-o", str(output)]) == 0
    assert "inference: proved equal" in capsys.readouterr().out
    assert main(["check", str(output)]) == 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere:net", "the prefix is unknown"),
        ("python:tests.importing.networks:Nothing", "no attribute"),
        ("python:no.such.package:net", "No module named"),
        ("python:json:loads", "raises TypeError"),
        ("python:json:JSONDecoder", "no torch module"),
    ],
)
def test_sources_that_cannot_be_opened(source: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", source, "--input", "1x3"]) == 1
    found = capsys.readouterr().err
    assert "A0542" in found
    assert reason in found


def test_nothing_is_written_if_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "net.arch"
    assert main(["import", "python:tests.importing.networks:Inverse", "--input", "1x4", "-o", str(output)]) == 1
    assert not output.exists()
    assert "A0540" in capsys.readouterr().err


if __name__ == "__main__":
    TEXTS.mkdir(exist_ok=True)
    for each in SHAPES:
        (TEXTS / f"{each.__name__.lower()}.arch").write_text(imported(each).text, encoding="utf-8")
