"""What failed or was aborted is tried anew, and what was skipped because of it waits with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.commands import RetryJobs
from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.resuming.resumption import skipped_with, stopped
from orchestrator.scheduler.accelerator_lane.pieces import goes_on_from, left_ms
from orchestrator.state.questions import jobs_meant
from orchestrator.state.state import RunState, State

# Whoever only asks what could be tried again needs no stop rules and baselines.
if TYPE_CHECKING:
    from orchestrator.scheduler.inputs import Inputs

BY_RULE = "rule "
"""How the doer of a stop begins where a stop rule did it: a rule is answered, not retried."""


def retry(
    state: State, command: str, request: RetryJobs, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """The jobs that wait again, and the reply. All of them or none."""
    run = state.runs.get(request.run)
    failed, aborted = ([], []) if run is None else to_retry(run, request)
    text = f"there is no run {request.run}"
    if run is not None:
        text = _why_not(run, request, failed, aborted, inputs)
    ok = not text
    if ok and run is not None:
        jobs = all_to_retry(run, request)
        skipped = jobs[len(failed) + len(aborted) :]
        lifted = [job for job in jobs if _is_being_stopped(run, job)]
        if lifted:
            yield e.JobsResumed(
                at_ms=now_ms,
                run=run.name,
                scope=request.scope,
                target=request.target,
                jobs=tuple(job.id for job in lifted),
                by=request.by,
            )
        yield e.JobsRetried(
            at_ms=now_ms,
            run=run.name,
            scope=request.scope,
            target=request.target,
            jobs=tuple(job.id for job in jobs),
            by=request.by,
        )
        text = _words(run, [*failed, *aborted], skipped, inputs)
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def to_retry(run: RunState, request: RetryJobs) -> tuple[list[Job], list[Job]]:
    """Those that have failed, or were left out because one of the same code had; and those that a
    person has stopped."""
    meant = list(jobs_meant(run.graph, request.scope, request.target))
    failed = [job for job in meant if _has_failed(run, job)]
    aborted = [
        job
        for job in stopped(run, request.scope, request.target)
        if run.jobs[job.id].ended and _by_person(run, job)
    ]
    if request.which == "failed":
        return failed, []
    return ([] if request.which == "aborted" else failed), aborted


def all_to_retry(run: RunState, request: RetryJobs) -> list[Job]:
    """The same, and then what was skipped because of them."""
    failed, aborted = to_retry(run, request)
    return [*failed, *aborted, *skipped_with(run, [*failed, *aborted], siblings=True)]


def _has_failed(run: RunState, job: Job) -> bool:
    known = run.jobs[job.id]
    return known.status == "failed" or (known.status, known.reason) == ("skipped", "sibling-failed")


def _is_being_stopped(run: RunState, job: Job) -> bool:
    """Whether it would be stopped at once: a run that was cancelled stops what it has."""
    stop = run.stop_of(job)
    return stop is not None and stop.then == "end"


def _by_person(run: RunState, job: Job) -> bool:
    stop = run.stop_of(job)
    return stop is not None and not stop.by.startswith(BY_RULE)


def _why_not(
    run: RunState, request: RetryJobs, failed: list[Job], aborted: list[Job], inputs: Inputs
) -> str:
    """Empty where all of them can be tried again."""
    meant = list(jobs_meant(run.graph, request.scope, request.target))
    if not meant:
        return f"{run.name} has no {request.target}"
    if not failed and not aborted:
        return _nothing(run, request, meant)
    jobs = [job for job in [*failed, *aborted] if job.devices]
    account = run.graph.account
    if account and account not in inputs.accounts and jobs:
        return f"the account {account} is gone; bring it back with skint account add {account}"
    for job in jobs:
        if left_ms(run, job) <= 0:
            return f"the limit of {job.id} is used up; submit the plan again with a longer one"
    return ""


def _nothing(run: RunState, request: RetryJobs, meant: list[Job]) -> str:
    what = request.target if request.scope != "run" else run.name
    did = {"failed": "failed", "aborted": "was aborted"}.get(request.which, "failed or was aborted")
    known = [run.jobs[job.id].status for job in meant]
    is_one = f": it is {known[0]}" if len(set(known)) == 1 else ""
    rule = any(run.jobs[job.id].status == "stopped" for job in meant)
    then = f"; skint resume {run.name} undoes what a rule has stopped" if rule else ""
    return f"nothing of {what} {did}{is_one}{then}"


def _words(run: RunState, jobs: list[Job], skipped: list[Job], inputs: Inputs) -> str:
    names = [job.id for job in jobs]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    parts = [f"{shown} of {run.name} {'waits' if len(names) == 1 else 'wait'} again"]
    parts += [start for job in jobs[:4] if (start := _start(run, job, inputs))]
    if skipped:
        was = "that was skipped waits" if len(skipped) == 1 else "that were skipped wait"
        parts.append(f"{len(skipped)} {was} with {'it' if len(names) == 1 else 'them'}")
    parts.append(f"undo with skint cancel {run.name}")
    return "; ".join(parts)


def _start(run: RunState, job: Job, inputs: Inputs) -> str:
    """Where one that had begun goes on, in words."""
    before = goes_on_from(run, job)
    if before is None or not job.devices:
        return ""
    if not job.resumes or before.checkpoint is None or not inputs.has_files(before.out):
        return f"{job.id} starts from the beginning: it has no checkpoint"
    return f"{job.id} goes on from its checkpoint of epoch {before.checkpoint[0]}"
