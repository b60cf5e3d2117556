"""How the cost of `archdsl check` grows with every construct of a spec: `python benchmarks/growth.py [WORD …]`.

Each construct is written n and 3n times; n is such that 3n takes a good part of a second, or as much as a file may
hold. Printed are the processor seconds of both, the exponent (1 is linear), and the characters of the diagnostics. With
words, only the constructs whose names contain one of them are measured.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics.render import render


def model(body: str, before: str = "", shape: str = "[N, 8]") -> str:
    return f"arch 1\n{before}\nmodel M {{\n  input x: {shape}\n{body}\n  output y\n}}\n"


def lines(n: int, line: Callable[[int], str]) -> str:
    return "\n".join(map(line, range(n)))


CONSTRUCTS: dict[str, tuple[int, Callable[[int], str]]] = {
    "members": (1000, lambda n: model("s: seq {\n" + lines(n, lambda i: "linear(8)") + "\n}")),
    "labels": (1000, lambda n: model(lines(n, lambda i: f"a{i}: linear(8)"))),
    "names": (1000, lambda n: model(lines(n, lambda i: f"it * 2.0 as v{i}\nx + v{i}"))),
    "lets": (3000, lambda n: model(lines(n, lambda i: f"let v{i} = {i}") + "\na: linear(v0)")),
    "lets of lets": (3000, lambda n: model("let v = 1\n" + lines(n, lambda i: "let v = v + 1") + "\nit * v")),
    "lets of the file": (
        3000,
        lambda n: model("it * v0", before="let v0 = 1\n" + lines(n, lambda i: f"let v{i + 1} = v{i} + 1")),
    ),
    "functions": (
        1000,
        lambda n: model("it * f0(1)", "fn f0(a) = a\n" + lines(n, lambda i: f"fn f{i + 1}(a) = f0(a) * a")),
    ),
    "functions in a chain": (
        15,
        lambda n: model(
            f"it * f{n}(1)", "fn f0(a) = a\n" + lines(n, lambda i: f"fn f{i + 1}(a) = f{i}(a) + f{i}(a + 1)")
        ),
    ),
    "functions that call each other": (
        300,
        lambda n: model("it * 1.0", lines(n, lambda i: f"fn f{i}(a) = f{(i + 1) % n}(a) + f{(i + 1) % n}(a)")),
    ),
    "blocks": (
        700,
        lambda n: model(
            lines(n, lambda i: f"b{i}: B{i}(8)"),
            lines(n, lambda i: f"block B{i}(c) {{ input x: [N, C]\n a: linear(c) }}"),
        ),
    ),
    "blocks in blocks": (
        15,
        lambda n: model(
            f"b: B{n}",
            "block B0 { a: linear(8) }\n"
            + lines(
                n, lambda i: f"block B{i + 1} {{ b: B{i}\n c: B{i} }}" if i < 8 else f"block B{i + 1} {{ b: B{i} }}"
            ),
        ),
    ),
    "blocks that nothing uses": (
        2000,
        lambda n: model("relu", lines(n, lambda i: f"block B{i}(c) {{ a: linear(c) }}")),
    ),
    "instances of a block": (
        1000,
        lambda n: model(lines(n, lambda i: f"b{i}: B(8)"), "block B(c) { input x: [N, C]\n a: linear(c) }"),
    ),
    "turns of a loop": (1500, lambda n: model(f"s: seq {{ for i in 0..{n} {{ linear(8) }} }}")),
    "branches": (1000, lambda n: model("concat(axis=1) {\n" + lines(n, lambda i: "it") + "\n}")),
    "branches of a sum": (1000, lambda n: model("add {\n" + lines(n, lambda i: "it") + "\n}")),
    "residuals": (700, lambda n: model(lines(n, lambda i: "residual { relu }"))),
    "conditions": (1500, lambda n: model(lines(n, lambda i: f"if {i} > 3 {{ relu }} else {{ tanh }}"))),
    "else ifs": (
        700,
        lambda n: model(
            "let k = 0\nif k == 1 { relu }" + "".join(f" else if k == {i + 2} {{ tanh }}" for i in range(n))
        ),
    ),
    "inputs": (1000, lambda n: "arch 1\nmodel M {\n" + lines(n, lambda i: f"input x{i}: [N, 8]") + "\noutput y\n}\n"),
    "symbols": (
        700,
        lambda n: "arch 1\nmodel M {\n" + lines(n, lambda i: f"input x{i}: [N, C{i}]") + "\noutput y\n}\n",
    ),
    "outputs": (2000, lambda n: model(lines(n, lambda i: f"output y{i} = x * {i}.0"))),
    "outputs of one value": (2000, lambda n: model(lines(n, lambda i: f"output y{i}"))),
    "params": (1000, lambda n: model(lines(n, lambda i: f"param p{i}: [8] = zeros\nit + p{i}"))),
    "buffers": (
        700,
        lambda n: model(
            lines(n, lambda i: f'buffer p{i}: [8] = [1, 2, 3, 4, 5, 6, 7, 8] -> rearrange("a -> a")\nit + p{i}')
        ),
    ),
    "buffers of buffers": (
        200,
        lambda n: model(
            "buffer b0: [2] = [1.0, 2.0]\n"
            + lines(n, lambda i: f"buffer b{i + 1}: [2] = b{i} * 2.0")
            + f"\nx[:, :2] + b{n}"
        ),
    ),
    "declared modules": (1000, lambda n: model(lines(n, lambda i: f"let m{i}: linear(8)\nm{i}"))),
    "with-defaults": (1500, lambda n: model(lines(n, lambda i: "with linear(bias=false)") + "\na: linear(8)")),
    "stated shapes": (1000, lambda n: model(lines(n, lambda i: "it * 2.0 as _v: [N, 8]"))),
    "comments": (10_000, lambda n: model(lines(n, lambda i: f"  # comment {i}") + "\nrelu")),
    "allowed lints": (3000, lambda n: model(lines(n, lambda i: f"relu  # allow: unused ({i})"))),
    "empty lines": (30_000, lambda n: model("\n" * n + "relu")),
    "claims": (700, lambda n: model("a: linear(8)") + lines(n, lambda i: f'claim "c{i}" {{ assert params(M) == 72 }}')),
    "assertions": (1500, lambda n: model(lines(n, lambda i: f"assert {i} >= 0") + "\nrelu")),
    "assertions on a size": (300, lambda n: model(lines(n, lambda i: f"assert C >= {i}") + "\nrelu", shape="[N, C]")),
    "preconditions": (150, lambda n: model(lines(n, lambda i: f"assert C % {i + 2} == 0") + "\nrelu", shape="[N, C]")),
    "symbolic convolutions": (
        150,
        lambda n: model("s: seq {\n" + lines(n, lambda i: "conv(4, 3, pad=1)") + "\n}", shape="[N, 4, H, W]"),
    ),
    "symbolic strides": (
        8,
        lambda n: model("s: seq {\n" + lines(n, lambda i: "conv(4, 3, stride=2, pad=1)") + "\n}", shape="[N, 4, H, W]"),
    ),
    "slices": (700, lambda n: model(lines(n, lambda i: "it[:, 0:8]"))),
    "a row of numbers": (5000, lambda n: model("it * [" + ", ".join("1.0" for _ in range(n)) + "][0]")),
    "a table": (5000, lambda n: model(f"it * [[1.0 * i * j for i in 0..{n // 50}] for j in 0..50][0, 0]")),
    "a table that is indexed": (
        300,
        lambda n: model(f"let t = [i for i in 0..1000]\nlet s = sum([t[i % 1000] for i in 0..{n * 50}])\nit * s"),
    ),
    "arguments": (1000, lambda n: model("it * max(" + ", ".join(map(str, range(n))) + ")")),
    "parameters": (
        1000,
        lambda n: model(
            "b: B(" + ", ".join(map(str, range(n))) + ")",
            "block B(" + ", ".join(f"p{i}" for i in range(n)) + ") { a: linear(8) }",
        ),
    ),
    "terms": (2000, lambda n: model("it * (" + " + ".join("1" for _ in range(n)) + ")")),
    "terms of values": (700, lambda n: model(" + ".join("it" for _ in range(n)))),
    "a chain": (1000, lambda n: model("it" + " -> relu" * n)),
    "a string": (30_000, lambda n: model(f'let s = "{"a" * n}"\nassert s == s\nrelu')),
    "a name": (300, lambda n: model(f"let {'a' * n} = 1\nit * {'a' * n}")),
    "a documentation": (
        5000,
        lambda n: lines(n, lambda i: "## words of documentation") + "\n" + model("relu").removeprefix("arch 1"),
    ),
    "brackets": (25, lambda n: model("it * " + "(" * n + "1" + ")" * n)),
    "lists in lists": (20, lambda n: model("let a = " + "[" * n + "1" + "]" * n + "\nassert a == a\nrelu")),
    "faults: unknown names": (5000, lambda n: model(lines(n, lambda i: f"it * unknown{i}"))),
    "faults: conditions": (5000, lambda n: model(lines(n, lambda i: "if nothing { relu }"))),
    "faults: unused names": (7000, lambda n: model(lines(n, lambda i: f"let v{i} = {i}") + "\nrelu")),
    "faults: syntax": (3000, lambda n: model(lines(n, lambda i: "let = 3"))),
    "faults: arguments": (3000, lambda n: model(lines(n, lambda i: f"a{i}: linear(8, wrong={i})"))),
    "faults: shapes": (1000, lambda n: model(lines(n, lambda i: f"x + [1.0, 2.0, {i}]"))),
    "faults: definitions twice": (2000, lambda n: model("relu", lines(n, lambda i: "fn f(a) = a"))),
    "faults: numbers changed": (
        700,
        lambda n: model("s: seq {\n" + lines(n, lambda i: "it * 2.0 -> linear(8)") + "\n}"),
    ),
    "faults: lints": (
        700,
        lambda n: model(
            "s: seq {\n" + lines(n, lambda i: "conv(4, 3, pad=1) -> batchnorm") + "\n}", shape="[N, 4, 8, 8]"
        ),
    ),
    "faults: lints not there": (2000, lambda n: model(lines(n, lambda i: f"relu  # allow: nothing{i}"))),
}
"""For each construct n, and a spec with n of them."""


def seconds(text: str) -> tuple[float, int]:
    """Processor seconds of a check, with its messages; and the characters of these."""
    start = time.process_time()
    shown = render(check(from_text(text)).diagnostics)
    return time.process_time() - start, len(shown)


def measured(words: list[str]) -> Iterator[tuple[str, int, float, float, int]]:
    """Name, 3n, seconds for n and for 3n, characters."""
    seconds(model("a: linear(8)"))  # what the first check of a process costs
    for name, (n, spec) in CONSTRUCTS.items():
        if not words or any(word in name for word in words):
            before, _ = seconds(spec(n))
            after, shown = seconds(spec(3 * n))
            yield name, 3 * n, before, after, shown


def main() -> None:
    parser = argparse.ArgumentParser(description="how the cost of `archdsl check` grows with every construct of a spec")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only constructs whose names contain one of these")
    print(f"{'construct':32} {'3n':>7} {'n, s':>7} {'3n, s':>7} {'exponent':>8} {'output':>8}")
    for name, count, before, after, shown in measured(parser.parse_args().words):
        exponent = math.log(max(after, 1e-3) / max(before, 1e-3), 3)
        print(f"{name:32} {count:7,} {before:7.2f} {after:7.2f} {exponent:8.2f} {shown:8,}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
