"""What people ask for: written to the store's inbox by any screen, answered by the scheduler.

A command has an id, so that asking twice is asking once, and gets exactly one reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from orchestrator.events.holding import HeldLane
    from orchestrator.events.verdict import Answer, StopScope
    from skint.attempt import StopHow, StopThen

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""Names of runs are parts of paths and come before the first dot of an attempt's name."""
RUN_NAME_WANTED = "letters, digits, - and _, at most 64, starting with a letter or a digit"


@dataclass(frozen=True, kw_only=True)
class SubmitRun:
    """Queue a run. The graph has been validated by whoever asks."""

    run: str
    graph: Mapping[str, Any]
    cpu_only: bool = False
    again: bool = False
    priority: int = 0
    """Added to that of each of its jobs."""
    park: bool = False
    """Begin although not all fits, and let jobs span windows by parking them."""
    judge: bool = False
    """Refuse it where all of it is known, and where it would use more than is left. The answer says
    what to know of it, in lines before the last."""
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class StopJobs:
    """Stop a run, a group or one fold; what is running is asked first and keeps its checkpoint."""

    run: str
    scope: StopScope
    target: str
    """The run's name, a group's, or the id of a job."""
    how: StopHow = "step"
    then: StopThen = "end"
    reason: str = "cancelled"
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class AnswerVerdict:
    """What a person says to a stop rule that asks, or against one that has spoken."""

    run: str
    rule: str
    """Empty: every rule that has spoken of the target."""
    target: str
    answer: Answer
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class ResumeJobs:
    """Undo a stop: what it ended waits again and goes on from its checkpoint."""

    run: str
    scope: StopScope
    target: str
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class SetBaseline:
    """Choose a finished run as what later ones are compared with, or take that back."""

    run: str
    on: bool = True
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class PauseJobs:
    """Park what runs on an accelerator, losslessly, and start nothing more until `ResumeJobs`."""

    run: str
    scope: StopScope
    target: str
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class RetryJobs:
    """Have what failed or was aborted tried anew, and what was skipped because of it."""

    run: str
    scope: StopScope
    target: str
    which: Literal["all", "failed", "aborted"] = "all"
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class SetHold:
    """Start no new jobs, on an account, in a lane or at all; what runs goes on."""

    account: str = ""
    lane: HeldLane = ""
    reason: str = ""
    by: str = "cli"


@dataclass(frozen=True, kw_only=True)
class ReleaseHold:
    """End holds: of this account and lane, where they are named, else all of them."""

    account: str = ""
    lane: HeldLane = ""
    by: str = "cli"


Request = (
    SubmitRun
    | StopJobs
    | AnswerVerdict
    | ResumeJobs
    | SetBaseline
    | PauseJobs
    | RetryJobs
    | SetHold
    | ReleaseHold
)
REQUESTS: dict[str, type[Request]] = {kind.__name__: kind for kind in get_args(Request)}


@dataclass(frozen=True)
class Command:
    id: str
    at_ms: int
    request: Request


def to_json(request: Request) -> dict[str, Any]:
    return asdict(request)


def from_json(kind: str, data: Mapping[str, Any]) -> Request:
    return REQUESTS[kind](**data)
