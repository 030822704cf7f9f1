"""What is told wrong of a multi-label target: the numbers of the error report."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.errors.confusion import figures
from jobs.errors.out_of_fold import OutOfFold
from skint.dataset import PackedSet

THRESHOLD = 0.5
_LEAST = 1e-7
"""Probabilities below this cost as much as this: a loss stays finite."""


def tag_facts(found: OutOfFold, data: PackedSet, pictures: int) -> dict[str, Any]:
    """Class by class, and the `pictures` with the highest loss."""
    true, told = found.true > 0, found.predicted > THRESHOLD
    classes = found.target.classes
    sure = np.where(true, found.predicted, 1 - found.predicted).astype(np.float64)
    loss = -np.log(np.clip(sure, _LEAST, 1.0)).mean(axis=1)
    wrong = np.flatnonzero((true != told).any(axis=1))
    wrong = wrong[np.lexsort((found.ids[wrong], -loss[wrong]))]
    _ids, first = np.unique(found.ids[wrong], return_index=True)
    worst = wrong[np.sort(first)][:pictures].tolist()
    right_of_class = [
        figures(
            name,
            right=int((true[:, n] & told[:, n]).sum()),
            predicted=int(told[:, n].sum()),
            support=int(true[:, n].sum()),
        )
        for n, name in enumerate(classes)
    ]
    return {
        "kind": "multilabel",
        "exact": 1 - len(wrong) / len(found.ids),
        "per_class": right_of_class,
        "worst": [
            {
                "id": int(found.ids[row]),
                "path": data.samples[int(found.ids[row])].path,
                "true": [name for n, name in enumerate(classes) if true[row, n]],
                "predicted": [name for n, name in enumerate(classes) if told[row, n]],
                "loss": float(loss[row]),
                "fold": int(found.fold[row]),
            }
            for row in worst
        ],
    }
