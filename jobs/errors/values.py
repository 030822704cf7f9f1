"""How far off the values of a target are: the numbers of the error report."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.errors.out_of_fold import OutOfFold
from skint.dataset import PackedSet

BINS = 5
"""Parts of the true values that are judged by themselves, equally many pictures in each."""


def value_facts(found: OutOfFold, data: PackedSet, pictures: int) -> dict[str, Any]:
    """The error in all and along the true values, and the `pictures` that are furthest off."""
    off = found.predicted - found.true
    spread = float(((found.true - found.true.mean()) ** 2).sum())
    order = np.lexsort((found.ids, -np.abs(off)))
    _ids, first = np.unique(found.ids[order], return_index=True)
    worst = order[np.sort(first)][:pictures].tolist()
    parts = np.array_split(np.argsort(found.true, kind="stable"), min(BINS, len(found.ids)))
    return {
        "kind": "value",
        "mae": float(np.abs(off).mean()),
        "rmse": float(np.sqrt((off**2).mean())),
        "bias": float(off.mean()),
        "r2": 1 - float((off**2).sum()) / spread if spread else None,
        # What costs nothing: to say the middle of all values.
        "median_mae": float(np.abs(found.true - np.median(found.true)).mean()),
        "along": [
            {
                "from": float(found.true[part].min()),
                "to": float(found.true[part].max()),
                "n": len(part),
                "mae": float(np.abs(off[part]).mean()),
                "bias": float(off[part].mean()),
            }
            for part in parts
        ],
        "worst": [
            {
                "id": int(found.ids[row]),
                "path": data.samples[int(found.ids[row])].path,
                "true": float(found.true[row]),
                "predicted": float(found.predicted[row]),
                "fold": int(found.fold[row]),
            }
            for row in worst
        ],
    }
