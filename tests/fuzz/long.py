"""The long run: ``python -m tests.fuzz.long --inputs 200000``.

Each kind of text gets its share. What fails is written to ``--found`` and counted; the last lines are the figures of
docs/reliability.md. A run with the same ``--seed`` draws the same texts.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from tests.fuzz.survive import Hangs, bounded, limit_memory, survive
from tests.fuzz.texts import KINDS

SHARES = {"valid": 0.01, "nearly valid": 0.04, "mutated": 0.25, "derived": 0.7}
EMITS_EVERY = 20
"""One text in so many is written by the back ends too."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    args = parser.parse_args()
    limit_memory()
    tally, slowest, started = Counter(), 0.0, time.time()
    for number in range(args.inputs):
        random = Random(f"{args.seed}/{number}")
        kind = random.choices(list(SHARES), list(SHARES.values()))[0]
        text = KINDS[kind](random)
        before = time.process_time()
        tally[kind] += 1
        tally[_outcome(text, number % EMITS_EVERY == 0, args.found)] += 1
        slowest = max(slowest, time.process_time() - before)
        if number % 5000 == 4999:
            print(number + 1, dict(tally), f"slowest {slowest:.2f} s", f"{time.time() - started:.0f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{args.inputs:,} inputs: {dict(tally)}")
    print(f"slowest {slowest:.2f} s of CPU, peak memory {peak:.0f} MiB, {time.time() - started:.0f} s in all")
    return 1 if any(tally[k] for k in ("traceback", "hang", "memory")) else 0


def _outcome(text: str, emits: bool, found: Path) -> str:
    try:
        with bounded(4 if emits else 2):
            diagnostics = survive(text, emits)
        return "refused" if any(d.severity == "error" for d in diagnostics) else "accepted"
    except Hangs:
        return _keep(text, "hang", found)
    except MemoryError:
        return _keep(text, "memory", found)
    except Exception:
        return _keep(text, "traceback", found)


def _keep(text: str, what: str, found: Path) -> str:
    found.mkdir(parents=True, exist_ok=True)
    path = found / f"{what}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}"
    path.with_suffix(".arch").write_text(text, encoding="utf-8", errors="replace")
    path.with_suffix(".log").write_text(traceback.format_exc(limit=-12), encoding="utf-8", errors="replace")
    return what


if __name__ == "__main__":
    sys.exit(main())
