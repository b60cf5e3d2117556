"""A family as one file: its classes, a function for each member that shares one, and each member the network it was."""

from __future__ import annotations

from functools import cache

import pytest

import archdsl
from archdsl.compiler import Spec, from_text, library_root, open_spec
from archdsl.emit.torch.family import FamilySource, family_source
from archdsl.emit.torch.load import make_module
from archdsl.emit.torch.lower.classes import Lowering
from archdsl.emit.torch.text import file_text
from archdsl.errors import SpecError
from archdsl.model import open_members

torch = pytest.importorskip("torch")

NET = "model Net(width, classes = 3) { input x: [N, 4]; h: linear(width) -> relu; f: linear(classes); output y }"


def family_of(text: str) -> FamilySource:
    return family_source(open_members(from_text(f"arch 1\n{text}"), {}, {}))


def test_members_that_differ_in_numbers_are_one_class() -> None:
    family = family_of(f"{NET}\nmodel Small = Net(8)\nmodel Large = Net(16)")
    assert family.members == {"Small": "small", "Large": "large"}
    assert family.text.count("class ") == 1
    assert "def small() -> Net:\n    return Net(width=8)" in family.text


def test_other_networks_are_other_classes_and_share_blocks() -> None:
    family = family_of(
        "block B(c) { f: linear(c) -> relu }\n"
        "model A { input x: [N, 4]; a: B(3); output y }\nmodel C { input x: [N, 4]; a: B(5); b: B(6); output y }"
    )
    assert family.members == {"A": "A", "C": "C"}
    assert family.text.count("class B(") == 1


def test_blocks_in_lists_make_a_class_for_each_member() -> None:
    """They cannot be arguments: Python has no literal for them."""
    family = family_of(
        "block P(c) { f: linear(c) -> relu }\nblock Q(c) { f: linear(c) }\n"
        "model Net(rows) { input x: [N, 4]; for i in 0..2 { let [Block, c] = rows[i]; s{i}: Block(c) }; output y }\n"
        "model A = Net([[P, 3], [Q, 4]])\nmodel B = Net([[P, 5], [Q, 6]])"
    )
    assert family.members == {"A": "A", "B": "B"}


def test_numbers_that_no_member_varies_are_arguments_with_defaults() -> None:
    """As in the file of one member. The class is proved for other values of them too."""
    family = family_of(f"{NET}\nmodel Small = Net(8)\nmodel Large = Net(16)")
    assert "def __init__(self, width: int, classes: int = 3)" in family.text


def test_activations_flags_and_lists() -> None:
    family = family_of(
        "model Net(act, is_deep, sizes) { input x: [N, 4]\nbody: seq { linear(3) -> act; if is_deep { linear(5) } }\n"
        "tail: seq { for s in sizes { linear(s) } }\noutput y }\n"
        "model A = Net(relu, false, [3, 4])\nmodel B = Net(gelu, true, [5, 6])\nmodel C = Net(gelu, false, [5])"
    )
    assert {*family.members} == {"A", "B", "C"}


def test_equal_members_are_one_class() -> None:
    family = family_of(f"{NET}\nmodel Small = Net(8)\nmodel Same = Net(8)")
    assert family.text.count("class ") == 1


def test_members_of_a_class_that_cannot_be_proved_are_classes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lowering.add
    monkeypatch.setattr(Lowering, "add", lambda self, program: (right(self, program)[0], {}))
    family = family_of(f"{NET}\nmodel Small = Net(8)\nmodel Large = Net(16)")
    assert family.members == {"Small": "Small", "Large": "Large"}


def test_a_member_that_cannot_be_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.emit.torch.family.file_text", lambda *given: file_text(*given).replace("relu", "silu"))
    with pytest.raises(SpecError, match="A0500"):
        family_of(f"{NET}\nmodel Small = Net(8)\nmodel Large = Net(16)")


# ---- the shipped ones --------------------------------------------------------------------------------------

FAMILIES = ("resnet", "vgg", "torchvision/vit")


@cache
def shipped(name: str) -> tuple[list[archdsl.Model], FamilySource]:
    spec = open_spec(str(library_root() / f"{name}.arch"))
    assert isinstance(spec, Spec)
    models = open_members(spec, {}, {})
    return models, family_source(models)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_member_is_its_own_module(name: str) -> None:
    """The same state dict as that of the file of one member: names, shapes and order."""
    models, family = shipped(name)
    for model in models:
        with torch.device("meta"):
            made = make_module(family.text, family.members[model.name])
        assert {n: tuple(t.shape) for n, t in made.state_dict().items()} == model.state_dict_shapes
        assert list(made.state_dict()) == list(model.state_dict_shapes)


def test_the_outputs_are_the_same() -> None:
    models, family = shipped("resnet")
    model = next(m for m in models if m.name == "ResNet18").vary(input="1x3x64x64")
    ours, theirs = make_module(family.text, family.members["ResNet18"]).eval(), model.module().eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(image), theirs(image))


def test_it_is_shorter_than_its_members_alone() -> None:
    models, family = shipped("resnet")
    alone = sum(len(model.source().splitlines()) for model in models)
    assert len(family.text.splitlines()) < 0.8 * alone
