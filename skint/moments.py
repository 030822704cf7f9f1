"""Mean and standard deviation of pictures from sums, exact where the pixels are whole numbers.

Each picture's sums are kept (`sums.npy`), so that the moments of any part of a set, e.g. of the
pictures that a fold trains on, cost no second look at the pixels.
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOISE = 1e-12
"""A variance below this share of the squared mean is the rounding of a constant channel's sums."""

Moments = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and population standard deviation, per channel."""


def sums_dtype(pixels: np.dtype[Any]) -> np.dtype[Any]:
    """uint64 where the sums are whole numbers that fit: unsigned pixels of up to 16 bits."""
    exact = pixels.kind == "u" and pixels.itemsize <= 2
    return np.dtype(np.uint64 if exact else np.float64)


def channel_sums(picture: NDArray[Any]) -> NDArray[Any]:
    """(2, C): sum and sum of squares per channel of one (H, W, C), as `sums_dtype` says.

    A channel with values that are not finite has sums that are not finite.
    """
    if picture.dtype == np.uint8:
        return _byte_sums(picture)
    channels = picture.shape[2]
    kind = sums_dtype(picture.dtype)
    sums = np.zeros((2, channels), dtype=kind)
    rows = picture.reshape(-1, channels)
    # 2**20 pixels of 16 bits keep the sum of squares below 2**53, so float64 adds them exactly.
    for start in range(0, len(rows), 2**20):
        pixels = rows[start : start + 2**20].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            sums[0] += (np.ones(len(pixels)) @ pixels).astype(kind)
            sums[1] += np.einsum("ij,ij->j", pixels, pixels).astype(kind)
    return sums


def _byte_sums(picture: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The same of uint8 in a sixth of the time: down the columns first, in the narrowest dtype
    that holds the sum of 256 rows."""
    height, width, channels = picture.shape
    sums = np.zeros((2, channels), dtype=np.uint64)
    lines = picture.reshape(height, width * channels)
    for start in range(0, height, 256):
        block = lines[start : start + 256]
        once = np.add.reduce(block, axis=0, dtype=np.uint16)
        squares = np.add.reduce(np.square(block, dtype=np.uint16), axis=0, dtype=np.uint32)
        for place, columns in enumerate((once, squares)):
            sums[place] += columns.reshape(width, channels).sum(axis=0, dtype=np.uint64)
    return sums


def moments(sums: NDArray[Any], pixels: int) -> Moments:
    """Of pictures with the sums (n, 2, C) and `pixels` pixels together.

    Whole sums: all is exact up to the last rounding. Without pixels: zeros. NaN for a channel with
    values that are not finite.
    """
    if pixels == 0:
        return (0.0,) * sums.shape[2], (0.0,) * sums.shape[2]
    rows = _total(sums)
    unknown = [
        not (isfinite(total) and isfinite(square)) for total, square in zip(*rows, strict=True)
    ]
    totals, squares = (
        [Fraction(0 if bad else value) for value, bad in zip(row, unknown, strict=True)]
        for row in rows
    )
    mean = [total / pixels for total in totals]
    variance = [max(s / pixels - m * m, Fraction(0)) for s, m in zip(squares, mean, strict=True)]
    if sums.dtype.kind == "f":
        variance = [
            v if v > Fraction(NOISE) * m * m else Fraction(0)
            for v, m in zip(variance, mean, strict=True)
        ]
    return (
        tuple(nan if bad else float(m) for m, bad in zip(mean, unknown, strict=True)),
        tuple(nan if bad else sqrt(v) for v, bad in zip(variance, unknown, strict=True)),
    )


def _total(sums: NDArray[Any]) -> list[list[Any]]:
    """(2, C) over the pictures: Python's integers or floats."""
    if sums.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            return sums.sum(axis=0).tolist()  # type: ignore[no-any-return]
    # The squares of a large set do not fit into 64 bits: the halves do, for 2**32 pictures.
    low = (sums & np.uint64(2**32 - 1)).sum(axis=0, dtype=np.uint64).tolist()
    high = (sums >> np.uint64(32)).sum(axis=0, dtype=np.uint64).tolist()
    return [
        [a + (b << 32) for a, b in zip(*halves, strict=True)]
        for halves in zip(low, high, strict=True)
    ]
