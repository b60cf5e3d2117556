"""The likeliest classes of pictures in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torchvision.transforms.v2 import functional as F

from archdsl.diagnostics.base import Diagnostic
from archdsl.training.decode import UnreadableError, decode
from archdsl.training.explained import unreadable_picture
from archdsl.training.scoring import Scorer, ranked


def predict(trained: Scorer, paths: Sequence[Path], top: int) -> tuple[list[dict[str, Any]], list[Diagnostic]]:
    """For each picture its ``top`` classes with their probabilities; and what is wrong with those that fail."""
    rows, faults = [], []
    for path in paths:
        try:
            pixels = decode(path, 2 * min(trained.facts["input"]["size"]))
        except UnreadableError as error:
            faults.append(replace(unreadable_picture(error), advice="use image files, such as JPEG or PNG"))
            continue
        if trained.look.channels == 1:
            pixels = F.rgb_to_grayscale(pixels)
        shares = torch.softmax(ranked(trained, trained.score(trained.transform(pixels)[None]))[0], 0)
        best = shares.topk(min(top, len(trained.classes)))
        guesses = [
            {"class": trained.classes[int(index)], "probability": float(share)}
            for share, index in zip(best.values, best.indices, strict=True)
        ]
        rows.append({"picture": str(path), "classes": guesses})
    return rows, faults
