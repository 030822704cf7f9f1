"""Pauses: jobs of a run that are not started until somebody resumes them. Events, and what is
known after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.events.event import Event
from orchestrator.events.verdict import StopScope
from orchestrator.state.changed import changed
from orchestrator.state.selection import with_records

if TYPE_CHECKING:
    from orchestrator.state.state import RunState

PAUSED = "paused"
"""The reason code of a job that waits for `skint resume`, and of the stop that parks it."""


@dataclass(frozen=True, kw_only=True)
class JobsPaused(Event):
    """These jobs are not started any more. Those that run on an accelerator are asked to park by
    a stop of their own."""

    scope: StopScope
    target: str
    jobs: tuple[str, ...]
    """Their ids: those that had not ended."""
    by: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class JobsUnpaused(Event):
    """They may start again."""

    jobs: tuple[str, ...]
    by: str


def paused(run: RunState, event: JobsPaused) -> RunState:
    """The run after `event`. What waits says that it is paused; what runs goes on."""
    found = []
    for name in event.jobs:
        known = changed(run.jobs[name], paused=event.sentence)
        if known.status == "waiting":
            known = changed(known, reason=PAUSED, sentence=event.sentence, until_ms=None)
        found.append(known)
    return with_records(run, "jobs", found)


def unpaused(run: RunState, event: JobsUnpaused) -> RunState:
    """The run after `event`. What waits is looked at as if it had never said why."""
    found = []
    for name in event.jobs:
        known = changed(run.jobs[name], paused="")
        if known.status == "waiting":
            known = changed(known, reason="", sentence="", until_ms=None)
        found.append(known)
    return with_records(run, "jobs", found)
