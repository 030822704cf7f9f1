"""The largest batch that fits, in few tries. Pure."""

from __future__ import annotations

from collections.abc import Callable

MULTIPLE = 8
"""Matrix units work on multiples of eight; smaller batches than that are tried one by one."""


def largest(fits: Callable[[int], bool], first: int, most: int) -> int | None:
    """The largest batch up to `most` of which `fits` is true, to a multiple of `MULTIPLE`.

    Doubles from `first` until one does not fit, then halves what is left between. Only a batch
    that was itself tried is ever given; None where not even a batch of 2 fits. `fits` must be
    monotonous.
    """
    first = min(first, most)
    if not fits(first):
        while first > 2:
            first = max(2, first // 2)
            if fits(first):
                return _between(fits, first, 2 * first)
        return None
    good = first
    while good < most:
        tried = min(2 * good, most)
        if not fits(tried):
            return _between(fits, good, tried)
        good = tried
    return good


def _between(fits: Callable[[int], bool], good: int, bad: int) -> int:
    """`good` fits, `bad` does not."""
    while bad - good > MULTIPLE:
        middle = (good + bad) // 2 // MULTIPLE * MULTIPLE
        if middle <= good:
            return good
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good
