"""Random rectangles in a picture: what is cropped to, what is erased."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jobs.training.data.draws import Seeds, uniforms

TRIES = 9
PLACES = 2 * TRIES + 2
"""Numbers that a rectangle takes of its seed's stream."""

Boxes = NDArray[np.int64]
"""(n, 4): top, left, height, width in pixels."""


def boxes(
    seeds: Seeds,
    first: int,
    *,
    size: tuple[int, int],
    share: tuple[float, float],
    ratio: tuple[float, float],
) -> Boxes:
    """Rectangles of a `share` of the area, `ratio` wide by high relative to the picture.

    The share is even between its bounds, the logarithm of the ratio as well. A rectangle that does
    not fit is drawn again, as torchvision's RandomResizedCrop does; one that never fits is the
    largest of its last ratio. `size` is (height, width).
    """
    height, width = size
    draws = uniforms(seeds, first, PLACES)
    area = share[0] + draws[:, :TRIES] * (share[1] - share[0])
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = np.exp(low + draws[:, TRIES : 2 * TRIES] * (high - low))
    wide, tall = np.sqrt(area * aspect), np.sqrt(area / aspect)
    fits = (wide <= 1) & (tall <= 1)
    chosen = np.where(fits.any(axis=1), fits.argmax(axis=1), TRIES - 1)
    each = np.arange(len(seeds))
    wide, tall = wide[each, chosen].clip(max=1), tall[each, chosen].clip(max=1)
    rows = np.rint(tall * height).clip(1, height).astype(np.int64)
    columns = np.rint(wide * width).clip(1, width).astype(np.int64)
    top = (draws[:, -2] * (height - rows + 1)).astype(np.int64)
    left = (draws[:, -1] * (width - columns + 1)).astype(np.int64)
    return np.stack([top, left, rows, columns], axis=1)
