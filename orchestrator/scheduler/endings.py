"""When jobs, allocations and runs end, and which jobs try again."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator import events as e
from orchestrator.graph import Job
from orchestrator.state import AttemptState, RunState


def end_jobs(run: RunState, job: Job, now_ms: int) -> Iterator[e.Event]:
    """The end of one job, if it has come. Call in topological order, applying as you go."""
    status = run.jobs[job.id].status
    if status == "running":
        attempt = run.current(job.id)
        if attempt is not None and not attempt.live:
            yield _after(run, job, attempt, now_ms)
    elif status == "waiting":
        why = _never_starts(run, job)
        allocation = run.allocation_of(job.id)
        if why is not None and not (allocation and allocation.open):
            outcome, reason, sentence = why
            yield e.JobEnded(
                at_ms=now_ms,
                run=run.name,
                job=job.id,
                outcome=outcome,
                reason=reason,
                sentence=sentence,
            )


def _after(run: RunState, job: Job, attempt: AttemptState, now_ms: int) -> e.Event:
    stop = run.stop_of(job)
    outcome: e.JobOutcome = "failed"
    reason, sentence = attempt.reason, attempt.sentence
    if attempt.outcome == "done":
        outcome = "done"
    elif stop is not None:
        outcome, reason, sentence = "stopped", stop.reason, stop.sentence
    elif attempt.outcome in ("stopped", "deadline"):
        outcome, reason = "stopped", "deadline" if attempt.outcome == "deadline" else reason
    elif attempt.fence <= job.retries and attempt.reason != "user-mistake":
        left = job.retries - attempt.fence
        text = f"attempt {attempt.fence} failed ({sentence}); trying again, {left} more after that"
        return e.JobWaited(at_ms=now_ms, run=run.name, job=job.id, reason="retry", sentence=text)
    return e.JobEnded(
        at_ms=now_ms, run=run.name, job=job.id, outcome=outcome, reason=reason, sentence=sentence
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
    if job.lane == "accelerator":
        for sibling in run.graph.groups()[job.group]:
            failed = run.jobs[sibling.id]
            if failed.status == "failed" and failed.reason != "lost":
                text = f"{sibling.id} failed, and this would run the same code"
                return "skipped", "sibling-failed", text
    return None


def end_run(run: RunState, now_ms: int) -> Iterator[e.Event]:
    """The end of a run: every job of it has ended."""
    if not run.live or not all(job.ended for job in run.jobs.values()):
        return
    by_status: dict[str, list[str]] = {}
    for job in run.jobs.values():
        by_status.setdefault("left out" if job.reason == "cpu-only" else job.status, []).append(
            job.id
        )
    sentence = ", ".join(f"{len(jobs)} {status}" for status, jobs in by_status.items())
    cancelled = any(stop.scope == "run" and stop.reason == "cancelled" for stop in run.stops)
    outcome: e.RunOutcome = "done"
    if by_status.keys() & {"failed", "stopped", "skipped"}:
        outcome = "cancelled" if cancelled else "failed"
    yield e.RunEnded(at_ms=now_ms, run=run.name, outcome=outcome, sentence=sentence)
