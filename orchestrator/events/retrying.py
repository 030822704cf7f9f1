"""Failed and aborted jobs are tried anew: the event, and what is known after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.events.event import Event
from orchestrator.events.verdict import StopScope
from orchestrator.state.changed import changed
from orchestrator.state.selection import with_records

if TYPE_CHECKING:
    from orchestrator.state.state import RunState


@dataclass(frozen=True, kw_only=True)
class JobsRetried(Event):
    """These jobs had failed and wait again. A run that had ended is live again."""

    scope: StopScope
    target: str
    jobs: tuple[str, ...]
    """Their ids: those that had failed, and those that were skipped because of it."""
    by: str


def retried(run: RunState, event: JobsRetried) -> RunState:
    """The run after `event`: what its jobs did before does not count as a try any more."""
    again = [
        changed(
            known,
            status="waiting",
            reason="",
            sentence="",
            until_ms=None,
            forgiven=len(known.attempts),
        )
        for known in map(run.jobs.__getitem__, event.jobs)
    ]
    run = changed(run, outcome=None, sentence="", ended_ms=None)
    return with_records(run, "jobs", again)
