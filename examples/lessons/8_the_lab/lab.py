"""The lab: networks of the lecture on OxFlower17, with and without augmentation, over splits and seeds.

    python lab.py FLOWERS [--jobs N] [--runs FOLDER]     # trains what is missing: minutes on a GPU, a night on a CPU

``FLOWERS`` holds ``jpg/image_0001.jpg`` and so on. Each run is one ``archdsl train``. What they found is gathered in
``results.csv``, a row a run, and ``curves.csv``, a row an epoch, of which ``table.py`` makes the table and the figure.
Settings that are not known here go to `archdsl train`: ``--precision bf16-mixed``.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path

HERE = Path(__file__).parent
RATES = {"alexnet": 3e-4, "vgg16": 1e-4, "googlenet": 3e-4, "torchvision/googlenet": 3e-4, "resnet18": 3e-4}
"""The networks, and the peak learning rate of each: the deepest that has no norms takes smaller steps."""
SPLITS, SEEDS = (1, 2, 3), (0, 1)


@dataclass(frozen=True)
class Run:
    network: str
    augmented: bool
    split: int
    seed: int

    @property
    def folder(self) -> str:
        kind = "augmented" if self.augmented else "plain"
        return f"{self.network.replace('/', '-')}-{kind}-{self.split}-{self.seed}"

    def command(self, flowers: Path, out: Path) -> list[str]:
        command = ["archdsl", "train", self.network, "--recipe", str(HERE / "lab.toml")]
        command += ["--data", f"oxflower17:{flowers}", "--split", str(self.split), "--seed", str(self.seed)]
        command += ["--lr", str(RATES[self.network]), "--output", str(out)]
        return command if self.augmented else [*command, "--no-augment"]


# splits and seeds outermost: stopped early, all networks have been tried equally often
ALL = [
    Run(network, augmented, split, seed)
    for seed, split, network, augmented in product(SEEDS, SPLITS, RATES, (True, False))
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flowers", type=Path, metavar="FLOWERS")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="where the runs are kept")
    args, extra = parser.parse_known_args()  # what is not known here is a setting of `archdsl train`
    args.runs.mkdir(parents=True, exist_ok=True)

    def train(run: Run) -> None:
        out = args.runs / run.folder
        if result(out) is not None:
            return
        ran = subprocess.run([*run.command(args.flowers, out), *extra], capture_output=True, text=True, check=False)
        for checkpoint in out.glob("*.ckpt"):  # half a gigabyte each, and no longer needed
            checkpoint.unlink()
        (args.runs / f"{run.folder}.log").write_text(ran.stdout + ran.stderr, encoding="utf-8")
        print(run.folder, "done" if ran.returncode == 0 else f"failed: {ran.stderr[-500:]}", flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(train, ALL))
    gather(args.runs)


def result(folder: Path) -> dict[str, object] | None:
    try:
        return json.loads((folder / "run.json").read_text(encoding="utf-8")).get("result")
    except FileNotFoundError:
        return None


def gather(runs: Path) -> None:
    """Write ``results.csv`` and ``curves.csv`` of all runs that are complete."""
    names = [f.name for f in fields(Run)]
    with (HERE / "results.csv").open("w", newline="") as results, (HERE / "curves.csv").open("w", newline="") as curves:
        of_runs, of_epochs = csv.writer(results), csv.writer(curves)
        of_runs.writerow([*names, "test_accuracy", "val_accuracy", "best_epoch", "seconds"])
        of_epochs.writerow([*names, "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"])
        for run in ALL:
            found = result(runs / run.folder)
            if found is None:
                continue
            of_runs.writerow(
                [*astuple(run), *(found[key] for key in ("test_accuracy", "val_accuracy", "best_epoch", "seconds"))]
            )
            for row in csv.DictReader((runs / run.folder / "log.csv").open(encoding="utf-8")):
                keys = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
                of_epochs.writerow([*astuple(run), row["epoch"], *(f"{float(row[key]):.4g}" for key in keys)])


if __name__ == "__main__":
    sys.exit(main())
