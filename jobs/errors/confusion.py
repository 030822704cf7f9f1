"""Which classes are taken for which: the numbers of the error report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors.out_of_fold import OutOfFold

_LEAST = 1e-12
"""Probabilities below this cost as much as this: a loss stays finite."""


@dataclass(frozen=True)
class Predictions:
    """Out-of-fold predictions; rows in the order of `ids`, then of `fold`."""

    ids: NDArray[np.int64]
    """(n,) each at most once; in a repeated split once a repeat."""
    fold: NDArray[np.int64]
    """(n,) the fold whose model made them."""
    target: NDArray[np.int64]
    """(n,) index of the true class."""
    probabilities: NDArray[np.float32]
    """(n, C)"""

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(n,) index of the most probable class."""
        predicted: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def loss(self) -> NDArray[np.float64]:
        """(n,) cross-entropy: minus the logarithm of the true class's probability."""
        rows = np.arange(len(self.target))
        true = self.probabilities[rows, self.target].astype(np.float64)
        loss: NDArray[np.float64] = -np.log(np.clip(true, _LEAST, 1.0))
        return loss


def of_classes(found: OutOfFold) -> Predictions:
    """Of a target of one class a picture."""
    return Predictions(found.ids, found.fold, found.true, found.predicted)


def confusion(predictions: Predictions, classes: int) -> NDArray[np.int64]:
    """(C, C) counts: row = true class, column = predicted class. Their sum is n."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (predictions.target, predictions.predicted), 1)
    return matrix


def per_class(matrix: NDArray[np.int64], classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class; None where a figure is 0/0."""
    return [
        figures(
            name,
            right=int(matrix[number, number]),
            predicted=int(matrix[:, number].sum()),
            support=int(matrix[number].sum()),
        )
        for number, name in enumerate(classes)
    ]


def figures(name: str, *, right: int, predicted: int, support: int) -> dict[str, Any]:
    """Of a class: told and so, told, so."""
    return {
        "class": name,
        "precision": _share(right, predicted),
        "recall": _share(right, support),
        "f1": _share(2 * right, predicted + support),
        "support": support,
        "predicted": predicted,
    }


def most_confused(
    matrix: NDArray[np.int64], classes: tuple[str, ...], count: int
) -> list[dict[str, Any]]:
    """Pairs of classes by how often one is taken for the other, either way, most first."""
    pairs = [
        {
            "classes": [classes[a], classes[b]],
            "count": int(matrix[a, b] + matrix[b, a]),
            "first_as_second": int(matrix[a, b]),
            "second_as_first": int(matrix[b, a]),
        }
        for a in range(len(classes))
        for b in range(a + 1, len(classes))
        if matrix[a, b] + matrix[b, a]
    ]
    # sorted() keeps the order of classes among equals.
    return sorted(pairs, key=lambda pair: -int(str(pair["count"])))[:count]


def costliest(predictions: Predictions, count: int) -> list[int]:
    """Rows of the mistakes with the highest loss, highest first, then by id; a picture once."""
    wrong = np.flatnonzero(predictions.predicted != predictions.target)
    wrong = wrong[np.lexsort((predictions.ids[wrong], -predictions.loss[wrong]))]
    _ids, first = np.unique(predictions.ids[wrong], return_index=True)
    return [int(row) for row in wrong[np.sort(first)][:count]]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
