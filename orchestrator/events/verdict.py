"""What stop rules have said, what was answered, and what of it was undone: events.

`orchestrator.events.events` lists them with the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.events.event import Event

StopScope = Literal["attempt", "group", "run"]
VerdictAction = Literal["warn", "ask", "stop", "park"]
Answer = Literal["stop", "let-run"]


@dataclass(frozen=True, kw_only=True)
class VerdictGiven(Event):
    """What a stop rule said, with its numbers."""

    rule: str
    action: VerdictAction
    scope: StopScope
    target: str
    """A job's id, a group or the run, as `scope` says."""
    reason: str
    sentence: str
    default: Answer = "stop"
    """With `ask`: what happens where nobody answers until `until_ms`."""
    until_ms: int | None = None
    would: Literal["stop", "park"] = "stop"
    """What the rule does where it may."""


@dataclass(frozen=True, kw_only=True)
class VerdictAnswered(Event):
    """The answer to an `ask`, or `let-run` against a stop that has not begun yet.

    After `let-run` the rule says no more of that target.
    """

    rule: str
    target: str
    given_ms: int
    """When the verdict was given that this answers: a clock may be set back in between."""
    answer: Answer
    by: str
    """A person, as in `StopAsked.by`; `time-out` where nobody answered."""


@dataclass(frozen=True, kw_only=True)
class JobsResumed(Event):
    """A stop was undone: these jobs wait again and go on from their checkpoints.

    A run that had ended is live again.
    """

    scope: StopScope
    target: str
    jobs: tuple[str, ...]
    """Their ids: those that had been stopped, and those that were skipped because of it."""
    by: str


@dataclass(frozen=True, kw_only=True)
class BaselineSet(Event):
    """Somebody chose what later runs are compared with; `on` False takes it back."""

    on: bool
    by: str
