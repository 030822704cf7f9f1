"""How long the next attempt of a job may run, and what its earlier ones tell about it.

A job that is cut at an edge goes on in another attempt, until its limit is used up over all of
them. All of this is read off the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from budget.forecasts.edge import Tail, tail
from orchestrator.graph import TEARDOWN_S, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState

TEARDOWN_MS = round(TEARDOWN_S * 1000)

_STOPPED = ("stopped", "deadline", "killed")


def left_ms(run: RunState, job: Job) -> int:
    """What is left of the job's limit. What failed or was lost before does not count against it:
    a retry has all the time that the first try had."""
    spent_ms = sum(
        attempt.ended_ms - attempt.started_ms
        for attempt in attempts_of_job(run, job)
        if attempt.outcome in _STOPPED
        and attempt.started_ms is not None
        and attempt.ended_ms is not None
    )
    return max(0, round((job.limit_s or 0) * 1000) - spent_ms)


def attempts_of_job(run: RunState, job: Job) -> list[AttemptState]:
    """All that it has had, the newest last."""
    return [run.attempts[name] for name in run.jobs[job.id].attempts]


def tail_of(run: RunState, group: Sequence[Job]) -> Tail:
    """What stopping a job of `group` takes: declared, or measured at any of them, which run the
    same code."""
    declared_ms = max(round(job.grace_s * 1000) for job in group)
    measured = [
        took_ms
        for job in group
        for attempt in attempts_of_job(run, job)
        if (took_ms := _stop_took_ms(attempt)) is not None
    ]
    return tail(declared_ms, measured)


def _stop_took_ms(attempt: AttemptState) -> int | None:
    """From the request to stop to the end; from the end of the epoch where it waited for that."""
    started_ms, ended_ms = attempt.started_ms, attempt.ended_ms
    if attempt.outcome not in _STOPPED or started_ms is None or ended_ms is None:
        return None
    asked: list[int] = []
    if attempt.outcome == "deadline" and attempt.limit_s is not None:
        asked.append(started_ms + round(attempt.limit_s * 1000))
    if attempt.stop_sent == "step" and attempt.stop_sent_ms is not None:
        asked.append(attempt.stop_sent_ms)
    if attempt.stop_sent == "epoch" and attempt.reports and not asked:
        asked.append(int(attempt.reports[-1]["at_ms"]))
    return max(0, ended_ms - min(asked)) if asked else None


def epoch_ms(attempt: AttemptState) -> tuple[list[int], int | None]:
    """The durations of its epochs, and when the latest one ended (or the attempt started)."""
    durations: list[int] = []
    last_ms, seen = attempt.started_ms, None
    for epoch, at_ms in _epochs(attempt):
        if epoch != seen:
            if last_ms is not None:
                durations.append(max(0, at_ms - last_ms))
            last_ms, seen = at_ms, epoch
    return durations, last_ms


def _epochs(attempt: AttemptState) -> Iterator[tuple[int, int]]:
    for report in attempt.reports:
        epoch = report.get("epoch")
        if isinstance(epoch, int | float) and not isinstance(epoch, bool):
            yield int(epoch), int(report["at_ms"])


def is_parked(run: RunState, job: Job, now_ms: int) -> bool:
    """Whether its window was over before it was, and the next one has not begun yet."""
    attempt = run.current(job.id)
    return attempt is not None and not attempt.live and (attempt.edge_until_ms or 0) > now_ms


def goes_on_from(run: RunState, job: Job) -> AttemptState | None:
    """The attempt that a new one goes on from: the newest that kept a checkpoint or was stopped in
    order. One that failed before it wrote any would throw the others' work away."""
    before = [a for a in attempts_of_job(run, job) if a.outcome != "unused"]
    kept = [a for a in before if a.checkpoint is not None or a.outcome in ("stopped", "deadline")]
    newest = kept or before
    return newest[-1] if newest else None


def gets_nowhere(run: RunState, job: Job) -> bool:
    """Whether its last two attempts, both cut at an edge, have not brought it any further.

    A program that never says how far it is cannot show it; its limit ends it instead.
    """
    attempts = attempts_of_job(run, job)
    if len(attempts) < 2 or not all(attempt.edge for attempt in attempts[-2:]):
        return False
    marks = [_mark(attempt) for attempt in attempts]
    if job.argv and not any(map(any, marks)):
        return False
    return not any(_is_further(marks[n], marks[:n]) for n in range(len(marks) - 2, len(marks)))


def _mark(attempt: AttemptState) -> tuple[float, float, float]:
    """How far it came: epoch, step of its checkpoint, progress."""
    epoch = max((epoch for epoch, _ in _epochs(attempt)), default=0)
    step = attempt.checkpoint[1] if attempt.checkpoint else 0
    return epoch, step, attempt.progress[0] if attempt.progress else 0


def _is_further(mark: Sequence[float], before: Sequence[Sequence[float]]) -> bool:
    return any(
        value > max((other[n] for other in before), default=0) for n, value in enumerate(mark)
    )
