"""Principal components of many-band pixels, in one bounded pass over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS = 16_384
"""Pixels handled at a time: their float64 copy stays in the cache."""


@dataclass(frozen=True)
class Components:
    """The result of `fit`, in float64 and in the units of the bands."""

    mean: NDArray[np.float64]
    """(bands,)"""
    directions: NDArray[np.float64]
    """(k, bands), orthonormal rows; the entry of largest size in each is positive."""
    variance: NDArray[np.float64]
    """(k,), descending."""
    total_variance: float
    """Of all bands together."""
    pixels: int
    """Pixels it was fitted on; with fewer than two, all variances are 0."""


def fit(chunks: Iterable[NDArray[Any]], bands: int, k: int) -> Components:
    """Components of the pixels in `chunks` of (n, bands).

    Shifting by the whole-numbered mean of the first chunk keeps the sums small (float64 then finds
    the subspace to 1e-13 degrees at any offset), and a column of ones makes the sums come out of
    the same matrix product as the squares. Whole-numbered bands of up to 16 bits are summed
    exactly in each chunk, so that the number of threads does not show in the result.
    """
    shift: NDArray[np.float64] | None = None
    buffer = np.ones((PIXELS, bands + 1))
    scatter = np.zeros((bands + 1, bands + 1))
    count = 0
    for chunk in chunks:
        if not len(chunk):
            continue
        if shift is None:
            shift = np.round(chunk.mean(axis=0, dtype=np.float64))
        for start in range(0, len(chunk), PIXELS):
            part = chunk[start : start + PIXELS]
            rows = buffer[: len(part)]
            np.subtract(part, shift, out=rows[:, :bands], casting="unsafe", dtype=np.float64)
            scatter += rows.T @ rows
            count += len(part)
    if shift is None or count < 2:
        nothing = np.zeros(k)
        return Components(np.zeros(bands), np.eye(k, bands), nothing, 0.0, count)
    sums = scatter[bands, :bands]
    covariance = (scatter[:bands, :bands] - np.outer(sums, sums) / count) / (count - 1)
    values, vectors = np.linalg.eigh(covariance)
    directions = vectors[:, ::-1][:, :k].T
    # An eigenvector's sign is arbitrary; this rule makes it the same everywhere.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(k), largest])[:, np.newaxis]
    return Components(
        mean=shift + sums / count,
        directions=directions,
        variance=np.clip(values[::-1][:k], 0, None),
        total_variance=float(np.trace(covariance)),
        pixels=count,
    )


def scaler(
    components: Components, deviations: float
) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    """A function from (n, bands) to (n, k) uint8.

    Each component's mean ± `deviations` standard deviations becomes 0..255, clipped at both ends.
    """
    spread = np.sqrt(components.variance) * deviations
    factor = 127.5 / np.where(spread > 0, spread, np.inf)
    weights = components.directions.T * factor
    # The mean is folded into one bias. float64: in float32 a rounding may differ by the machine.
    bias = 127.5 - components.mean @ weights

    def scale(pixels: NDArray[Any]) -> NDArray[np.uint8]:
        values = pixels.astype(np.float64) @ weights
        values += bias
        return np.rint(values).clip(0, 255).astype(np.uint8)

    return scale


def is_valid(pixels: NDArray[Any], nodata: float) -> NDArray[np.bool_]:
    """(n,) of pixels (n, bands): false where any band is `nodata`."""
    valid: NDArray[np.bool_] = (pixels != nodata).all(axis=1)
    return valid


def valid_pixels(images: Iterable[NDArray[Any]], nodata: float | None) -> Iterator[NDArray[Any]]:
    """The pixels of each image as (n, bands), without those that have `nodata` in any band."""
    for image in images:
        pixels = image.reshape(-1, image.shape[-1])
        yield pixels if nodata is None else pixels[is_valid(pixels, nodata)]
