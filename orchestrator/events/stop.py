"""A stop: that it was asked for, and that a job was told. What it is kept as is what was said."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.events.event import Event
from orchestrator.events.verdict import StopScope
from skint.attempt import StopHow, StopThen


@dataclass(frozen=True, kw_only=True)
class StopAsked(Event):
    scope: StopScope
    target: str
    """Attempt, group or run, as `scope` says."""
    how: StopHow
    then: StopThen
    reason: str
    sentence: str
    by: str
    attempts: tuple[str, ...] = ()
    """With `requeue`: the attempts it is aimed at. The ones after them are not stopped."""


@dataclass(frozen=True, kw_only=True)
class StopSent(Event):
    attempt: str
    how: str
