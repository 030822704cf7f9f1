"""Finds all pairs of 64-bit hashes that differ in few bits, without comparing each with each.

By the pigeonhole principle: cut 64 bits into `bits + 1` bands, and two hashes that differ in at
most `bits` bits agree in one band at least. So only hashes with an equal band are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MOST_BITS = 8
"""More would make bands so narrow that nearly all hashes agree in one."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]


def near_pairs(
    hashes: NDArray[np.uint64],
    bits: int,
    *,
    check: Callable[[], None],
    first_of_others: int | None = None,
) -> Iterator[Pairs]:
    """All pairs of positions i < j whose hashes differ in at most `bits` bits, each once.

    Yields arrays (i, j, distance). With `first_of_others` only pairs over that border are found:
    i below it, j not. `check` is called often; what it raises ends the search.
    """
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"bits must be 0 to {MOST_BITS}")
    bands = [_band(hashes, start, stop) for start, stop in _cuts(bits + 1)]
    for number, band in enumerate(bands):
        order = np.argsort(band, kind="stable")
        ordered = band[order]
        # left[n] and left[n] + step are compared while they are in one run of equal bands.
        left = np.flatnonzero(ordered[1:] == ordered[:-1])
        step = 1
        while left.size:
            check()
            one, other = order[left], order[left + step]
            i, j = np.minimum(one, other), np.maximum(one, other)
            if first_of_others is not None:
                over = (i < first_of_others) & (j >= first_of_others)
                i, j = i[over], j[over]
            distance = np.bitwise_count(hashes[i] ^ hashes[j])
            near = distance <= bits
            i, j, distance = i[near], j[near], distance[near]
            for earlier in bands[:number]:  # a pair that agrees in an earlier band was found there
                new = earlier[i] != earlier[j]
                i, j, distance = i[new], j[new], distance[new]
            if i.size:
                yield i, j, distance
            step += 1
            left = left[left + step < ordered.size]
            left = left[ordered[left] == ordered[left + step]]


def _cuts(count: int) -> list[tuple[int, int]]:
    """Start and stop of `count` bands of 64 bits, as equal as can be."""
    edges = [64 * number // count for number in range(count + 1)]
    return list(pairwise(edges))


def _band(hashes: NDArray[np.uint64], start: int, stop: int) -> NDArray[np.uint64]:
    mask = np.uint64((1 << (stop - start)) - 1)
    return (hashes >> np.uint64(start)) & mask
