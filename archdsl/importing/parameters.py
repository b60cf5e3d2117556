"""Names for the numbers of a block that differ between its instances: sizes of its input, multiples, parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.dims import Size
from archdsl.importing.calls import BATCH
from archdsl.importing.tree import Code, Literal, literal
from archdsl.importing.unify import Unifier, Vector

OWN_SIZES = frozenset({"kernel", "stride", "pad", "dilation", "eps", "momentum", "bias", "p", "heads", "axis"})
"""Arguments that are never a multiple of a width."""
NOT_RELATED = frozenset({"label", "depth", "expand", "pattern", "operation", "act"})
NAMES = {"p": "drop", "index": "cut", "value": "factor"}
"""What a parameter is called after an argument."""
WITH_DEFAULT = frozenset({"stride", "groups", "dilation", "pad", "eps", "p", "flag", "bias", "act", "kernel", "ceil",
                          "affine"})  # fmt: skip
"""Arguments whose most frequent value becomes a default."""
LARGEST_FACTOR = 64
LARGEST_EXPANSION = 16


@dataclass
class Named:
    """A parameter of a block, or a size of its input: its value in each instance, and what it is for."""

    name: str
    values: tuple[Literal, ...]
    purpose: str


@dataclass
class Parameters:
    """The parameters of a block: in order, with defaults (None: required), and what each open number is."""

    named: list[Named]
    defaults: Mapping[str, Literal | None]
    codes: list[Code]
    conditions: list[Code]
    sizes: frozenset[str]
    """The sizes of the input that are used."""


def axis_names(shape: Sequence[Size]) -> list[tuple[int, str]]:
    """The axes of an input that have a name, channels first."""
    if len(shape) == 4 and shape[1] == shape[2] != shape[3]:
        return [(1, "H"), (2, "W"), (3, "C")]
    known = {
        2: [(1, "C")], 3: [(2, "C"), (1, "L")], 4: [(1, "C"), (2, "H"), (3, "W")],
        5: [(1, "C"), (2, "T"), (3, "H"), (4, "W")],
    }  # fmt: skip
    return known.get(len(shape), [])


def parameters_of(unifier: Unifier | None, shapes: Sequence[tuple[Size, ...]], weights: Sequence[int]) -> Parameters:
    """Parameters for the open numbers and conditions of a block.

    Args:
        unifier: None where all instances are equal.
        shapes: those of the first input of each instance.
        weights: how many instances are equal to each.
    """
    return _Expressing(shapes, weights).result(unifier)


@dataclass
class _Expressing:
    shapes: Sequence[tuple[Size, ...]]
    weights: Sequence[int]
    named: list[Named] = field(default_factory=list[Named])
    used: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.sizes = [
            Named(name, tuple(literal(shape[axis]) for shape in self.shapes), "size")
            for axis, name in (axis_names(self.shapes[0]) if self.shapes and self.shapes[0] else [])
            if all(isinstance(shape[axis], int) for shape in self.shapes)
        ]
        self.taken = {s.name for s in self.sizes} | {str(BATCH), "it", "x"}

    def result(self, unifier: Unifier | None) -> Parameters:
        holes = unifier.holes if unifier is not None else []
        conditions = unifier.conditions if unifier is not None else []
        codes: list[Code] = []
        for vector, purpose in holes:
            codes.append(Code(self._expression(vector, purpose)))
        condition_codes = [Code(self._condition(vector, holes, codes)) for vector in conditions]
        defaults = {n.name: self._default(n) for n in self.named}
        ordered = sorted(self.named, key=lambda n: defaults[n.name] is not None)
        sizes = frozenset(s.name for s in self.sizes) & self.used
        return Parameters(ordered, defaults, codes, condition_codes, sizes)

    # ---- numbers ----

    def _expression(self, vector: Vector, purpose: str) -> str:
        known = self._equal(vector, purpose)
        if known is None and _is_width(purpose) and _are_integers(vector):
            known = self._multiple(vector) or self._expansion(vector, purpose) or self._product(vector)
        if known is None and purpose == "pad":
            known = self._half_kernel(vector)
        return known or self._parameter(vector, purpose)

    def _parameter(self, vector: Vector, purpose: str) -> str:
        name = self._free(NAMES.get(purpose, purpose))
        first = next(v for v in vector if v is not None)
        self.named.append(Named(name, tuple(first if v is None else v for v in vector), purpose))
        return name

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted}{number}"
        self.taken.add(name)
        return name

    def _known(self) -> list[Named]:
        return [*self.named, *self.sizes]

    def _equal(self, vector: Vector, purpose: str) -> str | None:
        for named in self._known():
            is_alike = _kind(named.purpose) == _kind(purpose) or (_is_width(purpose) and named.purpose == "size")
            if is_alike and _agrees(vector, lambda i, n=named: n.values[i]):
                return self._use(named.name)
        return None

    def _use(self, name: str, code: str | None = None) -> str:
        self.used.add(name)
        return code or name

    def _multiple(self, vector: Vector) -> str | None:
        """``4 * width`` or ``C // 4``."""
        present = [(i, v.value) for i, v in enumerate(vector) if v is not None]
        if len({v for _, v in present}) < 2:
            return None
        for named in self._known():
            if named.purpose != "size" and not _is_width(named.purpose):
                continue
            values = [named.values[i].value for i, _ in present]
            if not all(type(n) is int and n > 0 for n in values):
                continue
            pairs = [(v, n) for (_, v), n in zip(present, values, strict=True)]
            for upper, lower, code in ((0, 1, "{1} * {0}"), (1, 0, "{0} // {1}")):
                factors = {p[upper] // p[lower] if p[lower] and p[upper] % p[lower] == 0 else 0 for p in pairs}
                factor = factors.pop() if len(factors) == 1 else 0
                if 1 < factor <= LARGEST_FACTOR:
                    return self._use(named.name, code.format(named.name, factor))
        return None

    def _expansion(self, vector: Vector, purpose: str) -> str | None:
        """``expand * C``, where a few small numbers are enough for many widths."""
        present = [(i, v.value) for i, v in enumerate(vector) if v is not None]
        if len({v for _, v in present}) < 4 or purpose in ("label", "depth", "count"):
            return None
        for size in self.sizes:
            values = [(i, v, size.values[i].value) for i, v in present]
            if not all(n > 0 and v % n == 0 for _, v, n in values):
                continue
            factors = {i: v // n for i, v, n in values}
            if 1 < len(set(factors.values())) <= 3 and max(factors.values()) <= LARGEST_EXPANSION:
                name, first = self._free("expand"), next(iter(factors.values()))
                made = tuple(literal(factors.get(i, first)) for i in range(len(vector)))
                self.named.append(Named(name, made, "expand"))
                return self._use(size.name, f"{name} * {size.name}")
        return None

    def _product(self, vector: Vector) -> str | None:
        """The product of two parameters."""
        if sum(v is not None for v in vector) < 4:
            return None
        for a in self.named:
            for b in self._known():
                both = (a, b)
                if a is b or any(not _are_integers(n.values) or len(set(n.values)) < 2 for n in both):
                    continue
                if _agrees(vector, lambda i, a=a, b=b: literal(a.values[i].value * b.values[i].value)):
                    self.used |= {a.name, b.name}
                    return f"{a.name} * {b.name}"
        return None

    def _half_kernel(self, vector: Vector) -> str | None:
        for named in self.named:
            is_kernel = named.purpose == "kernel" and _are_integers(named.values)
            if is_kernel and _agrees(vector, lambda i, n=named: literal(n.values[i].value // 2)):
                return f"{named.name} // 2"
        return None

    def _default(self, named: Named) -> Literal | None:
        counts: Counter[Literal] = Counter()
        for value, weight in zip(named.values, self.weights, strict=True):
            counts[value] += weight
        value, count = counts.most_common(1)[0]
        return value if count * 2 >= sum(self.weights) and named.purpose in WITH_DEFAULT else None

    # ---- conditions ----

    def _condition(
        self, vector: tuple[bool | None, ...], holes: Sequence[tuple[Vector, str]], codes: Sequence[Code]
    ) -> str:
        atoms = [*self._flags(), *self._comparisons(holes, codes)]
        holding = [(text, values) for text, values in atoms if _holds(vector, values)]
        preferred = [text for text, _ in holding if text.startswith(("expand", "flag", "not flag", "bias", "not bias"))]
        chosen = next(iter(preferred), None) or self._stride(vector, atoms)
        chosen = chosen or next((text for text, _ in holding), None) or _two(vector, atoms)
        if chosen is None:
            chosen = self._free("flag")
            self.named.append(Named(chosen, tuple(literal(bool(v)) for v in vector), "flag"))
        self.used |= {s.name for s in self.sizes if s.name in chosen.split()}
        return chosen

    def _flags(self) -> Iterator[tuple[str, list[bool]]]:
        for named in self.named:
            values = [v.value for v in named.values]
            if all(type(v) is bool for v in values):
                yield named.name, values
                yield f"not {named.name}", [not v for v in values]
            elif all(type(v) is int for v in values):
                for number in (1, 0):
                    yield f"{named.name} != {number}", [v != number for v in values]
                    yield f"{named.name} == {number}", [v == number for v in values]

    def _comparisons(
        self, holes: Sequence[tuple[Vector, str]], codes: Sequence[Code]
    ) -> Iterator[tuple[str, list[bool]]]:
        """Widths compared with each other and with the sizes of the input."""
        numbers = {n.name: n.values for n in self.named if _is_width(n.purpose) and _are_integers(n.values)}
        for (vector, purpose), code in zip(holes, codes, strict=True):
            if _is_width(purpose) and all(v is not None and v.kind == "int" for v in vector):
                numbers = {code.text: tuple(v for v in vector if v is not None), **numbers}
        listed = [*numbers.items(), *((s.name, s.values) for s in self.sizes)]
        for i, (a, left) in enumerate(listed):
            for b, right in listed[i + 1 :]:
                differs = [x != y for x, y in zip(left, right, strict=True)]
                yield f"{b} != {a}", differs
                yield f"{b} == {a}", [not d for d in differs]

    def _stride(self, vector: tuple[bool | None, ...], atoms: Iterable[tuple[str, list[bool]]]) -> str | None:
        """The usual condition of a projection: ``stride != 1 or C != 4 * width``."""
        known = list(atoms)
        for text, word, compare in (("stride != 1", "or", "!="), ("stride == 1", "and", "==")):
            strides = next((values for t, values in known if t == text), None)
            for other, values in known if strides is not None else []:
                if other.startswith(f"C {compare}") and strides is not None:
                    both = [a or b if word == "or" else a and b for a, b in zip(strides, values, strict=True)]
                    if _holds(vector, both):
                        return f"{text} {word} {other}"
        return None


def _two(vector: tuple[bool | None, ...], atoms: Sequence[tuple[str, list[bool]]]) -> str | None:
    for a, left in atoms:
        for b, right in atoms:
            if a < b:
                if _holds(vector, [x or y for x, y in zip(left, right, strict=True)]):
                    return f"{a} or {b}"
                if _holds(vector, [x and y for x, y in zip(left, right, strict=True)]):
                    return f"{a} and {b}"
    return None


def _holds(vector: tuple[bool | None, ...], values: Sequence[bool]) -> bool:
    return all(wanted is None or wanted == value for wanted, value in zip(vector, values, strict=True))


def _agrees(vector: Vector, value: Callable[[int], Literal]) -> bool:
    return all(v is None or value(i) == v for i, v in enumerate(vector))


def _are_integers(vector: Sequence[Literal | None]) -> bool:
    return all(v is None or v.kind == "int" for v in vector)


def _is_width(purpose: str) -> bool:
    return _kind(purpose) == "width"


def _kind(purpose: str) -> str:
    return purpose if purpose in OWN_SIZES or purpose in NOT_RELATED or purpose == "size" else "width"
