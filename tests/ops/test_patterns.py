"""What patterns and other arguments of the shape operators say no to, and why."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.op import Op, Reject, Tensor
from archdsl.ops.einops import Rearrange, Reduce
from archdsl.ops.einsum import Einsum
from archdsl.ops.shape import Split

from .harness import infer

LONG = " ".join(f"a{i}" for i in range(100_000))
A, B, S = (" ".join(f"{letter}{i}" for i in range(20)) for letter in "abs")

MISTAKES: list[tuple[type[Op], tuple[Any, ...], dict[str, Any], str]] = [
    (Rearrange, ("n c h w",), {}, "one `->`"),
    (Rearrange, ("n c -> c n -> n",), {}, "one `->`"),
    (Rearrange, ("n (c -> n c",), {}, "unclosed `(`"),
    (Rearrange, ("n c) -> n c",), {}, "unexpected `)`"),
    (Rearrange, ("n ((c)) -> n c",), {}, "unexpected `(`"),
    (Rearrange, ("n … -> n",), {}, "`…`: a pattern consists of names"),
    (Rearrange, ("n 2 -> n",), {}, "`2`: a pattern consists of names"),
    (Rearrange, ("n n -> n",), {}, "the axis `n` occurs twice"),
    (Rearrange, ("n c -> n",), {}, "lacks the axis `c`"),
    (Rearrange, ("n -> n r",), {}, "the size of the new axis `r` is unknown"),
    (Rearrange, ("n (h p) -> n h p",), {}, "`h` and `p` cannot both be inferred"),
    (Rearrange, ("n c -> c n",), {"axes": (("q", 2),)}, "no axis `q`"),
    (Rearrange, ("n (h p) -> n h p",), {"axes": (("p", 0),)}, "at least 1), got 0"),
    (Rearrange, ("n (h p) -> n h p",), {"axes": (("p", 2.5),)}, "got 2.5"),
    (Rearrange, (f"{LONG} -> n",), {}, "more than 52 axes"),
    (Rearrange, ("1 " * 100_000 + "-> n",), {}, "more than 52 axes"),
    (Reduce, ("n -> n r", "mean"), {}, "lacks the axis `r`"),
    (Einsum, ("n c -> n",), {}, "it takes two values"),
    (Einsum, ("a, b, c -> a",), {}, "it takes two values"),
    (Einsum, ("n (c d), d -> n c",), {}, "`(c`: the axes in a pattern of einsum are names"),
    (Einsum, ("n c, n -> n",), {}, "`c` is of one value alone"),
    (Einsum, ("n c, c -> n x",), {}, "no value has the axis `x`"),
    (Einsum, ("n n, n -> n",), {}, "the axis `n` occurs twice"),
    (Einsum, (f"{LONG}, {LONG} -> n",), {}, "more than 52 axes"),
    (Einsum, (f"{A} {S}, {S} {B} -> {A} {B}",), {}, "more than 52 axes in all"),
]


@pytest.mark.parametrize(("op", "given", "axes", "reason"), MISTAKES, ids=lambda value: str(value)[:24])
def test_a_pattern_that_makes_no_sense(op: type[Op], given: tuple, axes: dict, reason: str) -> None:
    with pytest.raises(Reject) as caught:
        op(*given, **axes)
    assert reason in caught.value.message
    assert caught.value.arg is not None


def test_a_split_gives_no_absurd_number_of_values() -> None:
    found = infer(Split(10**9, 0), (Tensor((10**9,)),))
    assert isinstance(found, Reject)
    assert "at most 1000" in found.message
