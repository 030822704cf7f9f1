"""A finished fold on a real packed set: what a training has published, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import skint
from skint.dataset import PackedSet


def finished(
    folder: Path,
    packed: Path,
    told: Sequence[int],
    sure: Sequence[float],
    *,
    pictures: Path | None = None,
) -> Path:
    """An attempt in `folder` that told classes `told`, so sure, of the first rows of `packed`."""
    inputs = {"packed": packed} | ({"pictures": pictures} if pictures else {})
    ctx = skint.Context.for_test(folder, inputs=inputs, fold=0, folds=3)
    data = PackedSet.open(packed)
    ids = np.arange(len(told))
    probabilities = np.zeros((len(ids), len(data.classes)), np.float32)
    probabilities += ((1 - np.asarray(sure)) / (len(data.classes) - 1))[:, None]
    probabilities[ids, told] = sure
    np.savez(
        ctx.out / "predictions.npz",
        ids=ids,
        target=data.labels()[ids],
        probabilities=probabilities,
        classes=np.array(data.classes),
    )
    return folder
