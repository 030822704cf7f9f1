"""What is still to run on an account, job by job, and in which of them its hours end. Pure.

Advice, as all forecasts: what is admitted is decided by reservations (`budget.ledger`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from budget.accounts.account import Account
from budget.forecasts.forecast import Forecast
from budget.ledger.balance import LimitBalance
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.forecasts.history import History
from orchestrator.graph import Job
from orchestrator.state.state import RunState, State
from orchestrator.views.words.job import title_of


@dataclass(frozen=True, slots=True)
class Ahead:
    """A job that runs or waits, with what it will probably still cost its account."""

    run: str
    job: str
    title: str
    account: str
    runs: bool
    cost_ms: int
    """Weighted milliseconds of the account, from now on."""
    wall_ms: int
    measured: bool
    """False where nothing like it was ever measured: then its limit stands for it."""


@dataclass(frozen=True, slots=True)
class Dry:
    """How far a limit reaches if what runs and waits takes as long as is to be expected."""

    ends_ms: int
    """When all of it has run."""
    left_ms: int
    """What is left then; negative for what is missing."""
    at_ms: int | None = None
    """When nothing is left; None where it reaches, or where hours come back before."""
    run: str = ""
    title: str = ""
    """The job in which that happens."""


def ahead_of(state: State, account: Account, now_ms: int, history: History) -> tuple[Ahead, ...]:
    """What runs first, then what waits: by priority, then the older run, then the plan's order."""
    runs = [
        run
        for run in state.live_runs()
        if run.live and not run.cpu_only and run.graph.account == account.name
    ]
    runs.sort(key=lambda run: -run.priority)  # stable: the oldest of each priority stays first
    found = [one for run in runs for one in _of_run(state, run, account, now_ms, history)]
    return tuple(sorted(found, key=lambda one: not one.runs))


def _of_run(
    state: State, run: RunState, account: Account, now_ms: int, history: History
) -> Iterator[Ahead]:
    alike: dict[str, Forecast] = {}
    for known in run.open_jobs:
        job = run.graph.job(known.id)
        if not job.devices or known.paused or run.stop_of(job) is not None:
            continue
        forecast = alike.get(job.cell) if not known.attempts else None
        if forecast is None:
            forecast = forecast_job(state, run, job, now_ms, history)
            if not known.attempts:  # the folds that have not begun have the same one
                alike[job.cell] = forecast
        yield _ahead(run, job, account, forecast)


def _ahead(run: RunState, job: Job, account: Account, forecast: Forecast) -> Ahead:
    wall_ms = min(forecast.likely_ms, job.wall_limit_ms)  # at its limit it is stopped
    attempt = run.current(job.id)
    return Ahead(
        run=run.name,
        job=job.id,
        title=title_of(run, job),
        account=account.name,
        runs=attempt is not None and attempt.live,
        cost_ms=account.cost_ms(job.devices, wall_ms),
        wall_ms=wall_ms,
        measured=forecast.source != "unknown",
    )


def dry_of(
    limit: LimitBalance, ahead: Sequence[Ahead], accounts: Collection[str], now_ms: int
) -> Dry | None:
    """Of the jobs of these accounts, which the limit is over; None where nothing is ahead."""
    jobs = [one for one in ahead if one.account in accounts]
    if not jobs:
        return None
    at_once = max(1, sum(one.runs for one in jobs))
    pot_ms = limit.free_ms + limit.reserved_ms
    wall_ms = sum(one.wall_ms for one in jobs)
    ends_ms = now_ms + wall_ms // at_once
    left_ms = pot_ms - sum(one.cost_ms for one in jobs)
    if left_ms >= 0 or limit.limit.unlimited:
        return Dry(ends_ms, left_ms)
    passed_ms = 0
    for one in jobs:
        if one.cost_ms > pot_ms:
            passed_ms += one.wall_ms * max(0, pot_ms) // one.cost_ms
            at_ms = now_ms + passed_ms // at_once
            if limit.next_gain_ms is not None and at_ms >= limit.next_gain_ms:
                break
            return Dry(ends_ms, left_ms, at_ms, one.run, one.title)
        pot_ms -= one.cost_ms
        passed_ms += one.wall_ms
    return Dry(ends_ms, left_ms)
