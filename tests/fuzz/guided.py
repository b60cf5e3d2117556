"""The coverage-guided run: ``pip install atheris && python -m tests.fuzz.guided -runs=100000 FOLDER``.

libFuzzer's options are taken as they are (https://llvm.org/docs/LibFuzzer.html); texts that reach new code are kept in
FOLDER, which begins as the project's own specs. It stops at the first exception, hang or excess of memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(include=["archdsl"]):
    from tests.fuzz.survive import bounded, survive
    from tests.fuzz.texts import TOKEN, corpus

LONGEST = 500
"""Characters of a text: long ones cost time and reach nothing new."""


def one(data: bytes) -> None:
    text = data.decode("utf-8", "ignore")[:LONGEST]
    with bounded(8):  # instrumented code is half as fast
        survive(text, emits=True)


def main() -> None:
    folder = next((Path(a) for a in sys.argv[1:] if not a.startswith("-")), None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(t for t in corpus() if len(t) < LONGEST and "100_000" not in t):
            (folder / f"seed{number}").write_text(text, encoding="utf-8")
        words = sorted({w for text in corpus() for w in TOKEN.findall(text) if w.isidentifier()})
        (folder.parent / "words.dict").write_text("".join(f'"{w}"\n' for w in words if w.isascii()), encoding="utf-8")
    atheris.Setup([*sys.argv, f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=1024"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
