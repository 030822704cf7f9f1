"""`folds.csv`: which fold each sample of a packed set is held out in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skint.dataset.error import DatasetError
from skint.table import integer, read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_folds(path: Path, count: int) -> NDArray[np.int64]:
    """(count,) int64: the fold (from 0) of every sample, from a `folds.csv` with `id,fold`.

    Raises DatasetError unless each id 0..count-1 stands there exactly once.
    """
    import numpy as np

    folds = np.full(count, -1, dtype=np.int64)
    for number, row in enumerate(read_rows(path, ("id", "fold"))):
        where = f"{path}:{number + 2}"
        sample, fold = integer(row, "id", where), integer(row, "fold", where)
        if not 0 <= sample < count or folds[sample] != -1 or fold < 0:
            raise DatasetError(
                "this row does not fit the packed set",
                where=where,
                got=f"id {sample}, fold {fold}",
                wanted=f"each id of 0..{count - 1} once, with its fold from 0",
            )
        folds[sample] = fold
    if (folds < 0).any():
        raise DatasetError(
            "some samples have no fold",
            where=str(path),
            got=f"{int((folds < 0).sum())} of {count} without, first id {int(folds.argmin())}",
        )
    return folds
