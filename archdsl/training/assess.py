"""How good a trained network is on a part of the data, picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from archdsl.diagnostics.training import WrongClassCount
from archdsl.errors import SpecError
from archdsl.training.data import Data
from archdsl.training.explained import explained
from archdsl.training.loaders import Draws, Pictures, loader
from archdsl.training.scoring import Scorer, ranked


@dataclass(frozen=True)
class Assessment:
    """``scores`` [N, classes] and ``labels`` [N] of the pictures with these ``indices`` in the data."""

    classes: Sequence[str]
    indices: Sequence[int]
    scores: Tensor
    labels: Tensor

    @cached_property
    def predicted(self) -> Tensor:
        return self.scores.argmax(1)

    @cached_property
    def confusion(self) -> Tensor:
        """How many of a class (row) were taken for which (column)."""
        return multiclass_confusion_matrix(self.predicted, self.labels, len(self.classes))

    @property
    def loss(self) -> float:
        return cross_entropy(self.scores, self.labels).item()

    def accuracy(self, top: int = 1) -> float:
        """Share of pictures whose class is among the ``top`` that score highest."""
        return multiclass_accuracy(
            self.scores, self.labels, len(self.classes), average="micro", top_k=min(top, len(self.classes))
        ).item()

    def per_class(self) -> list[dict[str, float | str | int]]:
        """Pictures, precision, recall and F1 of each class."""
        count = len(self.classes)
        counts = torch.bincount(self.labels, minlength=count)
        figures = [
            measure(self.predicted, self.labels, count, average="none")
            for measure in (multiclass_precision, multiclass_recall, multiclass_f1_score)
        ]
        return [
            {
                "class": name,
                "pictures": int(counts[i]),
                **{key: round(f[i].item(), 4) for key, f in zip(("precision", "recall", "f1"), figures, strict=True)},
            }
            for i, name in enumerate(self.classes)
        ]


def assess(trained: Scorer, data: Data, part: str, batch_size: int, workers: int = 0) -> Assessment:
    """The network's scores of a part of the data: ``train``, ``val`` or ``test``.

    Raises: SpecError, where the data have other classes, or cannot be read.
    """
    if len(data.classes) != len(trained.classes):
        given, wanted = len(trained.classes), len(data.classes)
        fault = WrongClassCount(model=trained.facts["model"], given=given, data=data.name, wanted=wanted)
        raise SpecError([replace(fault, advice="use data with the classes of the training")])
    indices = getattr(data.split, part)
    pictures = Pictures(data, indices, trained.transform, least=min(trained.facts["input"]["size"]))
    scores, labels = [], []
    with explained("evaluating"):
        for batch, batch_labels in loader(pictures, Draws(len(indices), batch_size, None), workers):
            scores.append(trained.score(batch))
            labels.append(batch_labels)
    return Assessment(data.classes, indices, ranked(trained, torch.cat(scores)), torch.cat(labels))
