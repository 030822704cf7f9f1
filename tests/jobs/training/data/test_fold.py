from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.training.data.fold import FoldError, read_fold, stratified
from jobs.training.data.remarks import remarks
from skint.dataset import PackedSet, PackedWriter
from skint.table import write_rows
from tests.jobs.small_set import context, small_set


def test_the_fold_validates_and_the_others_train(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=4)
    data = read_fold(context(tmp_path, packed, fold=1))
    assert data.validation.tolist() == [3, 4, 5]
    assert data.train.tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    assert (data.fold, data.folds, data.picture_shape) == (1, 3, (3, 16, 16))
    assert remarks(data, 9) == []


def test_a_class_that_only_the_fold_has_is_named(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=2)
    write_rows(
        packed / "folds.csv", ("id", "fold"), ((r, 0 if r % 3 == 1 else 1) for r in range(6))
    )
    said = remarks(read_fold(context(tmp_path, packed)), 2)
    assert said == ["no training sample of green outside fold 0"]


def test_a_split_that_leaves_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=2, folds=1)
    with pytest.raises(FoldError, match="too little to learn label from"):
        read_fold(context(tmp_path, packed))


def test_a_small_sample_takes_the_classes_in_turn() -> None:
    labels = np.array([0, 0, 0, 0, 1, 2, 2], dtype=np.int64)
    rows = np.arange(7, dtype=np.int64)
    assert stratified(labels, rows, 3).tolist() == [0, 4, 5]
    assert stratified(labels, rows, 5).tolist() == [0, 4, 5, 1, 6]
    assert stratified(labels, rows, 99).tolist() == [0, 4, 5, 1, 6, 2, 3]
    assert stratified(labels, rows[:4], 2).tolist() == [0, 1]


def test_what_is_set_aside_neither_trains_nor_validates(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=4)
    cells = ["test", "test", "train", *[0] * 4, *[1] * 4, ""]
    write_rows(packed / "folds.csv", ("id", "fold"), enumerate(cells))
    data = read_fold(context(tmp_path, packed, fold=1))
    assert data.train.tolist() == [2, 3, 4, 5, 6]
    assert data.validation.tolist() == [7, 8, 9, 10]
    assert data.folds == 2


def repacked(packed: Path, pixels: np.ndarray, made_by: dict[str, object]) -> Path:
    """The same samples and folds with other pixels."""
    data = PackedSet.open(packed)
    with PackedWriter(packed, shape=pixels.shape, dtype=pixels.dtype.name) as writer:
        writer.images()[:] = pixels
        meta = data.meta
        writer.finish(data.samples, meta.targets, channels=meta.channels, made_by=made_by)
    return packed


def test_values_that_are_not_finite_are_not_trained_on(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=4)
    pixels = np.asarray(PackedSet.open(packed).images()).astype(np.float32)
    pixels[5, 3, 3, 1] = np.nan
    with pytest.raises(FoldError, match="not finite") as error:
        read_fold(context(tmp_path, repacked(packed, pixels, {"job": "test"})))
    assert error.value.got == "NaN or infinity in C1 of red/5.png"
    assert "pca" in str(error.value.next)


def test_pictures_that_were_made_for_another_fold_are_refused(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=4)
    pixels = np.asarray(PackedSet.open(packed).images())
    fitted = {"job": "pca", "fitted_on": {"fold": 1}, "from": {"job": "resize"}}
    repacked(packed, pixels, {"job": "subset", "from": fitted})
    assert read_fold(context(tmp_path / "own", packed, fold=1)).fold == 1
    with pytest.raises(FoldError, match="made for fold 1, not for fold 0"):
        read_fold(context(tmp_path / "other", packed, fold=0))
