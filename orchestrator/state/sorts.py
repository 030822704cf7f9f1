"""What the records of a run are sorted as: the bits that `orchestrator.state.selection` goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.state.job_state import JobState

if TYPE_CHECKING:
    from orchestrator.graph import Job
    from orchestrator.state.allocation_state import AllocationState
    from orchestrator.state.attempt_state import AttemptState
    from orchestrator.state.saving_state import SavingState
    from orchestrator.state.state import RunState, State

QUEUED = ("devices", "turn")
"""Reasons to wait that end when another job does; their `until_ms` is the latest time, no alarm."""
BEING_MADE = "being-made"
"""The reason code of a job that waits for another one, which makes the same result."""

OPEN = 1
"""Not ended."""
RUNNING = 2
FRUITLESS = 4
"""Ended without a result."""
CPU_READY = 8
"""Of the CPU lane, and waits for nothing but its cores and memory."""
CPU_UNTOLD = 16
"""The same, and has not said yet why it waits."""
CPU_AWAITING = 32
"""The same, and has said that another one makes its result."""
QUEUE = 64
"""Of the accelerator lane; what it needs may be missing."""
READY = 128
"""The same, and waits for nothing but its turn, devices and hours."""
UNTOLD = 256
"""The same, and has not said yet why it waits."""
TIMED = 512
"""It waits for a time."""
DOOMED = 1024
"""It waits, and can never start: for what it needs, or because of its siblings."""
FAILED = 2048
"""By itself."""

_FRUITLESS = frozenset({"failed", "stopped", "skipped"})
_WITH_RESULT = frozenset({"done", "reused"})


def of_job(run: RunState, job: JobState) -> int:
    if job.status == "waiting":
        return _of_waiting(run, job)
    return by_status(job)


def by_status(job: JobState) -> int:
    """Those that follow from how far it has come alone."""
    status = job.status
    if status == "waiting":
        return OPEN
    if status == "running":
        return OPEN | RUNNING
    if status == "failed" and job.reason != "lost":
        return FRUITLESS | FAILED
    return FRUITLESS if status in _FRUITLESS else 0


def _of_waiting(run: RunState, known: JobState) -> int:
    found = OPEN
    if known.until_ms is not None and known.reason not in QUEUED:
        found |= TIMED
    job = run.graph.job(known.id)
    cpu = not job.devices
    met = needs_are_met(run, job)
    if (not cpu and run.cpu_only) or (run.fruitless_jobs and _is_in_vain(run, job, known, met)):
        found |= DOOMED
    if known.paused:
        return found
    if cpu:
        if met:
            found |= CPU_READY
            if not known.reason:
                found |= CPU_UNTOLD
            elif known.reason == BEING_MADE:
                found |= CPU_AWAITING
        return found
    found |= QUEUE
    if met:
        found |= READY if known.reason else READY | UNTOLD
    return found


def needs_are_met(run: RunState, job: Job) -> bool:
    """Whether everything that it needs is there. What is planned last probably comes last."""
    jobs = run.jobs
    return all(jobs[need].status in _WITH_RESULT for need in reversed(job.needs))


def _is_in_vain(run: RunState, job: Job, known: JobState, met: bool) -> bool:
    if job.devices and known.forgiven is None and job.group in run.failed_groups:
        return True
    return not met and any(run.jobs[need].status in _FRUITLESS for need in job.needs)


LIVE = 1
INTERRUPTED = 2
"""It has ended without a result."""

OWING = 1
"""Something is still owed to the ledger."""
KEPT = 2
"""It keeps devices."""
REFUSED = 4

_CLOSED = ("settled", "released", "refused")
_KEEPING = ("planned", "reserved", "running")

UNBOOKED = 1


def of_attempt(run: RunState, attempt: AttemptState) -> int:
    if attempt.status != "ended":
        return LIVE
    return 0 if attempt.outcome == "done" else INTERRUPTED


def of_allocation(run: RunState, one: AllocationState) -> int:
    status = one.status
    if status in _KEEPING:
        return OWING | KEPT
    return REFUSED if status == "refused" else 0 if status in _CLOSED else OWING


def of_saving(run: RunState, saving: SavingState) -> int:
    return 0 if saving.booked else UNBOOKED


UNSETTLED = 1
"""It has not ended, or something is still owed."""
BUSY = 2
"""Something of it runs, stands by, keeps devices, or is to be paid or booked."""
ASKING = 4
"""It lives, and rules have spoken."""
WITH_UNTOLD = 16
"""Of the CPU lane."""
WITH_AWAITING = 32
WITH_QUEUE = 64
WITH_TIMED = 128


def of_run(state: State, run: RunState) -> int:
    owes = run.standbys or run.open_allocations or run.unbooked
    if not run.live:  # most have ended long ago, and their attempts are looked at by nobody
        return BUSY | UNSETTLED if owes else 0
    found = BUSY | UNSETTLED if owes or run.live_attempts else UNSETTLED
    if run.verdicts:
        found |= ASKING
    if run.cpu_ready:
        if run.cpu_untold:
            found |= WITH_UNTOLD
        if run.cpu_awaiting:
            found |= WITH_AWAITING
    if run.queue:
        found |= WITH_QUEUE
    return found | WITH_TIMED if run.timed else found
