"""Classes of a program as classes of the file: how members are held, what is passed, what is shared."""

from __future__ import annotations

import re

from archdsl.emit.torch.emission import emit_graph

from ..networks import model_of


def text_of(text: str) -> str:
    """The proved source of a network, without its head."""
    source = emit_graph(model_of(f"arch 1\n{text}").graph)
    return source.text


def members(text: str) -> list[str]:
    """What a file sets on modules."""
    return re.findall(r"self\.(\w+ = .*)", text)


def test_a_chain_is_a_sequential_where_it_is_used() -> None:
    text = text_of("model M { input x: [N, 4]; s: seq { linear(4); relu; linear(2) }; output y }")
    assert members(text) == ["s = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))"]


def test_a_chain_with_labels_gets_its_members_one_by_one() -> None:
    text = text_of("model M { input x: [N, 4]; s: { a: linear(4); lambda: linear(2) }; output y }")
    assert "self.s = nn.Sequential()" in text
    assert "self.s.a = nn.Linear(4, 4)" in text
    assert 'self.s.add_module("lambda", nn.Linear(4, 2))' in text
    assert "return self.s(x)" in text


def test_members_without_a_label_are_appended_among_those_with_one() -> None:
    text = text_of("model M { input x: [N, 4]; s: seq { a: linear(4); relu; b: linear(2) }; output y }")
    assert "self.s.append(nn.ReLU())" in text


def test_a_block_that_is_a_chain_is_a_class() -> None:
    text = text_of("block B() = seq { linear(4); relu }\nmodel M { input x: [N, 4]; b: B; output y }")
    assert "self.b = B()" in text


def test_a_member_of_a_chain_with_initial_values_is_a_variable_first() -> None:
    text = text_of("model M { input x: [N, 4]; s: seq { seq { linear(4, init=ones) }; relu }; output y }")
    assert "linear = nn.Linear(4, 4)\n        nn.init.ones_(linear.weight)\n        self.s = " in text
    assert "nn.Sequential(nn.Sequential(linear), nn.ReLU())" in text


def test_a_function_in_a_chain_is_a_wrapper_module() -> None:
    text = text_of('model M { input x: [N, 4, H, W]; s: seq { rearrange("n c h w -> n h w c"); layernorm }; output y }')
    assert "nn.Sequential(Permute(0, 2, 3, 1), nn.LayerNorm(4))" in text


def test_numbered_members_that_are_no_chain_are_read_by_number() -> None:
    text = text_of("model M { input x: [N, 4]; s: seq { linear(4) as p; linear(4); it + p }; output y }")
    assert "class S(nn.ModuleList)" in text
    assert "super().__init__([nn.Linear(4, 4), nn.Linear(4, 4)])" in text
    assert "return self[1](p) + p" in text


def test_a_declared_list_is_a_module_list() -> None:
    text = text_of("model M { input x: [N, 4]; let fs: [linear(4), linear(4)]; fs[1]; fs[0]; output y }")
    assert members(text) == ["fs = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])"]
    assert "self.fs[1](x)" in text


def test_a_size_is_read_off_the_input_that_has_it() -> None:
    text = text_of("block B { it * it.shape[0] }\nmodel M { input x: [N, 4]; b: B; output y }")
    assert "return x * x.shape[0]" in text


def test_a_size_that_no_input_has_is_passed() -> None:
    text = text_of('block B(k) { it + k }\nmodel M { input x: [N, T]; reduce("n t -> n", "sum"); b: B(T); output y }')
    assert "def forward(self, x: Tensor, t: int) -> Tensor:" in text
    assert "self.b(x.sum(1), x.shape[1])" in text


def test_classes_with_the_same_text_are_one() -> None:
    """Their sizes differ, and nothing that is written does."""
    text = text_of("block B { f: conv(4, 1) }\nmodel M { input x: [N, 4, H, W]; a: B; maxpool(2); b: B; output y }")
    assert text.count("class B") == 1


def test_labels_that_are_no_names_of_python() -> None:
    text = text_of("model M { input x: [N, 4]; lambda: linear(4); output y }")
    assert 'self.add_module("lambda", nn.Linear(4, 4))' in text
    assert 'self.get_submodule("lambda")(x)' in text


def test_docstrings_come_from_the_spec() -> None:
    text = text_of("## Doubles.\nblock B { it * 2 }\nmodel M { input x: [N, 4]; b: B; output y }")
    assert '"""Doubles."""' in text


# ---- classes with parameters ----


def test_numbers_that_differ_are_arguments() -> None:
    text = text_of("block B(c) { f: linear(c * 2) }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }")
    assert "def __init__(self, dim: int, c: int) -> None:" in text
    assert members(text) == ["f = nn.Linear(dim, 2 * c)", "a = B(4, 3)", "b = B(6, 5)"]


def test_an_argument_that_forward_reads_is_stored() -> None:
    text = text_of("block B(p) { drop_path(p) }\nmodel M { input x: [N, 4]; a: B(0.1); b: B(0.2); output y }")
    assert "self.p = p" in text
    assert "drop_path(x, self.p, self.training)" in text


def test_a_stored_argument_and_a_member_with_one_name() -> None:
    text = text_of(
        "block B(p) { p: linear(4); drop_path(p) }\nmodel M { input x: [N, 4]; a: B(0.1); b: B(0.2); output y }"
    )
    assert "self.p = nn.Linear(4, 4)" in text
    assert "self.p_value = p" in text


def test_a_chain_with_arguments_is_a_class() -> None:
    text = text_of("block B(c) = seq { linear(c); relu }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }")
    assert "class B(nn.Sequential):" in text
    assert "super().__init__(nn.Linear(dim, c), nn.ReLU())" in text


