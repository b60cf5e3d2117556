"""Graphs drawn at random: chains, branches, residuals, loops, values that meet again; as a spec and as torch's calls.

A graph is drawn while torch runs it, so that arguments fit what arrives, mostly; it ends where torch refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import einops
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .language import Stricter, counted, floats, held, meet, stretched, there
from .layers import NAMES, OPERATORS, arithmetic, attend, axis_in, call, divisor, layer, off

REFUSED = (RuntimeError, ValueError, IndexError, TypeError, AssertionError, NotImplementedError, einops.EinopsError)
"""How torch, and einops, say no."""

Values: TypeAlias = dict[str, Tensor]


class Refused(Exception):
    """torch, or the language on purpose, does not take what arrives."""

    def __init__(self, node: Node, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.node = node
        self.rule = str(error) if isinstance(error, Stricter) else None


@dataclass(eq=False)
class Node:
    """A statement on one line: ``text`` in the language, ``apply`` to the stream and the named values in torch.

    ``name`` keeps the result. With ``branches`` the text is followed by those, and ``apply`` merges what they give.
    """

    text: str
    apply: Callable[[Any, Values], Tensor]
    name: str | None = None
    branches: list[Chain] = field(default_factory=list)
    between: str = ""
    times: int = 0
    """Repeated so often, from what the last time gave; 0 where it is no loop."""

    def run(self, x: Tensor, values: Values) -> Tensor:
        """
        Raises:
            Refused: it is not taken.
        """
        if self.times:
            result = x
            for _ in range(self.times):
                result = run(self.branches[0], result, values)
        else:
            arrived: Any = [run(branch, x, values) for branch in self.branches] if self.branches else x
            try:
                result = there(self.apply(arrived, values))
            except (Stricter, *REFUSED) as error:
                raise Refused(self, error) from error
        if self.name:
            values[self.name] = result
        return result

    def lines(self) -> Iterator[tuple[str, Node]]:
        """The lines of the spec, each with the node that it belongs to."""
        if not self.branches:
            yield self.text + (f" as {self.name}" if self.name else ""), self
            return
        yield f"{self.text} {{", self
        for number, branch in enumerate(self.branches):
            if number and self.between:
                yield f"}} {self.between} {{", self
            is_plain = len(branch) == 1 and not branch[0].times and ";" not in branch[0].text
            is_open = not (is_plain or self.between or self.times)  # in a combinator every statement is a branch
            if is_open:
                yield "{", self
            for node in branch:
                yield from node.lines()
            if is_open:
                yield "}", self
        yield "}", self
        if self.name:
            yield f"it as {self.name}", self


Chain: TypeAlias = list[Node]


def run(chain: Chain, x: Tensor, values: Values) -> Tensor:
    for node in chain:
        x = node.run(x, values)
    return x


@dataclass
class Graph:
    """A network with its inputs: for each axis a symbol or a number."""

    inputs: dict[str, tuple[tuple[str | int, ...], str]]
    chain: Chain
    sizes: dict[str, int]
    """What the symbols stood for when it was drawn."""

    def text(self) -> str:
        return "\n".join(line for line, _ in self._lines()) + "\n"

    def node_at(self, line: int) -> Node | None:
        """The statement on a line, counted from 1."""
        return list(self._lines())[line - 1][1]

    def _lines(self) -> Iterator[tuple[str, Node | None]]:
        yield "model M {", None
        for name, (shape, dtype) in self.inputs.items():
            yield f"input {name}: [{', '.join(map(str, shape))}] {dtype}", None
        yield next(iter(self.inputs)), None
        for node in self.chain:
            yield from node.lines()
        for name in self.names():
            yield f"output o_{name} = {name}", None
        yield "}", None

    def names(self) -> list[str]:
        """The values that are given out: all that have a name and come to be."""
        return [node.name for node in self.chain if node.name]

    def tensors(self, sizes: dict[str, int], device: str = "meta") -> Values:
        """The inputs at these sizes."""
        return {
            name: torch.zeros([int(sizes.get(str(s), s)) for s in shape], dtype=DTYPES[dtype], device=device)
            for name, (shape, dtype) in self.inputs.items()
        }

    def in_torch(self, sizes: dict[str, int], device: str = "meta") -> dict[str, Tensor]:
        """What torch gives for every name.

        Raises:
            Refused: a statement is not taken.
        """
        stretched()
        values = self.tensors(sizes, device)
        with torch.device(device), torch.no_grad():
            run(self.chain, next(iter(values.values())), values)
        return {name: values[name] for name in self.names()}


ALONE = "ijklmopqstuvxyz"
"""Names of axes that only the second value of a product has."""
DTYPES = {"float32": torch.float32, "int64": torch.int64}


class Drawing:
    """Draws one graph."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.labels = 0
        self.values: Values = {}
        self.loops = 0

    def graph(self) -> Graph:
        random, sizes = self.random, {}
        inputs: dict[str, tuple[tuple[str | int, ...], str]] = {}
        for name in ["a", "b"][: random.choice([1, 1, 2])]:
            rank = random.choice([2, 3, 3, 4, 4, 4, 5])
            numbers = [random.randint(1, 3), *(random.randint(1, 12 if rank < 5 else 6) for _ in range(rank - 1))]
            dtype = "float32"
            if name == "b" and random.random() < 0.6:
                shape, dtype = next(iter(inputs.values()))
                inputs[name] = tuple(shape), dtype
                continue
            if random.random() < (0.3 if name == "b" else 0.05):
                dtype = "int64"
            shape = []
            for axis, number in enumerate(numbers):
                symbol = "N" if axis == 0 else f"{name.upper()}{axis}"
                if random.random() < 0.6:
                    sizes.setdefault(symbol, number)
                    shape.append(symbol)
                else:
                    shape.append(number)
            inputs[name] = tuple(shape), dtype
        found = Graph(inputs, [], sizes)
        self.values = found.tensors(sizes)
        with torch.device("meta"), torch.no_grad():
            x = next(iter(self.values.values()))
            for _ in range(random.randint(1, 12)):
                node = self.node(x, depth=2)
                if not self.loops:
                    node.name = f"v{len(found.chain)}"
                found.chain.append(node)
                try:
                    x = node.run(x, self.values)
                except Refused:
                    break
        return found

    def chain(self, x: Tensor, depth: int, least: int = 1) -> Chain:
        """Statements of a branch; it breaks off where torch refuses."""
        found: Chain = []
        for _ in range(self.random.randint(least, 3)):
            node = self.node(x, depth)
            found.append(node)
            try:
                x = node.run(x, dict(self.values))
            except Refused:
                break
        return found

    def label(self) -> str:
        self.labels += 1
        return f"l{self.labels}" + "".join(f"{{i{k}}}" for k in range(self.loops))

    # ---- statements ----

    def node(self, x: Tensor, depth: int) -> Node:
        chance = self.random.random()
        if depth and chance < 0.2:
            kinds = (self.merge, self.merge, self.residual, self.residual, self.loop, self.gate)
            return self.random.choice(kinds)(x, depth - 1)
        if chance < 0.45:
            kinds = [
                self.with_value, self.with_value, self.recall, self.joined, self.parts, self.product, self.own,
                self.extremum, self.counting,
            ]  # fmt: skip
            if x.ndim == 3 or off(self.random):
                kinds += [self.look]
            if x.ndim in range(3, 6) or off(self.random):
                kinds += [self.like]
            if x.dtype == torch.int64 or off(self.random):
                kinds += [self.rows]
            return self.random.choice(kinds)(x)
        drawn = layer(self.random, x)
        text = f"{self.label()}: {drawn.text}" if drawn.owns else drawn.text
        return Node(text, lambda x, values: drawn.run(x))

    def merge(self, x: Tensor, depth: int) -> Node:
        kind = self.random.choice(["add", "mul", "concat", "concat", "stack"])
        axis = axis_in(self.random, x.ndim + (kind == "stack"))
        branches = [self.fitting(x, depth) for _ in range(self.random.randint(2, 3))]
        head = kind if kind in ("add", "mul") else call(kind, axis=axis)
        return Node(head, lambda found, values: merged(kind, axis, found), branches=branches)

    def residual(self, x: Tensor, depth: int) -> Node:
        branches = [self.fitting(x, depth)]
        if self.random.random() < 0.4:
            branches.append(self.fitting(x, depth))
            return Node("residual", lambda found, _: merged("add", 0, found), branches=branches, between="shortcut")
        straight = Node("it", lambda x, values: x)
        shown = Node("residual", lambda found, _: merged("add", 0, found), branches=[*branches, [straight]])
        shown.between = "shortcut"
        return shown

    def fitting(self, x: Tensor, depth: int) -> Chain:
        """A branch that mostly keeps the shape of what arrives."""
        for _ in range(6):
            labels = self.labels
            chain = self.chain(x, depth)
            try:
                y = run(chain, x, dict(self.values))
            except Refused:
                y = None
            if y is not None and y.shape == x.shape and y.dtype == x.dtype:
                return chain
            if self.random.random() < 0.12:
                return chain
            self.labels = labels
        return [Node("it", lambda x, values: x)]

    def gate(self, x: Tensor, depth: int) -> Node:
        """Squeeze and excitation: one branch is stretched over the other."""
        label = self.label()

        def squeeze(x: Tensor, values: Values) -> Tensor:
            held(3 <= floats(x).ndim <= 5, "[N, C, spatial…], never without its batch")
            return x.mean(tuple(range(2, x.ndim)), keepdim=True)

        def excite(x: Tensor, values: Values) -> Tensor:
            return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[x.ndim - 3](x.shape[1], x.shape[1], 1)(x)

        inner = [Node("global_avgpool", squeeze), Node(f"{label}: conv(it.shape[1], 1)", excite)]
        straight = [Node("it", lambda x, values: x)]
        return Node("mul", lambda found, _: merged("mul", 0, found), branches=[straight, inner])

    def loop(self, x: Tensor, depth: int) -> Node:
        times = self.random.randint(2, 3)
        head = f"for i{self.loops} in 0..{times}"
        self.loops += 1
        body = self.fitting(x, depth) if self.random.random() < 0.7 else self.chain(x, depth)
        self.loops -= 1
        return Node(head, lambda found, _: found[0], branches=[body], times=times)

    # ---- statements on named values ----

    def other(self, x: Tensor) -> str:
        """A value that was named before, mostly one of this shape."""
        same = [name for name, value in self.values.items() if value.shape == x.shape]
        return self.random.choice(same if same and not off(self.random) else list(self.values))

    def with_value(self, x: Tensor) -> Node:
        op, name = self.random.choice([*"+-**", *OPERATORS]), self.other(x)
        if self.random.random() < 0.5:
            return Node(f"it {op} {name}", lambda x, values: arithmetic(op, x, values[name]))
        return Node(f"{name} {op} it", lambda x, values: arithmetic(op, values[name], x))

    def extremum(self, x: Tensor) -> Node:
        kind, name = self.random.choice(["maximum", "minimum"]), self.other(x)

        def apply(x: Tensor, values: Values) -> Tensor:
            held(torch.bool not in (x.dtype, values[name].dtype), "a bool is neither ordered nor rounded")
            meet(x, values[name])
            return getattr(torch, kind)(x, values[name])

        return Node(f"{kind}({name})", apply)

    def recall(self, x: Tensor) -> Node:
        name = self.random.choice(list(self.values))
        return Node(name, lambda x, values: values[name])

    def joined(self, x: Tensor) -> Node:
        """``[it, v] -> concat(axis=2)``."""
        kind, name = self.random.choice(["concat", "concat", "stack", "add", "mul"]), self.other(x)
        axis = axis_in(self.random, x.ndim + (kind == "stack"))
        head = kind if kind in ("add", "mul") else call(kind, axis=axis)
        return Node(f"[it, {name}] -> {head}", lambda x, values: merged(kind, axis, [x, values[name]]))

    def parts(self, x: Tensor) -> Node:
        """``split(…) as [p, q]``, or a value unpacked along axis 0; then one part, or their sum."""
        random = self.random
        axis = axis_in(random, x.ndim)
        size = x.shape[axis] if -x.ndim <= axis < x.ndim else 4
        kind = random.choice(["equal", "sizes", "unpacked"])
        if kind == "sizes":
            first = random.randint(1, max(1, size - 1))
            sizes = [first, max(1, size - first) + off(random)]
            many, head = 2, call("split", sizes, axis=axis)
        elif kind == "equal":
            sizes, many = [], min(divisor(random, size), 6)
            head = call("split", many, axis=axis)
        else:
            sizes, many, head, axis = [], (x.shape[0] if x.ndim else 1) + off(random), "it", 0
        names = [f"p{self.labels}_{k}" for k in range(many)]
        self.labels += 1
        taken = random.randrange(many)

        def apply(x: Tensor, values: Values) -> Tensor:
            if kind == "sizes":
                return x.split(sizes, axis)[taken]
            if kind == "equal":
                held(x.shape[axis] % many == 0, "equal parts are equal")
                return x.chunk(many, axis)[taken]
            found = x.unbind()
            if len(found) != many:
                raise ValueError
            return found[taken]

        unpacked = f"{head} as [{', '.join(names)}]"
        return Node(f"{unpacked}; {names[taken]}", apply)

    def product(self, x: Tensor) -> Node:
        """``(it, v) -> einsum("…")``: axes of equal size are one, mostly."""
        random, name = self.random, self.other(x)
        y = self.values[name]
        left = list(NAMES[: x.ndim])
        free, right = iter(ALONE), []
        for at, size in enumerate(y.shape):
            fits = [n for n, s in zip(left, x.shape, strict=False) if s == size and n not in right]
            is_batch = at == 0 and fits and fits[0] == left[0]
            if fits and (is_batch or random.random() < 0.5):
                right.append(fits[0])
            else:
                right.append(next(free))
        out = [n for n in dict.fromkeys(left + right) if random.random() < 0.9 or not (n in left and n in right)]
        if random.random() < 0.3:
            random.shuffle(out)
        pattern = f"{' '.join(left)}, {' '.join(right)} -> {' '.join(out)}"

        def apply(x: Tensor, values: Values) -> Tensor:
            y = values[name]
            floats(x), floats(y)
            alone = set(left) ^ set(right)
            held(alone <= set(out), "einsum sums what both values have")
            product = einops.einsum(x, y, pattern)
            pairs = zip([*left, *right], [*x.shape, *y.shape], strict=True)
            held(len(set(pairs)) == len({*left, *right}), "an axis of a pattern has one size")
            return product

        return Node(f"(it, {name}) -> {call('einsum', pattern)}", apply)

    def look(self, x: Tensor) -> Node:
        """Attention to another value."""
        heads, name = divisor(self.random, x.shape[-1] if x.ndim else 1), self.other(x)
        text = f"[it, {name}] -> {self.label()}: attention({heads})"
        return Node(text, lambda x, values: attend(x, values[name], values[name], heads, True))

    def like(self, x: Tensor) -> Node:
        ranked = [name for name, value in self.values.items() if value.ndim == x.ndim]
        name = self.random.choice(ranked if ranked and not off(self.random) else list(self.values))
        mode = self.random.choice(["nearest", ("linear", "bilinear", "trilinear")[min(max(x.ndim - 2, 1), 3) - 1]])

        def apply(x: Tensor, values: Values) -> Tensor:
            held(3 <= floats(x).ndim <= 5, "[N, C, spatial…], never without its batch")
            held(values[name].ndim == x.ndim, "a map is like one of as many axes")
            return F.interpolate(x, values[name].shape[2:], mode=mode)

        return Node(f'resize(like={name}, mode="{mode}")', apply)

    def own(self, x: Tensor) -> Node:
        """A parameter of the model's own, which broadcasts."""
        random, label = self.random, f"own{self.labels}"
        self.labels += 1
        axes = range(random.randint(0, x.ndim), x.ndim)
        shape: list[str | int] = [random.choice([1, f"it.shape[{a}]", f"it.shape[{a}]", x.shape[a]]) for a in axes]
        if off(random) and shape:
            shape[0] = 7
        op = random.choice(["+", "*", "-"])
        if self.loops or not shape:  # a place in a loop has one parameter
            return Node(f"it {op} 2", lambda x, values: arithmetic(op, x, 2))
        text = f"param {label}: [{', '.join(map(str, shape))}] = ones; it {op} {label}"

        def apply(x: Tensor, values: Values) -> Tensor:
            sizes = [x.shape[a] if isinstance(s, str) else s for a, s in zip(axes, shape, strict=True)]
            return arithmetic(op, x, torch.empty(sizes))

        return Node(text, apply)

    def rows(self, x: Tensor) -> Node:
        """``v[it]``: the rows of a value that whole numbers name."""
        name = self.random.choice(list(self.values))

        def apply(x: Tensor, values: Values) -> Tensor:
            held(x.dtype == torch.int64, "numbers of rows are int64")
            held(values[name].ndim > 0 and x.ndim > 0, "a table has rows")
            return values[name][x]

        return Node(f"{name}[it]", apply)

    def counting(self, x: Tensor) -> Node:
        """Positions along an axis, counted when the network runs."""
        axis = self.random.randrange(x.ndim) if x.ndim else 0
        text = f"let places = [i for i in 0..it.shape[{axis}]]; it + places"
        return Node(text, lambda x, values: arithmetic("+", counted(x), torch.arange(x.shape[axis])))


def merged(kind: str, axis: int, found: list[Tensor]) -> Tensor:
    """What a combinator makes of its branches."""
    held(len({x.dtype for x in found}) == 1, "what is merged has one element type")
    match kind:
        case "concat":
            return torch.cat(found, axis)
        case "stack":
            return torch.stack(found, axis)
    held(found[0].dtype != torch.bool, "a bool is neither ordered nor rounded")
    meet(*found)
    result = found[0]
    for other in found[1:]:
        result = result + other if kind == "add" else result * other
    return result
