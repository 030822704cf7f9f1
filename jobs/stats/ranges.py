"""A histogram of the values of a target, in ranges that a person would choose."""

from __future__ import annotations

from math import floor, log10

import numpy as np
from numpy.typing import NDArray

FEW = 12
"""So many different values are shown one by one; more are put into about as many ranges."""
_STEPS = (1, 2, 5, 10)


def ranges(values: NDArray[np.float64]) -> tuple[list[str], NDArray[np.bool_]]:
    """The name of each range, ascending, and (N, ranges) which of them each value lies in.

    No two ranges overlap, and all are equally wide, unless they are single values. What is not
    finite is in none.
    """
    known = np.isfinite(values)
    single = np.unique(values[known])
    if len(single) <= FEW:
        return [_text(value) for value in single], values[:, None] == single
    width = _width(float(single[0]), float(single[-1]))
    whole = bool((single == np.rint(single)).all())
    if whole:
        width = max(1.0, width)
    place = np.full(len(values), np.nan)
    place[known] = values[known] / width
    # 0.3 / 0.1 is a little less than 3.
    near = np.rint(place)
    place = np.where(np.isclose(place, near, rtol=1e-12, atol=1e-9), near, np.floor(place))
    numbers = np.arange(np.nanmin(place), np.nanmax(place) + 1)
    return [_name(number, width, whole) for number in numbers], place[:, None] == numbers


def _width(low: float, high: float) -> float:
    """1, 2 or 5 times a power of ten, so that about ten of them reach from low to high."""
    least = high / 10 - low / 10
    power: float = 10.0 ** floor(log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def _name(number: float, width: float, whole: bool) -> str:
    low, high = number * width, (number + 1) * width
    if whole:
        return _text(low) if width == 1 else f"{_text(low)} to {_text(high - 1)}"
    return f"{_text(low)} to under {_text(high)}"


def _text(value: float) -> str:
    return f"{value + 0:.12g}"
