"""One fold of the state as stop rules see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median_low
from typing import Any

from orchestrator.baselines.attempts import attempts_of
from orchestrator.graph import Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import FoldView
from orchestrator.views.run.training import number, training_of

CORRECT = "correct.json"
"""Where a training says which pictures it got right (`agreement.py`), in its `out`."""


def fold_view(run: RunState, job: Job, runs: Mapping[str, RunState], now_ms: int) -> FoldView:
    """What a job of a run has come to; its curve is that of all its attempts, `reports` are those
    of the newest.

    A reused result has what the attempt reported that made it, which may be of another of `runs`.
    """
    state = run.jobs[job.id]
    attempts = attempts_of(run, job, runs) or ()
    newest = attempts[-1] if attempts else None
    training = training_of(attempts, job.metric)
    said = _newest_facts([report for attempt in attempts for report in attempt.reports])
    return FoldView(
        job=job.id,
        fold=job.fold,
        reports=newest.reports if newest else (),
        ended=state.ended,
        done=state.has_result,
        scores=training.values,
        epochs=training.epochs,
        schedule=str(said.get("schedule", "")),
        best=training.best if training.score is None else training.score,
        quiet_s=_quiet_ms(newest, now_ms) / 1000 if newest and newest.live else 0.0,
        agreement=f"{state.out}/{CORRECT}" if state.has_result and state.out else "",
        warmup_epochs=number(said.get("warmup_epochs")) or 0.0,
        cycle_ends=_counts(said.get("cycle_ends")),
        gap=has_gap([epoch for epoch, _ in training.points]),
    )


def has_gap(epochs: Sequence[float]) -> bool:
    """Whether some of the numbers, ascending, are missing: a metric may be measured every so many
    epochs, and the last time sooner. A first one alone that is not 1 counts as a gap."""
    steps = [after - before for before, after in pairwise([0.0, *epochs])]
    usual = median_low(steps) if len(steps) > 1 else 1
    return bool(steps) and max(steps) > max(1, usual)


def _newest_facts(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was said of the training as a whole."""
    wanted = ("schedule", "warmup_epochs", "cycle_ends")
    return {name: report[name] for report in reports for name in wanted if name in report}


def _counts(value: Any) -> tuple[int, ...]:
    """ "4 12 28"; any program may write reports."""
    words = value.split() if isinstance(value, str) else ()
    return tuple(int(word) for word in words if word.isdecimal())


def said_ms(attempt: AttemptState) -> int:
    """When it last said anything, on its own clock; 0 if it never did."""
    return max(
        int(attempt.reports[-1]["at_ms"]) if attempt.reports else 0,
        attempt.marks[-1][0] if attempt.marks else 0,
        attempt.stages[-1][0] if attempt.stages else 0,
        attempt.checkpoint_ms or 0,
    )


def _quiet_ms(attempt: AttemptState, now_ms: int) -> int:
    return max(0, now_ms - max(attempt.started_ms or now_ms, said_ms(attempt)))
