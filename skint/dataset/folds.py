"""`folds.csv`: what each sample of a packed set does in each fold.

    id,fold
    0,2        held out in fold 2, trains in all others
    1,0
    1,4        held out in folds 0 and 4: a repeated k-fold has a row for each repeat
    2,train    never held out, trains in every fold
    3,test     set aside: neither trains nor validates in any fold
    4,         in no fold, e.g. because its label is not known

A third column `trains_from`, where there is one, is the first fold in which the sample trains: so
folds in the order of time train on what came before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skint.dataset.error import DatasetError
from skint.table import integer, read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAIN, TEST = "train", "test"
TRAINS_FROM = "trains_from"
_NEVER = 2**62


@dataclass(frozen=True, eq=False)
class Folds:
    """How a packed set is split. `len()` is the number of folds."""

    held_out: tuple[NDArray[np.int64], ...]
    """Of each fold the rows that validate, ascending."""
    trains_from: NDArray[np.int64]
    """(N,) the first fold in which the row trains; `len(held_out)` where it never does."""
    test: NDArray[np.int64]
    """Rows that are set aside, ascending."""

    def __len__(self) -> int:
        return len(self.held_out)

    def validation(self, fold: int) -> NDArray[np.int64]:
        """Rows that validate in this fold, ascending; none where there is no such fold."""
        import numpy as np

        return self.held_out[fold] if 0 <= fold < len(self) else np.empty(0, dtype=np.int64)

    def training(self, fold: int) -> NDArray[np.int64]:
        """Rows that train in this fold, ascending; none where there is no such fold."""
        import numpy as np

        if not 0 <= fold < len(self):
            return np.empty(0, dtype=np.int64)
        trains = self.trains_from <= fold
        trains[self.held_out[fold]] = False
        return np.flatnonzero(trains)


def read_folds(path: str | os.PathLike[str], count: int) -> Folds:
    """The folds of a set of `count` samples, as the table `path` has them.

    Raises DatasetError unless each id 0..count-1 stands there, once for each fold that holds it
    out, and TableError where a cell is not what its column holds.
    """
    import numpy as np

    held_out: dict[int, list[int]] = {}
    starts: list[int | None] = [None] * count
    test: list[int] = []
    alone: set[int] = set()
    for number, row in enumerate(read_rows(Path(path), ("id", "fold"))):
        where = f"{path}:{number + 2}"
        sample, cell = integer(row, "id", where), row["fold"]
        if not 0 <= sample < count:
            raise _misfit(where, sample, cell, count)
        before = starts[sample]
        if cell in (TRAIN, TEST, ""):
            # A word stands alone: a sample that is also held out somewhere would contradict it.
            if before is not None:
                raise _misfit(where, sample, cell, count)
            starts[sample] = _trains_from(row, where) if cell == TRAIN else _NEVER
            alone.add(sample)
            if cell == TEST:
                test.append(sample)
            continue
        fold, start = integer(row, "fold", where), _trains_from(row, where)
        if fold < 0 or sample in alone or before not in (None, start):
            raise _misfit(where, sample, cell, count)
        held_out.setdefault(fold, []).append(sample)
        starts[sample] = start
    missing = [sample for sample, start in enumerate(starts) if start is None]
    if missing:
        raise DatasetError(
            "some samples have no row",
            where=str(path),
            got=f"{len(missing)} of {count} without, first id {missing[0]}",
        )
    folds = len(held_out)
    if max(held_out, default=-1) >= folds:
        raise DatasetError(
            "folds are numbered from 0, and each holds something out",
            where=str(path),
            got=f"fold {max(held_out)}, and none for {min({*range(folds)} - {*held_out})}",
        )
    rows = [np.unique(np.array(held_out[n], dtype=np.int64)) for n in range(folds)]
    for fold, unique in enumerate(rows):
        if len(unique) != len(held_out[fold]):
            raise DatasetError(f"fold {fold} holds a sample out twice", where=str(path))
    trains_from = np.minimum(np.array(starts, dtype=np.int64), folds)
    return Folds(tuple(rows), trains_from, np.array(sorted(test), dtype=np.int64))


def _trains_from(row: Mapping[str, str], where: str) -> int:
    return integer(row, TRAINS_FROM, where) if TRAINS_FROM in row else 0


def _misfit(where: str, sample: int, cell: str, count: int) -> DatasetError:
    return DatasetError(
        "this row does not fit the packed set, or the rows before it",
        where=where,
        got=f"id {sample}, fold {cell or '(empty)'}",
        wanted=f"ids 0..{count - 1}; folds from 0, or once `{TRAIN}`, `{TEST}` or nothing",
    )
