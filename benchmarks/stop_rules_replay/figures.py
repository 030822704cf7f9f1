"""From outcomes to the figures of the table, with their intervals over data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.stop_rules_replay.replay import Outcome

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """Per cent, with the bounds of 95 % of the resamples."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"

    def fine(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Figures:
    pooled: Estimate
    """Seconds saved, of all seconds."""
    per_set: Estimate
    """The mean over data sets of the share saved."""
    wrong: Estimate
    """Of the runs that would have improved."""
    winners: int
    wrong_count: int
    regret_mean: float
    regret_p95: float
    regret_max: float


def figures(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """Resampled are families of data sets, each with all its orders (percentile bootstrap)."""
    families = sorted({outcome.family for outcome in outcomes})
    place = {family: number for number, family in enumerate(families)}
    # full, used, winners, wrong, shares of what was saved, orders
    sums = np.zeros((len(families), 6))
    for one in outcomes:
        saved = 1 - one.used_s / one.full_s if one.full_s else 0.0
        sums[place[one.family]] += (one.full_s, one.used_s, one.winners, one.wrong, saved, 1)
    draw = np.random.default_rng(seed)
    drawn = draw.integers(0, len(families), (RESAMPLES, len(families)))
    totals = sums[drawn].sum(axis=1)
    shares = (sums[:, 4] / sums[:, 5])[drawn].mean(axis=1)
    whole = sums.sum(axis=0)
    regrets = np.array([one.regret for one in outcomes])
    return Figures(
        pooled=_estimate(1 - whole[1] / whole[0], 1 - totals[:, 1] / totals[:, 0]),
        per_set=_estimate(float((sums[:, 4] / sums[:, 5]).mean()), shares),
        wrong=_estimate(whole[3] / max(whole[2], 1), totals[:, 3] / np.maximum(totals[:, 2], 1)),
        winners=int(whole[2]),
        wrong_count=int(whole[3]),
        regret_mean=float(regrets.mean()),
        regret_p95=float(np.quantile(regrets, 0.95, method="higher")),
        regret_max=float(regrets.max()),
    )


def _estimate(value: float, resampled: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Estimate:
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(100 * float(value), 100 * float(low), 100 * float(high))
