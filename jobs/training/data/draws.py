"""Random numbers as functions of a seed and a place: no generator, so no order and no lock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skint.keys import GOLDEN, mixed

Seeds = NDArray[np.uint64]
Draws = NDArray[np.float64]


def uniforms(seeds: Seeds, first: int, count: int) -> Draws:
    """(n, count) numbers in [0, 1): those at places `first` and on of the stream of each seed.

    SplitMix64 (Steele, Lea and Flood, 2014), whose stream can be entered anywhere.
    """
    places = np.arange(first + 1, first + 1 + count, dtype=np.uint64)
    bits = mixed(seeds[:, None] + places[None, :] * GOLDEN)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
