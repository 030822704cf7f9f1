"""Four readings of a learning-rate finder's curve. Pure.

They follow fastai's (`fastai.callback.schedule`, Apache-2.0), after L. N. Smith, "Cyclical
learning rates" (arXiv 1506.01186).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLAT = 0.005
"""`slide`: gradients that differ by less are on one slope."""
LAG = 15
"""`slide`: points between the two gradients that are compared."""


@dataclass(frozen=True)
class Suggestions:
    """Learning rates."""

    valley: float
    """In the middle of the longest fall: the one to take where one has no reason for another."""
    slide: float
    """Where the last steep slope before the loss explodes begins."""
    minimum: float
    """A tenth of where the loss is lowest."""
    steep: float
    """Where the loss falls fastest."""

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def suggest(rates: Floats, losses: Floats) -> Suggestions | None:
    """Of (n,) ascending rates and the smoothed losses at them; None with fewer than 20 that are
    finite. The first tenth and the last five are left out, as fastai does."""
    finite = np.isfinite(losses)
    rates, losses = rates[finite], losses[finite]
    rates, losses = rates[len(rates) // 10 : -5], losses[len(losses) // 10 : -5]
    if len(rates) < 15:
        return None
    return Suggestions(
        valley=float(rates[_valley(losses)]),
        slide=float(rates[_slide(losses)]),
        minimum=float(rates[int(losses.argmin())] / 10),
        steep=float(rates[int(np.gradient(losses, np.log(rates)).argmin())]),
    )


def _valley(losses: Floats) -> int:
    """In the longest falling subsequence, the point at half of its middle third."""
    best = np.ones(len(losses), dtype=np.int64)
    for here in range(1, len(losses)):
        higher = best[:here][losses[:here] > losses[here]]
        if len(higher):
            best[here] = 1 + int(higher.max())
    end = int(best.argmax())
    start = end - int(best[end])
    third = (end - start) / 3
    return int(max(0, start) + third + third / 2)


def _slide(losses: Floats) -> int:
    """From the right, the first place whose gradient is like that `LAG` points after it."""
    gradient = np.gradient(losses)
    right = len(losses) - 1
    left = max(0, right - LAG)
    while left > 0 and abs(gradient[right] - gradient[left]) > FLAT:
        left, right = left - 1, right - 1
    return left
