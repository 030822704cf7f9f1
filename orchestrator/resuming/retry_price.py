"""What it would cost to try failed or aborted jobs again, and whether that is left. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.ledger.balance import Balance, LimitBalance
from orchestrator.commands import RetryJobs
from orchestrator.events.retrying import JobsRetried, retried
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.forecasts.history import History
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.fitting import Fitting
from orchestrator.scheduler.obeying.retrying import all_to_retry
from orchestrator.state.state import State


@dataclass(frozen=True)
class Price:
    """Amounts in the account's milliseconds."""

    jobs: tuple[Job, ...]
    """Those that use an accelerator."""
    low_ms: int
    likely_ms: int
    high_ms: int
    needs_ms: int
    """What has to be free: what they will probably cost, and at least what one of them reserves."""
    refusing: LimitBalance | None
    """The limit that has not so much left."""


def price_of(
    state: State,
    request: RetryJobs,
    account: Account,
    balance: Balance,
    history: History,
    now_ms: int,
) -> Price:
    """Of what `request` means in `state`. KeyError where there is no such run."""
    known = state.runs[request.run]
    again = tuple(job.id for job in all_to_retry(known, request))
    event = JobsRetried(
        at_ms=now_ms,
        run=request.run,
        scope=request.scope,
        target=request.target,
        jobs=again,
        by=request.by,
    )
    run = retried(known, event)
    after = state.with_run(run)
    fitting = Fitting(after, history, now_ms)
    jobs = tuple(job for job in map(run.graph.job, again) if job.devices)
    low_ms = likely_ms = high_ms = dearest_ms = 0
    for job in jobs:
        guess = forecast_job(after, run, job, now_ms, history)
        most_ms = fitting.whole(run, job).limit_ms
        cost_ms = partial(account.cost_ms, job.devices)
        low_ms += cost_ms(min(guess.low_ms, most_ms))
        likely_ms += cost_ms(min(guess.likely_ms, most_ms))
        high_ms += cost_ms(min(guess.high_ms, most_ms))
        dearest_ms = max(dearest_ms, cost_ms(most_ms))
    needs_ms = max(likely_ms, dearest_ms)
    refusing = balance.refusing(needs_ms) if jobs else None
    return Price(jobs, low_ms, likely_ms, high_ms, needs_ms, refusing)


def price_words(price: Price, account: Account) -> str:
    """ "costs about 0.62 h (0.55–0.71) on lab"; nothing where no accelerator is used."""
    if not price.jobs:
        return "costs nothing: it uses no accelerator"
    likely = format_amount(price.likely_ms, account.unit)
    low, high = (
        format_amount(ms, account.unit).split(" ")[0] for ms in (price.low_ms, price.high_ms)
    )
    between = f" ({low}–{high})" if low != high else ""
    return f"costs about {likely}{between} on {account.name}"
