"""How long the jobs of a run will still take, read off the state. Pure.

What a job did itself counts before what others like it did; its own run's earlier folds count
before other runs. Reservations admit, forecasts advise (`budget.forecasts.forecast`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from budget.accounts.account import Account
from budget.forecasts.forecast import OVER, Forecast, from_epochs, from_history, unknown
from orchestrator.forecasts.history import CPU, History, Kind, Likeness, Past, ends_of, epochs_of
from orchestrator.forecasts.side import side_px
from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State
from orchestrator.views.run.training import newest_count


def forecast_job(
    state: State, run: RunState, job: Job, now_ms: int, history: History | None = None
) -> Forecast:
    """Wall milliseconds that `job` of `run` will still run; nothing once it has ended.

    Give the same `history` again and again where this is asked at every step.
    """
    known = run.jobs[job.id]
    if known.ended:
        return OVER
    history = (history or History()).update(state)
    attempt = run.current(job.id)
    running = attempt is not None and attempt.live
    kind = _kind(run, job, attempt, history)
    pasts = [
        past
        for past in (history.of(history.likeness(run, job), kind) if kind else [])
        if (past.run, past.job) != (run.name, job.id)
    ]
    own = _from_own_epochs(run, job, kind, pasts, now_ms, history)
    if own is not None:
        return own
    epochs = newest_count(attempt.reports, "epochs") if attempt else None
    planned = _from_pasts(run.graph, job, epochs or _epochs(job), pasts, run.name, kind)
    if not running or attempt is None or attempt.started_ms is None:
        return planned
    return planned.after(max(0, now_ms - attempt.started_ms))


@dataclass(frozen=True, slots=True)
class Queue:
    """What the live runs of an account will still use, in its weighted milliseconds."""

    jobs: int
    """How many of them wait or run."""
    low_ms: int
    likely_ms: int
    high_ms: int
    waiting_ms: int
    """The part of `likely_ms` that nothing is reserved for yet."""
    held_ms: int
    """What is reserved for the running ones and not used yet. When all is over this is free again
    but for what they use of it: left = free + held - likely."""
    wall_ms: int
    """Until all of it has probably run, as many at once as run now."""


def forecast_queue(
    state: State, account: Account, now_ms: int, history: History | None = None
) -> Queue:
    """What is queued and running on an account. CPU work and what has ended count nothing."""
    history = (history or History()).update(state)
    low_ms = likely_ms = high_ms = waiting_ms = wall_ms = jobs = 0
    kept = [
        allocation
        for run in state.live_runs()
        for allocation in run.allocations.values()
        if allocation.account == account.name and allocation.keeps_devices
    ]
    for run in state.live_runs():
        if run.graph.account != account.name or not run.live or run.cpu_only:
            continue
        for job in run.graph.jobs:
            if not job.devices or run.jobs[job.id].ended or run.stop_of(job) is not None:
                continue
            to_go = forecast_job(state, run, job, now_ms, history)
            cost_ms = partial(_cost_ms, account, job)
            low_ms += cost_ms(to_go.low_ms)
            likely_ms += cost_ms(to_go.likely_ms)
            high_ms += cost_ms(to_go.high_ms)
            jobs, wall_ms = jobs + 1, wall_ms + min(to_go.likely_ms, job.wall_limit_ms)
            allocation = run.allocation_of(job.id)
            if allocation is None or not allocation.keeps_devices:
                waiting_ms += cost_ms(to_go.likely_ms)
    held_ms = sum(
        max(0, a.amount_ms - account.cost_ms(len(a.devices), max(0, now_ms - a.start_ms)))
        if a.start_ms is not None
        else a.amount_ms
        for a in kept
    )
    wall_ms //= max(1, len(kept))
    return Queue(jobs, low_ms, likely_ms, high_ms, waiting_ms, held_ms, wall_ms)


def _cost_ms(account: Account, job: Job, wall_ms: int) -> int:
    """At its limit a job is stopped: it cannot cost more."""
    return account.cost_ms(job.devices, min(wall_ms, job.wall_limit_ms))


def forecast_planned(graph: Graph, job: Job, history: History, kind: Kind | None) -> Forecast:
    """Wall milliseconds that a job of a graph that is no run yet would run on devices of a kind."""
    pasts = history.of(Likeness(graph).of(job), kind) if kind else []
    return _from_pasts(graph, job, _epochs(job), pasts, "", kind)


def _kind(run: RunState, job: Job, attempt: AttemptState | None, history: History) -> Kind | None:
    """Of the devices that it has, that are reserved for it, or that its account usually gives."""
    if attempt is not None and attempt.live:
        return history.kind_of(attempt.executor, attempt.devices)
    if not job.devices:
        return CPU
    allocation = run.allocation_of(job.id)
    if allocation is not None and allocation.keeps_devices and allocation.devices:
        return history.kind_of(allocation.executor, allocation.devices)
    return history.usual_kind(run.graph.account or "", job.devices)


def _epochs(job: Job) -> int | None:
    """What the plan says."""
    epochs = job.params.get("epochs")
    return epochs if type(epochs) is int and epochs > 0 else None


def _from_own_epochs(
    run: RunState,
    job: Job,
    kind: Kind | None,
    pasts: Sequence[Past],
    now_ms: int,
    history: History,
) -> Forecast | None:
    """None before its first epoch; from its second on it needs nobody else's.

    Epochs of earlier attempts count where the devices were of the same kind. A job that resumes
    goes on after them; what starting again costs is taken from its first start.
    """
    first_ms: int | None = None
    each_ms: list[int] = []
    done, last_ms, epochs = 0, 0, None
    attempts = [run.attempts[name] for name in run.jobs[job.id].attempts]
    for attempt in attempts:
        ends = ends_of(attempt)
        if attempt.started_ms is None or not ends:
            continue
        epochs = newest_count(attempt.reports, "epochs") or epochs
        done, last_ms = max(ends), max(ends.values())
        if kind == history.kind_of(attempt.executor, attempt.devices):
            each_ms += epochs_of(ends)
            if first_ms is None and 1 in ends:
                first_ms = ends[1] - attempt.started_ms
    newest = attempts[-1] if attempts else None
    again = newest is None or not newest.live or not ends_of(newest)
    if again and not (job.resumes and any(_left_something(attempt) for attempt in attempts)):
        return None
    if epochs is None or (not each_ms and (first_ms is None or pasts)):
        return None
    start_ms = max(0, first_ms - round(median(each_ms))) if again and first_ms and each_ms else 0
    tails_ms = [past.tail_ms for past in pasts if past.whole_ms is not None]
    if not again:
        since_ms = max(0, now_ms - last_ms)
    elif newest is not None and newest.live and newest.started_ms is not None:
        since_ms = max(0, now_ms - newest.started_ms - start_ms)
    else:
        since_ms = 0
    return from_epochs(
        [each_ms[0] if first_ms is None else first_ms, *each_ms],
        epochs,
        done=done,
        tail_ms=start_ms + (round(median(tails_ms)) if tails_ms else 0),
        since_ms=since_ms,
        ended_after=[
            past.ran if past.stopped_early else epochs
            for past in pasts
            if past.whole_ms is not None and past.ran
        ],
    )


def _left_something(attempt: AttemptState) -> bool:
    """That the next one goes on from: one that failed before its first checkpoint left nothing."""
    return attempt.checkpoint is not None or attempt.outcome in ("stopped", "deadline")


def _from_pasts(
    graph: Graph, job: Job, epochs: int | None, pasts: Sequence[Past], run: str, kind: Kind | None
) -> Forecast:
    """From its own run's past if there is any, else from other runs', else unknown."""
    nearest = [past for past in pasts if past.run == run] or pasts
    durations, longest_ms = [], 0
    for past in nearest:
        worst_ms = past.duration_ms(epochs)
        if worst_ms is not None:
            early = past.stopped_early and epochs is not None and past.ran < epochs
            durations.append(past.duration_ms(past.ran) or worst_ms if early else worst_ms)
            longest_ms = max(longest_ms, worst_ms)
    if durations and kind is not None:
        return from_history(durations, _words(graph, job, kind), most_ms=longest_ms)
    return unknown(job.wall_limit_ms if job.limit_s is not None else None)


def _words(graph: Graph, job: Job, kind: Kind) -> str:
    """What is like it: "resnet18 at 224 px, batch 32, 16-mixed on Tesla T4"."""
    sized = [job, *(graph.job(name) for name in graph.ancestors(job.id))]
    size = next((px for other in sized if (px := side_px(other))), None)
    model, batch = job.params.get("model"), job.params.get("batch_size")
    precision = job.params.get("precision")
    what = str(model or job.uses or job.group) + (f" at {size} px" if model and size else "")
    parts = [what, *([f"batch {batch}"] if batch else [])]
    parts += [str(precision)] if precision and precision != "auto" else []
    devices = f" on {' + '.join(kind[1:])}" if kind[1:] else ""
    return ", ".join(parts) + devices
