"""Principal components of many-band pixels, in one bounded pass over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.pca.valid import Validity

PIXELS = 16_384
"""Pixels handled at a time: their float64 copy stays in the cache."""
NOISE = 1e-12
"""A component with less than this share of all variance is the rounding of bands that depend on
each other: it is no measurement, and whitening must not blow it up."""


class TooLargeToSquare(Exception):
    """Values whose squares float64 cannot hold: hardly measurements."""


@dataclass(frozen=True, eq=False)
class Components:
    """The result of `fit`, in float64 and in the units of the bands."""

    mean: NDArray[np.float64]
    """(bands,)"""
    directions: NDArray[np.float64]
    """(k, bands), orthonormal rows; the entry of largest size in each is positive."""
    variances: NDArray[np.float64]
    """(bands,) of all components, descending; 0 where there is none beyond rounding."""
    pixels: int
    """Pixels it was fitted on; with fewer than two, all variances are 0."""
    masked: int = 0
    """Pixels that were left out."""

    @property
    def k(self) -> int:
        return len(self.directions)

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(k,) standard deviation of each component that is kept."""
        return np.sqrt(self.variances[: self.k])

    @property
    def shares(self) -> NDArray[np.float64]:
        """(bands,) of the variance of all bands together; zeros where there is none."""
        total = float(self.variances.sum())
        return self.variances / total if total > 0 else np.zeros_like(self.variances)


def fit(
    chunks: Iterable[NDArray[Any]], bands: int, k: int, valid: Validity | None = None
) -> Components:
    """Components of the pixels in `chunks` of (n, bands), without those that are not `valid`.

    Shifting by the whole-numbered mean of the first chunk keeps the sums small (float64 then finds
    the subspace to 1e-13 degrees at any offset), and a column of ones makes the sums come out of
    the same matrix product as the squares. Whole-numbered bands of up to 16 bits are summed
    exactly in each step, so that the number of threads does not show in the result.

    Raises TooLargeToSquare where float64 ends.
    """
    shift: NDArray[np.float64] | None = None
    buffer = np.ones((PIXELS, bands + 1))
    scatter = np.zeros((bands + 1, bands + 1))
    count = seen = 0
    for chunk in chunks:
        for start in range(0, len(chunk), PIXELS):
            part = chunk[start : start + PIXELS]
            seen += len(part)
            if valid is not None:
                part = valid.only(part)
            if not len(part):
                continue
            if shift is None:
                shift = _shift(part)
            rows = buffer[: len(part)]
            np.subtract(part, shift, out=rows[:, :bands], casting="unsafe", dtype=np.float64)
            with np.errstate(over="ignore", invalid="ignore"):
                scatter += rows.T @ rows
            count += len(part)
    if shift is None or count < 2:
        return Components(np.zeros(bands), np.eye(k, bands), np.zeros(bands), count, seen - count)
    if not np.isfinite(scatter).all():
        raise TooLargeToSquare
    sums = scatter[bands, :bands]
    covariance = (scatter[:bands, :bands] - np.outer(sums, sums) / count) / (count - 1)
    values, vectors = np.linalg.eigh(covariance)
    directions = vectors[:, ::-1][:, :k].T
    # An eigenvector's sign is arbitrary; this rule makes it the same everywhere.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(k), largest])[:, np.newaxis]
    variances = values[::-1].copy()
    variances[variances <= NOISE * float(np.trace(covariance))] = 0
    return Components(shift + sums / count, directions, variances, count, seen - count)


def _shift(pixels: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        mean: NDArray[np.float64] = pixels.mean(axis=0, dtype=np.float64)
    if pixels.dtype.kind == "f":
        # Reflectances lie between 0 and 1: few digits are as good as whole numbers.
        with np.errstate(over="ignore"):
            return np.asarray(mean.astype(np.float32), dtype=np.float64)
    return np.rint(mean)
