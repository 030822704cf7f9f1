"""Attempts that say nothing any more although they run. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from orchestrator.baselines.fold_view import said_ms
from orchestrator.graph import ALWAYS, Job
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State
from orchestrator.stop_rules.defaults import DEFAULTS

_QUIET_MIN = DEFAULTS[ALWAYS].value("quiet_min", {})
GAPS = 3
"""What has once kept silent for an hour is not missed before so many hours."""


def quiet_attempts(
    run: RunState, inputs: Inputs, now_ms: int
) -> Iterator[tuple[AttemptState, float]]:
    """Those of which nothing was heard for too long, with the seconds.

    Time in which nobody could listen, as of a laptop that was shut, does not count; nor what never
    said anything, nor what nobody can hear.
    """
    for attempt, heard_ms, due_ms in _heard(run, inputs, now_ms):
        if due_ms <= now_ms:
            yield attempt, (now_ms - heard_ms) / 1000


def next_ms(state: State, inputs: Inputs, now_ms: int) -> Iterator[int]:
    """When each of those that run now will have been quiet for too long."""
    for run in state.busy:
        yield from (due_ms for _, _, due_ms in _heard(run, inputs, now_ms))


def _heard(run: RunState, inputs: Inputs, now_ms: int) -> Iterator[tuple[AttemptState, int, int]]:
    """Each that can be heard: since when it is quiet, and from when on that is too long."""
    for attempt in run.live_attempts:
        allowed_ms = _allowed_ms(run.graph.job(attempt.job))
        if allowed_ms is None or attempt.unreachable or attempt.started_ms is None:
            continue
        last_ms = said_ms(attempt)
        can = inputs.capabilities.get(attempt.executor)
        if not last_ms or can is None or not can.live_events:
            continue
        heard_ms = max(last_ms, inputs.watched_ms)
        if heard_ms + allowed_ms <= now_ms:
            allowed_ms = max(allowed_ms, GAPS * _longest_gap_ms(attempt))
        yield attempt, heard_ms, heard_ms + allowed_ms


def _allowed_ms(job: Job) -> int | None:
    for rule in job.stop:
        if rule.name == ALWAYS:
            return int(rule.options.get("quiet_min", _QUIET_MIN) * 60_000)
    return None


def _longest_gap_ms(attempt: AttemptState) -> int:
    """Between its start and its reports, one after the other."""
    times = [attempt.started_ms or 0, *(int(report["at_ms"]) for report in attempt.reports)]
    return max((after - before for before, after in pairwise(times)), default=0)
