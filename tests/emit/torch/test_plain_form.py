"""What cannot be proved is not shipped in silence: first the plain form with a notice, then nothing but an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import archdsl
from archdsl.elaborate.modules import Modules
from archdsl.emit.torch.emission import emit, emit_graph
from archdsl.emit.torch.load import make_module
from archdsl.emit.torch.lower import source as lower
from archdsl.errors import SpecError
from archdsl.graph import Graph

from .networks import model_of, shipped, short, sketched
from .proof import refusal

torch = pytest.importorskip("torch")


Change = Callable[[str], str]


def shared_as(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let the back end write something else where blocks are built on symbols."""
    right = lower.shared_text

    def changed(graph: Graph, others: Sequence[Graph] = ()) -> lower.Written:
        written = right(graph, others)
        return written._replace(text=change(written.text))

    monkeypatch.setattr(lower, "shared_text", changed)


def plain_as(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let the back end write something else where every number is written out."""
    right = lower.plain_text

    def changed(graph: Graph) -> lower.Written:
        written = right(graph)
        return written._replace(text=change(written.text))

    monkeypatch.setattr(lower, "plain_text", changed)


def fail(text: str) -> str:
    raise RuntimeError("a fault of ours")


def test_the_plain_form_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    shared_as(monkeypatch, lambda text: text.replace("stride=2", "stride=3"))
    source = emit(archdsl.load("resnet18"))
    (notice,) = source.diagnostics
    assert notice.code == "A0501"
    assert "class ResNet18" in source.text
    assert list(make_module(source.text, source.class_name).state_dict()) == [*archdsl.load("resnet18").graph.weights]


def test_the_plain_form_of_what_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    shared_as(monkeypatch, fail)
    source = emit(archdsl.load("googlenet"))
    assert "a fault of ours" in source.diagnostics[0].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("change", [fail, lambda text: text.replace("F.relu", "F.silu")])
def test_nothing_else(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    shared_as(monkeypatch, change)
    plain_as(monkeypatch, change)
    with pytest.raises(SpecError, match="A0500"):
        emit(archdsl.load("resnet18"))


def test_strange_text_is_refused_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for spoil in (shared_as, plain_as):
        spoil(monkeypatch, lambda text: text + "\n\nprint(open('/etc/passwd').read())\n")
    with pytest.raises(SpecError, match="a statement outside of a class"):
        emit(archdsl.load("lenet5"))


def test_the_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from archdsl.cli import main

    shared_as(monkeypatch, lambda text: text.replace("stride=2", "stride=3"))
    assert main(["compile", "resnet18", "-o", "-"]) == 0
    shown = capsys.readouterr()
    assert "layer by layer" in shown.err
    assert "class ResNet18" in shown.out


def test_it_is_torch_s_arithmetic_that_is_proved() -> None:
    """A hand-written file is held against the graph by the same rules."""
    model = archdsl.load("lenet5")
    text = model.source()
    assert refusal(text, "LeNet5", model.graph) is None
    assert "c3" in str(refusal(text.replace("6, 16, 5", "6, 16, 3"), "LeNet5", model.graph))


def test_with_every_number_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last way, where blocks cannot be built on symbols."""
    monkeypatch.setattr(lower, "specialised", lambda *_: fail(""))
    source = emit_graph(archdsl.load("resnet18").graph)
    assert "nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=False)" in source.text


@pytest.mark.parametrize("name", [*sketched(), *shipped()], ids=short)
def test_every_network_has_a_plain_form(name: str) -> None:
    graph = archdsl.load(name).graph
    for form in (lower.shared_text, lower.plain_text):
        text, class_name, _ = form(graph)
        assert refusal(text, class_name, graph) is None


def test_scopes_are_called() -> None:
    """Hooks on a block see what it gives, in this form too."""
    source = emit_graph(archdsl.load("resnet18", input="1x3x32x32").graph)
    module = make_module(source.text, source.class_name)
    seen: list[tuple[int, ...]] = []
    module.layer3.register_forward_hook(lambda _, given, found: seen.append(tuple(found.shape)))
    module.eval()(torch.zeros(1, 3, 32, 32))
    assert seen == [(1, 256, 2, 2)]


def test_a_module_that_runs_again_on_other_sizes() -> None:
    model = model_of(
        'arch 1\nblock B { a: conv(4, 1) as p; it[:, :, ::2] -> resize("nearest", like=p) }\n'
        "model M { input x: [N, 4, H, 8]; let b: B; b; maxpool(2); b; output y }\n"
    )
    source = emit_graph(model.graph)
    module = make_module(source.text, source.class_name)
    assert module(torch.zeros(1, 4, 7, 8)).shape == (1, 4, 3, 4)


def test_what_only_training_needs_does_not_run_in_evaluation() -> None:
    model = model_of(
        "arch 1\nblock Head { a: linear(3) -> relu }\nmodel M { input x: [N, 4]; f: linear(4) as p\n"
        "output aux = p -> head: Head when training\np -> g: linear(2); output y }\n"
    )
    source = emit_graph(model.graph)
    module = make_module(source.text, source.class_name)
    runs: list[int] = []
    module.head.register_forward_hook(lambda *_: runs.append(1))
    assert module.eval()(torch.zeros(1, 4)).shape == (1, 2)
    assert runs == []
    assert [tuple(t.shape) for t in module.train()(torch.zeros(1, 4))] == [(1, 2), (1, 3)]
    assert runs == [1]


def test_a_parameter_that_is_one_number() -> None:
    model = model_of("arch 1\nmodel M { input x: [N, 4]; param p: [] = normal(std=0.5); it * p; output y }\n")
    source = emit_graph(model.graph)
    module = make_module(source.text, source.class_name)
    x = torch.ones(1, 4)
    assert torch.equal(module(x), x * module.p)


def test_two_layers_at_one_module_are_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker refuses such a graph (A0306); the proof does not rely on that."""
    monkeypatch.setattr(Modules, "require_same", lambda *_: None)
    model = model_of(
        "arch 1\nmodel M { input x: [1, 4, 8]\nlet m: { c: conv(4, 1, pad=1 if it.shape[2] == 8 else 0) }\n"
        "m -> m\noutput y }\n"
    )
    with pytest.raises(SpecError, match=r"two layers at m\.c"):
        emit_graph(model.graph)


def test_equal_scopes_share_a_class() -> None:
    source = emit_graph(archdsl.load("torchvision/vit_b_16").graph)
    assert source.text.count("\nclass ") < 8
