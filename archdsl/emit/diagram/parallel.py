"""Equal units side by side as one card: where a panel is too wide for a page.

The heads of a detector read five maps and feed one list: all five are one card with ×5. Which units are interchangeable
is a question of partition refinement: units of one face fall apart as long as their sources or readers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.emit.diagram.paths import in_order
from archdsl.emit.diagram.sketch import Sketch, Unit


def gather(sketch: Sketch) -> None:
    """Make one unit of all that are interchangeable, in place."""
    classes = _refined(sketch)
    first: dict[int, Unit] = {}
    gone: dict[Unit, Unit] = {}
    for unit in in_order(sketch.units):
        stays = first.setdefault(classes[unit], unit)
        if stays is not unit:
            _join(stays, unit)
            gone[unit] = stays
    sketch.units = [u for u in sketch.units if u not in gone]
    for unit in sketch.units:
        unit.sources = list(dict.fromkeys(gone.get(s, s) for s in unit.sources))


def _join(stays: Unit, other: Unit) -> None:
    stays.count += other.count
    stays.nodes += other.nodes
    stays.groups += other.groups
    if stays.value is not None and other.value is not None and stays.value.shape != other.value.shape:
        stays.value = None


def _refined(sketch: Sketch) -> dict[Unit, int]:
    """The coarsest classes of units with the same face whose sources and readers are of the same classes."""
    readers = sketch.readers()
    depths: dict[Unit, int] = {}
    for unit in in_order(sketch.units):
        depths[unit] = 1 + max((depths[s] for s in unit.sources), default=0)
    faces = {unit: _face(unit) or number for number, unit in enumerate(sketch.units)}
    classes = _numbered({unit: (face, depths[unit]) for unit, face in faces.items()})
    while True:
        finer = _numbered(
            {
                unit: (classes[unit], _classes(unit.sources, classes), _classes(readers[unit], classes))
                for unit in sketch.units
            }
        )
        if len(set(finer.values())) == len(set(classes.values())):
            return classes
        classes = finer


def _classes(units: Sequence[Unit], classes: Mapping[Unit, int]) -> frozenset[int]:
    return frozenset(classes[unit] for unit in units)


def _numbered(keys: dict[Unit, object]) -> dict[Unit, int]:
    numbers: dict[object, int] = {}
    return {unit: numbers.setdefault(key, len(numbers)) for unit, key in keys.items()}


def _face(unit: Unit) -> object:
    """What a card looks like; None for what is no card of layers."""
    if not (unit.is_plain or unit.groups) or unit.is_tensor or unit.is_aside or unit.branch is not None:
        return None
    text = unit.groups[0].text if unit.groups else None
    return unit.kind, unit.title, tuple(unit.details), text, unit.count
