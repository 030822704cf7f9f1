"""Mean and standard deviation of pictures, exact where the pixels are whole numbers."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def channel_moments(
    images: NDArray[Any],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and population standard deviation per channel of (N, H, W, C), one image at a time.

    Integers of up to 16 bits: the sums are exact (below 2**53 in each image, Python integers over
    the images), so the result depends neither on their order nor on the number of threads. Other
    dtypes: two passes in float64.
    """
    import numpy as np

    channels = images.shape[3]
    count = images.shape[0] * images.shape[1] * images.shape[2]
    if count == 0:
        return (0.0,) * channels, (0.0,) * channels
    exact = images.dtype.kind in "ui" and images.dtype.itemsize <= 2
    if exact:
        sums, squares = [0] * channels, [0] * channels
        for image in images:
            # 2**20 pixels of 16 bits keep the sum of squares below 2**53.
            rows = image.reshape(-1, channels)
            for start in range(0, len(rows), 2**20):
                pixels = rows[start : start + 2**20].astype(np.float64)
                products = pixels.T @ pixels
                totals = np.ones(len(pixels)) @ pixels
                for channel in range(channels):
                    sums[channel] += int(totals[channel])
                    squares[channel] += int(products[channel, channel])
        mean = [Fraction(total, count) for total in sums]
        variance = [
            float(Fraction(square, count) - m * m) for square, m in zip(squares, mean, strict=True)
        ]
        return tuple(float(m) for m in mean), tuple(sqrt(v) for v in variance)
    total = np.zeros(channels)
    for image in images:
        total += image.sum(axis=(0, 1), dtype=np.float64)
    center = total / count
    spread = np.zeros(channels)
    for image in images:
        spread += np.square(image - center).sum(axis=(0, 1))
    return tuple(center.tolist()), tuple(np.sqrt(spread / count).tolist())
