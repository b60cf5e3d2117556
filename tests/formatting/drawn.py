"""Texts drawn at random: specs of every construct of the grammar (they need not mean anything), and other spacings."""

from __future__ import annotations

from random import Random

from archdsl.syntax import grammar
from archdsl.syntax.lines import CLOSING, CONTINUES_AFTER, CONTINUES_BEFORE, OPENING

OWN = ("x", "conv", "width", "C", "a_rather_long_name_for_a_thing", "Unit")
NAMES = (*OWN, "it")
FREE = (" ", " ", "  ", "\n", "\n\n\n", "  # COMMENT\n", "\n# COMMENT\n", " # COMMENT\n\n# COMMENT\n  ")
ENDS = ("\n", ";", " ; ", "\n\n\n\n", "; # COMMENT\n", "  # COMMENT\n  ## COMMENT\n\n")


def respaced(text: str, random: Random) -> str:
    """The same tokens with white space, line breaks and comments put in wherever the language lets them stand."""
    out: list[str] = []
    brackets: list[str] = []
    last = "LBRACE"
    count = 0
    for token in grammar.parser().lex(text):
        if token.type == "_NL":
            space = random.choice(ENDS)
        elif (brackets and brackets[-1] != "LBRACE") or last in CONTINUES_AFTER or token.type in CONTINUES_BEFORE:
            space = random.choice(FREE)
        else:
            space = random.choice((" ", "   "))
        while "COMMENT" in space:
            count += 1
            space = space.replace("COMMENT", f"c{count}", 1)
        out += [space, "" if token.type == "_NL" else str(token)]
        if token.type in OPENING:
            brackets.append(token.type)
        elif token.type in CLOSING:
            brackets.pop()
        last = token.type
    return "".join(out)


class Draw:
    """Draws a text of the grammar."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def some(self, least: int, most: int, make) -> list[str]:
        return [make() for _ in range(self.random.randint(least, most))]

    def name(self) -> str:
        """A name to define: `it` is the stream, which the grammar lets nothing else be called."""
        return self.pick(*OWN, "skip{i}", "stage{s + 1}_{i}")

    # ---- expressions ----

    def atom(self) -> str:
        return self.pick(*NAMES, "1", "1_000", "0.5", "1e-3", '"text"', "true", "none", "skip{i}")

    def expr(self, depth: int) -> str:
        if depth <= 0:
            return self.atom()
        e = lambda: self.expr(depth - 1)  # noqa: E731
        options = [
            lambda: f"({e()}) if ({e()}) else {e()}",
            lambda: f"({e()}) {self.pick('+', '-', '*', '//', '/', '%', '==', '<=', 'and', 'or', '**')} ({e()})",
            lambda: " + ".join(f"({e()})" for _ in range(3)),
            lambda: f"not ({e()})",
            lambda: f"-({e()})",
            lambda: f"0..({e()})",
            lambda: self.call(depth),
            lambda: f"({e()}).shape",
            lambda: f"x[{self.pick(e(), ':', f'1:{self.atom()}', '::2', f'{self.atom()}, :')}]",
            lambda: f"[{', '.join(self.some(0, 4, lambda: self.chain(depth - 1)))}]",
            lambda: f"({self.chain(depth - 1)}, {self.chain(depth - 1)})",
            lambda: f"[{self.chain(depth - 1)} for {self.pattern()} in ({e()}) if ({e()}) for y in ({e()})]",
            lambda: f"({self.chain(depth - 1)})",
            lambda: self.body(depth - 1),
            lambda: f"seq {self.body(depth - 1)}",
            lambda: f"{self.pick('add', 'concat(axis=1)', 'mul')} {self.body(depth - 1)}",
            lambda: f"residual {self.body(depth - 1)}",
            lambda: f"residual {self.body(depth - 1)} shortcut {self.body(depth - 1)}",
            self.atom,
        ]
        return self.random.choice(options)()

    def call(self, depth: int) -> str:
        argument = self.chain if depth > 1 else lambda _: self.atom()
        arguments = self.some(0, 3, lambda: self.pick("", "stride=", "kernel=") + argument(depth - 1))
        return f"{self.pick(*NAMES)}({', '.join(arguments)}{self.pick('', ',') if arguments else ''})"

    def item(self, depth: int) -> str:
        label = self.pick("", "", f"{self.name()}: ", '"a{i}": ')
        return label + self.random.choice((self.expr, self.call, lambda _: "concat(axis=2)"))(depth)

    def chain(self, depth: int) -> str:
        return " -> ".join(self.some(1, 3, lambda: self.item(depth)))

    def pattern(self) -> str:
        return self.pick("i", "i, x", "[a, b]", "i, [a, [b, c]]")

    def shape(self, depth: int) -> str:
        return f"[{', '.join(self.some(0, 4, lambda: self.expr(min(depth, 1))))}]{self.pick('', ' int64')}"

    # ---- statements ----

    def body(self, depth: int) -> str:
        statements = self.some(0, 3, lambda: self.statement(depth))
        return self.pick("{ %s }", "{\n%s\n}", "{ %s\n}") % self.pick("; ", "\n").join(statements)

    def statement(self, depth: int) -> str:
        if depth <= 0:
            return self.atom()
        name, expr, chain = self.name(), self.expr(depth), self.chain(depth)
        options = [
            lambda: chain,
            lambda: f"{chain} as {self.pick('x', '[a, b]', 'skip{i}')}{self.pick('', ': ' + self.shape(depth))}",
            lambda: f"input {name}: {self.shape(depth)}",
            lambda: f"output {name}: {self.shape(depth)} = {chain} when  training",
            lambda: f"let {self.pick(name, '[a, b]')} = {chain}",
            lambda: f"let {name}: {self.item(depth)}",
            lambda: f"param {name}: {self.shape(depth)} = {expr}",
            lambda: f"buffer {name}: {self.shape(depth)} = {chain}",
            lambda: f"with {self.call(depth)}, {self.call(depth)}",
            lambda: f"assert {expr}",
            lambda: f"for {self.pattern()} in ({expr}) {self.body(depth - 1)}",
            lambda: f"if ({expr}) {self.body(depth - 1)}",
            lambda: f"if ({expr}) {self.body(depth - 1)} else if x {self.body(depth - 1)} else {self.body(depth - 1)}",
        ]
        return self.random.choice(options)()

    def params(self, depth: int) -> str:
        return f"({', '.join(self.some(0, 5, lambda: self.pick('a', f'b = {self.expr(min(depth, 1))}')))})"

    def spec(self, depth: int = 2) -> str:
        options = [
            lambda: f"block B{self.pick('', self.params(depth))} {self.body(depth)}",
            lambda: f"model M{self.params(depth)} = {self.chain(depth)}",
            lambda: f"fn f{self.params(depth)} = {self.expr(depth)}",
            lambda: f"let x = {self.chain(depth)}",
            lambda: f'claim{self.pick("", self.params(depth))} "it holds" {self.body(depth)}',
            lambda: 'use A, B, C from "other.arch"',
        ]
        return "arch 1\n" + "\n".join(self.some(1, 3, lambda: self.random.choice(options)()))
