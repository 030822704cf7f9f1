"""Numbers as characters: a curve or a share in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

_STEPS = "▁▂▃▄▅▆▇█"
_MIDDLE = _STEPS[3]
_NOT_A_NUMBER = "×"
FULL, EMPTY = "▮", "▯"


def sparkline(values: Sequence[float], width: int | None = None) -> str:
    """One character a value, from the lowest `▁` to the highest `█`; the newest `width` of them.

    A value that is not finite is `×`; values that are all the same stand in the middle.
    """
    shown = list(values if width is None else values[max(0, len(values) - width) :])
    finite = [value for value in shown if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_step(value, low, high) for value in shown)


def _step(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return _NOT_A_NUMBER
    # Halves, so that the difference of two huge values stays finite.
    span = high / 2 - low / 2
    if span <= 0:
        return _MIDDLE
    return _STEPS[round((value / 2 - low / 2) / span * (len(_STEPS) - 1))]


def level(share: float) -> str:
    """One character of a curve for a share of 0 to 1; 0 is `▁`."""
    return _step(min(1.0, max(0.0, share)), 0.0, 1.0)


def bar(share: float, width: int) -> str:
    """`width` characters, filled to `share` of 0 to 1; full only when all of it is done."""
    inside = min(1.0, max(0.0, share if math.isfinite(share) else 0.0))
    # The tolerance is for shares such as 7/12*12, which fall just short in floating point.
    filled = int(inside * width + 1e-9)
    return FULL * filled + EMPTY * (width - filled)
