"""Specs of the whole language, grown at random: each addition is kept only if ``check`` accepts the spec with it.

A spec begins as a model that returns its input. An addition is drawn for a place in it (in the model, in a block, a
loop, a branch) and for the type that the stream has there, which the checked graph tells. Most additions therefore fit,
and every spec is valid, however unusual its combination of constructs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from archdsl.checks.unused import dead_layers
from archdsl.compiler import build, from_text
from archdsl.emit.torch.formless import formless
from archdsl.graph import Graph, Named, Value, flattened

from .additions import Additions
from .graphs import REFUSED
from .language import Stricter
from .outline import MAX_NUMBERS, Body, Place, Scope, Statement, Text, numbers_of, plain


@dataclass
class Tally:
    """What was proposed and what was kept, by the kind of addition; ``refused`` counts the codes of refusals."""

    proposed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class CheckFailed(Exception):
    """``check`` ended in an exception."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Grown:
    """One spec. ``text`` is what came of it; ``model`` the name of the model that is meant."""

    def __init__(self, random: Random, tally: Tally, steps: int | None = None) -> None:
        self.random = random
        self.tally = tally
        self.additions = Additions(random)
        self._definitions: list[Statement] = []
        self._tail: list[Statement] = []
        self._model = self._begin()
        self._places: list[Place] = []
        assert self._accepts("start"), self.render(False)[0]
        for _ in range(random.randint(4, 26) if steps is None else steps):
            self._step()

    @property
    def text(self) -> str:
        return self.render(False)[0]

    def render(self, probes: bool) -> tuple[str, list[tuple[Body, int, Scope]]]:
        out = Text(self.random if probes else None)
        out.lines.append("arch 1")
        for made in [*self._definitions, *self.additions.fresh]:
            out.definition(made, in_model=False)
        out.definition(self._model, in_model=True)
        for made in self._tail:
            out.definition(made, in_model=False)
        return "\n".join(out.lines) + "\n", out.places

    # ---- the first spec ----

    def _begin(self) -> Statement:
        pick, chance = self.random.choice, self.additions.chance
        first = pick([
            "[N, C, H, W]", "[N, 4, H, W]", "[N, 4, 8, 8]", "[2, 4, 8, 6]", "[N, 3, 8, 8]", "[N, T, 8]", "[N, 6, 8]",
            "[N, T, C]", "[N, 8]", "[N, C]", "[N, 4, T]", "[N, T] int64", "[N, 5] int64", "[L, T] int64",
            "[N, 2, 4, 6, 6]", "[N, 4, T] bool", "[T]", "[]", "[1, 1]", "[N, 4, H, W]", "[N, 4, 8, 8]", "[N, T, 8]",
        ])  # fmt: skip
        inputs = [f"input a: {first}"]
        names = ["a"]
        if chance(0.35):
            names.append("b")
            second = pick([first, first, "[N, 8]", "[N, L, 8]", "[N, T] int64", "[T, T]", "[N, 4, 1, 1]", "[L]"])
            inputs.append(f"input b: {second}")
        numbers: tuple[str, ...] = ()
        layers: tuple[str, ...] = ()
        head = "model Net"
        if chance(0.4):
            numbers, layers = ("width", "count", "flag", "rate"), ("act",)
            head += f"(width = {pick([4, 8])}, count = {pick([2, 3])}, flag = {pick(['true', 'false'])}, "
            head += f"rate = {pick([0.1, 0.0])}, act = {pick(['relu', 'gelu', 'none'])}, classes = 5)"
            if chance(0.4):
                self._tail += plain(f"model Member = Net({pick([8, 6, 16])}, flag={pick(['true', 'false'])})")
        if chance(0.1):
            self._tail += plain('claim "it is small" { assert params(Net) < 10 ** 9 }')
        if chance(0.1):
            head = f"## {pick(['What it does.', 'One line.'])}\n{head}"
        statements = plain(*inputs, "a")
        for made, name in zip(statements, names, strict=False):
            made.binds = (name,)
        body = Body([*statements, *plain("output y")], fixed=len(inputs) + 1)
        if chance(0.05):
            self.additions.uses_library = True
            self._definitions += plain('use ConvNorm, SqueezeExcite, MLP, make_divisible from "blocks.arch"')
        return Statement((head + " ", body), numbers=numbers, layers=layers)

    # ---- one addition ----

    def _step(self) -> None:
        place = self.random.choice(self._places)
        mark = self.additions.mark()
        try:
            name, drawn = self.additions.draw(place)
        except (*REFUSED, Stricter, KeyError):  # torch knows no such layer for this type: draw another
            drawn = None
        if drawn is None:
            self.additions.forget(mark)
            return
        place.body.statements[place.at : place.at] = drawn
        self.tally.proposed[name] += 1
        if self._accepts(name):
            self._definitions += self.additions.fresh
            self.additions.fresh = []
            self.tally.kept[name] += 1
        else:
            del place.body.statements[place.at : place.at + len(drawn)]
            self.additions.forget(mark)

    def _accepts(self, name: str) -> bool:
        """Checks the spec as it now is; where it is accepted, the places in it are those of this spec."""
        text, places = self.render(probes=True)
        graphs: list[Graph] = []
        try:
            spec = from_text(text)
            problems = list(spec.diagnostics)
            for model in spec.buildable.values():
                built = build(spec, model, {}, {})
                problems += built.diagnostics
                graphs += [built.graph] if built.graph is not None else []
            problems += [d for graph in graphs for d in dead_layers(graph)]
        except Exception as error:
            raise CheckFailed(text) from error
        errors = [d.code for d in problems if d.severity == "error"]
        if errors:
            self.tally.refused[f"{name} {errors[0]}"] += 1
            return False
        if any(formless(graph) is not None for graph in graphs) and self.additions.chance(0.97):
            return False
        found = self._observed(graphs, places)
        if any(numbers_of(place.stream) > MAX_NUMBERS for place in found):
            return False
        self._places = found
        return True

    @staticmethod
    def _observed(graphs: list[Graph], places: list[tuple[Body, int, Scope]]) -> list[Place]:
        seen: dict[str, Any] = {}
        for graph in graphs:
            for instance in graph.instance.walk():
                for event in flattened(instance.events):
                    if isinstance(event, Named):
                        seen.setdefault(event.name, event.what)
        return [
            Place(body, at, scope, stream, {n: v for n in scope.values if isinstance(v := seen.get(n), Value)})
            for number, (body, at, scope) in enumerate(places)
            if isinstance(stream := seen.get(f"q{number}"), Value | list) and stream != []
        ]
