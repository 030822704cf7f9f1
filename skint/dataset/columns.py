"""The cells of one target over all samples, as an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skint.dataset.error import DatasetError
from skint.dataset.sample import Sample
from skint.dataset.target import SEPARATOR, Target

UNKNOWN = -1
"""The number of a class that is not known."""


def class_numbers(samples: Sequence[Sample], target: Target, where: str) -> NDArray[np.int64]:
    """(N,) position in `target.classes`, -1 where the cell is empty."""
    numbers = {name: number for number, name in enumerate(target.classes)} | {"": UNKNOWN}
    cells = [sample.targets.get(target.name, "") for sample in samples]
    for sample, cell in zip(samples, cells, strict=True):
        if cell not in numbers:
            raise _unknown_class(sample, target, cell, where)
    return np.array([numbers[cell] for cell in cells], dtype=np.int64)


def multi_hot(samples: Sequence[Sample], target: Target, where: str) -> NDArray[np.uint8]:
    """(N, K): 1 for each of the `target.classes` that the cell names."""
    numbers = {name: number for number, name in enumerate(target.classes)}
    hot = np.zeros((len(samples), len(target.classes)), dtype=np.uint8)
    for row, sample in enumerate(samples):
        for name in filter(None, sample.targets.get(target.name, "").split(SEPARATOR)):
            if name not in numbers:
                raise _unknown_class(sample, target, name, where)
            hot[row, numbers[name]] = 1
    return hot


def decimals(samples: Sequence[Sample], target: Target, where: str) -> NDArray[np.float64]:
    """(N,) the number, NaN where the cell is empty."""
    values = np.full(len(samples), np.nan)
    for row, sample in enumerate(samples):
        cell = sample.targets.get(target.name, "")
        try:
            values[row] = float(cell) if cell else np.nan
        except ValueError as error:
            raise DatasetError(
                f"the target {target.name} holds numbers",
                where=f"{where}: id {sample.id}",
                got=cell,
            ) from error
    return values


def _unknown_class(sample: Sample, target: Target, cell: str, where: str) -> DatasetError:
    return DatasetError(
        f"a sample's {target.name} is not one of the classes",
        where=f"{where}: id {sample.id}",
        got=cell,
        wanted=", ".join(target.classes),
    )
