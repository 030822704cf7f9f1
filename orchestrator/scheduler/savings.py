"""Hours that were not spent, each with its derivation. What is not known is not booked. Pure.

cache       the result was there: what the earlier attempts at it were charged
early-stop  a rule ended a job, begun or not, or a person a fold or a group that had begun: what
            was probably left
refused     a smoke test failed: what the same job was charged when it did run
parked      an attempt was cut at an edge and kept its checkpoint: its charge up to there
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from budget.accounts.account import Account
from budget.duration import format_clock
from budget.ledger.saving import KINDS
from orchestrator.events import events as e
from orchestrator.forecasts.charge import cost_of, makers
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.forecasts.history import History
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.edges import EDGE
from orchestrator.scheduler.accelerator_lane.pieces import left_ms
from orchestrator.scheduler.admission import key_of
from orchestrator.scheduler.endings import is_cut
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobStatus
from orchestrator.state.state import RunState, State
from orchestrator.views.figures import amount

CACHE, EARLY_STOP, REFUSED, PARKED = KINDS


_AGAIN = (e.JobsResumed, e.JobsRetried)
"""Events after which jobs that did not run, or not to their end, do so all the same."""
_END = {EARLY_STOP: "stop", REFUSED: "refusal"}
AFTER_ALL = "back"
"""Ends the id of what takes a saving back."""


class _Saved(NamedTuple):
    kind: str
    amount_ms: int
    derivation: str


def found(
    state: State, events: Sequence[e.Event], inputs: Inputs, now_ms: int
) -> Iterator[e.SavingFound]:
    """What `events`, which led to `state`, saved; once only, since an event happens once."""
    for event in events:
        if isinstance(event, _AGAIN):
            yield from _taken_back(state.runs[event.run], event, now_ms)
        elif isinstance(event, e.AllocationSettled):
            yield from _parkings(state, event, inputs, now_ms)
    for name, id in dict.fromkeys(_over(state, events)):
        run = state.runs[name]
        account, job = inputs.accounts.get(run.graph.account or ""), run.graph.job(id)
        if account is not None and job.devices:
            known = _of_job(state, run, job, account, now_ms, inputs.history)
            yield from _told(run, job, account, job.id, known, now_ms)


def _over(state: State, events: Iterable[e.Event]) -> Iterator[tuple[str, str]]:
    """Run and id of the jobs whose end may have saved something, once it is known how much."""
    for event in events:
        if isinstance(event, e.JobEnded):
            yield event.run, event.job
        elif isinstance(event, e.AllocationSettled):
            yield from _reused_before(state, event)


def _reused_before(state: State, event: e.AllocationSettled) -> Iterator[tuple[str, str]]:
    """A result may be reused while its devices are kept still, or are not paid for yet: what that
    saved is known when these attempts are charged."""
    began_ms = state.runs[event.run].allocations[event.allocation].start_ms
    for run in state.runs.values():
        if run.ended_ms is not None and began_ms is not None and run.ended_ms < began_ms:
            continue  # nearly all: they were over before these results were there
        for job in run.jobs.values():
            if job.result_of in event.shares and job.status == "reused":
                yield run.name, job.id


def _told(
    run: RunState, job: Job, account: Account, what: str, known: _Saved | None, now_ms: int
) -> Iterator[e.SavingFound]:
    if known is not None and known.amount_ms > 0:
        yield e.SavingFound(
            at_ms=now_ms,
            run=run.name,
            saving=_id_of(run, f"{run.name}.{what}.{known.kind}.{run.uid[:8]}"),
            job=job.id,
            account=account.name,
            unit=account.unit,
            kind=known.kind,
            amount_ms=known.amount_ms,
            derivation=known.derivation,
        )


def _id_of(run: RunState, name: str) -> str:
    """That of a job that was resumed and stopped again has a number."""
    before = sum(known.startswith(name) for known in run.savings)
    return f"{name}.{before}" if before else name


def _taken_back(
    run: RunState, event: e.JobsResumed | e.JobsRetried, now_ms: int
) -> Iterator[e.SavingFound]:
    """What stopping these jobs, or not beginning them, had saved is spent after all."""
    back = {saving.takes_back for saving in run.savings.values()}
    for saving in run.savings.values():
        if saving.job not in event.jobs or saving.kind not in _END:
            continue
        if not saving.takes_back and saving.id not in back:
            yield e.SavingFound(
                at_ms=now_ms,
                run=run.name,
                saving=f"{saving.id}.{AFTER_ALL}",
                job=saving.job,
                account=saving.account,
                unit=saving.unit,
                kind=saving.kind,
                amount_ms=-saving.amount_ms,
                derivation=f"{saving.job} runs after all:"
                f" what its {_END[saving.kind]} had saved is spent",
                takes_back=saving.id,
            )


def _of_job(
    state: State, run: RunState, job: Job, account: Account, now_ms: int, history: History
) -> _Saved | None:
    ended = run.jobs[job.id]
    if ended.status == "reused":
        return _reused(state, run, job, account)
    if ended.status == "stopped" and (stop := run.stop_of(job)) and stop.then == "end":
        return _stopped(state, run, job, stop, account, now_ms, history)
    if ended.status == "skipped" and ended.reason == "sibling-failed":
        return _spared(run, job, account)
    if ended.status == "skipped" and _smoke_failed(run, job):
        return _refused(state, run, job, account)
    return None


def _reused(state: State, run: RunState, job: Job, account: Account) -> _Saved | None:
    source = run.jobs[job.id].result_of
    cost = cost_of(state, source, account.name)
    if cost is None:
        return None
    charged_ms, attempts = cost
    spent = amount(charged_ms, account.unit)
    text = f"{makers(source, attempts)} was charged {spent} for the same result"
    return _Saved(CACHE, charged_ms, text)


def _stopped(
    state: State,
    run: RunState,
    job: Job,
    stop: e.StopAsked,
    account: Account,
    now_ms: int,
    history: History,
) -> _Saved | None:
    """What the forecast said was left, no more than its limit left, and nothing without one.

    A person who cancels what has not begun has changed their mind: no hours were on their way. And
    whoever ends a whole run, by Ctrl-C say, has judged none of its folds: submitted again they go
    on from their checkpoints.
    """
    attempt = run.current(job.id)
    judged = stop.scope != "run" and _has_begun(run, job)
    if not judged and not _is_ruled(run, stop):
        return None
    status: JobStatus = "waiting"
    attempts = run.attempts
    if attempt is not None and attempt.started_ms is not None:
        now_ms = now_ms if attempt.ended_ms is None else attempt.ended_ms
        status = "running"
        still = replace(attempt, status="running", ended_ms=None, outcome=None)
        attempts = {**attempts, attempt.id: still}
    jobs = {**run.jobs, job.id: replace(run.jobs[job.id], status=status)}
    as_if = replace(run, attempts=attempts, jobs=jobs)
    state = replace(state, runs={**state.runs, run.name: as_if})
    forecast = forecast_job(state, as_if, job, now_ms, history)
    if forecast.source == "unknown":
        return None
    unused_ms = min(forecast.likely_ms, left_ms(run, job))
    text = f"{job.id} was stopped with likely {format_clock(unused_ms)} to go, by {forecast.basis}"
    return _Saved(EARLY_STOP, _cost_ms(account, job, unused_ms), text)


def _has_begun(run: RunState, job: Job) -> bool:
    """In this attempt or an earlier one, as that of a job which was parked."""
    return any(
        attempt.job == job.id and attempt.started_ms is not None
        for attempt in run.attempts.values()
    )


def _is_ruled(run: RunState, stop: e.StopAsked) -> bool:
    """Whether a rule has found the reason, whoever has then said yes to it."""
    return any(
        (verdict.scope, verdict.target, verdict.reason) == (stop.scope, stop.target, stop.reason)
        for verdict in run.verdicts
    )


def _spared(run: RunState, job: Job, account: Account) -> _Saved | None:
    """It would have run the same code, so it would have failed after as long as its sibling."""
    for sibling in run.graph.groups()[job.group]:
        failed = run.current(sibling.id)
        if run.jobs[sibling.id].status != "failed" or failed is None:
            continue
        if failed.started_ms is not None and failed.ended_ms is not None:
            wall_ms = max(0, failed.ended_ms - failed.started_ms)
            text = f"{job.id} would have run the code that failed in {failed.id} after"
            cost_ms = _cost_ms(account, job, wall_ms)
            return _Saved(EARLY_STOP, cost_ms, f"{text} {format_clock(wall_ms)}")
    return None


def _smoke_failed(run: RunState, job: Job) -> bool:
    return any(
        run.graph.job(need).smoke and run.jobs[need].status == "failed" for need in job.needs
    )


def _refused(state: State, run: RunState, job: Job, account: Account) -> _Saved | None:
    """Only where the very same job was paid for before: else nobody knows what it would cost."""
    needed = [name for name in run.graph.ancestors(job.id) if not run.graph.job(name).smoke]
    if not all(run.jobs[name].digest for name in needed):
        return None
    key = key_of(run, job)
    for earlier in reversed([*state.runs.values()]):
        for attempt in reversed([*earlier.attempts.values()]):
            cost = cost_of(state, attempt.id, account.name) if attempt.key == key else None
            if cost is not None:
                charged_ms, attempts = cost
                spent = amount(charged_ms, account.unit)
                text = f"{makers(attempt.id, attempts)} was charged {spent} for the same job"
                return _Saved(REFUSED, charged_ms, f"{text}; this time its smoke test failed first")
    return None


def _parkings(
    state: State, event: e.AllocationSettled, inputs: Inputs, now_ms: int
) -> Iterator[e.SavingFound]:
    run = state.runs[event.run]
    account = inputs.accounts.get(run.graph.account or "")
    for name, charged_ms in event.shares.items():
        attempt = run.attempts.get(name)
        if attempt is not None and account is not None:
            job = run.graph.job(attempt.job)
            known = _parked(run, attempt, charged_ms)
            yield from _told(run, job, account, f"{job.id}.{attempt.fence}", known, now_ms)


def _parked(run: RunState, attempt: AttemptState, charged_ms: int) -> _Saved | None:
    """The part of its charge up to its checkpoint, by time; the job goes on from there."""
    began_ms, ended_ms, kept_ms = attempt.started_ms, attempt.ended_ms, attempt.checkpoint_ms
    goes_on = run.jobs[attempt.job].status in ("waiting", "running", "done")
    asked = any(stop.reason == EDGE and attempt.id in stop.attempts for stop in run.stops)
    if not goes_on or not (is_cut(attempt) or (asked and attempt.outcome == "stopped")):
        return None
    if began_ms is None or ended_ms is None or kept_ms is None or ended_ms <= began_ms:
        return None
    part_ms = min(max(0, kept_ms - began_ms), ended_ms - began_ms)
    text = (
        f"{attempt.id} was parked at the end of its {attempt.edge} and goes on from its checkpoint"
        f" after {format_clock(part_ms)} of {format_clock(ended_ms - began_ms)}"
    )
    return _Saved(PARKED, charged_ms * part_ms // (ended_ms - began_ms), text)


def _cost_ms(account: Account, job: Job, wall_ms: int) -> int:
    """Rounded down, without a minimum: hours that were saved are never guessed in our favour."""
    return account.rate_milli(job.devices) * wall_ms // 1_000
