"""The pictures that a transformation may be fitted on: never those that will judge it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import skint
from skint.context import InputNotFound
from skint.dataset import PackedSet, read_folds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIXELS = 2**18
"""Pixels between two looks at whether the job shall stop."""


class TrainingPartError(skint.SkintError):
    """There is no picture to fit on."""


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """Rows of a packed set to fit on."""

    data: PackedSet
    rows: NDArray[np.int64]
    """Ascending."""
    rule: str
    """Which they are, in words."""
    fold: int | None = None

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {
            "pictures": len(self.rows),
            "of": len(self.data),
            "rule": self.rule,
            "fold": self.fold,
        }

    def pixels(self, ctx: skint.Context, total: int) -> Iterator[NDArray[Any]]:
        """All pixels of these rows as chunks (n, bands), by bounded reads.

        A chunk is overwritten by the next one. Reports progress out of `total` pictures, and
        stops when it is asked to.
        """
        import numpy as np

        from jobs.rewriting.in_order import in_order

        wanted = np.zeros(len(self.data), dtype=np.bool_)
        wanted[self.rows] = True
        done = 0
        for block in in_order(self.data.images()):
            keep = wanted[done : done + len(block)]
            done += len(block)
            chosen = block if keep.all() else block[keep]
            flat = chosen.reshape(-1, block.shape[-1])
            for start in range(0, len(flat), PIXELS):
                ctx.check()
                yield flat[start : start + PIXELS]
            ctx.progress(done, total)


def training_part(ctx: skint.Context, data: PackedSet, *, everything: bool = False) -> TrainingPart:
    """The pictures of `data` that train: in this fold where the job is one, else in any.

    What the nearest `folds.csv` sets aside as a test part is never among them. Without targets
    the set is a test set: TrainingPartError, unless `everything` is asked for.
    """
    import numpy as np

    all_rows = np.arange(len(data))
    if everything:
        return TrainingPart(data, all_rows, "all pictures, as asked for")
    if not data.meta.targets:
        raise TrainingPartError(
            "nothing is fitted on a test set",
            where=str(data.folder),
            got="pictures without any target",
            wanted="the set that trains",
            next="take over what was fitted there with `fitted: ENTRY`,"
            " or say `fit_on: all` if these pictures are all there is",
        )
    path = _folds(ctx)
    if path is None:
        return TrainingPart(data, all_rows, "all pictures: no folds are known here")
    folds = read_folds(path, len(data))
    if ctx.fold is None:
        rows = np.setdiff1d(all_rows, folds.test)
        rule = "all pictures"
        rule += f" but the {len(folds.test)} of the test part" if len(folds.test) else ""
        part = TrainingPart(data, rows, f"{rule}; those that a fold holds out are among them")
    else:
        rows = folds.training(ctx.fold)
        part = TrainingPart(data, rows, f"the training part of fold {ctx.fold}", ctx.fold)
    if not len(part.rows):
        raise TrainingPartError(
            "there is no picture to fit on", where=str(path), got=f"none in {part.rule}"
        )
    return part


def _folds(ctx: skint.Context) -> Path | None:
    try:
        return ctx.find("folds.csv")
    except InputNotFound:
        if ctx.fold is not None:
            raise
        return None
