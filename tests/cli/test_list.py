"""``archdsl list``: its facts are those of the networks, and building none is quick."""

from __future__ import annotations

import json

import pytest

from archdsl.cli import list as command
from archdsl.compiler import choose, open_spec
from archdsl.diagnostics.base import Diagnostic


def test_the_index_is_current() -> None:
    """It holds every shipped network that needs no argument."""
    assert command.index() == list(command.measured()), "run: python docs/index.py"


@pytest.mark.parametrize("network", command.index()[::9], ids=lambda network: network["name"])
def test_a_name_is_a_spec(network: dict) -> None:
    spec = open_spec(network["name"])
    assert not isinstance(spec, Diagnostic)
    model = choose(spec)
    assert not isinstance(model, Diagnostic)
    assert model.name == network["model"]
    assert spec.scope.file.source.name.endswith(network["file"])


def names(ran) -> list[str]:
    return [network["name"] for network in json.loads(ran.out)["networks"]]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (("lenet5",), ["LeNet5"]),
        (("LENET_5",), ["LeNet5"]),
        (("lenet5", "alexnet"), ["AlexNet", "LeNet5", "torchvision/alexnet"]),
        (("torchvision/vit_?_16",), ["torchvision/vit_b_16", "torchvision/vit_l_16"]),
        (("vit_*",), []),
        (("[",), []),
    ],
)
def test_patterns(archdsl, patterns: tuple[str, ...], found: list[str]) -> None:
    ran = archdsl("list", *patterns, "--format", "json")
    assert (names(ran) if found else ran.code) == (found or 1)


def test_all_are_listed_in_80_columns(archdsl, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = archdsl("list")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert f"{len(command.index())} networks." in ran.out
    lines = ran.out.splitlines()
    assert lines[0].split() == ["network", "input", "parameters", "MACs"]
    assert next(line for line in lines if "resnet50 " in line).split() == [
        *("torchvision/resnet50", "3×224×224", "25.6", "M", "4.09", "G")
    ]
    assert next(line for line in lines if line.startswith("Stacked3x3")).endswith("73.7 K·H·W")


def test_a_name_that_is_not_there(archdsl) -> None:
    ran = archdsl("list", "resnett")
    assert ran.code == 1
    assert "no shipped network has this name" in ran.err
    assert "did you mean `resnet50`?" in ran.err


def test_nothing_is_built(archdsl, monkeypatch) -> None:
    monkeypatch.setattr(command, "build", None)
    monkeypatch.setattr(command, "open_spec", None)
    assert archdsl("list", "swin").code == 0
