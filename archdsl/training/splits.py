"""The division of pictures into training, validation and test.

A split must be the same on every machine, for every version of every library, for ever: else two accuracies cannot be
compared. So it rests on no random generator. In each class the pictures stand in the order of the SHA-256 of
``"<split>/<name>"`` and the first ones validate, the next ones test, the rest train. A picture that is added or removed
disturbs no others beyond the borders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics.training import BadSplitFile, NoSuchSplit
from archdsl.errors import SpecError


class Split(NamedTuple):
    """Indices of pictures."""

    train: list[int]
    val: list[int]
    test: list[int]


def stratified(names: Sequence[str], labels: Sequence[int], number: int, held_out: float = 0.2) -> Split:
    """Split ``number``: in every class the share ``held_out`` (at least 1) validates, as many test, the rest train."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        members[label].append(index)
    split = Split([], [], [])
    for indices in members.values():
        indices.sort(key=lambda i: sha256(f"{number}/{names[i]}".encode(errors="surrogatepass")).digest())
        held = max(1, round(held_out * len(indices)))
        split.val.extend(indices[:held])
        split.test.extend(indices[held : 2 * held])
        split.train.extend(indices[2 * held :])
    return Split(*map(sorted, split))


def official(path: Path, number: int, count: int) -> Split:
    """A split of OxFlower17's ``datasplits.mat``: ``trn1``, ``val1``, ``tst1`` … hold picture numbers, counted from 1.

    Raises: SpecError, where the file cannot be read or does not divide ``count`` pictures.
    """
    from scipy.io import loadmat

    try:
        table = loadmat(path)
    except Exception as error:  # scipy raises many kinds on a damaged file
        raise SpecError([BadSplitFile(path=str(path), reason=str(error) or type(error).__name__)]) from None
    keys = [f"{part}{number}" for part in ("trn", "val", "tst")]
    if any(key not in table for key in keys):
        raise SpecError([NoSuchSplit(path=str(path), split=number)])
    parts = [table[key].ravel().tolist() for key in keys]
    everything = [index for part in parts for index in part]
    if set(everything) != set(range(1, count + 1)) or len(everything) != count:
        reason = f"its parts are not 1 to {count}, each once"
        raise SpecError([BadSplitFile(path=str(path), reason=reason)])
    return Split(*([int(index) - 1 for index in part] for part in parts))
