"""Which targets a fold teaches, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.training.data.fold import FoldData, FoldError, few, read_fold, unsplit
from jobs.training.data.remarks import remarks
from skint.dataset import DatasetError, PackedSet, Target
from skint.table import write_rows
from tests.jobs.several_set import UNKNOWN_SHADE, several_set
from tests.jobs.small_set import context
from tests.jobs.table_set import table_set

KIND = Target("kind", "class", ("a", "b"))
SIZE = Target("size", "value")


def fold_of(
    tmp_path: Path, columns: dict[str, list[str]], targets: list[Target], folds: list[Any]
) -> FoldData:
    """Fold 0 of a set of single pixels; `folds` has the cell of each row."""
    packed = table_set(tmp_path / "packed", columns, targets).folder
    write_rows(packed / "folds.csv", ("id", "fold"), enumerate(folds))
    return read_fold(context(tmp_path, packed))


def test_labels_are_one_column_or_one_by_name(tmp_path: Path) -> None:
    packed = PackedSet.open(several_set(tmp_path))
    alone, both = unsplit(packed, ["shade"]), unsplit(packed, ["shade", "colour"])
    assert isinstance(alone.labels, np.ndarray) and isinstance(both.labels, dict)
    assert np.array_equal(alone.labels, packed.values(), equal_nan=True)
    assert [target.name for target in both.targets] == ["shade", "colour"]
    assert set(both.labels) == {"shade", "colour"}
    assert [target.name for target in unsplit(packed).targets] == ["colour", "tags", "shade"]


def test_a_picture_of_which_nothing_is_known_is_left_out(tmp_path: Path) -> None:
    packed = PackedSet.open(several_set(tmp_path))
    assert UNKNOWN_SHADE not in unsplit(packed, ["shade"]).train
    assert UNKNOWN_SHADE in unsplit(packed, ["shade", "colour"]).train
    assert len(unsplit(packed, ["tags"]).train) == len(packed)


def test_a_few_pictures_have_some_of_every_target_and_class(tmp_path: Path) -> None:
    rows = range(8)
    kinds = ["" if row < 4 else "ab"[row % 2] for row in rows]
    sizes = [f"{row}" if row < 4 else "" for row in rows]
    packed = table_set(tmp_path, {"kind": kinds, "size": sizes}, [KIND, SIZE])
    data = unsplit(packed)
    assert few(data, data.train, 4).tolist() == [4, 0, 5, 1]
    assert few(data, data.train, 99).tolist() == [4, 0, 5, 1, 6, 2, 7, 3]


@pytest.mark.parametrize(
    ("columns", "targets", "sentence"),
    [
        ({"size": ["1", "2", "3", "inf"]}, [SIZE], "a value of size is infinite"),
        ({"size": ["1", "2", "2", "2"]}, [SIZE], "nothing to learn of size"),
        ({"size": ["1", "", "", "2"]}, [SIZE], "too little to learn size from"),
        ({"kind": ["a", "b", "a", "a"], "size": ["", "1", "2", "3"]}, [KIND, SIZE],
         "no sample of fold 0 can judge size"),
        ({"kind": ["a", "b", "", ""]}, [KIND], "too little to learn kind from"),
        ({"kind": ["a"] * 4}, [Target("kind", "class", ("a",))], "too few classes to learn"),
        ({"tag": ["a", "", "a", ""]}, [Target("tag", "multilabel", ("a",))], "too few classes"),
        ({}, [], "no target to learn"),
    ],
)  # fmt: skip
def test_a_target_that_cannot_be_learnt_is_refused(
    tmp_path: Path, columns: dict[str, list[str]], targets: list[Target], sentence: str
) -> None:
    columns = columns or {"nothing": [""] * 4}
    with pytest.raises(FoldError, match=sentence):
        fold_of(tmp_path, columns, targets, [0, 1, 1, 1])


def test_a_label_that_is_no_class_of_the_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not one of the classes"):
        fold_of(tmp_path, {"kind": ["a", "b", "c", "a"]}, [KIND], [0, 1, 1, 1])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("kinds", "no target called kinds"), ("outline", "masks are not learnt by this job")],
)
def test_a_target_that_is_not_there_is_named(tmp_path: Path, name: str, sentence: str) -> None:
    packed = table_set(tmp_path, {"kind": ["a", "b"]}, [KIND])
    masked = PackedSet(
        packed.folder,
        packed.meta.__class__(
            **{**vars(packed.meta), "targets": (KIND, Target("outline", "mask"))}
        ),
        packed.samples,
    )
    with pytest.raises(FoldError) as error:
        unsplit(masked, [name])
    assert sentence in str(error.value)
    assert [target.name for target in unsplit(masked).targets] == ["kind"]


def test_what_a_person_should_know_before_they_train_is_said(tmp_path: Path) -> None:
    columns = {
        "kind": ["a", "b", "b", "a", "b", "a"],
        "tag": ["x", "", "y", "y", "y", "z"],
    }
    targets = [KIND, Target("tag", "multilabel", ("x", "y", "z"))]
    data = fold_of(tmp_path, columns, targets, [0, 0, 1, 1, 1, 1])
    assert remarks(data, 4) == [
        "no training sample of x (tag) outside fold 0",
        "a single training sample of z (tag)",
    ]
    assert remarks(data, 64)[-1] == (
        "batch_size 64 is more than the 4 pictures that train: a step is an epoch"
    )
