"""Random expressions as text, which Python can evaluate on numbers and on symbolic sizes alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from archdsl.dims import Size, dmax, dmin, symbol

LONG = bool(os.environ.get("ARCHDSL_LONG"))
"""Whether to run the long form of every property."""


def examples(count: int, long_factor: int = 40) -> settings:
    """Settings for a property: so many examples, or more in the long form."""
    number = count * long_factor if LONG else count
    return settings(max_examples=number)


def on_numbers(text: str, names: Sequence[str]) -> Callable[..., int]:
    """The expression as a function of numbers, by Python's own arithmetic."""
    return eval(f"lambda {', '.join(names)}: {text}", {"max": max, "min": min})


def on_sizes(text: str) -> Size:
    """The expression as a symbolic size. Its symbols are single capital letters, or as given."""
    return evaluate_text(text, {letter: symbol(letter) for letter in "CDGHKNW"})


def evaluate_text(text: str, values: dict[str, Any]) -> Any:
    """The expression at these values, be they numbers or sizes."""
    return eval(text, {"max": dmax, "min": dmin, **values})


@st.composite
def texts(
    draw: st.DrawFn,
    names: Sequence[str],
    depth: int = 4,
    *,
    maxima: bool = False,
    products: bool = True,
    symbolic_divisors: bool = False,
) -> str:
    """An expression over these symbols."""

    def inner(shallower: int) -> str:
        return draw(
            texts(
                names,
                depth - shallower,
                maxima=maxima,
                products=products,
                symbolic_divisors=symbolic_divisors,
            )
        )

    kinds = ["symbol", "symbol", "number"]
    if depth:
        kinds += ["floor", "floor", "floor", "mod", "scale", "add", "add", "subtract"]
        kinds += ["max", "min"] * maxima + ["multiply"] * products + ["by symbol"] * symbolic_divisors
    match draw(st.sampled_from(kinds)):
        case "symbol":
            return draw(st.sampled_from(list(names)))
        case "number":
            return f"({draw(st.integers(-9, 9))})"
        case "floor":
            return f"({inner(1)}) // {draw(st.sampled_from([2, 2, 2, 3, 4, 5, 6, 7]))}"
        case "mod":
            return f"({inner(1)}) % {draw(st.sampled_from([2, 2, 3, 4, 6]))}"
        case "scale":
            return f"({inner(1)}) * ({draw(st.integers(-5, 5))})"
        case "add":
            return f"({inner(1)}) + ({inner(2 if depth > 1 else 1)})"
        case "subtract":
            return f"({inner(1)}) - ({inner(2 if depth > 1 else 1)})"
        case "multiply":
            return f"({inner(1)}) * ({inner(2 if depth > 1 else 1)})"
        case "by symbol":
            divisor = draw(st.sampled_from(["{0}", "({0} + 1)", "(2 * {0})", "({0} * {1})", "({0} + {1})"]))
            drawn = divisor.format(draw(st.sampled_from(list(names))), draw(st.sampled_from(list(names))))
            return f"({inner(1)}) // {drawn}"
        case extreme:
            return f"{extreme}({inner(1)}, {inner(1)})"
