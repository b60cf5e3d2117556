"""The long run: ``python -m tests.soundness.long --graphs 6000``."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from random import Random

from .graphs import Drawing
from .judge import Tally, judge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    tally, failures, started = Tally(), 0, time.time()
    for number in range(args.first, args.graphs):
        random = Random(f"{args.seed}/{number}")
        graph = Drawing(random).graph()
        try:
            judge(graph, random, tally)
        except Exception as e:
            failures += 1
            print(f"---- {number}", file=sys.stderr)
            if isinstance(e, AssertionError):
                print(e, file=sys.stderr)
            else:
                print(graph.text(), file=sys.stderr)
                traceback.print_exc()
    print(dict(tally.counts), tally.rules.most_common(), sep="\n")
    print(f"{failures} failures, {time.time() - started:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
