"""Does a plan fit in what an account has left, and in which job do the hours run out? Pure.

Jobs are reserved one at a time as they start, and what a job did not use is free again when it
ends. So what counts of a job is what it will probably use; its limit, where nothing is known. That
is advice. What admits is the reservation: a job that is forecast to fit does not start unless its
whole limit does (`waits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budget.accounts.account import Account
from budget.forecasts.forecast import Forecast
from budget.ledger.balance import Balance, LimitBalance
from orchestrator.graph import Job
from orchestrator.plans.preview import Expectation


@dataclass(frozen=True, slots=True)
class Need:
    """What one job will use of an account, in the account's weighted milliseconds."""

    job: Job
    forecast: Forecast
    low_ms: int
    likely_ms: int
    high_ms: int
    reserve_ms: int
    """Held while it runs: its limit, grace included."""
    wall_ms: int
    """How long it will probably run."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """The hours run out while, or before, a job runs."""

    need: Need
    at_ms: int
    before: tuple[Need, ...]
    """The jobs that are over by then."""
    left_ms: int
    """Of the account, when it begins."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A plan beside what an account has left."""

    needs: tuple[Need, ...]
    limit: LimitBalance | None
    """The one that it has to fit in; None where every session has its hours anew."""
    queued_ms: int
    """What runs that are queued already will probably use."""
    short: Shortage | None
    waits: Need | None
    """The first job that would probably fit and whose reservation does not."""
    too_big: Need | None
    """The first job whose reservation does not fit in any window."""

    @property
    def low_ms(self) -> int:
        return sum(need.low_ms for need in self.needs)

    @property
    def likely_ms(self) -> int:
        return sum(need.likely_ms for need in self.needs)

    @property
    def high_ms(self) -> int:
        return sum(need.high_ms for need in self.needs)

    @property
    def known(self) -> bool:
        """Something better than limits is known of at least one job."""
        return any(need.forecast.source != "unknown" for need in self.needs)

    @property
    def free_ms(self) -> int:
        """What is left for it: without what is reserved, and without what is queued before it."""
        return self.limit.free_ms - self.queued_ms if self.limit else 0


def needs_of(expected: Sequence[Expectation], account: Account) -> tuple[Need, ...]:
    """Of the accelerator jobs that will run, in the graph's order."""
    return tuple(need_of(e.job, e.forecast, account) for e in expected if e.reserve_ms)


def need_of(job: Job, forecast: Forecast, account: Account) -> Need:
    """None of the figures is above the reservation: at its limit a job is stopped."""
    reserve_ms = account.cost_ms(job.devices, job.wall_limit_ms)

    def cost_ms(wall_ms: int) -> int:
        return min(reserve_ms, account.cost_ms(job.devices, wall_ms))

    return Need(
        job=job,
        forecast=forecast,
        low_ms=cost_ms(forecast.low_ms),
        likely_ms=cost_ms(forecast.likely_ms),
        high_ms=cost_ms(forecast.high_ms),
        reserve_ms=reserve_ms,
        wall_ms=min(job.wall_limit_ms, forecast.likely_ms),
    )


def fit(needs: Sequence[Need], balance: Balance, queued_ms: int, now_ms: int) -> Fit:
    """Let the needs pass one after the other; what comes back by a reset is there from then on."""
    counted = [one for one in balance.limits if one.limit.window.kind != "per-session"]
    limit = min(counted, key=lambda one: one.free_ms, default=None)
    whole_ms = min((one.whole_ms for one in balance.limits), default=0)
    cuttable = whole_ms > 0
    too_big = next(
        (n for n in needs if n.reserve_ms > whole_ms and not (n.job.parks and cuttable)), None
    )
    if limit is None:
        return Fit(tuple(needs), None, queued_ms, None, None, too_big)
    left_ms, at_ms = limit.free_ms - queued_ms, now_ms
    gain_ms, length_ms = limit.next_gain_ms, limit.window.end_ms - limit.window.start_ms
    short, waits = None, None
    for number, need in enumerate(needs):
        while _resets(limit) and gain_ms is not None and at_ms >= gain_ms:
            left_ms, gain_ms = limit.whole_ms, gain_ms + length_ms
        if need.likely_ms > left_ms:
            lasts_ms = need.wall_ms * max(0, left_ms) // max(1, need.likely_ms)
            out_ms = at_ms + lasts_ms
            if not (_resets(limit) and gain_ms is not None and out_ms >= gain_ms):
                short = Shortage(need, out_ms, tuple(needs[:number]), max(0, left_ms))
                break
        elif need.reserve_ms > left_ms and waits is None:
            waits = need
        left_ms, at_ms = left_ms - need.likely_ms, at_ms + need.wall_ms
    return Fit(tuple(needs), limit, queued_ms, short, waits, too_big)


def _resets(limit: LimitBalance) -> bool:
    """Whether everything comes back at once. What falls out of a rolling window bit by bit is not
    counted on."""
    return limit.limit.window.kind in ("calendar", "first-use")
