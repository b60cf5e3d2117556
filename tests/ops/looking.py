"""Receptive fields by gradients: which cells of an input change an output position, against what the operator says."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import NamedTuple

import torch

from archdsl.op import Look, Tensor

from .harness import Case, module_of, plain, run, tensors, values

POSITIONS = 6
"""Output positions that are looked at for each case."""


class Sight(NamedTuple):
    """Where an output position looks along one axis of an input, and the cells that it sees there."""

    place: Fraction
    cells: frozenset[int]


def check_looks(case: Case, outputs: tuple[Tensor, ...], *, is_tight: bool = False) -> None:
    """No position sees more than is said; with ``is_tight``, some position sees all of it."""
    looks = case.op.looks(case.inputs, outputs)
    assert len(looks) == len(case.inputs)
    positions = chosen(plain(outputs[0].shape), Random(0), POSITIONS if not is_tight else 40)
    seen = seen_cells(case, positions)
    for number, (tensor, look) in enumerate(zip(case.inputs, looks, strict=True)):
        if look is None:
            assert not any(seen[number]), "only its shape is read"
            continue
        assert len(look.steps) == outputs[0].rank
        if tensor.dtype != "float32":
            continue
        for axis, size in enumerate(plain(tensor.shape)):
            sights = [
                Sight(place(look, axis, position), frozenset(cells[axis]))
                for position, cells in zip(positions, seen[number], strict=True)
                if cells is not None
            ]
            check_axis(look, axis, size, sights, is_tight)


def chosen(shape: tuple[int, ...], random: Random, count: int) -> list[tuple[int, ...]]:
    """Some positions: the corners' worth first, then any."""
    everywhere = list(product(*map(range, shape))) if torch.Size(shape).numel() <= 2000 else []
    if everywhere:
        return random.sample(everywhere, min(count, len(everywhere)))
    return [tuple(random.randrange(size) for size in shape) for _ in range(count)]


def seen_cells(case: Case, positions: list[tuple[int, ...]]) -> list[list[list[set[int]] | None]]:
    """For each input and position: along each axis the cells whose change is felt; None where nothing is.

    Of several draws together, for a relu is blind below zero and a maximum sees one cell at a time.
    """
    module = module_of(case)
    found: list[list[list[set[int]] | None]] = [[None] * len(positions) for _ in case.inputs]
    for seed in range(3):
        inputs = [t.requires_grad_() if t.is_floating_point() else t for t in values(case, seed=seed)]
        result = tensors(run(case, inputs, module))[0]
        wanted = [t for t in inputs if t.requires_grad]
        if not wanted or not result.requires_grad:
            break
        for at, position in enumerate(positions):
            grads = torch.autograd.grad(result[position], wanted, retain_graph=True, allow_unused=True)
            by_input = dict(zip((i for i, t in enumerate(inputs) if t.requires_grad), grads, strict=True))
            for i, grad in by_input.items():
                if grad is not None and grad.any():
                    cells = [set(grad.nonzero()[:, axis].tolist()) for axis in range(grad.ndim)]
                    old = found[i][at]
                    found[i][at] = cells if old is None else [a | b for a, b in zip(old, cells, strict=True)]
    return found


def place(look: Look, axis: int, position: tuple[int, ...]) -> Fraction:
    """Where a position looks along an input axis, but for the constant offset."""
    total = Fraction(0)
    for at, digits in zip(position, look.steps, strict=True):
        for step in reversed(digits):
            size, stride, per = plain((step.size, step.stride, step.per))
            at, digit = divmod(at, size)
            if step.axis == axis:
                total += Fraction(digit * stride, per)
        assert at == 0 or not digits, "the digits' sizes multiply to the size of the axis"
    return total


def check_axis(look: Look, axis: int, size: int, sights: list[Sight], is_tight: bool) -> None:
    """One offset explains what all positions see along the axis; places between cells may round either way."""
    offsets = window_offsets(look, axis)
    if offsets is None:
        return
    span = max(offsets) - min(offsets)
    if is_tight:
        assert max((max(s.cells) - min(s.cells) for s in sights), default=0) == min(span, size - 1)
    if not sights:
        return
    slack = 0 if all(sight.place.denominator == 1 for sight in sights) else 1
    wide = {o + more for o in offsets for more in range(-slack, slack + 1)}
    start = min(min(s.cells) - s.place // 1 for s in sights)
    candidates = range(start - max(wide) - 1, start - min(wide) + 2)
    assert any(
        all({cell - s.place // 1 - offset for cell in s.cells} <= wide for s in sights) for offset in candidates
    ), f"axis {axis}: {sights} against {look}"


def window_offsets(look: Look, axis: int) -> set[int] | None:
    """Cells that a position sees, from where it looks; None: any."""
    offsets = {0}
    for window in look.windows:
        if window.axis == axis:
            if window.size is None:
                return None
            size, stride = plain((window.size, window.stride))
            offsets = {o + i * stride for o in offsets for i in range(size)}
    return offsets
