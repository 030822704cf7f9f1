"""When jobs, allocations and runs end, and which jobs try again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from budget.duration import format_clock
from budget.forecasts.edge import is_worth_starting
from orchestrator.events import events as e
from orchestrator.events.pausing import PAUSED
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.edges import EDGE
from orchestrator.scheduler.accelerator_lane.pieces import (
    attempts_of_job,
    gets_nowhere,
    left_ms,
    tail_of,
)
from orchestrator.state.aims import aims_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState

_CUT = ("stopped", "deadline", "killed")


def may_end(run: RunState) -> list[str]:
    """Ids of the jobs of it that could end now, in topological order. Of all others `end_jobs` has
    nothing to say."""
    over = [job.id for job in run.running_jobs if not run.attempts[job.attempts[-1]].live]
    never = [job.id for job in run.doomed]
    if run.stops:
        never += [job.id for job in aims_of(run).open_jobs(run) if job.status == "waiting"]
    return sorted({*over, *never}, key=run.graph.place)


def end_jobs(run: RunState, job: Job, now_ms: int) -> Iterator[e.Event]:
    """The end of one job, if it has come. Call in topological order, applying as you go."""
    status = run.jobs[job.id].status
    if status == "running":
        attempt = run.current(job.id)
        if attempt is not None and not attempt.live:
            yield _kept_back(run, _after(run, job, attempt, now_ms))
    elif status == "waiting":
        why = _never_starts(run, job)
        if why is None:
            return
        allocation = run.allocation_of(job.id)
        if not (allocation and allocation.open):
            outcome, reason, sentence = why
            yield e.JobEnded(
                at_ms=now_ms,
                run=run.name,
                job=job.id,
                outcome=outcome,
                reason=reason,
                sentence=sentence,
            )


def _kept_back(run: RunState, event: e.Event) -> e.Event:
    """A paused job that would try again, or go on, waits for a person first."""
    if not isinstance(event, e.JobWaited) or not (paused := run.jobs[event.job].paused):
        return event
    said = "" if event.reason == "parked" else f"{event.sentence}; "
    return replace(event, reason=PAUSED, sentence=f"{said}{paused}", until_ms=None)


def _after(run: RunState, job: Job, attempt: AttemptState, now_ms: int) -> e.Event:
    stop = run.stop_of(job)
    outcome: e.JobOutcome = "failed"
    reason, sentence = attempt.reason, attempt.sentence
    if attempt.outcome == "done":
        outcome = "done"
    elif stop is not None and stop.then == "end":
        outcome, reason, sentence = "stopped", stop.reason, stop.sentence
    elif attempt.outcome in _CUT and job.resumes and (stop or is_cut(attempt)):
        return _parked(run, job, attempt, stop, now_ms)
    elif stop is not None and attempt.outcome in _CUT:
        outcome, reason, sentence = "stopped", stop.reason, stop.sentence
    elif attempt.outcome == "unused":
        return e.JobWaited(
            at_ms=now_ms, run=run.name, job=job.id, reason="standby-gone", sentence=sentence
        )
    elif attempt.outcome in ("stopped", "deadline"):
        outcome, reason = "stopped", "deadline" if attempt.outcome == "deadline" else reason
    elif (tries := _tries(run, job)) <= job.retries and attempt.reason != "user-mistake":
        left = job.retries - tries
        last = f"{left} more after that" if left else "for the last time"
        text = f"attempt {attempt.fence} failed ({sentence}); trying again, {last}"
        return e.JobWaited(at_ms=now_ms, run=run.name, job=job.id, reason="retry", sentence=text)
    return e.JobEnded(
        at_ms=now_ms, run=run.name, job=job.id, outcome=outcome, reason=reason, sentence=sentence
    )


def _tries(run: RunState, job: Job) -> int:
    """How often it has failed since somebody retried it. Attempts that were parked are parts of one
    try."""
    asked = {name for stop in run.stops for name in stop.attempts}
    return sum(
        attempt.outcome not in ("stopped", "deadline", "unused")
        and not (attempt.outcome == "killed" and attempt.id in asked)
        for attempt in attempts_of_job(run, job)[run.jobs[job.id].forgiven or 0 :]
    )


def is_cut(attempt: AttemptState) -> bool:
    """Whether its time was over at an edge, before its job's limit was."""
    return bool(attempt.edge) and attempt.outcome == "deadline"


