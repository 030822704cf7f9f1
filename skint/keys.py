"""Seeds of single pictures: pure functions of (seed, epoch, row)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skint.batches import Rows


def earlier(rows: Rows) -> Rows:
    """(n,) how often each of `rows` came before."""
    ranked = np.argsort(rows, kind="stable")
    places = np.arange(len(rows))
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = rows[ranked][1:] != rows[ranked][:-1]
    counts = np.empty(len(rows), dtype=np.int64)
    counts[ranked] = places - np.maximum.accumulate(np.where(first, places, 0))
    return counts


def sample_seed(seed: int, epoch: int, row: int) -> int:
    """64 bits that differ for each (seed, epoch, row), the same on every machine."""
    return int(sample_seeds(seed, epoch, np.array([row], dtype=np.int64))[0])


def sample_seeds(seed: int, epoch: int, rows: Rows) -> NDArray[np.uint64]:
    """The same of many rows, (n,): no two of an epoch are equal."""
    base = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    return mixed(base + rows.astype(np.uint64) * GOLDEN)


GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: the step of SplitMix64."""


def mixed(states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele, Lea and Flood, 2014): 64 bits to 64 others."""
    states = (states ^ (states >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    states = (states ^ (states >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return states ^ (states >> np.uint64(31))
