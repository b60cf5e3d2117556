"""Cost against the length of the spec: chains of 1,000 and of 10,000 layers, checked, written as a loop and as lines.

python benchmarks/scaling.py
"""

from __future__ import annotations

from statistics import median
from time import process_time

from archdsl.checks.report import check
from archdsl.compiler import from_text

WANTED_RATIO, WANTED_SECONDS, ROUNDS = 12, 3.0, 5


def loop(layers: int) -> str:
    return f"  for i in 0..{layers} {{ c{{i}}: conv(8, 3, pad=1) }}"


def lines(layers: int) -> str:
    return "\n".join(f"  c{i}: conv(8, 3, pad=1)" for i in range(layers))


def main() -> None:
    print(f"{'check, CPU seconds':24}{'1,000':>10}{'10,000':>10}{'ratio':>8}")
    for size in ("[N, 8, 32, 32]", "[N, 8, H, W]"):
        for name, body in (("loop", loop), ("lines", lines)):
            short, long = (median(seconds(body(n), size) for _ in range(ROUNDS)) for n in (1_000, 10_000))
            print(f"{name + ' at ' + size:24}{short:10.3f}{long:10.3f}{long / short:8.1f}")
    print(f"(at most {WANTED_RATIO} and {WANTED_SECONDS} s wanted)")


def seconds(body: str, size: str) -> float:
    start = process_time()
    report = check(from_text(f"model Chain {{\n  input x: {size}\n{body}\n  output y\n}}\n"))
    assert report.ok
    return process_time() - start


if __name__ == "__main__":
    main()
