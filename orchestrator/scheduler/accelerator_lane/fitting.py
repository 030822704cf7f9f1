"""For how long a job's next attempt may have its devices: whole, or cut at an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budget.accounts.account import Account
from budget.duration import format_clock
from budget.forecasts.edge import Piece, is_worth_starting, piece
from budget.ledger.balance import Balance, LimitBalance
from orchestrator.events import events as e
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.forecasts.history import History
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.pieces import (
    TEARDOWN_MS,
    attempts_of_job,
    epoch_ms,
    is_parked,
    left_ms,
    tail_of,
)
from orchestrator.state.state import RunState, State


@dataclass(frozen=True)
class Fit:
    """How an attempt could run: for how long, at what cost, and what ends it early."""

    piece: Piece
    cost_ms: int
    edge: e.Edge = ""
    until_ms: int | None = None
    """When the job can go on, where it is cut."""

    @property
    def wall_ms(self) -> int:
        return wall_of(self.piece)


def wall_of(one: Piece) -> int:
    """How long its devices are kept at most."""
    return one.limit_ms + one.tail_ms + TEARDOWN_MS


def may_span(run: RunState, job: Job) -> bool:
    """Whether it may be cut where the hours of a window end, and go on in the next one."""
    return job.parks and (run.park or job.when_short == "begin")


def never_fits(refusing: LimitBalance, needed_ms: int) -> bool:
    """Whether no reset helps. A grant may always add to lots."""
    if refusing.limit.window.kind == "lots":
        return False
    if refusing.limit.window.kind == "unbounded":
        return needed_ms > refusing.amount_ms
    return needed_ms > refusing.whole_ms


def session_ms(account: Account, balance: Balance, devices: int) -> int | None:
    """The longest session the account has; None where nothing ends one but its reservation."""
    known = [] if account.session.max_ms is None else [account.session.max_ms]
    known += [
        account.duration_ms(devices, limit.amount_ms)
        for limit in balance.limits
        if limit.limit.window.kind == "per-session"
    ]
    return min(known, default=None)


class Fitting:
    """Sizes at one time. What stopping a group takes is measured once for all of its jobs."""

    def __init__(self, state: State, history: History, now_ms: int) -> None:
        self._state = state
        self._history = history
        self._now_ms = now_ms
        self._tails: dict[tuple[str, str], int] = {}

    def whole(self, run: RunState, job: Job) -> Piece:
        """All that is left of the job's limit."""
        return piece(left_ms(run, job), self._tail_ms(run, job), TEARDOWN_MS, None)

    def longest(self, run: RunState, jobs: Sequence[Job]) -> Job:
        """The job of which most is left."""
        return max(jobs, key=lambda job: wall_of(self.whole(run, job)))

    def within(self, run: RunState, job: Job, wall_ms: int) -> Piece:
        """What of a job's limit fits into an allocation that lasts so long."""
        return piece(left_ms(run, job), self._tail_ms(run, job), TEARDOWN_MS, wall_ms)

    def in_session(self, run: RunState, job: Job, account: Account, balance: Balance) -> Fit | str:
        """The whole job, or what of it fits into one session; a sentence where neither does."""
        whole = self.whole(run, job)
        room_ms = session_ms(account, balance, job.devices)
        if room_ms is None or wall_of(whole) <= room_ms:
            return Fit(whole, account.cost_ms(job.devices, wall_of(whole)))
        lasts = f"a session of {account.name} lasts {format_clock(room_ms)} at most"
        if not job.parks:
            takes = format_clock(wall_of(whole))
            return f"its limit and grace take {takes}, {lasts}, and it cannot go on in another one"
        tail_ms = whole.tail_ms
        part = piece(whole.limit_ms, tail_ms, TEARDOWN_MS, room_ms)
        if not is_worth_starting(part.limit_ms, tail_ms, _epochs(run, job)):
            return f"{lasts}, and stopping this takes {format_clock(tail_ms + TEARDOWN_MS)} of it"
        return Fit(part, account.cost_ms(job.devices, wall_of(part)), "session")

    def in_window(
        self,
        run: RunState,
        job: Job,
        account: Account,
        balance: Balance,
        refusing: LimitBalance,
        whole: Fit,
    ) -> Fit | None:
        """The part of a job that the free hours pay for, if it may be cut there."""
        if not may_span(run, job) or is_parked(run, job, self._now_ms):
            return None
        if refusing.free_ms + refusing.reserved_ms >= whole.cost_ms:
            return None  # what runs now may give it back: no need to cut
        room_ms = account.duration_ms(job.devices, balance.free_ms)
        longest_ms = session_ms(account, balance, job.devices)
        room_ms = room_ms if longest_ms is None else min(room_ms, longest_ms)
        tail_ms, gain_ms = whole.piece.tail_ms, refusing.next_gain_ms
        part = piece(left_ms(run, job), tail_ms, TEARDOWN_MS, room_ms)
        if not is_worth_starting(part.limit_ms, tail_ms, _epochs(run, job)):
            return None
        if gain_ms is not None and gain_ms - self._now_ms <= tail_ms + TEARDOWN_MS:
            return None  # the hours are back before it would have got anywhere
        return Fit(part, account.cost_ms(job.devices, wall_of(part)), "window", gain_ms)

    def group_needs_ms(
        self, run: RunState, account: Account, balance: Balance, group: Sequence[Job]
    ) -> int:
        """What the jobs will probably cost; no less than the dearest of them has to set aside."""
        likely_ms = most_ms = 0
        for job in group:
            wall_ms = wall_of(self.whole(run, job))
            room_ms = session_ms(account, balance, job.devices)
            reserve_ms = account.cost_ms(job.devices, min(wall_ms, room_ms or wall_ms))
            likely_ms += self.likely_cost_ms(run, job, account)
            most_ms = max(most_ms, reserve_ms)
        return max(likely_ms, most_ms)

    def likely_cost_ms(self, run: RunState, job: Job, account: Account) -> int:
        """By the forecast, and no more than its limit: what is not known may take all of it."""
        guess = forecast_job(self._state, run, job, self._now_ms, self._history)
        wall_ms = min(guess.likely_ms, wall_of(self.whole(run, job)))
        return account.cost_ms(job.devices, wall_ms)

    def _tail_ms(self, run: RunState, job: Job) -> int:
        """The job's own grace where it is not cut, and what stopping takes where it may be."""
        if not job.parks:
            return round(job.grace_s * 1000)
        key = (run.name, job.group)
        if key not in self._tails:
            self._tails[key] = tail_of(run, run.graph.groups()[job.group]).ms
        return self._tails[key]


def _epochs(run: RunState, job: Job) -> list[int]:
    return [ms for attempt in attempts_of_job(run, job) for ms in epoch_ms(attempt)[0]]
