"""Deals samples out to parts so that each part gets its share of everything.

`deal_strata` is for samples that each belong to one stratum (a class, a range of values): every
part gets its share of each stratum and of the whole to within one sample.

`deal_units` is for everything else: samples with several labels, and groups that must stay whole.
It goes from the rarest to the commonest as iterative stratification does (Sechidis, Tsoumakas and
Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011), but looks at all labels of a
unit at once: each unit goes where it brings the labels nearest to their shares by least squares.

NumPy is imported where it is used: a plan is checked without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EQUAL = 1e-9
"""Wants that differ by less are equal: sums of shares such as 1/3 are not exact."""


def deal_strata(
    strata: NDArray[np.int64],
    shares: Sequence[float],
    rng: np.random.Generator,
    dealt: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """(N,) the part of each sample; `strata` (N,) is where it belongs.

    Part p gets `shares[p]` of each stratum and of the whole; the shares add up to 1. Which
    samples those are is drawn from `rng`. `dealt` (parts, strata) were dealt out before and count
    too: who has too many of a stratum gets no more of it.
    """
    import numpy as np

    wanted = np.asarray(shares, dtype=np.float64)
    part = np.empty(len(strata), dtype=np.int64)
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    names, starts = np.unique(strata[order], return_index=True)
    if dealt is None:
        dealt = np.zeros((len(wanted), int(strata.max(initial=0)) + 1), dtype=np.int64)
    lacking = np.zeros(len(wanted))
    for name, rows in zip(names.tolist(), np.split(order, starts[1:]), strict=False):
        exact = _wants(wanted, len(rows), dealt[:, name])
        lacking += wanted * (len(rows) + dealt[:, name].sum()) - dealt[:, name]
        counts = np.floor(exact + _EQUAL).astype(np.int64)
        # What does not divide goes to the parts that lack most so far.
        by_chance = rng.permutation(len(wanted))
        want = np.where(exact - counts > _EQUAL, lacking - counts, -np.inf)[by_chance]
        most = by_chance[np.argsort(-want.round(9), kind="stable")]
        counts[most[: len(rows) - int(counts.sum())]] += 1
        lacking -= counts
        part[rows] = np.repeat(np.arange(len(wanted)), counts)
    return part


def _wants(
    wanted: NDArray[np.float64], count: int, dealt: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(parts,) how much of `count` each part gets, so that with `dealt` all have their share; a
    part that has more already gets nothing, and the others share what is left."""
    import numpy as np

    short = np.ones(len(wanted), dtype=bool)
    while True:
        share = np.where(short, wanted, 0) / wanted[short].sum()
        wants = np.where(short, share * (count + dealt[short].sum()) - dealt, 0)
        if (wants >= -_EQUAL).all():
            return wants.clip(0)
        short &= wants >= -_EQUAL


def deal_units(
    weights: NDArray[np.int64],
    shares: Sequence[float],
    rng: np.random.Generator,
    check: Callable[[], None] | None = None,
    totals: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """(U,) the part of each unit; `weights` (U, L) says how much of each label is in it.

    Part p gets `shares[p]` of each label as nearly as this finds; the shares add up to 1. Labels
    count alike, however rare. Among equals, chance (`rng`) decides. `check` is called now and
    then, and may raise. `totals` (L,) is what there is of each label with all that is dealt later.
    """
    import numpy as np

    totals = weights.sum(axis=0) if totals is None else totals
    relative = weights[:, totals > 0] / totals[totals > 0]
    squares = np.square(relative).sum(axis=1)
    wanted = np.asarray(shares, dtype=np.float64)
    lacking = np.outer(wanted, np.ones(relative.shape[1]))
    part = np.empty(len(weights), dtype=np.int64)
    order = rng.permutation(len(weights))
    # What holds most of a label first: the many small ones can still even it out.
    order = order[np.argsort(-squares[order], kind="stable")]
    for number, unit in enumerate(order.tolist()):
        if check is not None and number % 4096 == 0:
            check()
        # How much less is lacking, in squares and relative to the share of the part (chi-squared):
        # the sum over labels of (lacking^2 - (lacking - unit)^2) / share.
        gain = (2 * (lacking @ relative[unit]) - squares[unit]) / wanted
        best = np.flatnonzero(gain >= gain.max() - _EQUAL * abs(gain.max()))
        part[unit] = chosen = int(best[0] if len(best) == 1 else rng.choice(best))
        lacking[chosen] -= relative[unit]
    return part


def deal(
    strata: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    shares: Sequence[float],
    rng: np.random.Generator,
    check: Callable[[], None] | None = None,
) -> NDArray[np.int64]:
    """(N,) the part of each sample.

    `strata` is (N,) numbers from 0, or (N, L) with 1 for each label that a sample has; `groups`
    (N,) are numbers from 0 of what must stay together.
    """
    import numpy as np

    if groups is None and strata.ndim == 1:
        return deal_strata(strata, shares, rng)
    if strata.ndim == 1:
        labels = np.zeros((len(strata), int(strata.max(initial=0)) + 1), dtype=np.int64)
        labels[np.arange(len(strata)), strata] = 1
    else:
        labels = strata.astype(np.int64)
    # The last column is the number of samples: the parts are to be of one size as well.
    weights = np.column_stack([labels, np.ones(len(labels), dtype=np.int64)])
    if groups is None:
        return deal_units(weights, shares, rng, check)
    units = np.zeros((int(groups.max(initial=-1)) + 1, weights.shape[1]), dtype=np.int64)
    np.add.at(units, groups, weights)
    alone = units[:, -1] == 1
    if strata.ndim > 1 or not alone.any():
        return deal_units(units, shares, rng, check)[groups]
    # Whole groups first; single samples then fill up each part's share of each stratum exactly.
    part = np.empty(len(strata), dtype=np.int64)
    of_units = np.full(len(units), -1, dtype=np.int64)
    of_units[~alone] = deal_units(units[~alone], shares, rng, check, weights.sum(axis=0))
    dealt = np.zeros((len(shares), labels.shape[1]), dtype=np.int64)
    np.add.at(dealt, of_units[~alone], units[~alone, :-1])
    single = alone[groups]
    part[~single] = of_units[groups[~single]]
    part[single] = deal_strata(strata[single], shares, rng, dealt)
    return part
