"""Additions to a spec: every construct of the language, drawn for the type that the stream has at a place."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Literal, TypeAlias

from torch import Tensor

from archdsl.graph import Value

from .graphs import ALONE
from .layers import NAMES, OPERATORS, axis_in, call, divisor, layer
from .outline import Body, Place, Scope, Statement, number, plain, tensor

SURPRISES = (
    "0",
    "-1",
    "2 ** 62",
    "2 ** 63",
    "10 ** 20",
    "0.5",
    "-0.0",
    "1e38",
    "1e300 * 1e300",
    "1e-45",
    "true",
    "2.0",
)
Drawn: TypeAlias = "list[Statement] | None"


class Additions:
    """Draws additions. ``fresh`` are the definitions that the last one needs; a spec that takes it keeps them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.fresh: list[Statement] = []
        self._count = 0
        self._blocks: list[tuple[str, str]] = []
        """Names of blocks, with arguments that fit."""
        self._functions: list[tuple[str, str]] = []
        """Names of functions, and whether of a number or of a value."""
        self._tables: list[str] = []
        self.uses_library = False

    def draw(self, place: Place) -> tuple[str, Drawn]:
        """An addition at a place, with the name of its kind; None where the kind does not fit."""
        self.fresh = []
        options = self._options(place)
        kind = self.random.choices(*zip(*options, strict=True))[0]
        return kind.__name__.strip("_"), kind(place)

    def mark(self) -> tuple[int, int, int]:
        """How much has been defined: to `forget` what comes later."""
        return len(self._blocks), len(self._functions), len(self._tables)

    def forget(self, mark: tuple[int, int, int]) -> None:
        blocks, functions, tables = mark
        self.fresh = []
        del self._blocks[blocks:], self._functions[functions:], self._tables[tables:]

    # ---- small things ----

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def new(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def label(self, place: Place) -> str:
        """A name for a module, which differs in each turn of the loops around it."""
        stem = self.new("l")
        if not place.scope.loops:
            return stem
        if self.chance(0.3):
            return f'"{stem}-{"-".join(f"{{{i}}}" for i in place.scope.loops)}"'
        return stem + "_".join(f"{{{i}{self.pick('', ' + 1')}}}" for i in place.scope.loops)

    def labelled(self, place: Place, text: str) -> str:
        if place.scope.kind == "seq" and self.chance(0.8):
            return text
        return f"{self.label(place)}: {text}"

    def say(self, place: Place, text: str) -> str:
        """The same text, a number in it said in another way now and then."""
        parts = text.split('"')
        for at in range(0, len(parts), 2):
            parts[at] = _LITERAL.sub(lambda m: self.whole(place, int(m[0])), parts[at])
        return '"'.join(parts)

    def whole(self, place: Place, value: int) -> str:
        """An expression that may well have this value."""
        if not self.chance(0.15):
            return str(value)
        if self.chance(0.06):
            return self.pick(*SURPRISES)
        names = [*place.scope.numbers, *(f"{n}.shape[{k}]" for n in ("it", *place.values) for k in (0, 1, -1))]
        k = self.random.randint(1, 3)
        return self.pick(
            f"({value - k} + {k})", f"{value * k} // {k}", f"max({value}, {value - k})", f"min({value}, {value + k})",
            f"len(0..{value})", f"sum([{value - k}, {k}])", f"[{k}, {value}][1]", f"int({value}.25)",
            f"({value} if true else {k})", f"abs(-{value})", f"prod([{value}, 1])", f"round({value}.1)",
            f"sorted([{value}, {value + k}])[0]", f"({value + k} - {k})", f"[j for j in {value}..{value + k}][0]",
            f"-(-{value * k} // {k})", f"({value} if {k} > 1 and not false else {value})", f"({value} % {value + k})",
            *names, *names, *self._number_calls(value),
        )  # fmt: skip

    def _number_calls(self, value: int) -> list[str]:
        return [f"{name}({value})" for name, kind in self._functions if kind == "number"]

    def factor(self, place: Place) -> str:
        """A number to combine with a value."""
        if place.scope.numbers and self.chance(0.3):
            return self.random.choice(place.scope.numbers)
        if self.chance(0.02):
            return self.pick(*SURPRISES)
        return self.pick("2", "1", "0.5", "-3", "1.5", "0", "it.shape[0]", "it.shape[-1]", "1 / 3", "sqrt(2)", "true")

    def condition(self, place: Place) -> str:
        numbers = place.scope.numbers
        options = ["true", "false", "it.shape[-1] > 1", "1 < 2 and 3 > 2", "not (1 == 2)"]
        for name in numbers:
            options += [f"{name} > 0", f"{name} == 1 or {name} == 8", name, f"{name} % 2 == 0"]
        options += [f"{name} == none" for name in place.scope.layers] + [f"{n} != relu" for n in place.scope.layers]
        return self.random.choice(options)

    def other(self, place: Place, same: bool = True) -> str | None:
        """A named value, mostly one of the stream's type."""
        names = list(place.values)
        if same and isinstance(place.stream, Value) and self.chance(0.8):
            names = [n for n in names if place.values[n].type == place.stream.type] or names
        return self.random.choice(names) if names else None

    def finish(self, place: Place, text: str) -> Statement:
        """A step, with a name now and then."""
        if place.scope.kind == "branches" or not self.chance(0.25):
            return Statement((text,))
        name = self.new("v")
        shape = ""
        if self.chance(0.15) and isinstance(place.stream, Value):
            shape = ": [" + ", ".join(self.pick("_", "_", str(s)) for s in place.stream.shape) + "]"
        return Statement((f"{text} as {name}{shape}",), binds=(name,))

    # ---- layers and values ----

    def operator(self, place: Place, x: Tensor) -> tuple[str, Tensor]:
        """An item of a chain, and what torch gives there."""
        drawn = layer(self.random, x)
        y = drawn.run(x)
        text = self.say(place, drawn.text)
        return (self.labelled(place, text) if drawn.owns else text), y

    def light(self, place: Place) -> str:
        """A layer that keeps shapes."""
        options = ["relu", "gelu", "sigmoid", "tanh", "dropout(0.2)", "identity", "silu", "it * 2.0", "it + 1", "-it"]
        options += ["{ it }", "none", "abs", "softmax(axis=-1)", "it - it", "drop_path(0.1)", "clamp(min=0.0)"]
        return self.random.choice(options + list(place.scope.layers) * 3)

    def same_width(self, place: Place) -> str:
        """A layer with weights that keeps the shape."""
        shape = place.stream.shape if isinstance(place.stream, Value) else ()
        wide = self.pick("it.shape[1]", str(shape[1]) if len(shape) > 1 else "4")
        if len(shape) in (3, 4, 5) and self.chance(0.7):
            return self.pick(
                f"conv({wide}, 1)", f"conv({wide}, 3, pad=1)", f'conv({wide}, [{", ".join("3" * (len(shape) - 2))}], '
                f'pad="same", bias=false)', "batchnorm", "groupnorm(1)",
                    "conv(it.shape[1], 3, pad=1, groups=it.shape[1])",
            )  # fmt: skip
        return self.pick("linear(it.shape[-1])", "layernorm", "linear(it.shape[-1], bias=false)", "prelu")

    def layer_text(self, place: Place) -> str:
        """A layer as a thing, to be named, declared or handed on."""
        named = [*place.scope.layers, *(f"{n}({a})" for n, a in self._blocks)]
        same = self.same_width(place)
        return self.random.choice([
            same, same, same, f"{self.light(place)}", f"seq {{ {same}; relu }}",
                f"{{ {self.new('l')}: {same} -> relu }}",
            f"seq {{ {same} -> {same} }}", f"residual {{ {self.new('l')}: {same} }}", *named,
        ])  # fmt: skip

    def expression(self, place: Place, depth: int = 2) -> str:
        """A value, said as an expression."""
        name = self.other(place)
        leaf = "it" if name is None or self.chance(0.5) else name
        if depth == 0:
            return leaf
        inner = self.expression(place, depth - 1)
        calls = [f"{n}({inner})" for n, kind in self._functions if kind == "value"]
        table = self.pick("[1, 2]", "[[0.5], [1.5]]", "[0.5 * k for k in 0..it.shape[-1]]", "[[1]]", *self._tables)
        return self.random.choice([
            f"{inner} {self.random.choice(OPERATORS)} {leaf}", f"({inner}) {self.pick(*'+-*')} {self.factor(place)}",
            f"{self.factor(place)} {self.random.choice(OPERATORS)} ({inner})", f"-({inner})",
            f"{self.pick('exp', 'sin', 'cos', 'abs', 'sqrt', 'floor', 'sign', 'erf', 'log')}({inner})",
            f"({inner} if {self.condition(place)} else {leaf})", f"({inner} -> {self.light(place)})",
            f"[{inner}, {leaf}] -> {self.pick('add', 'mul', 'concat', 'concat(axis=-1)')}", f"({inner})[:, 1:]",
            f"({inner})[:1]", f"{leaf} * {table}", f"({inner}) + {table}",
            f"(({inner}) -> maximum({leaf}))", f"[{inner}, {leaf}][{self.pick('0', '1', '-1')}]",
            f"1 * ({inner} {self.pick('>', '<=', '==')} {leaf})", *calls, *calls,
        ])  # fmt: skip

    # ---- additions to a stream of one value ----

    def _options(self, place: Place) -> list[tuple[Callable[[Place], Drawn], float]]:
        anywhere: list[tuple[Callable[[Place], Drawn], float]] = [
            (self._let_number, 1), (self._defaults, 1), (self._function, 1.5), (self._table, 1), (self._recall, 1),
            (self._let_list, 1),
        ]  # fmt: skip
        if place.scope.in_model and place.scope.kind == "steps" and not place.scope.loops:
            anywhere += [(self._output, 1.5)]
        if isinstance(place.stream, list):
            return [
                *anywhere, (self._item, 6), (self._merge_list, 6), (self._unpack, 4), (self._each, 4),
                (self._block, 5), (self._call_block, 3), (self._over_items, 2),
            ]  # fmt: skip
        return [
            *anywhere, (self._chain, 16), (self._value, 9), (self._name, 3), (self._merge, 5), (self._residual, 4),
            (self._gate, 1), (self._loop, 5), (self._choice, 4), (self._group, 3), (self._sequence, 4),
            (self._let_value, 4), (self._template, 2), (self._declared, 3), (self._declared_list, 2),
            (self._param, 3), (self._buffer, 4), (self._list, 4), (self._parts, 3), (self._block, 7),
            (self._call_block, 5), (self._call_function, 3), (self._product, 2), (self._rows, 1.5),
            (self._counting, 3), (self._assertion, 1), (self._library, 1), (self._pair, 2), (self._slice, 3),
            (self._body_value, 2),
        ]  # fmt: skip

    def _chain(self, place: Place) -> Drawn:
        items, x = [], place.tensor
        for _ in range(self.random.choice([1, 1, 2, 3])):
            item, x = self.operator(place, x)
            items.append(item)
        return [self.finish(place, self.pick(" -> ", " -> ", "\n-> ").join(items))]

    def _value(self, place: Place) -> Drawn:
        text = self.expression(place)
        return [self.finish(place, text)] if re.search(r"\bit\b", text) else self._replaced(place, text)

    def _replaced(self, place: Place, text: str) -> Drawn:
        """A stream that is replaced is named before, and joined again or given out."""
        name = self.new("v")
        first = Statement((f"it as {name}",), binds=(name,))
        if place.scope.in_model and self.chance(0.3) and not place.scope.loops and place.scope.kind == "steps":
            return [first, *plain(f"output o{name} = {name}", text)]
        return [first, *plain(text, f"{self.pick('it', name)} {self.pick('+', '*')} {self.pick(name, 'it')}")]

    def _name(self, place: Place) -> Drawn:
        name = self.new("v")
        if self.chance(0.2):
            number = self.random.randint(1, 9)
            return [Statement((f"it as {name}_{{{number} - 1}}",), binds=(f"{name}_{number - 1}",))]
        return [Statement((f"it as {name}",), binds=(name,))]

    def _recall(self, place: Place) -> Drawn:
        name = self.other(place, same=False)
        return None if name is None else self._replaced(place, name)

    def _slice(self, place: Place) -> Drawn:
        x = place.stream
        subscripts = []
        for axis in range(self.random.randint(1, max(1, len(x.shape)))):
            size = f"it.shape[{axis}]"
            subscripts.append(self.pick(
                ":", ":", "1:", ":1", "0", "-1", "::2", f":{size} // 2", f"{size} // 2:", f"{size} - 1", f":{size} - 1",
                f"1:{size}", "0:1", *place.scope.loops, *(f"{i}:{i} + 1" for i in place.scope.loops),
            ))  # fmt: skip
        return [self.finish(place, f"it[{', '.join(subscripts)}]")]

    # ---- branches, loops, conditions, groups ----

    def body(self, place: Place, least: int = 0, kind: Literal["steps", "seq"] = "steps") -> Body:
        """A body that mostly keeps the type of what arrives."""
        made = []
        inside = Place(place.body, 0, Scope(place.scope.in_model, kind, loops=place.scope.loops), place.stream, {})
        for _ in range(self.random.randint(least, 2)):
            text = self.light(place)
            if self.chance(0.5):
                text = self.labelled(inside, self.say(place, self.same_width(place)))
            made.append(Statement((text,)))
        return Body(made, kind)

    def branch(self, place: Place) -> Statement:
        if self.chance(0.15):
            return Statement(("it",))
        return Statement(("", self.body(place)))

    def _merge(self, place: Place) -> Drawn:
        rank = len(place.stream.shape)
        kind = self.pick("add", "mul", "concat", f"concat(axis={axis_in(self.random, rank)})", "stack(axis=1)")
        branches = Body([self.branch(place) for _ in range(self.random.randint(1, 3))], "branches")
        if self.chance(0.2):
            branches.statements.append(
                Statement((f"if {self.condition(place)} ", Body([self.branch(place)], "branches")))
            )
        if self.chance(0.15):
            k = self.new("k")
            inner = Body([Statement(("", Body(plain(f"it * {k}"))))], "branches")
            branches.statements.append(Statement((f"for {k} in 1..3 ", inner), loops=(k,)))
        label = f"{self.label(place)}: " if self.chance(0.15) else ""
        return [Statement((f"{label}{kind} ", branches))]

    def _residual(self, place: Place) -> Drawn:
        label = f"{self.label(place)}: " if self.chance(0.2) else ""
        parts: tuple[str | Body, ...] = (f"{label}residual ", self.body(place, 1))
        if self.chance(0.4):
            parts += (" shortcut ", self.body(place))
        return [Statement(parts)]

    def _gate(self, place: Place) -> Drawn:
        if len(place.stream.shape) not in (3, 4, 5):
            return None
        label = self.label(place)
        inner = Body(plain("global_avgpool", f"{label}: conv(it.shape[1], 1)", self.pick("sigmoid", "hardsigmoid")))
        return [Statement(("mul ", Body([Statement(("it",)), Statement(("", inner))], "branches")))]

    def _loop(self, place: Place) -> Drawn:
        i, w = self.new("i"), self.new("w")
        counts = [n for n in place.scope.numbers if n == "count" or n.startswith("i")]
        stop = self.pick("2", "3", "2", "len([4, 8])", *counts)
        head, names = self.random.choice([
            (f"for {i} in 0..{stop} ", (i,)), (f"for {i} in 0..{stop} ", (i,)),
            (f"for {i}, {w} in enumerate([4, 8]) ", (i,)), (f"for {i}, {w} in zip([1, 2], [8, 4]) ", (i,)),
            (f"for {i} in reversed(0..{stop}) ", (i,)), (f"for {i} in [{self.pick('1, 2', '3', '0, 2')}] ", (i,)),
            (f"for [{i}, {w}] in [[0, 4], [1, 8]] ", (i,)),
        ])  # fmt: skip
        inside = Scope(place.scope.in_model, "steps", place.scope.values, loops=place.scope.loops + names)
        body = self.body(Place(place.body, 0, inside, place.stream, place.values), 1)
        return [Statement((head, body), loops=names)]

    def _choice(self, place: Place) -> Drawn:
        parts: tuple[str | Body, ...] = (f"if {self.condition(place)} ", self.body(place, 1))
        if self.chance(0.3):
            parts += (f" else if {self.condition(place)} ", self.body(place, 1))
        if self.chance(0.4):
            parts += (" else ", self.body(place, 1))
        return [Statement(parts)]

    def _group(self, place: Place) -> Drawn:
        name = self.new("v")
        body = self.body(place, 1)
        if self.chance(0.3):
            body.statements.append(Statement((f"it as {name}",), binds=(name,)))
        return [Statement((self.pick(f"{self.label(place)}: ", f"{self.label(place)}: ", ""), body))]

    def _sequence(self, place: Place) -> Drawn:
        body = self.body(place, 1, "seq")
        if self.chance(0.4):
            k = self.new("k")
            inner = Body(plain(self.same_width(place), *([self.light(place)] if self.chance(0.5) else [])), "seq")
            body.statements.append(Statement((f"for {k} in 0..{self.pick('2', '3')} ", inner), loops=(k,)))
        return [Statement((f"{self.label(place)}: seq ", body))]

    def _body_value(self, place: Place) -> Drawn:
        """A body where a value is wanted: in parentheses, as an argument, as the item of a chain."""
        name = self.new("v")
        first = Statement((f"it as {name}",), binds=(name,))
        text = self.pick(
            f"(it -> {{ {self.light(place)} }}) + {name}", f"it -> {{ it as {self.new('v')}; {self.light(place)} }}",
            f"add {{ it; {name} }} -> {self.light(place)}", f"[{name} -> {self.light(place)}, it] -> add",
            f"{name} -> {self.labelled(place, self.same_width(place))} -> it + {name}",
        )  # fmt: skip
        return [first, *plain(text)]

    # ---- names ----

    def _let_value(self, place: Place) -> Drawn:
        name = self.new("v")
        text = self.expression(place)
        if self.chance(0.3):
            item, _ = self.operator(place, place.tensor)
            text = f"it -> {item}"
        use = self.pick(f"it + {name}", f"{name} * it", f"[it, {name}] -> concat(axis=-1)", f"add {{ it; {name} }}")
        return [Statement((f"let {name} = {text}",), binds=(name,)), *plain(use)]

    def _let_number(self, place: Place) -> Drawn:
        name = self.new("n")
        text = self.pick("4", "8", "2 * 3", "it.shape[-1]", "it.shape[0]", "it.shape[1] // 2", "0.5", "true", "1 / 3")
        if place.scope.numbers and self.chance(0.5):
            n = self.random.choice(place.scope.numbers)
            text = self.pick(f"{n} * 2", f"{n} + 1", f"max({n}, 2)", f"{n} // 2", f"2 ** {n}", f"[{n}, 4][0]")
        return [Statement((f"let {name} = {text}",), numbers=(name,))]

    def _let_list(self, place: Place) -> Drawn:
        name = self.new("w")
        text = self.pick(
            "[4, 8, 4]", "[4 * k for k in 1..3]", "sorted([8, 4])", "[2] + [4]", "[i for i in 0..4 if i > 1]"
        )
        n = self.new("n")
        return [
            Statement((f"let {name} = {text}",)),
            Statement((f"let {n} = {name}[{self.pick('0', '-1', '1')}]",), numbers=(n,)),
        ]

    def _template(self, place: Place) -> Drawn:
        name = self.new("f")
        text = self.layer_text(place)
        if self.chance(0.3):
            text = f"{self.layer_text(place)} -> {self.light(place)}"
        return [
            Statement((f"let {name} = {text}",), layers=(name,)),
            *plain(self.labelled(place, name), *([self.labelled(place, name)] if self.chance(0.4) else [])),
        ]

    def _declared(self, place: Place) -> Drawn:
        label = self.new("m") + "".join(f"{{{i}}}" for i in place.scope.loops)
        uses = self.random.choice([
            [label], [label, self.light(place), label], [f"it -> {label} -> relu"],
            [f"add {{ {label}; {{ {self.light(place)} -> {label} }} }}"], [f"(it -> {label}) * it"],
            [f"[it, it * 2.0] -> [it[0] -> {label}, it[1] -> {label}] -> add"],
        ])  # fmt: skip
        made = Statement((f"let {label}: {self.say(place, self.layer_text(place))}",), layers=(label,))
        return [made, *plain(*uses)]

    def _declared_list(self, place: Place) -> Drawn:
        label, k = self.new("m"), self.new("k")
        if place.scope.loops:
            return None
        text = self.pick(
            f"[{self.same_width(place)}, {self.same_width(place)}]", f"[{self.same_width(place)} for j in 0..2]"
        )
        use = self.pick(
            f"for {k} in 0..2 {{ {label}[{k}] }}", f"it -> {label}[1] -> {label}[0]",
            f"for {k} in {label} {{ {k} }}", f"add {{ for {k} in {label} {{ {k} }} }}",
            f"for {k}, f in enumerate({label}) {{ f -> it + {k} }}",
        )  # fmt: skip
        return plain(f"let {label}: {text}", use)

    def _param(self, place: Place) -> Drawn:
        if place.scope.loops:
            return None
        label, shape = self.new("p"), place.stream.shape
        axes = range(self.random.randint(0, len(shape)), len(shape))
        dims = [self.pick("1", f"it.shape[{a}]", str(shape[a]), "1") for a in axes]
        init = self.pick(
            "zeros", "ones", "normal(0.02)", "constant(0.5)", "uniform(0.1)", "trunc_normal(0.02)", "kaiming_normal",
            "xavier_uniform", "normal(std=0)", "constant(-1)", "kaiming_uniform(slope=0.1)", "uniform(0)",
                "constant(2 ** 63)",
            "trunc_normal(1e-3, low=-2, high=2)", "constant(1e39)", "uniform(1e39)", "normal(1e38)",
                "trunc_normal(1, 5, 0, 1)",
        )  # fmt: skip
        use = self.pick(
            f"it + {label}", f"it * {label}", f"{label} - it", f"it + exp({label})", f"it * {label}.shape[0] + {label}"
        )
        return [Statement((f"param {label}: [{', '.join(dims)}] = {init}",), binds=(label,)), *plain(use)]

    def _buffer(self, place: Place) -> Drawn:
        if place.scope.loops:
            return None
        label = self.new("b")
        known = [n for n in place.values if n.startswith("b")]
        size = str(number(place.stream.shape[-1])) if place.stream.shape else "4"
        rank, table = self.random.choice([
            (1, f"[0.5 * k for k in 0..{size}]"), (1, f"[k for k in 0..{size}]"), (2, "[[1.0], [2.0]]"), (1, "[1.5]"),
            (1, f"sin([1.0 * k for k in 0..{size}] -> it * 0.1)"), (0, "2.5"), (2, "[[0, 1], [2, 3]]"),
            (2, f"[[1 * (j > k) for j in 0..{size}] for k in 0..{size}]"), (1, f"[k > 1 for k in 0..{size}]"),
            (1, f"[10000 ** (k / 8) for k in 0..{size}]"), (1, "[1e38]"), (1, "[true]"), (1, "[2 ** 62]"),
            (1, f"[[j * k for j in 0..{size}] for k in 0..1] -> rearrange(\"a b -> (a b)\")"),
            *((1, name) for name in self._tables),
            *((len(place.values[n].shape), text) for n in known for text in (f"2 * {n}", f"exp({n})", f"{n}[:1]",
                f"{n} + 1", n)),
        ])  # fmt: skip
        use = self.pick(
            f"it + {label}", f"it * {label}", f"it * (1.0 * {label})", f"(it > 0) * {label}", f"it + {label}[0]"
        )
        shape = ", ".join("_" * rank)
        return [Statement((f"buffer {label}: [{shape}] = {table}",), binds=(label,)), *plain(use)]

    def _table(self, place: Place) -> Drawn:
        """A constant of the file."""
        name = self.new("t")
        text = self.pick(
            "[1, 2, 3, 4]", "[[0.5, 1.0], [1.5, 2.0]]", "[0.1 * k for k in 0..8]",
                "[[j - k for j in 0..4] for k in 0..4]",
            "[2 ** k for k in 0..6]", "[[1 * (j < k) for j in 0..8] for k in 0..8]", "[[[0.5]], [[1.5]]]",
        )  # fmt: skip
        self._tables.append(name)
        self.fresh.append(Statement((f"let {name} = {text}",)))
        return plain(
            self.pick(f"it + {name}", f"it * {name}", f'it + ({name} -> rearrange("a -> 1 a 1"))', f"it - {name}[0]")
        )

    def _function(self, place: Place) -> Drawn:
        name = self.new("g")
        if self.chance(0.3) or not isinstance(place.stream, Value):
            text = self.pick(f"{name}(n) = n", f"{name}(n, k = 2) = n * k // k", f"{name}(n) = max(n, 1)",
                             f"{name}(n) = 4 * ((n + 3) // 4)", f"{name}(n) = n if n > 0 else 1")  # fmt: skip
            self._functions.append((name, "number"))
            self.fresh.append(Statement((f"fn {text}",)))
            return plain(f"let {self.new('n')} = {name}(8)")
        inner = self.pick("x + x", "x * 2.0", "exp(x) - 1", "x -> relu", "x[:, :1]", "x * x.shape[-1]", "[x, x] -> add",
                          "-x", "(x > 0) * x", "x -> softmax(axis=-1)", "x / (1 + abs(x))", "add { x; x -> sigmoid }",
                          "x + [i for i in 0..x.shape[-1]]",
                          "x if x.shape[-1] > 1 else -x", "[x, x * 2][1]", "x[:, x.shape[1] - 1:]")  # fmt: skip
        self._functions.append((name, "value"))
        self.fresh.append(Statement((f"fn {name}(x{self.pick('', ', k = 2')}) = {inner}",)))
        return plain(f"{name}(it)")

    def _call_function(self, place: Place) -> Drawn:
        names = [name for name, kind in self._functions if kind == "value"]
        if not names:
            return None
        name, v = self.random.choice(names), self.new("v")
        first = Statement((f"it as {v}",), binds=(v,))
        return [first, *plain(self.pick(f"{name}({v}) + it", f"it * {name}(it)", f"{name}({v}) -> it + {v}"))]

    def _defaults(self, place: Place) -> Drawn:
        return plain(self.pick("with conv(bias=false)", "with linear(init=normal(std=0.02)), batchnorm(eps=0.001)",
                               "with conv(init=kaiming_normal(mode=\"fan_out\"), bias_init=zeros)",
                               "with dropout(rate=0.5)", "with layernorm(eps=1e-6), linear(bias=false)",
                               *(f"with {n}({a})" for n, a in self._blocks if a)))  # fmt: skip

    def _assertion(self, place: Place) -> Drawn:
        axis = self.random.randrange(max(1, len(place.stream.shape)))
        return plain(self.pick(f"assert it.shape[{axis}] >= 2", f"assert it.shape[{axis}] % 2 == 0", "assert 1 < 2",
                               f"assert it.shape[{axis}] == it.shape[{axis}]",
                                   f"assert it.shape[{axis}] <= 64"))  # fmt: skip

    def _output(self, place: Place) -> Drawn:
        name = self.new("o")
        if isinstance(place.stream, list):
            return plain(f"output {name} = it[0]")
        item, _ = self.operator(place, place.tensor)
        other = self.other(place, same=False) or "it"
        return plain(self.pick(f"output {name}", f"output {name} = it -> {item}", f"output {name} = {other}",
                               f"output {name} = it -> {item} when training",
                                   f"output {name} = {self.expression(place)}"))  # fmt: skip

    # ---- lists ----

    def _list(self, place: Place) -> Drawn:
        name = self.other(place) or "it"
        light, k = self.light(place), self.new("k")
        own = self.labelled(place, self.same_width(place))
        made = plain(self.random.choice([
            f"[it, {name}]", "[it]", f"[it, {name}, it]", f"(it, {name})", f"[it -> {light}, {name}]",
            f"[it -> {own}, it]", f"[it * {k} for {k} in 1..3]", f"[[it, {name}], it]", "split(2, axis=1)",
            f"split({divisor(self.random, number(place.stream.shape[-1])) if place.stream.shape else 1}, axis=-1)",
            f"[it] + [{name}]", f"[x -> {light} for x in [it, {name}]]", f"[{name}, it]",
        ]))  # fmt: skip
        if self.chance(0.25):
            return made
        return [
            *made,
            *plain(self.pick("it[0]", "it[-1]", "add", "mul", "add", "concat(axis=-1)", "concat", "it[0] * it[-1]")),
        ]

    def _item(self, place: Place) -> Drawn:
        at = self.random.randrange(len(place.stream))
        item = place.stream[at]
        rest = [f"it[{k}]" for k in range(len(place.stream)) if k != at]
        if isinstance(item, list) or not rest:
            return plain(f"it[{at}]", *(["it[0]"] if isinstance(item, list) else []))
        label = self.labelled(place, self.same_width(Place(place.body, 0, place.scope, item, {})))
        return self.random.choice([
            plain(f"add {{ {'; '.join([f'it[{at}]', *rest])} }}"),
            plain(f"add {{ it[{at}] -> {label}; {'; '.join(rest)} }}"),
            plain(f"[it[{at}] -> {label}, {', '.join(rest)}]"),
            plain(f"concat(axis=-1) {{ it[{at}]; {'; '.join(rest)} }}"),
            plain(f"let {self.new('r')} = it",
                f"it[{at}] -> {label}") if len(rest) < 1 else plain(f"[{', '.join(rest)}, it[{at}]]"),
            plain(f"it[{at}] * {rest[0]}" if len(rest) == 1 else f"it[{at}] + {rest[0]} + {rest[-1]}"),
            plain(f"[{rest[-1]} -> {self.light(place)}, it[{at}]]"),
        ])  # fmt: skip

    def _merge_list(self, place: Place) -> Drawn:
        return plain(
            self.pick("add", "mul", "concat", "concat(axis=-1)", "stack(axis=1)", "concat(axis=2)", "stack(axis=0)")
        )

    def _unpack(self, place: Place) -> Drawn:
        names = [self.new("v") for _ in place.stream]
        made = Statement((f"it as [{', '.join(names)}]",), binds=tuple(names))
        joined = self.pick(" + ", " * ").join(self.random.sample(names, len(names)))
        label = self.labelled(place, "identity")
        return [made, *plain(self.pick(joined, f"add {{ {'; '.join(names)} }}", f"[{', '.join(reversed(names))}]",
                                       f"{names[0]} -> {label} -> it * 1.0"))]  # fmt: skip

    def _each(self, place: Place) -> Drawn:
        x = self.new("x")
        light = self.light(place)
        return plain(self.pick(f"[{x} -> {light} for {x} in it]", f"[{x} * 2.0 for {x} in it]",
            f"[{x} + it[0] for {x} in it]",
                               f"[{x} -> {light} for k, {x} in enumerate(it) if k < 2]", "it + it", "[it[0]] + it",
                               "reversed(it)", "[it, it] -> it[0]", "{ it }"))  # fmt: skip

    def _over_items(self, place: Place) -> Drawn:
        x, v = self.new("x"), self.new("v")
        first = Statement((f"it as {v}",))
        return [first, *plain("it[0]", f"for {x} in {v} {{ it + {x} }}")]

    def _parts(self, place: Place) -> Drawn:
        shape = place.stream.shape
        if not shape:
            return None
        axis = self.random.randrange(len(shape))
        many = divisor(self.random, number(shape[axis]))
        many = min(max(many, 1), 4)
        names = [self.new("v") for _ in range(many)]
        head = f"split({many}, axis={axis})" if self.chance(0.7) else f'rearrange("{_axes(len(shape), axis)}")'
        made = Statement((f"{self.say(place, head)} as [{', '.join(names)}]",), binds=tuple(names))
        return [made, *plain(self.pick(" + ".join(names), f"concat(axis={axis}) {{ {'; '.join(names)} }}",
                                       f"[{', '.join(reversed(names))}]",
                                           f"[{', '.join(names)}] -> concat(axis={axis})"))]  # fmt: skip

    def _pair(self, place: Place) -> Drawn:
        """Attention to another value, a value resized like another, an extremum."""
        name = self.other(place)
        if name is None:
            return None
        heads = divisor(self.random, place.tensor.shape[-1] if place.tensor.ndim else 1)
        return plain(self.pick(f"[it, {name}] -> {self.label(place)}: attention({heads})", f"maximum({name})",
                               f"resize(like={name}, mode=\"nearest\")",
                                   f"[it, {name}, {name}] -> {self.label(place)}: attention(1)",
                               f"minimum({name})",
                                   f"({name}, it) -> {self.label(place)}: attention({heads}, bias=false)"))  # fmt: skip

    def _product(self, place: Place) -> Drawn:
        name, x = self.other(place), place.tensor
        if name is None:
            return None
        y = tensor(place.values[name])
        left, free, right = list(NAMES[: x.ndim]), iter(ALONE), []
        for size in y.shape:
            fits = [n for n, s in zip(left, x.shape, strict=False) if s == size and n not in right]
            right.append(fits[0] if fits and self.chance(0.7) else next(free))
        out = [n for n in dict.fromkeys(left + right) if self.chance(0.9) or not (n in left and n in right)]
        if self.chance(0.3):
            self.random.shuffle(out)
        pattern = f"{' '.join(left)}, {' '.join(right)} -> {' '.join(out)}"
        return plain(f"(it, {name}) -> {call('einsum', pattern)}")

    def _rows(self, place: Place) -> Drawn:
        """A table whose rows whole numbers name."""
        if place.stream.dtype != "int64":
            shape = place.stream.shape
            if not shape:
                return None
            v = self.new("v")
            first = Statement((f"it as {v}",), binds=(v,))
            text = f"[i for i in 0..{v}.shape[0]] -> {v}[it] -> it + {v}"
            return [
                first,
                *plain(self.pick(text, f"let {self.new('v')} = [0]; {v}[:1] + it")),
            ]
        table = self.new("p")
        if place.scope.loops:
            return plain(f"{self.label(place)}: embedding(32, {self.pick('4', '8')})")
        first = Statement((f"param {table}: [32, {self.pick('4', '8', '2, 3')}] = normal(0.02)",), binds=(table,))
        return [
            first,
            *plain(self.pick(f"{table}[it]", f"{table}[it] * 2.0")),
        ]

    def _counting(self, place: Place) -> Drawn:
        """Positions along an axis, which may be of any length."""
        rank = len(place.stream.shape)
        if not rank:
            return None
        axis = self.random.randrange(rank)
        size, last = f"it.shape[{axis}]", "it.shape[-1]"
        n, v = self.new("n"), self.new("v")
        head = [Statement((f"let {n} = {size}",)), Statement((f"it as {v}",), binds=(v,))]
        return [*head, *plain(self.random.choice([
            f"it + [i for i in 0..{last}]", f"it * [0.5 * i for i in 0..{last}]",
            f"let {self.new('v')} = [[abs(i - j) for j in 0..{n}] for i in 0..{n}]; it + [i for i in 0..{last}]",
            f"[i for i in 0..{n}] -> {self.label(place)}: embedding(16, 4) "
            f'-> reduce("a b -> ", "mean") -> it * {v}',
            f"it + sin([1.0 * i / {last} for i in 0..{last}])", f"it * (1 * ([i for i in 0..{last}] >= {last} // 2))",
            f"it + [1.0 * (i > 0) for i in 1..{last} + 1]",
                f"it + [[1 * (i >= j) for j in 0..{last}] for i in 0..{last}]",
            f"it * {n}", f"it / {n} + {n} % 2",
        ]))]  # fmt: skip

    # ---- definitions ----

    def _block(self, place: Place) -> Drawn:
        """A block of one statement, and a call of it; it grows later like everything else."""
        name = self.new("B")
        numbers, layers, params, given = (), (), "", ""
        if self.chance(0.7):
            numbers, layers = ("width", "count", "flag", "widths[0]", "len(widths)"), ("act",)
            params = "(width, count = 2, flag = false, act = relu, widths = [4, 6])"
            given = self.arguments(place)
            if self.chance(0.25):
                numbers, layers = ("width",), ("peg",)
                params, given = "(peg, width = 4)", self.pick("relu", "conv(it.shape[1], 1)", *place.scope.layers)
        inputs = self.block_inputs(place)
        inner = Scope(False, "steps", numbers=numbers, layers=layers)
        inside = Place(Body(), 0, inner, place.stream, {})
        if isinstance(place.stream, list):
            first = self._item(inside) or []
        else:
            first = (
                self.random.choice([self._chain, self._chain, self._residual, self._slice, self._loop])(inside) or []
            )
        kind, head = ("steps", f"block {name}{params} ")
        if not inputs and self.chance(0.2):
            kind, head = "seq", f"block {name}{params} = seq "
        body = Body([*inputs, *first], kind, fixed=len(inputs))  # type: ignore[arg-type]
        self.fresh.append(Statement((head, body), numbers=numbers, layers=layers))
        self._blocks.append((name, given))
        call = f"{name}({given})" if given or self.chance(0.3) else name
        return plain(self.labelled(place, call), *([self.labelled(place, call)] if self.chance(0.2) else []))

    def block_inputs(self, place: Place) -> list[Statement]:
        if not self.chance(0.5):
            return []
        if isinstance(place.stream, list):
            if not all(isinstance(v, Value) for v in place.stream):
                return []
            names = [f"x{k}" for k in range(len(place.stream))]
            lines = [
                f"input {n}: [{', '.join('_' for _ in v.shape)}] {v.dtype}"
                for n, v in zip(names, place.stream, strict=True)
            ]
            return [
                Statement((line,), binds=(n,))
                for line, n in zip([*lines, f"[{', '.join(names)}]"], [*names, ""], strict=True)
            ]
        dims = [self.pick("_", c) for c in "NCHWD"[: len(place.stream.shape)]]
        sizes = tuple(d for d in dims if d != "_")
        return [Statement((f"input x: [{', '.join(dims)}] {place.stream.dtype}",), binds=("x",), numbers=sizes)]

    def arguments(self, place: Place) -> str:
        width = self.pick("4", "8", "it.shape[1]", "6", *(n for n in place.scope.numbers if n in ("width", "count")))
        given = [self.pick(width, f"width={width}")]
        if self.chance(0.5):
            given.append(f"count={self.pick('1', '2', '3', *(i + ' + 1' for i in place.scope.loops))}")
        if self.chance(0.5):
            given.append(f"flag={self.pick('true', 'false', *(i + ' > 0' for i in place.scope.loops))}")
        if self.chance(0.2):
            given.append(f"widths={self.pick('[8]', '[4, 4, 4]', '[4 * k for k in 1..3]', '[8] + [4]')}")
        if self.chance(0.5):
            own = self.pick("relu", "gelu", "none", "leaky_relu(0.2)", self.same_width(place), *place.scope.layers)
            given.append(f"act={own}")
        return ", ".join(given)

    def _call_block(self, place: Place) -> Drawn:
        if not self._blocks:
            return None
        name, given = self.random.choice(self._blocks)
        if given and self.chance(0.6) and not given.startswith(("relu", "conv")):
            given = self.arguments(place)
        call = f"{name}({given})" if given else name
        if isinstance(place.stream, Value) and self.chance(0.15):
            other = self.other(place) or "it"
            return plain(f"[it, {other}] -> {self.labelled(place, call)}")
        if place.scope.kind == "steps" and self.chance(0.3):
            i = self.new("i")
            label = self.pick(f"{self.new('l')}{{{i}}}" + "".join(f"_{{{j}}}" for j in place.scope.loops))
            return [Statement((f"for {i} in 0..{self.pick('2', '3')} ", Body(plain(f"{label}: {call}"))), loops=(i,))]
        return plain(self.labelled(place, call))

    def _library(self, place: Place) -> Drawn:
        if not self.uses_library:
            return None
        text = self.pick("ConvNorm(4)", "ConvNorm(it.shape[1], 1, act=none)", "SqueezeExcite(2)", "MLP(8)",
            "MLP(4, drop=0.1)",
                         "ConvNorm(make_divisible(9), norm=none)",
                             "ConvNorm(8, stride=2, norm=groupnorm(2))")  # fmt: skip
        return plain(self.labelled(place, text))


_LITERAL = re.compile(r"(?<![\w.{])\d+(?![\w.(])")


def _axes(rank: int, first: int) -> str:
    """A pattern that moves an axis to the front."""
    names = list(NAMES[:rank])
    return f"{' '.join(names)} -> {' '.join([names[first], *names[:first], *names[first + 1 :]])}"
