"""One fold of the state as stop rules see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.graph import Job
from orchestrator.state import RunState
from orchestrator.stop_rules.base import FoldView

CORRECT = "correct.json"
"""Where a training says which pictures it got right (`agreement.py`), in its `out`."""


def fold_view(run: RunState, job: Job, runs: Mapping[str, RunState], now_ms: int) -> FoldView:
    """What `job` of `run` reported over all its attempts, in order.

    A reused result has the reports of the attempt that made it, which may be of another of `runs`.
    """
    raise NotImplementedError
