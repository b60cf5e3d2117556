"""Integer-valued polynomials in Newton's form: sum of c_j * binom(q, j), j = 0, 1, ..., degree.

Every polynomial that takes integers to integers has such a form with integer c_j, and d + 1 successive
values give it. Its signs on q = 0, 1, 2, ... come exactly, by integer arithmetic alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import comb
from typing import NamedTuple


class Piece(NamedTuple):
    """From ``start`` up to the next piece the polynomial has this sign: -1, 0 or 1."""

    start: int
    sign: int


def newton_form(values: Sequence[int]) -> list[int]:
    """The coefficients of the polynomial of degree below ``len(values)`` with these values at 0, 1, 2, ..."""
    form: list[int] = []
    while values:
        form.append(values[0])
        values = [after - before for before, after in pairwise(values)]
    return form


def value_at(form: Sequence[int], q: int) -> int:
    """The value of the polynomial."""
    return sum(coefficient * comb(q, j) for j, coefficient in enumerate(form))


def sign_at(form: Sequence[int], q: int) -> int:
    """The sign of the polynomial."""
    value = value_at(form, q)
    return (value > 0) - (value < 0)


def sign_runs(form: Sequence[int]) -> list[Piece]:
    """The signs of the polynomial on q = 0, 1, 2, ..., as the pieces on which they stay the same.

    By recursion on the difference, whose form is ``form[1:]``: where the difference keeps its sign the
    polynomial is monotone and changes sign twice at most, at places that bisection finds.
    """
    while len(form) > 1 and form[-1] == 0:
        form = form[:-1]
    if len(form) == 1:
        return [Piece(0, sign_at(form, 0))]
    pieces: list[Piece] = []
    slopes = sign_runs(form[1:])
    for slope, after in zip(slopes, [*slopes[1:], None], strict=True):
        _monotone_runs(form, slope, after.start if after else None, pieces)
    return pieces


def _monotone_runs(form: Sequence[int], slope: Piece, stop: int | None, pieces: list[Piece]) -> None:
    """Append the pieces between ``slope.start`` and ``stop``, where all differences have one sign."""
    place: int | None = slope.start
    while place is not None:
        sign = sign_at(form, place)
        if not pieces or pieces[-1].sign != sign:
            pieces.append(Piece(place, sign))
        if slope.sign in (0, sign):  # moves away from zero, or not at all
            return
        place = _next_sign(form, place, stop)


def _next_sign(form: Sequence[int], start: int, stop: int | None) -> int | None:
    """The first place after ``start`` with another sign, None if there is none before ``stop``."""
    sign, last, step = sign_at(form, start), start, 1
    while (stop is None or last + step < stop) and sign_at(form, last + step) == sign:
        last += step
        step *= 2
    end = last + step if stop is None else min(last + step, stop)
    while end - last > 1:
        middle = (last + end) // 2
        if sign_at(form, middle) == sign:
            last = middle
        else:
            end = middle
    return None if end == stop else end
