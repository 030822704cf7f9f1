"""What a job may use of other runs: a result that is being made at the moment, and the unfinished
work of an attempt at the very same that was interrupted. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.resuming.unfinished import BLAMELESS, is_worth_its_hours
from orchestrator.scheduler.accelerator_lane.pieces import goes_on_from
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State, run_of


def waits_for(run: RunState, maker: str, job: str) -> str:
    """That a job waits for `job` of the run `maker`, in words. To wait is cheaper than to do the
    same beside it; where it comes to nothing, it is not live any more, and the job starts."""
    whose = "" if maker == run.name else f" of {maker}"
    return f"waits for {job}{whose}, which makes the same result"


def unfinished(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs
) -> AttemptState | None:
    """The newest interrupted attempt of another run at the very same that left something behind.

    Whoever goes on from it takes its files away, so nobody else may have it meanwhile. What failed
    while it went on from earlier work is not trusted again, nor is that work; but for a worker
    that was killed from outside or could not save, its work is not to blame. On an accelerator only
    checkpoints count, of attempts that were neither at fault nor stopped by a rule.
    """
    if job.smoke or not job.resumes or (job.devices and run.again):
        return None
    taken = {attempt.previous for _, attempt in state.live_attempts()}
    taken |= {standby.previous for _, standby in state.live_standbys()}
    before = [
        attempt
        for other in state.runs.values()
        if other.name != run.name
        for attempt in other.interrupted
        if attempt.key == key
        if not job.devices or is_worth_its_hours(other, attempt)
    ]
    for attempt in sorted(before, key=lambda a: a.ended_ms or a.started_ms or 0, reverse=True):
        distrusted = attempt.outcome == "failed" and attempt.reason not in BLAMELESS
        if distrusted and attempt.previous is not None:
            return None
        if attempt.out not in taken and inputs.has_files(attempt.out):
            return attempt
    return None


def previous_of(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs
) -> AttemptState | None:
    """The attempt that the next one of an accelerator job goes on from; of another run, where its
    own has not had any."""
    own = goes_on_from(run, job)
    if own is not None or run.jobs[job.id].attempts:
        return own
    return unfinished(state, run, job, key, inputs)


def maker_of(state: State, out: str) -> AttemptState | None:
    """The attempt that left this folder; None for an empty name."""
    if not out:
        return None
    found = (a for run in state.runs.values() for a in run.attempts.values() if a.out == out)
    return next(found, None)


def remarks(
    state: State, run: RunState, job: Job, key: str, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """What a person should know about a start: that there is a result, and why it is of no use."""
    result = state.results.get(key)
    if result is None or (run.again and run.graph.runs_again(job)):
        return
    wrong = inputs.wrong_with(result.out)
    if wrong:
        text = f"made again: in {result.job} of {result.run} {wrong}"
        yield e.JobRemarked(at_ms=now_ms, run=run.name, job=job.id, reason="damaged", sentence=text)


def goes_on(run: RunState, job: Job, attempt: AttemptState, now_ms: int) -> e.Event:
    text = f"goes on from what {run_of(attempt.id)} had done"
    return e.JobRemarked(at_ms=now_ms, run=run.name, job=job.id, reason="goes-on", sentence=text)
