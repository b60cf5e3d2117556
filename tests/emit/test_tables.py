"""What is right for every size is right at each: tables at symbolic and known sizes, in torch and in ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from archdsl.compiler import from_text
from archdsl.dims import Size
from archdsl.model import Model, open_model
from archdsl.op import Tensor


def around(body: str, before: str = "", shape: str = "[N, T, 8]") -> str:
    return f"{before}\nmodel M {{\n input x: {shape}\n{body}\n output y\n}}"


COLUMN = 'x * (t -> rearrange("t -> t 1"))'
"""A table of T numbers, one for each place."""
MIX = '(t, x) -> einsum("i t, n t c -> n i c")'
"""A table of T × T numbers, which mixes the places."""

SPECS = {
    "einsum": around(f"let t = [[1.0 * (i >= j) for j in 0..T] for i in 0..T]\n{MIX}"),
    "a function": around(f"let t = cos([0.1 * i for i in 0..T])\n{COLUMN}"),
    "a sign": around(f"let t = -[0.1 * i for i in 0..T]\n{COLUMN}"),
    "arithmetic": around(f"let s = [0.1 * i for i in 0..T]\nlet t = 2 * s * s - 1 / (s + 1) + T\n{COLUMN}"),
    "order": around(f"let s = [i for i in 0..T]\nlet t = 1.0 * (s > 1)\n{COLUMN}"),
    "equality": around(f"let s = [i for i in 0..T]\nlet t = 1.0 * (s == 1) + 2.0 * (0 != s)\n{COLUMN}"),
    "rows": around("param places: [50, 8] = normal(std=1)\nit + places[[i // 2 for i in 0..T]]"),
    "columns": around(
        'param p: [8, 50] = normal(std=1)\nit + (p[:, [49 - i for i in 0..T]] -> rearrange("c t -> t c"))'
    ),
    "parts": around("let s = [[1.0 * (i + 2 - j) for j in 0..T] for i in 0..T]\nlet t = s[:, 0]\n" + COLUMN),
    "the size of a table": around("let s = [[1.0 * i - j for j in 0..T] for i in 0..T]\nx / s.shape[1] + s[0, 0]"),
    "the stream": around('[0.1 * i for i in 0..T] -> rearrange("t -> t 1") as p\nx * p'),
    "a stated shape": around(f"[[0.1 * i for i in 0..T] for j in 0..T] as t: [T, T]\n{MIX}"),
    "a fn": around(f"let t = powers(T)\n{COLUMN}", "fn powers(n) = [0.5 ** i for i in 0..n]"),
    "an argument": around(
        "a: Add([0.5 * i for i in 0..T])\nb: Add([0.1 * i for i in 0..T])",
        'block Add(t) { input x: [N, T, C]\n it + (t -> rearrange("t -> t 1")) -> linear: linear(8) }',
    ),
    "inputs of a block": around(
        "([0.5 * i for i in 0..T], x) -> a: Add",
        'block Add { input t: [T]\n input x: [N, T, C]\n x + (t -> rearrange("t -> t 1")) }',
    ),
    "the result of a block": around(
        f"a: Places as t\n{COLUMN}", "block Places { input x: [N, T, C]\n[0.5 * i for i in 0..T] }"
    ),
    "branches": around(
        "let s = [[0.1 * (i + j) for j in 0..T] for i in 0..T]\n"
        f"concat(axis=1) {{ s; [[0.2 * i for j in 0..T] for i in 0..T] }} as u\nlet t = u[:, 0:T]\n{MIX}"
    ),
    "a list of branches": around(
        f"let s = [[0.1 * (i + j) for j in 0..T] for i in 0..T]\n[s, s] -> concat(axis=1) as u\nlet t = u[:, T:]\n{MIX}"
    ),
    "an operand": around('x[:, :, 0] -> maximum([0.1 * i for i in 0..T]) as t\nx * (t -> rearrange("n t -> n t 1"))'),
    "outputs": "model M {\n input x: [N, T, 8]\n output y = it * 2.0\n output t: [T] = [0.5 * i for i in 0..T]\n}",
    "an embedding": around("[i for i in 0..T] -> e: embedding(50, 8) as p\nx + p"),
    "very small numbers": around(
        'let far = [[-1e30 * (j > i) for j in 0..T] for i in 0..T]\n(x, x) -> einsum("n i c, n j c -> n i j")\n'
        'it + far -> softmax(axis=-1) as a\n(a, x) -> einsum("n i j, n j c -> n i c")'
    ),
    "the least number": around(
        "let far = [[-3.4028234663852886e38 * (j > i) for j in 0..T] for i in 0..T]\n"
        '(x, x) -> einsum("n i c, n j c -> n i j")\nit * 0.1 + far -> softmax(axis=-1) as a\n'
        '(a, x) -> einsum("n i j, n j c -> n i c")'
    ),
    "a known range inside": around("x + [[sin(t / 1e4 ** (k / 8)) for k in 0..8] for t in 0..T]"),
    "a known list inside": around(
        "let f = [1e4 ** (-2.0 * k / 8) for k in 0..4]\nlet a = [[t * w for w in f] for t in 0..T]\n"
        '[sin(a), cos(a)] -> stack(axis=2) -> rearrange("t k s -> t (k s)") as p\nx + p'
    ),
    "a condition inside": around(
        "x + [[sin(t / 9.0 ** (k / 8)) if k % 2 == 0 else cos(t / 9.0 ** (k / 8)) for k in 0..8] for t in 0..T]"
    ),
    "a known range around": around(
        "let t = [[1.0 * abs(i - h) for i in 0..T] for h in 0..3]\n"
        '2 * t - 1 -> reduce("h t -> t 1", "sum") as b\nx * b + (t[1] -> rearrange("t -> t 1"))'
    ),
    "three ranges": around(
        "let p = [[[1.0 * abs(i - j) / (h + 1) for h in 0..3] for j in 0..T] for i in 0..T]\n"
        f'p -> reduce("i j h -> i j", "mean") as t\n{MIX}'
    ),
    "ones": around(f"let t = [1.0 for i in 0..T]\n{COLUMN}"),
    "only the inner variable": around("x + [[0.5 * k for k in 0..8] for t in 0..T]"),
    "two known tables": around(
        "let across = [[2 * j / W - 1 for j in 0..W] for i in 0..T]\n"
        "let down = [[2 * i / T - 1 for j in 0..W] for i in 0..T]\nlet both = [across, down]\nit + both",
        shape="[N, 2, T, W]",
    ),
    "entries of an axis": around("it[:, :, [0, 3, -1, 3]]"),
    "entries of two axes": around(
        "param t: [4, 5] = normal(std=1)\nlet v = t[[0, 2], [1, 3, -1]]\nx * v[1, 2] + v[0, 0]"
    ),
    "a size and entries": around('it[0, :, [1, 2]] -> rearrange("t c -> 1 t c")'),
    "nested entries": around('it[:, :, [[0, 1], [2, 3]]] -> rearrange("n t a b -> n t (b a)")'),
    "other entries in each block": around(
        "a: Pick([1, 2, 0]); b: Pick([2, 1, -3])",
        "block Pick(entries) { input x: [N, T, C]\n it[:, :, entries] -> linear: linear(8) }",
    ),
    "other entries in each turn": around("s: seq { for k in 0..3 { it[:, :, [k, k + 1, k, 0]] -> linear(8) } }"),
    "lists written out": around("x * ([1, 2, 3, 4, 5, 6, 7, 8] / 8) - (-[1.0, 2, 3, 4, 5, 6, 7, 8])"),
    "contents of a buffer": around(
        "buffer b: [8] = 2 * [0.1 * i for i in 0..8] - cos([0, 1, 2, 3, 4, 5, 6, 7])\nx + b"
    ),
}


def made(text: str, **shapes: tuple[int, ...]) -> Model:
    return open_model(from_text(text), {}, dict(shapes))


def at(shape: tuple[Size, ...], size: int) -> tuple[int, ...]:
    """A shape at T = size; all other symbols are 2."""
    return tuple(s if isinstance(s, int) else size if str(s) == "T" else 2 for s in shape)


def drawn(types: dict[str, Tensor]) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.rand(*map(int, t.shape)) for t in types.values()]


def outputs(found: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("text", SPECS.values(), ids=list(SPECS))
def test_a_table_is_the_same_at_a_symbolic_and_at_a_known_size(text: str, tmp_path: Path) -> None:
    symbolic = made(text)
    torch.manual_seed(0)
    module = symbolic.module().eval()
    assert not symbolic.source_warnings
    for size in (1, 5):
        known = made(text, **{name: at(t.shape, size) for name, t in symbolic.inputs.items()})
        at_size = known.module().eval()
        at_size.load_state_dict(module.state_dict())
        assert not known.source_warnings
        inputs = drawn(dict(known.inputs))
        with torch.no_grad():
            wanted, found = outputs(module(*inputs)), outputs(at_size(*inputs))
        for left, right in zip(wanted, found, strict=True):
            torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)
        for model in (symbolic, known) if size > 1 else ():
            path = model.onnx(tmp_path / f"{size}.onnx", module)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            feed = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs, strict=True)}
            for left, right in zip(wanted, session.run(None, feed), strict=True):
                np.testing.assert_allclose(left.numpy(), right, atol=1e-4, rtol=1e-3)
