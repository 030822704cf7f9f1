"""How long work will still take, with a range and the reason to believe it. Pure.

Reservations admit, forecasts advise: nothing is let in because a forecast says that it fits. What
is set aside for a job is its limit, which its shim enforces; a forecast says what will probably
come of it, and what to do when the hours do not reach.
"""

from __future__ import annotations

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


def from_epochs(epoch_ms: Sequence[int], epochs: int, *, tail_ms: int = 0) -> Forecast:
    """From the durations of the epochs that are over, the first one among them.

    The first epoch, which also compiles and fills caches, is left out of the rate as soon as there
    is another. `epochs` is how many the job will have at most; an early stop makes it fewer.
    `tail_ms` comes after the last epoch. ValueError without an epoch.
    """
    if not epoch_ms:
        raise ValueError("no epoch is over yet")
    each_ms = list(epoch_ms[1:]) or list(epoch_ms)
    left = max(0, epochs - len(epoch_ms))
    rate_ms = median(each_ms)
    count = f"{len(epoch_ms)} epochs" if len(epoch_ms) > 1 else "1 epoch"
    return Forecast(
        round(left * rate_ms * 0.85) + tail_ms,
        round(left * rate_ms) + tail_ms,
        round(left * rate_ms * 1.2) + tail_ms,
        "own-epochs",
        f"{count} of its own",
    )


def from_history(durations_ms: Sequence[int], what: str) -> Forecast:
    """From how long the same took before; `what` names it. ValueError without a duration."""
    if not durations_ms:
        raise ValueError("it has no history")
    likely_ms = round(median(durations_ms))
    runs = f"{len(durations_ms)} runs" if len(durations_ms) > 1 else "1 run"
    low_ms = min(*durations_ms, round(likely_ms * 0.85))
    high_ms = max(*durations_ms, round(likely_ms * 1.2))
    return Forecast(low_ms, likely_ms, high_ms, "history", f"{runs} of {what}")


def unknown(limit_ms: int) -> Forecast:
    """Nothing is known: anything up to the limit, and the limit is what must be counted on."""
    basis = f"unknown: reserving limit {format_hours(limit_ms)}"
    return Forecast(0, limit_ms, limit_ms, "unknown", basis)
