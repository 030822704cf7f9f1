"""Which samples a part of a packed set is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.folds.dealing import deal
from jobs.folds.strata import strata_of
from skint.dataset import PackedSet, Target

LEAST = 2
"""Pictures of each class that a chosen size keeps: one to train on and one to validate."""


def of_each_class(labels: NDArray[np.int64], sizes: Sequence[int], seed: int) -> NDArray[np.int64]:
    """Ascending rows: `sizes[c]` of each class c, or all that there are, drawn by chance.

    Each class has a generator of its own: a picture more in one class does not change the others.
    """
    chosen = []
    for number, size in enumerate(sizes):
        members = np.flatnonzero(labels == number)
        draw = np.random.default_rng([seed, number]).permutation(len(members))
        chosen.append(members[draw[:size]])
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *chosen]))


def of_the_whole(
    data: PackedSet, target: Target | None, rows: NDArray[np.int64], size: int, seed: int
) -> NDArray[np.int64]:
    """Ascending: `size` of `rows`, spread over the labels or values of `target` like the whole."""
    share = min(1.0, size / max(1, len(rows)))
    strata = strata_of(data, target, rows, parts=1)
    part = deal(strata, None, [share, 1 - share], np.random.default_rng(seed))
    return np.sort(rows[part == 0])


def quotas(counts: Sequence[int], size: int) -> list[int]:
    """How many of each class make up `size`: its share to within one, at least `LEAST` of each.

    Largest remainders; what the least ones take too much is not taken from others, so a very small
    `size` is exceeded.
    """
    total = sum(counts)
    exact = [min(1.0, size / max(1, total)) * count for count in counts]
    given = [
        max(math.floor(part + 1e-9), min(LEAST, count))
        for part, count in zip(exact, counts, strict=True)
    ]
    order = sorted(range(len(counts)), key=lambda n: (given[n] - exact[n], n))
    for number in order:
        if sum(given) >= min(size, total):
            break
        given[number] += given[number] < exact[number]
    return given


def affordable(seconds: float, rate: float) -> int:
    """Pictures that `seconds` are enough for, rounded down to two digits.

    Rounded, so that a rate that is measured a little differently gives the same size.
    """
    size = max(1, int(seconds * rate + 1e-9))
    step: int = 10 ** max(0, len(str(size)) - 2)
    return size // step * step
