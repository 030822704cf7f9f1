"""What is seen of a run at one time, worked out as far as somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from orchestrator.state.state import RunState
from orchestrator.views.run.job_row import JobRow, job_row
from orchestrator.views.run.view import RunView, run_view


@dataclass(frozen=True)
class Seen:
    """One row of a run with ten thousand jobs costs as much as one of a small run."""

    run: RunState
    now_ms: int
    runs: Mapping[str, RunState]
    """For the scores of reused results."""

    @cached_property
    def whole(self) -> RunView:
        return run_view(self.run, self.now_ms, self.runs)

    def row(self, job: str) -> JobRow:
        """KeyError if there is none."""
        if "whole" in vars(self):
            return self.whole.row(job)
        return job_row(self.run, self.run.graph.job(job), self.now_ms, self.runs)