def _parked(
    run: RunState, job: Job, attempt: AttemptState, stop: e.StopAsked | None, now_ms: int
) -> e.Event:
    """It goes on in another attempt, unless that would lead nowhere."""
    ran = format_clock((attempt.ended_ms or 0) - (attempt.started_ms or attempt.ended_ms or 0))
    at_edge = is_cut(attempt) or (stop is not None and stop.reason == EDGE)
    why, wanted = "", ""
    rest_ms, tail_ms = left_ms(run, job), tail_of(run, run.graph.groups()[job.group]).ms
    # Its epochs say nothing here: it may have been stopped in the last of them.
    if rest_ms > 0 and not is_worth_starting(rest_ms, tail_ms, ()):
        why = (
            f"its limit is used up but for {format_clock(rest_ms)},"
            f" and stopping it takes {format_clock(tail_ms)}"
        )
        wanted = "deadline"
    elif rest_ms <= 0:
        count = len(run.jobs[job.id].attempts)
        why = f"its limit is used up, over {count} attempt{'s' * (count != 1)}"
        wanted = "deadline"
    elif at_edge and gets_nowhere(run, job):
        why = (
            f"it was cut at the end of a {attempt.edge} twice and came no further: it does not"
            f" go on from its checkpoint, or {ran} are too short for it"
        )
        wanted = "no-progress"
    if wanted:
        return e.JobEnded(
            at_ms=now_ms,
            run=run.name,
            job=job.id,
            outcome="stopped",
            reason=wanted,
            sentence=why,
        )
    text = f"parked after {ran}"
    if at_edge:
        text += f" at the end of its {attempt.edge}"
    elif stop is not None:
        text += f": {stop.sentence}"
    return e.JobWaited(
        at_ms=now_ms,
        run=run.name,
        job=job.id,
        reason="parked",
        sentence=f"{text}; it goes on from its checkpoint",
        until_ms=attempt.edge_until_ms if at_edge else None,
    )


def _never_starts(run: RunState, job: Job) -> tuple[e.JobOutcome, str, str] | None:
    stop = run.stop_of(job)
    if stop is not None:
        return "stopped", stop.reason, stop.sentence
    if run.cpu_only and job.lane == "accelerator":
        return "skipped", "cpu-only", "needs an accelerator; this run does the free work only"
    for need in job.needs:
        needed = run.jobs[need]
        if needed.ended and not needed.has_result:
            if needed.reason == "cpu-only":
                return "skipped", "cpu-only", f"needs {need}, which needs an accelerator"
            return "skipped", "needs-failed", f"needs {need}, which {needed.status}"
    failed = run.failed_groups.get(job.group) if job.devices and run.fruitless_jobs else None
    if failed is not None and run.jobs[job.id].forgiven is None:
        text = f"{failed} failed, and this would run the same code"
        return "skipped", "sibling-failed", text
    return None


def end_of(run: RunState, now_ms: int) -> e.RunEnded:
    """The end of a run of which every job has ended."""
    by_status: dict[str, list[str]] = {}
    for job in run.jobs.values():
        by_status.setdefault("left out" if job.reason == "cpu-only" else job.status, []).append(
            job.id
        )
    sentence = ", ".join(f"{len(jobs)} {status}" for status, jobs in by_status.items())
    cancelled = any(
        stop.scope == "run" and stop.reason == "cancelled" and stop.then == "end"
        for stop in run.stops
    )
    outcome: e.RunOutcome = "done"
    if by_status.keys() & {"failed", "stopped", "skipped"}:
        stopped = "stopped" in by_status and "failed" not in by_status
        outcome = "cancelled" if cancelled else "stopped" if stopped else "failed"
    return e.RunEnded(at_ms=now_ms, run=run.name, outcome=outcome, sentence=sentence)
