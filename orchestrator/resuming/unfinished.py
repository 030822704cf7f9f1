"""Which unfinished work of another run is worth going on from. Pure."""

from __future__ import annotations

from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState

SIGKILLED = "sigkill"
"""Somebody outside killed a worker, most often the kernel for want of memory."""
UNSAVED = "unsaved"
"""A worker could not write its checkpoint, as on a full disk; the one before stands."""
BLAMELESS = (SIGKILLED, UNSAVED)
"""Reasons of failures that are no fault of what had been done so far."""

_CUT = ("stopped", "deadline", "killed", "lost")


def is_worth_its_hours(run: RunState, attempt: AttemptState) -> bool:
    """Whether an attempt on an accelerator has left a checkpoint and was only cut short: what was
    at fault itself, or was stopped by a rule, would come to the same again."""
    by_rule = run.jobs[attempt.job].reason in {said.reason for said in run.verdicts}
    cut = attempt.outcome in _CUT or attempt.reason == UNSAVED
    return cut and attempt.checkpoint is not None and not by_rule
