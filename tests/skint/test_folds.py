from __future__ import annotations

from pathlib import Path

import pytest

from skint.dataset import DatasetError, Folds, read_folds
from skint.table import TableError, write_rows


def folds_of(folder: Path, count: int, *rows: tuple[object, ...]) -> Folds:
    columns = ("id", "fold", "trains_from")[: len(rows[0])]
    write_rows(folder / "folds.csv", columns, rows)
    return read_folds(folder / "folds.csv", count)


def test_a_fold_trains_on_what_the_others_hold_out(tmp_path: Path) -> None:
    folds = folds_of(tmp_path, 3, (2, 0), (0, 1), (1, 0))
    assert len(folds) == 2
    assert folds.validation(0).tolist() == [1, 2]
    assert folds.training(0).tolist() == [0]
    assert folds.validation(2).tolist() == folds.training(2).tolist() == []


def test_a_sample_may_only_train_or_only_test_or_do_nothing(tmp_path: Path) -> None:
    folds = folds_of(tmp_path, 5, (0, 0), (1, 1), (2, "train"), (3, "test"), (4, ""))
    assert folds.training(0).tolist() == [1, 2]
    assert folds.training(1).tolist() == [0, 2]
    assert folds.test.tolist() == [3]


def test_a_repeated_split_holds_a_sample_out_once_a_repeat(tmp_path: Path) -> None:
    folds = folds_of(tmp_path, 2, (0, 0), (1, 1), (0, 3), (1, 2))
    assert [folds.validation(n).tolist() for n in range(4)] == [[0], [1], [1], [0]]
    assert [folds.training(n).tolist() for n in range(4)] == [[1], [0], [0], [1]]


def test_what_comes_later_does_not_train(tmp_path: Path) -> None:
    rows = [(0, "train", 0), (1, 0, 1), (2, 1, 2)]
    folds = folds_of(tmp_path, 3, *rows)
    assert [folds.training(n).tolist() for n in (0, 1)] == [[0], [0, 1]]


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0)],
        [(0, 0), (0, 1)],
        [(0, 0), (2, 0)],
        [(0, 0), (1, -1)],
        [(0, 0), (1, 0), (1, 0)],
        [(0, 0), (1, 2)],
        [(0, 0), (1, "test"), (1, 0)],
        [(0, 0), (1, 0), (1, "train")],
        [(0, 0), (1, ""), (1, "")],
    ],
)
def test_rows_that_miss_or_contradict_a_sample_are_refused(
    tmp_path: Path, rows: list[tuple[object, ...]]
) -> None:
    with pytest.raises(DatasetError):
        folds_of(tmp_path, 2, *rows)


def test_a_cell_that_is_neither_a_fold_nor_a_word_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError) as error:
        folds_of(tmp_path, 1, (0, "tset"))
    assert error.value.got == "tset"
