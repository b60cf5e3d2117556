"""The contract between a spec and the names of its parameters (docs/language.md, "Modules and their names")."""

from __future__ import annotations

import pytest

from archdsl.diagnostics.names import BadLabel, DuplicatePath, NeverRun, Unlabelled
from archdsl.diagnostics.shapes import SharedDiffers


def modules(keys: list[str]) -> list[str]:
    """Paths that own something, once each, in order."""
    return list(dict.fromkeys(k.rpartition(".")[0] for k in keys))


def test_a_label_is_the_name(specs) -> None:
    assert specs.keys("stem: conv(4, 1, bias=false)") == ["stem.weight"]


def test_a_seq_numbers_all_its_members(specs) -> None:
    keys = specs.keys("body: seq { conv(4, 1) -> relu -> conv(4, 1); identity; none; act: relu; conv(4, 1) }")
    assert modules(keys) == ["body.0", "body.2", "body.5"]


def test_a_label_in_a_seq_takes_the_place_of_the_number(specs) -> None:
    assert modules(specs.keys("s: seq { conv(4, 1); mid: conv(4, 1); conv(4, 1) }")) == ["s.0", "s.mid", "s.2"]


def test_groups_combinators_and_control_are_transparent(specs) -> None:
    text = """
    s: seq {
      { conv(4, 1); relu }
      concat { conv(4, 1); it }
      for i in 0..2 { if i > 0 { conv(4, 1) } }
    }"""
    assert modules(specs.keys(text)) == ["s.0", "s.2", "s.3"]


def test_labelled_groups_and_combinators_are_scopes(specs) -> None:
    text = "enc: { a: conv(4, 1); b: conv(4, 1) }\nmix: concat { l: conv(4, 1); r: conv(4, 1) }"
    assert modules(specs.keys(text)) == ["enc.a", "enc.b", "mix.l", "mix.r"]


def test_a_block_is_a_scope_and_an_alias_is_none(specs) -> None:
    text = """
    block B { c: conv(4, 1) }
    block S(width) = seq { conv(width, 1); relu }
    model M { input x: [N, 8, 4, 4]; b: B; s: S(3); t: seq { B; S(5) }; output y }
    """
    assert modules(list(specs.graph(text).weights)) == ["b.c", "s.0", "t.0.c", "t.1.0"]


def test_computed_labels(specs) -> None:
    text = 'for s in 1..3 { layer{s}: conv(4, 1); "at-{s}": conv(4, 1) }'
    assert modules(specs.keys(text)) == ["layer1", "at-1", "layer2", "at-2"]


def test_own_parameters_then_buffers_then_modules(specs) -> None:
    text = """
    enc: {
      c: conv(8, 1, bias=false)
      buffer index: [2] = [0, 1]
      param scale: [8, 1, 1] = ones
      it * scale
    }"""
    assert specs.keys(text) == ["enc.scale", "enc.index", "enc.c.weight"]


def test_a_declared_module_has_its_place_where_it_is_declared(specs) -> None:
    text = "let late: conv(8, 1, bias=false)\nfirst: conv(8, 1, bias=false)\nlate"
    assert specs.keys(text) == ["late.weight", "first.weight"]


def test_a_declared_module_that_runs_twice_is_shared(specs) -> None:
    graph = specs.body("let f: conv(8, 1)\nf -> f")
    first, second = graph.nodes
    assert list(graph.weights) == ["f.weight", "f.bias"]
    assert first.module is second.module


def test_a_shared_group_runs_on_several_sizes(specs) -> None:
    text = "let head: { c: conv(8, 3, pad=1) -> bn: batchnorm }\nhead -> maxpool(2) -> head"
    graph = specs.body(text)
    assert modules(list(graph.weights)) == ["head.c", "head.bn"]
    assert graph.outputs[0].value.shape[2:] == (8, 8)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("let m: { c: conv(8, 1, pad=1 if it.shape[2] == 16 else 0) }\nm -> m", "`pad` is 1 at first and 0 here"),
        ("let m: { n: batchnorm(eps=0.001 * it.shape[2]) }\nm -> maxpool(2) -> m", "`eps` is 0.016 at first"),
        ("let m: { d: dropout(1 / it.shape[2]) }\nm -> maxpool(2) -> m", "`p` is 0.0625 at first and 0.125 here"),
        ("let m: seq { conv(8, 1); if it.shape[2] == 16 { relu } else { gelu } }\nm -> maxpool(2) -> m", "relu"),
    ],
)
def test_a_shared_module_has_the_same_arguments_in_each_run(specs, body: str, detail: str) -> None:
    """Torch makes it once, so it cannot be another one where it runs again."""
    (problem,) = specs.body_faults(body)
    assert isinstance(problem, SharedDiffers)
    assert detail in problem.detail


def test_a_shared_module_keeps_the_defaults_of_its_first_run(specs) -> None:
    graph = specs.body("let m: conv(8, 1)\nm\nwith conv(bias=false)\nm\na: conv(8, 1)")
    assert [node.op.bias for node in graph.nodes] == [True, True, False]
    graph = specs.body("let m: conv(8, 1)\nwith conv(bias=false)\nm\nwith conv(bias=true)\nm\na: conv(8, 1)")
    assert [node.op.bias for node in graph.nodes] == [False, False, True]


def test_a_list_of_declared_modules_is_numbered(specs) -> None:
    text = "let f: [conv(8, 1, bias=false) for i in 0..2]\nf[1] -> f[0]"
    assert specs.keys(text) == ["f.0.weight", "f.1.weight"]


def test_a_template_is_a_new_module_at_each_use(specs) -> None:
    assert modules(specs.keys("let f = conv(8, 1)\na: f\nb: f")) == ["a", "b"]


def test_a_kept_chain_may_hold_labels(specs) -> None:
    assert modules(specs.keys("let f = { a: conv(8, 1) -> b: batchnorm }\none: f\ntwo: f")) == [
        "one.a", "one.b", "two.a", "two.b"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("conv(4, 1)", Unlabelled),
        ("seq { relu }", Unlabelled),
        ("a: conv(4, 1)\na: conv(4, 1)", DuplicatePath),
        ('s: seq { conv(4, 1); "0": conv(4, 1) }', DuplicatePath),
        ("let f: conv(4, 1)", NeverRun),
        ("forward: conv(4, 1)", BadLabel),
        ('"a.b": conv(4, 1)', BadLabel),
        ('"": conv(4, 1)', BadLabel),
        ('let f: linear(16)\nf -> rearrange("n c h w -> n h w c") -> f', SharedDiffers),
    ],
)
def test_what_has_no_name_or_a_wrong_one_is_refused(specs, text: str, kind: type) -> None:
    assert [type(d) for d in specs.body_faults(text)] == [kind]


def test_no_label_is_one_that_torch_modules_have_already() -> None:
    torch = pytest.importorskip("torch")
    from archdsl.elaborate.modules import TAKEN

    attributes = {n for n in dir(torch.nn.Sequential()) if not n.startswith("_")}
    assert attributes <= TAKEN
