"""A run that is killed again and again, and resumed each time, beside the run that nothing happened to.

    python benchmarks/resume.py

ResNet-20 on the digits with all that has state or chance in it: augmentation, mixup, a worker, a moving average of the
weights, early stopping. All its processes are killed (SIGKILL) at random moments in the midst of an epoch. Compared bit
for bit: weights, moving average, optimizer and schedule of all checkpoints, and the log.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

KILLS, EVERY = 3, 5
RUN = [
    "train", "resnet_cifar:ResNetCifar20", "--epochs", "3", "--optimizer", "sgd", "--mixup", "0.2", "--ema", "0.99",
    "--patience", "3", "--workers", "1", "--deterministic", "--accelerator", "cpu", "--checkpoint-every", str(EVERY),
]  # fmt: skip
STATE = ("state_dict", "current_model_state", "averaging_state", "optimizer_states", "lr_schedulers")


def main() -> None:
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder) / "whole", Path(folder) / "cut"
        began = time.perf_counter()
        finish(start("--output", whole))
        alone = time.perf_counter() - began
        began, lost, where = time.perf_counter(), [], []
        for number in range(KILLS):
            process = start(*(("--resume", cut) if number else ("--output", cut)))
            kept, age = kill(process, cut, chance)
            where.append(f"epoch {kept['epochs'] + 1}, after step {kept['batches']}")
            lost.append(age)
        finish(start("--resume", cut))
        again = time.perf_counter() - began
        same = {name: equal(whole / name, cut / name) for name in ("last.ckpt", "best.ckpt", "ema.ckpt", "log.csv")}
    print(f"killed {KILLS} times; resumed from {'; '.join(where)}")
    for name, found in same.items():
        print(f"  {name:12} {'bit for bit the same' if found else 'DIFFERENT'}")
    print(
        f"alone {alone:.1f} s, killed and resumed {again:.1f} s: {(again - alone) / KILLS:.1f} s lost a time, of which"
    )
    print(f"{sum(lost) / KILLS:.2f} s were work since a checkpoint (every {EVERY} steps), the rest starting anew")
    if not all(same.values()):
        raise SystemExit(1)


def start(*more: object) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "archdsl", *RUN, *map(str, more)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        argv, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, told = process.communicate()
    if process.returncode:
        raise SystemExit(told.decode())


def kill(process: subprocess.Popen[bytes], run: Path, chance: random.Random) -> tuple[dict[str, Any], float]:
    """Some time after it wrote a checkpoint, in the midst of an epoch. Returns the last one's word and its age."""
    before = written(run)
    while written(run) == before:
        alive(process)
        time.sleep(0.02)
    time.sleep(chance.uniform(0.2, 3))
    while True:  # it stands still while it is looked at
        os.killpg(process.pid, signal.SIGSTOP)
        now, kept = time.time(), torch.load(run / "last.ckpt", weights_only=True)["archdsl"]
        if kept["batches"]:
            break
        os.killpg(process.pid, signal.SIGCONT)
        alive(process)
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return kept, now - written(run)


def alive(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        raise SystemExit("it ended before it could be killed")


def written(run: Path) -> float:
    """When the last checkpoint was; 0 where there is none yet."""
    last = run / "last.ckpt"
    return last.stat().st_mtime if last.exists() else 0.0


def equal(one: Path, other: Path) -> bool:
    if one.suffix == ".csv":  # all but the last column, the speed
        rows = [[line.rpartition(",")[0] for line in path.read_text().splitlines()] for path in (one, other)]
        return rows[0] == rows[1]
    ours, theirs = (torch.load(path, weights_only=True) for path in (one, other))
    try:
        for part in STATE:
            torch.testing.assert_close(ours.get(part), theirs.get(part), rtol=0, atol=0)
    except AssertionError:
        return False
    return True


if __name__ == "__main__":
    main()
