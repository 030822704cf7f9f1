"""How long work will still take, with a range and the reason to believe it. Pure.

Reservations admit, forecasts advise: nothing is let in because a forecast says that it fits. What
is set aside for a job is its limit, which its shim enforces; a forecast says what will probably
come of it, and what to do when the hours do not reach.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from budget.duration import format_hours

Source = Literal["own-epochs", "history", "unknown"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Wall milliseconds still to come."""

    low_ms: int
    likely_ms: int
    high_ms: int
    source: Source
    basis: str
    """What it stands on: "3 epochs of its own", "unknown: reserving limit 2.00 h"."""

    def after(self, elapsed_ms: int) -> Forecast:
        """What is left of it when `elapsed_ms` more have passed; never less than nothing."""
        return replace(
            self,
            low_ms=max(0, self.low_ms - elapsed_ms),
            likely_ms=max(0, self.likely_ms - elapsed_ms),
            high_ms=max(0, self.high_ms - elapsed_ms),
        )


# WIDTH, DRIFT, PRIOR_SPREAD and FIRST_* were chosen by benchmarks/forecasts.py --choose.

PRIOR_SPREAD = 0.02
"""How much epochs differ from each other, relative to their length, before any has shown it."""

PRIOR_WEIGHT = 3.0
"""As many epochs' worth of knowledge is behind `PRIOR_SPREAD`."""

DRIFT = 0.1
"""How much the rate itself may change while the rest runs, relative to it: neighbours come and go,
and no number of finished epochs rules that out."""

HISTORY_SPREAD = 0.06
"""`PRIOR_SPREAD` for whole jobs: another day, another load. Not measured, a guess."""

WIDTH = 2.5
"""Standard deviations to either side."""

WIDEST = 10.0
"""Neither end is further from the likely figure than by this factor."""

FIRST_SHARE = 0.85
"""Of the first epoch, where no other is over: what the later ones probably take."""

FIRST_LEAST = 0.4
"""Of the first epoch: what the later ones take at least, where it also decoded the images."""

CHANGED = 1.2
"""Two epochs in a row that differ by this factor from those before them, both to the same side, are
a change and no stall: the ones before do not count any more."""


def from_epochs(
    epoch_ms: Sequence[int],
    epochs: int,
    *,
    done: int | None = None,
    tail_ms: int = 0,
    since_ms: int = 0,
    ended_after: Sequence[int] = (),
) -> Forecast:
    """From the durations of the epochs that are over, the first one first.

    The first, which also compiles and fills caches, is left out of the rate as soon as there is
    another. The rate is the median of the others, so that a stall widens the range and does not
    move it. `epochs` is how many there will be at most, `done` how many are over where that is not
    `len(epoch_ms)`; `tail_ms` comes after the last. `since_ms` ago the last one ended; an epoch
    that is late makes `high_ms` grow by as much as it is late. `ended_after` says after how many
    epochs others like it ended: if they stopped early, all the `epochs` are the worst case and no
    longer the likely one. ValueError without an epoch.
    """
    if not epoch_ms:
        raise ValueError("no epoch is over yet")
    done = len(epoch_ms) if done is None else done
    rest_ms = _present(epoch_ms[1:])
    rate_ms = median(rest_ms) if rest_ms else FIRST_SHARE * epoch_ms[0]
    counts = [min(epochs, max(done, count)) for count in ended_after] or [epochs]
    left_low, left, left_high = min(counts) - done, round(median(counts)) - done, epochs - done
    ratio = _ratio(_error(rest_ms, rate_ms, left_high))
    late_ms = max(0, since_ms - round(rate_ms)) if left_high > 0 else 0
    spent_ms = min(since_ms, round(rate_ms))

    def to_go(count: int, each_ms: float) -> int:
        return max(0, round(count * each_ms) - spent_ms) + tail_ms if count > 0 else tail_ms

    least_ms = rate_ms / ratio if rest_ms else FIRST_LEAST * epoch_ms[0]
    most_ms = (rate_ms if rest_ms else epoch_ms[0]) * ratio
    shown = f"{done} epoch{'s' if done != 1 else ''} of its own"
    return Forecast(
        to_go(left_low, least_ms),
        to_go(left, rate_ms),
        to_go(left_high, most_ms) + late_ms,
        "own-epochs",
        f"{shown}, the present one is late" if late_ms > rate_ms else shown,
    )


def _present(each_ms: Sequence[int]) -> Sequence[int]:
    """The epochs since the pace last changed for good."""
    before, last = each_ms[:-2], each_ms[-2:]
    if len(before) < 2:
        return each_ms
    usual_ms = median(before)
    changed = min(last) > CHANGED * usual_ms or CHANGED * max(last) < usual_ms
    return last if changed else each_ms


def _error(each_ms: Sequence[int], rate_ms: float, left: int) -> float:
    """The relative standard error of the sum of the `left` epochs to come."""
    freedom = max(0, len(each_ms) - 1)
    squares = sum((one / rate_ms - 1) ** 2 for one in each_ms) if rate_ms else 0.0
    spread = (PRIOR_WEIGHT * PRIOR_SPREAD**2 + squares) / (PRIOR_WEIGHT + freedom)
    return math.sqrt(DRIFT**2 + spread * (1 / max(1, left) + 1 / max(1, len(each_ms))))


def _ratio(error: float) -> float:
    """From a relative standard error to the factor between the likely figure and either end."""
    return math.exp(min(WIDTH * error, math.log(WIDEST)))


def from_history(durations_ms: Sequence[int], what: str, *, most_ms: int = 0) -> Forecast:
    """From how long the same took before; `what` names it, `most_ms` is the worst case it has.

    ValueError without a duration.
    """
    if not durations_ms:
        raise ValueError("it has no history")
    likely_ms = median(durations_ms)
    freedom = len(durations_ms) - 1
    squares = sum((one / likely_ms - 1) ** 2 for one in durations_ms) if likely_ms else 0.0
    spread = (PRIOR_WEIGHT * HISTORY_SPREAD**2 + squares) / (PRIOR_WEIGHT + freedom)
    ratio = _ratio(math.sqrt(spread * (1 + 1 / len(durations_ms))))
    runs = f"{len(durations_ms)} runs" if freedom else "1 run"
    return Forecast(
        round(likely_ms / ratio),
        round(likely_ms),
        max(round(likely_ms * ratio), most_ms),
        "history",
        f"{runs} of {what}",
    )


def unknown(limit_ms: int | None) -> Forecast:
    """Nothing is known: anything up to the limit, and the limit is what must be counted on.

    None: there is no limit either.
    """
    if limit_ms is None:
        return Forecast(0, 0, 0, "unknown", "unknown")
    basis = f"unknown: reserving limit {format_hours(limit_ms)}"
    return Forecast(0, limit_ms, limit_ms, "unknown", basis)


OVER = Forecast(0, 0, 0, "own-epochs", "it has ended")
"""Of what has ended."""
