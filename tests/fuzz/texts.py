"""Texts that nobody would write: valid specs drawn at random, nearly valid ones, mutations, the grammar let loose."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

from tests.emit.torch.drawn import drawn

ROOT = Path(__file__).parents[2]
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\w+|\s+|[^\w\s]')
_PLAIN = """
    for if else in let param buffer with input output as seq residual shortcut concat add mul stack none true
    model block fn claim use arch it N C H W 0 1 2 3 -1 0.5 1e308 1e-308 10**12 0..10**12 { } ( ) [ ] , : ; . _
    -> = == .. ** // % / * + - conv linear batchnorm reshape(-1) flatten embedding attention einsum rearrange
    resize split(0) x.shape it[0] it[:,::2] params shape receptive_field é
"""
_SPECIAL = ["when training", "9" * 59, "\n", "\t", "\x00", "\u202e", '""', '"{"', '"b c h w -> b (h w) c"']
WORDS = (*_PLAIN.split(), *_SPECIAL)


@cache
def corpus() -> tuple[str, ...]:
    """All specs of the project: shipped, examples, test cases."""
    folders = ("specs", "examples", "tests/diagnostics/cases", "tests/diagnostics/examples", "tests/fuzz/found")
    paths = [p for folder in folders for p in sorted((ROOT / folder).rglob("*.arch"))]
    return tuple(p.read_text(encoding="utf-8") for p in paths)


def valid(random: Random) -> str:
    """A spec that is meant to be right."""
    return drawn(random.randrange(2**32))


def nearly(random: Random) -> str:
    """A spec with one to three words changed."""
    return mutate(valid(random), random, random.randint(1, 3))


def mutated(random: Random) -> str:
    """A spec of the project with up to eight changes, cut to a few definitions so that it is quick to check."""
    return mutate(_piece(random.choice(corpus()), random), random, random.randint(1, 8))


def _piece(text: str, random: Random) -> str:
    parts = re.split(r"\n(?=(?:model|block|fn|let|claim|use)\b)", text)
    if random.random() < 0.05:
        return text
    kept = sorted(random.sample(range(len(parts)), min(len(parts), random.randint(1, 4))))
    return "\n".join(parts[i] for i in kept)


def mutate(text: str, random: Random, changes: int) -> str:
    """A text with words deleted, doubled, exchanged, replaced, or with letters changed."""
    tokens = TOKEN.findall(text)
    for _ in range(changes):
        i = random.randrange(len(tokens)) if tokens else 0
        j = min(len(tokens), i + random.choice((1, 1, 1, 2, 5, 20)))
        match random.randrange(7):
            case 0:
                del tokens[i:j]
            case 1:
                tokens[i:i] = tokens[i:j]
            case 2:
                tokens[i:j] = [random.choice(WORDS)]
            case 3:
                tokens.insert(i, random.choice(WORDS))
            case 4 if tokens:
                k = random.randrange(len(tokens))
                tokens[i], tokens[k] = tokens[k], tokens[i]
            case 5:
                tokens[i:j] = random.choice(_runs())
            case _ if tokens:
                tokens[i] = _letters(tokens[i], random)
    return "".join(tokens)


@cache
def _runs() -> tuple[tuple[str, ...], ...]:
    """Runs of words of the corpus, to be put elsewhere."""
    random, found = Random(0), []
    for text in corpus():
        tokens = TOKEN.findall(text)
        for _ in range(30):
            i = random.randrange(len(tokens))
            found.append(tuple(tokens[i : i + random.randint(1, 12)]))
    return tuple(found)


def _letters(token: str, random: Random) -> str:
    i = random.randrange(len(token) + 1)
    letter = chr(random.choice((random.randrange(128), random.randrange(0xD7FF), random.randrange(0x1F300, 0x1F600))))
    return token[:i] + letter + token[i + random.randint(0, 1) :]


# ---- the grammar let loose ---------------------------------------------------------------------------------


@cache
def _rules() -> tuple[dict[str, list[list[str]]], dict[str, tuple[str, ...]]]:
    """The productions of grammar.lark as Lark itself reads them, and words for its terminals."""
    from lark import Lark

    from archdsl.syntax import grammar

    lark = Lark(grammar.text(), parser="lalr", start="start", keep_all_tokens=True, maybe_placeholders=False)
    rules: dict[str, list[list[str]]] = {}
    for rule in lark.rules:
        rules.setdefault(rule.origin.name, []).append([s.name for s in rule.expansion])
    words = {t.name: (t.pattern.value,) for t in lark.terminals if t.pattern.type == "str"}
    return rules, {**words, **_PATTERNS}


_PATTERNS = {
    "NAME": ("x", "y", "it", "N", "C", "H", "conv", "relu", "linear", "batchnorm", "flatten", "Block", "k", "width"),
    "COMPUTED": ("stage{k}", "x{1 + 1}y", "a{N}"),
    "INT": ("0", "1", "3", "8", "64", "1_000"),
    "FLOAT": ("0.5", "1e-3", "1e300"),
    "STRING": ('"a"', '""', '"n c h w -> n (c h w)"', '"same"', '"mean"'),
    "COMBINE": ("add", "mul", "concat", "stack"),
    "WHEN_TRAINING": ("when training",),
    "PRODUCT_OP": ("*", "/", "//", "%"),
    "COMPARE": ("==", "!=", "<=", ">=", "<", ">"),
    "_NL": ("\n", ";"),
}


def derived(random: Random, budget: int = 60) -> str:
    """A text that the grammar derives: its names and arguments make sense only by chance."""
    rules, words = _rules()
    out: list[str] = []
    stack = ["start"]
    while stack:
        symbol = stack.pop()
        if symbol not in rules:
            out.append(random.choice(words[symbol]))
            continue
        expansions = rules[symbol]
        if len(out) + len(stack) > budget:
            expansions = _ends()[symbol]
        stack.extend(reversed(random.choice(expansions)))
    return " ".join(out)


@cache
def _ends() -> dict[str, list[list[str]]]:
    """For each rule the production that ends soonest."""
    rules, _ = _rules()
    cost = dict.fromkeys(rules, 10**6)
    for _ in rules:
        for name, expansions in rules.items():
            cost[name] = min(1 + max((cost.get(s, 0) for s in e), default=0) for e in expansions)
    return {n: [min(es, key=lambda e: max((cost.get(s, 0) for s in e), default=0))] for n, es in rules.items()}


KINDS = {"valid": valid, "nearly valid": nearly, "mutated": mutated, "derived": derived}
