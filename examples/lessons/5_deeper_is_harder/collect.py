"""The training error of each epoch of many runs in one file: python collect.py FOLDER FILE.csv

The runs in FOLDER are called NETWORK-SEED.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def main(folder: Path, file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["network", "seed", "epoch", "train_error", "val_error"])
        for log in sorted(folder.glob("*/log.csv")):
            network, seed = log.parent.name.split("-")
            for row in csv.DictReader(log.open(encoding="utf-8")):
                errors = [1 - float(row[f"{part}_accuracy"]) for part in ("train", "val")]
                table.writerow([network, seed, row["epoch"], *(f"{error:.4f}" for error in errors)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