def test_a_float_of_a_size_is_written_as_in_the_text() -> None:
    text = text_of(
        "block B(c) { f: linear(c); it * c ** -0.5 }\nmodel M { input x: [N, 4]; a: B(4); b: B(16); output y }"
    )
    assert "* self.c**-0.5" in text


def test_a_group_in_a_class_with_arguments_takes_them() -> None:
    text = text_of(
        "block B(c) { g: { f: linear(c) as p; relu; it + p } }\nmodel M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert "self.g = G(c, dim)" in text


def test_what_depends_on_a_number_stands_under_the_condition_in_both_places() -> None:
    """In the constructor and in ``forward``; the file is proved for both answers, since the network has both."""
    text = text_of(
        "block B(c) { f: linear(c) as p; if c > 4 { g: linear(c) }; it + p }\n"
        "model M { input x: [N, 4]; a: B(3); b: B(5); output y }"
    )
    assert text.count("class B") == 1
    assert "        if c > 4:\n            self.g = nn.Linear(c, c)\n" in text
    assert "x = p if self.g is None else self.g(p)" in text


def test_a_condition_that_brings_no_module_is_answered_in_the_constructor() -> None:
    text = text_of(
        "block B(c) { input x: [N, D]; f: linear(c); if D == c { it + x }; g: linear(c) }\n"
        "model M { input x: [N, 4]; a: B(4); b: B(5); c: B(5); output y }"
    )
    assert "self.is_residual = dim == c" in text
    assert "x = out + x if self.is_residual else out" in text


def test_arguments_have_the_order_and_the_defaults_of_the_text() -> None:
    """A default that no use relies on is left out."""
    text = text_of(
        "block B(width, bias = 2, reps = 1) { f: linear(width * reps) -> it * bias }\n"
        "model M { input x: [N, 4]; a: B(3, bias=3); b: B(5, bias=4, reps=3); output y }"
    )
    assert "def __init__(self, dim: int, width: int, bias: int, reps: int = 1) -> None:" in text
    assert members(text)[-2:] == ["a = B(4, 3, 3)", "b = B(3, 5, 4, reps=3)"]


def test_labelled_members_are_made_in_a_loop() -> None:
    text = text_of("model M { input x: [N, 4]; s: seq { for i in 0..3 { f{i}: linear(4) } }; output y }")
    assert 'for i in range(3):\n            self.s.add_module(f"f{i}", nn.Linear(4, 4))' in text
    assert "return self.s(x)" in text


def test_a_loop_over_all_modules_of_a_class() -> None:
    text = text_of("model M { input x: [N, 4]; s: { for i in 0..3 { concat { it; f{i}: linear(2) } } }; output y }")
    assert 'for i in range(3):\n            self.add_module(f"f{i}", nn.Linear(2 * i + 4, 2))' in text
    assert "for layer in self.children():\n            x = torch.cat([x, layer(x)], dim=1)" in text


def test_a_loop_over_some_modules_of_a_class() -> None:
    text = text_of("model M { input x: [N, 4]; for i in 0..3 { f{i}: linear(4) -> relu }; g: linear(2); output y }")
    assert (
        'for i in range(3):\n            x = F.relu(self.get_submodule(f"f{i}")(x))\n        return self.g(x)' in text
    )


def test_a_loop_over_a_declared_list() -> None:
    text = text_of("model M { input x: [N, 4]; let fs: [linear(4) for i in 0..3]; for f in fs { f; relu }; output y }")
    assert "for layer in self.fs:\n            x = F.relu(layer(x))" in text


def test_what_starts_a_loop_and_is_read_again_has_its_own_variable() -> None:
    text = text_of("model M { input x: [N, 4]; for i in 0..3 { f{i}: linear(4) -> relu }; it + x; output y }")
    assert "out = x\n        for layer in self.children():" in text
    assert "return out + x" in text


def test_numbered_members_under_conditions_are_appended_to_a_list() -> None:
    """What is left out takes no number."""
    text = text_of(
        "block B(c, act) = seq { if c > 4 { relu }; linear(2); act }\n"
        "model M { input x: [N, 4]; a: B(3, relu); b: B(5, none); c: B(6, silu); output y }"
    )
    assert text.count("class B") == 1
    assert "act: type[nn.Module] | None" in text
    assert "layers: list[nn.Module] = []\n        if c > 4:\n            layers.append(nn.ReLU())\n" in text
    assert "        if act is not None:\n            layers.append(act())\n        super().__init__(*layers)\n" in text
    assert "B(4, 3, nn.ReLU)" in text


def test_a_list_is_one_argument() -> None:
    text = text_of(
        "block B(c) { f: linear(c[0]); g: linear(c[1]) }\n"
        "model M { input x: [N, 4]; a: B([3, 2]); b: B([5, 6]); output y }"
    )
    assert "c: tuple[int, int]" in text
    assert "self.g = nn.Linear(c[0], c[1])" in text
    assert "B(2, (5, 6))" in text


def test_half_of_what_is_left_of_a_kernel() -> None:
    text = text_of(
        "block B(k) { f: conv(4, k, pad=(k - 1) // 2) }\nmodel M { input x: [N, 4, H, W]; a: B(1); b: B(3); output y }"
    )
    assert "padding=(k - 1) // 2" in text


def test_forward_reads_locals_and_elements_of_lists_of_the_class() -> None:
    text = text_of(
        "block B(c) { input x: [N, C]; let inner = round(c[0] / 4); f: linear(inner) as p; relu; it * c[1]\n"
        "if inner != C { sigmoid }; it + p }\n"
        "model M { input x: [N, 4]; a: B([16, 3]); b: B([30, 5]); d: B([32, 7]); output y }"
    )
    assert text.count("class B") == 1
    assert "inner = round(c[0] / 4)" in text
    assert "self.c[1]" in text
