"""What a person should know before they train a fold."""

from __future__ import annotations

import numpy as np

from jobs.training.data.fold import FoldData
from jobs.training.data.targets import Rows
from skint.dataset import Target

NAMED = 5
"""Classes that a remark names; the others are counted."""


def remarks(data: FoldData, batch_size: int) -> list[str]:
    """Of classes that hardly train, and of batches that are too large; a sentence each."""
    said = []
    for target in data.targets:
        of = "" if len(data.targets) == 1 else f" ({target.name})"
        if target.kind == "value":
            continue
        taught, judged = (_counts(data, target, rows) for rows in (data.train, data.validation))
        if names := _named(target, (taught == 0) & (judged > 0)):
            said.append(f"no training sample of {names}{of} outside fold {data.fold}")
        if names := _named(target, taught == 1):
            said.append(f"a single training sample of {names}{of}")
    if batch_size > len(data.train):
        said.append(
            f"batch_size {batch_size} is more than the {len(data.train)} pictures that train: "
            "a step is an epoch"
        )
    return said


def _counts(data: FoldData, target: Target, rows: Rows) -> np.ndarray:
    """(K,) samples of each class."""
    column = data.columns[target.name][data.known(target, rows)]
    if target.kind == "multilabel":
        return np.asarray(column.sum(axis=0, dtype=np.int64))
    return np.bincount(column, minlength=len(target.classes))


def _named(target: Target, chosen: np.ndarray) -> str:
    names = [target.classes[number] for number in np.flatnonzero(chosen)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
