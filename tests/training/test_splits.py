"""Splits are total, disjoint, proportioned, and the same for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from archdsl.diagnostics.training import BadSplitFile, NoSuchSplit
from archdsl.errors import SpecError
from archdsl.training.splits import official, stratified

labellings = st.lists(st.integers(0, 4), min_size=1).map(lambda extra: [*range(5)] * 3 + extra)


@given(labels=labellings, number=st.integers(1, 9), held_out=st.sampled_from([0.1, 0.2, 0.25]))
def test_every_picture_once_and_every_class_everywhere(labels: list[int], number: int, held_out: float) -> None:
    split = stratified([f"{i}.png" for i in range(len(labels))], labels, number, held_out)
    assert sorted([*split.train, *split.val, *split.test]) == list(range(len(labels)))
    for label in set(labels):
        count = labels.count(label)
        shares = [sum(labels[i] == label for i in part) for part in split]
        assert shares[1] == shares[2] == max(1, round(held_out * count))
        assert shares[0] >= 1


@given(labels=labellings, order=st.randoms())
def test_the_order_of_the_files_does_not_matter(labels: list[int], order: object) -> None:
    names = [f"{i}.png" for i in range(len(labels))]
    pairs = list(zip(names, labels, strict=True))
    order.shuffle(pairs)  # type: ignore[attr-defined]
    shuffled = [name for name, _ in pairs]
    one = stratified(names, labels, 1)
    other = stratified(shuffled, [label for _, label in pairs], 1)
    assert [{names[i] for i in part} for part in one] == [{shuffled[i] for i in part} for part in other]


def test_pinned() -> None:
    """A change here makes accuracies measured before and after incomparable."""
    split = stratified([f"{i:04d}" for i in range(20)], [0] * 10 + [1] * 10, 1)
    assert (split.val, split.test) == ([7, 8, 13, 18], [4, 9, 15, 17])
    assert stratified([f"{i:04d}" for i in range(20)], [0] * 10 + [1] * 10, 2) != split


@pytest.fixture
def table() -> dict[str, np.ndarray]:
    """Like the published file: three divisions of 1 to 1,360 in rows of numbers."""
    parts = {}
    for number in (1, 2, 3):
        order = np.random.default_rng(number).permutation(1360) + 1
        cuts = np.split(order[None], [680, 1020], axis=1)
        parts |= {f"{part}{number}": cut for part, cut in zip(("trn", "val", "tst"), cuts, strict=True)}
    return parts


def test_official(table: dict[str, np.ndarray], tmp_path: Path) -> None:
    savemat(tmp_path / "datasplits.mat", table)
    split = official(tmp_path / "datasplits.mat", 2, 1360)
    assert split.train == [n - 1 for n in table["trn2"].ravel()]
    assert split.val == [n - 1 for n in table["val2"].ravel()]
    assert split.test == [n - 1 for n in table["tst2"].ravel()]


def test_no_such_official_split(table: dict[str, np.ndarray], tmp_path: Path) -> None:
    savemat(tmp_path / "datasplits.mat", table)
    with pytest.raises(SpecError) as caught:
        official(tmp_path / "datasplits.mat", 4, 1360)
    assert isinstance(caught.value.diagnostics[0], NoSuchSplit)


@pytest.mark.parametrize("damage", ["text", "empty", "overlap", "cut", "words"])
def test_damaged_split_file(damage: str, table: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "datasplits.mat"
    match damage:
        case "text":
            path.write_text("trn1 = 1 2 3")
        case "empty":
            path.write_bytes(b"")
        case "overlap":
            savemat(path, table | {"val1": table["trn1"][:, :340]})
        case "words":
            savemat(path, table | {"val1": np.array(["a", "b"])})
        case "cut":
            savemat(path, table)
            path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(SpecError) as caught:
        official(path, 1, 1360)
    assert isinstance(caught.value.diagnostics[0], BadSplitFile)
