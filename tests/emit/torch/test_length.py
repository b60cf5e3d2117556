"""A file is as long as its spec, not as its network; and it takes as long."""

from __future__ import annotations

import pytest

import archdsl

from .networks import SPECS, source_of


def lines(source: str) -> int:
    return source.count("\n")


@pytest.mark.parametrize(
    ("deep", "shallow", "factor"),
    [("resnet152", "resnet50", 1.1), ("resnet_cifar110", "resnet_cifar32", 1.0),
     ("densenet.arch:DenseNet161", "densenet.arch:DenseNet121", 1.0)],
)  # fmt: skip
def test_deeper_is_not_longer(deep: str, shallow: str, factor: float) -> None:
    deep, shallow = (str(SPECS / name) if ".arch" in name else name for name in (deep, shallow))
    assert lines(archdsl.load(deep).source()) <= factor * lines(archdsl.load(shallow).source())


BODIES = {
    "members of a seq": "body: seq { for i in 0..1000 { Unit(8) } }",
    "labelled in a seq": "body: seq { for i in 0..1000 { unit{i}: Unit(8) } }",
    "labelled": "for i in 0..1000 { unit{i}: Unit(8) }",
    "layers in a row": "body: seq { for i in 0..1000 { conv(8, 1) -> relu } }",
    "without parameters": "for i in 0..1000 { it * 0.5 + 1.0 }",
    "what turns hand on": "it as first; for i in 0..1000 { u{i}: conv(8, 1) -> it + first }",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_loop_of_a_thousand_turns(body: str) -> None:
    block = "block Unit(width) { input x: [N, C, H, W]; conv: conv(width, 1) -> relu -> it + x }\n"
    spec = f"arch 1\n{block if 'Unit' in body else ''}model Net {{ input image: [N, 8, 4, 4]; {body}; output y }}\n"
    assert lines(source_of(spec)) < 40
