"""Loops that set the initial values of layers: in which class they stand, and over which layers they run."""

from __future__ import annotations

import re

from archdsl.emit.torch.emission import emit_graph

from ..networks import model_of

BLOCK = "block B { c: conv(8, 3, init=kaiming_normal, bias=false) }\n"


def source_of(text: str) -> str:
    """The proved source of a network whose input is an image."""
    source = emit_graph(model_of(f"arch 1\n{text}").graph)
    return source.text


def inits(text: str) -> list[str]:
    """Classes, loops and initial values, in the order of the file."""
    wanted = re.findall(r"class (\w+)|(isinstance\(.*\)):|(nn\.init\..*)", source_of(text))
    return ["".join(found) for found in wanted]


def test_layers_of_all_classes_in_one_loop() -> None:
    text = BLOCK + "model M { input x: [N, 8, H, W]; a: B; b: B; c: B; output y }"
    assert inits(text) == ["B", "M", "isinstance(module, nn.Conv2d)", "nn.init.kaiming_normal_(module.weight)"]


def test_few_layers_are_worth_no_loop() -> None:
    text = BLOCK + "model M { input x: [N, 8, H, W]; a: B; b: B; output y }"
    assert inits(text) == ["B", "nn.init.kaiming_normal_(self.c.weight)", "M"]


def test_the_outermost_class_in_which_all_are_drawn_alike() -> None:
    """A convolution outside of the trunk is drawn as torch does."""
    trunk = "block Trunk { a: B; b: B; c: B }\n"
    text = (
        BLOCK + trunk + "block Head { c: conv(8, 3) }\nmodel M { input x: [N, 8, H, W]; t: Trunk; h: Head; output y }"
    )
    loop = ["isinstance(module, nn.Conv2d)", "nn.init.kaiming_normal_(module.weight)"]
    assert inits(text) == ["B", "Trunk", *loop, "Head", "M"]


def test_exceptions_are_set_behind_the_loop() -> None:
    text = """model M {
        input x: [N, 8]; with linear(init=xavier_normal, bias=false)
        a: linear(8); b: linear(8); c: linear(8)
        d: linear(8, init=ones, bias=false); output y
    }"""
    made = ["isinstance(module, nn.Linear)", "nn.init.xavier_normal_(module.weight)", "nn.init.ones_(self.d.weight)"]
    assert inits(text) == ["M", *made]


def test_what_torch_draws_is_no_exception() -> None:
    """A loop would draw it otherwise, and nothing could undo that."""
    text = """model M {
        input x: [N, 8]; a: linear(8, init=ones); b: linear(8, init=ones); c: linear(8, init=ones); d: linear(8)
        output y
    }"""
    assert inits(text) == ["M", *(f"nn.init.ones_(self.{layer}.weight)" for layer in "abc")]


def test_kinds_that_are_drawn_alike_share_a_branch() -> None:
    text = """model M {
        input x: [N, 8, H, W]
        with conv(init=ones, bias=false), convtranspose(init=ones, bias=false)
        for i in 0..3 { c{i}: conv(8, 1); t{i}: convtranspose(8, 1) }
        output y
    }"""
    assert inits(text) == ["M", "isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))", "nn.init.ones_(module.weight)"]


def test_a_bias_that_some_lack() -> None:
    text = """model M {
        input x: [N, 8]; a: linear(8, bias_init=zeros); b: linear(8, bias_init=zeros); c: linear(8, bias_init=zeros)
        d: linear(8, bias=false); output y
    }"""
    assert "if module.bias is not None:\n                    nn.init.zeros_(module.bias)" in source_of(text)


def test_the_projection_of_attention_is_a_linear_layer_that_no_loop_may_meet() -> None:
    text = """model M {
        input x: [N, T, 8]; with linear(init=ones)
        a: attention(2); b: linear(8); c: linear(8); d: linear(8); output y
    }"""
    assert "modules()" not in source_of(text)
