"""Splits samples into folds, a hold-out and a test part: rows only, no words.

A split depends on the samples and the seed, and on nothing else: neither on the order in which the
samples stand, nor on the other parts that are asked for. NumPy is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skint.errors import SkintError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Strata = Callable[["NDArray[np.int64]", int], "NDArray[np.int64]"]
"""The strata of some rows that are to fill so many parts; see `jobs.folds.strata.strata_of`."""

_TEST, _FOLDS = 0, 1
"""What a generator is for: drawing the test part must not change the folds of another seed."""


class FoldsError(SkintError):
    """The samples cannot be split as asked."""


@dataclass(frozen=True)
class Split:
    held_out: tuple[NDArray[np.int64], ...]
    """Of each fold the rows that validate, ascending."""
    only_train: NDArray[np.int64]
    """Rows that no fold holds out and that train."""
    test: NDArray[np.int64]
    """Rows that are set aside."""
    repeated: tuple[NDArray[np.int64], ...] = ()
    """In order, of each fold the rows of its time that repeat what is earlier: it does not hold
    them out, later folds train on them."""
    in_order: bool = False
    """Whether fold f trains on nothing but `only_train` and the folds before it."""


@dataclass(frozen=True)
class Ways:
    """How to split, as the parameters of `folds` say it."""

    k: int
    repeats: int
    holdout: float | None
    test: float | None
    seed: int


def by_chance(
    rows: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    strata: Strata,
    ways: Ways,
    check: Callable[[], None],
) -> Split:
    """`rows` in an order that does not depend on the set's; `groups` has a number for each.

    `check` is called now and then, and may raise.
    """
    import numpy as np

    from jobs.folds.dealing import deal

    def part(chosen: NDArray[np.int64], shares: list[float], draw: list[int]) -> NDArray[np.int64]:
        """(len(chosen),) the part of each; `chosen` are positions in `rows`."""
        together = None
        if groups is not None:
            together = np.unique(groups[chosen], return_inverse=True)[1].astype(np.int64)
        rng = np.random.default_rng([ways.seed, *draw])
        return deal(strata(rows[chosen], len(shares)), together, shares, rng, check)

    pool = np.arange(len(rows))
    test = pool[:0]
    if ways.test is not None:
        aside = part(pool, [ways.test, 1 - ways.test], [_TEST]) == 0
        pool, test = pool[~aside], pool[aside]
    if ways.holdout is not None:
        held = part(pool, [ways.holdout, 1 - ways.holdout], [_FOLDS, 0]) == 0
        return Split((np.sort(rows[pool[held]]),), np.sort(rows[pool[~held]]), np.sort(rows[test]))
    held_out = []
    for repeat in range(ways.repeats):
        fold = part(pool, [1 / ways.k] * ways.k, [_FOLDS, repeat])
        held_out += [np.sort(rows[pool[fold == number]]) for number in range(ways.k)]
    return Split(tuple(held_out), rows[:0], np.sort(rows[test]))


def by_time(
    rows: NDArray[np.int64],
    times: NDArray[np.float64],
    ways: Ways,
    units: NDArray[np.int64] | None = None,
) -> Split:
    """Blocks of the order of `times`, one for each of `rows`: the first only trains, the others
    are held out one after the other, the share `test` stands at the end.

    Rows of one time stay in one block, so that a fold trains on strictly earlier ones; a block may
    so become empty. `units` has a number for each of `rows`: what repeats one of an earlier block
    is not held out, and of the last not tested on.
    """
    import numpy as np

    order = np.argsort(times, kind="stable")
    n = len(order)
    end = n if ways.test is None else n - round(ways.test * n)
    if ways.holdout is not None:
        cuts = [end - round(ways.holdout * end), end]
    else:
        cuts = [end * (number + 1) // (ways.k + 1) for number in range(ways.k)] + [end]
    # A cut within equal times moves to where they begin.
    ordered = times[order]
    cuts = [int(np.searchsorted(ordered, ordered[cut])) if cut < n else n for cut in cuts]
    block = np.empty(n, dtype=np.int64)
    block[order] = np.searchsorted(cuts, np.arange(n), side="right")
    late = np.zeros(n, dtype=bool)
    if units is not None:
        earliest = np.full(int(units.max(initial=-1)) + 1, len(cuts))
        np.minimum.at(earliest, units, block)
        late = block > earliest[units]
    blocks = [np.sort(rows[(block == number) & ~late]) for number in range(len(cuts) + 1)]
    repeated = tuple(np.sort(rows[(block == number) & late]) for number in range(1, len(cuts)))
    first, *held_out, test = blocks
    return Split(tuple(held_out), first, test, repeated, in_order=True)
