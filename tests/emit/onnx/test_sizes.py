"""Sizes computed by ONNX Runtime equal the sizes that Python computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.dims import Size, dmax, dmin, evaluate, symbol
from archdsl.errors import SpecError
from archdsl.graph import GraphInput, Value

pytest.importorskip("onnxruntime")

NAMES = "NHW"


def run(sizes: tuple[Size, ...], shape: tuple[int, ...]) -> list[int]:
    """The sizes as ONNX Runtime computes them for an input of this shape."""
    import onnx
    import onnxruntime
    from onnx import helper

    from archdsl.emit.onnx.sizes import Sizes
    from archdsl.emit.onnx.writer import OPSET, Writer, value_info

    image = Value(0, tuple(symbol(name) for name in NAMES))
    writer = Writer("sizes", ["image", "out"])
    name = Sizes(writer, [GraphInput("image", image)]).vector(sizes)
    writer.node("Identity", [name], ["out"], name="out", lineage=())
    writer.graph.input.append(value_info("image", image.type))
    writer.graph.output.append(helper.make_tensor_value_info("out", onnx.TensorProto.INT64, [len(sizes)]))
    model = onnx.ModelProto(ir_version=10, opset_import=[helper.make_opsetid("", OPSET)], graph=writer.graph)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"image": np.zeros(shape, np.float32)})
    return np.asarray(found).tolist()


def combine(inner: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    def divide(a: Size, b: Size) -> Size:
        return a // b if isinstance(b, int) else a // dmax(b, 1)

    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda p: p[0] + p[1]),
        two.map(lambda p: p[0] - p[1]),
        two.map(lambda p: p[0] * p[1]),
        two.map(lambda p: dmax(*p)),
        two.map(lambda p: dmin(*p)),
        st.tuples(inner, st.integers(1, 9) | inner.filter(lambda b: not isinstance(b, int))).map(lambda p: divide(*p)),
    )


SIZES = st.recursive(st.integers(-5, 9) | st.sampled_from([symbol(name) for name in NAMES]), combine, max_leaves=7)
SHAPES = st.tuples(*(st.integers(1, 12),) * len(NAMES))


@settings(max_examples=150)
@given(st.lists(SIZES, min_size=1, max_size=4), SHAPES)
def test_as_python_computes_them(sizes: list[Size], shape: tuple[int, ...]) -> None:
    values = dict(zip(NAMES, shape, strict=True))
    assert run(tuple(sizes), shape) == [evaluate(size, values) for size in sizes]


def test_floors_of_negative_numbers() -> None:
    """A symbolic divisor leaves negative dividends, which ONNX alone would round up."""
    height, width = symbol("H"), symbol("W")
    size = (height - 3 * width - 1) // (symbol("N") + 1)
    for shape in [(1, 1, 1), (2, 2, 5), (3, 7, 3), (1, 40, 3)]:
        n, h, w = shape
        assert run((size,), shape) == [(h - 3 * w - 1) // (n + 1)]


def test_a_one_that_is_divided_stays_divided() -> None:
    """ONNX Runtime makes `1 / x * y` to `y / x`, of whole numbers too, where that is another number."""
    n = symbol("N")
    assert run(((1 // dmax(n, 1)) * n,), (2, 1, 1)) == [0]
    assert run(((1 // dmax(n, 1)) * n,), (1, 1, 1)) == [1]


def test_each_part_is_computed_once() -> None:
    from archdsl.emit.onnx.sizes import Sizes
    from archdsl.emit.onnx.writer import Writer

    height, width = symbol("H"), symbol("W")
    writer = Writer("sizes", ["image"])
    sizes = Sizes(writer, [GraphInput("image", Value(0, (height, width)))])
    half = (height + 1) // 2
    first = sizes.vector((half, 3, 4, width))
    assert sizes.vector((half, 3, 4, width)) == first
    sizes.vector((2 * half, half * width))
    kinds = [node.op_type for node in writer.graph.node]
    assert kinds.count("Shape") == 2
    assert kinds.count("Div") == 1
    assert [node.name for node in writer.graph.node][:4] == ["sizes/H", "sizes/H+1", "sizes/(H+1)//2", "sizes/W"]


def test_plain_sizes_are_constants() -> None:
    assert run((2, 0, -1), (1, 1, 1)) == [2, 0, -1]


@pytest.mark.parametrize("size", [2**63, symbol("H") * 2**70])
def test_sizes_beyond_64_bits(size: Size) -> None:
    with pytest.raises(SpecError, match="64 bits"):
        run((size, 1), (1, 1, 1))


def test_a_size_that_no_input_has() -> None:
    with pytest.raises(SpecError, match="size K"):
        run((symbol("K") + 1,), (1, 1, 1))
