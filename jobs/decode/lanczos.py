"""Resizing of what 32-bit floats cannot hold: whole numbers of 32 and 64 bits, and doubles."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.decode.shape import Box
from jobs.decode.unreadable import Unreadable

LOBES = 3
MOST_WHOLE = 2**53
"""Doubles hold every whole number up to here."""


def resized_exactly(plane: NDArray[Any], box: Box, size: tuple[int, int]) -> NDArray[Any]:
    """(h, w) of the part `box` of (H, W), in its dtype, by the same LANCZOS in doubles.

    `size` is width and height. Raises Unreadable where a whole number is larger than a double
    holds.
    """
    if plane.dtype.kind in "ui" and plane.size:
        least, greatest = int(plane.min()), int(plane.max())
        if max(-least, greatest) > MOST_WHOLE:
            raise Unreadable(
                f"has whole numbers beyond 2**53 ({least} to {greatest}), which resizing would "
                "change: scale them first"
            )
    left, top, right, bottom = box
    across = _along(plane, left, right, size[0])
    values = _along(across.T, top, bottom, size[1]).T
    if plane.dtype.kind == "f":
        return values
    limits = np.iinfo(plane.dtype)
    # 2**63 - 1 as a double is 2**63, which does not fit: what is that large was refused above.
    most = min(limits.max, 2 * MOST_WHOLE)
    return np.rint(values).clip(max(limits.min, -2 * MOST_WHOLE), most).astype(plane.dtype)


def _along(plane: NDArray[Any], begin: float, end: float, count: int) -> NDArray[np.float64]:
    """(H, count): the part of each row from `begin` to `end`."""
    step = (end - begin) / count
    if step == 1 and begin.is_integer():
        # No pixel is mixed with its neighbours, of which one may be NaN.
        return plane[:, int(begin) : int(end)].astype(np.float64)
    scale = max(1.0, step)
    out = np.empty((plane.shape[0], count), dtype=np.float64)
    for number in range(count):
        centre = begin + (number + 0.5) * step
        first = max(0, floor(centre - LOBES * scale + 0.5))
        last = min(plane.shape[1], ceil(centre + LOBES * scale - 0.5))
        places = (np.arange(first, last) + 0.5 - centre) / scale
        weights = np.sinc(places) * np.sinc(places / LOBES) * (np.abs(places) < LOBES)
        out[:, number] = plane[:, first:last].astype(np.float64) @ (weights / weights.sum())
    return out
