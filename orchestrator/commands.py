"""What people ask for: written to the store's inbox by any screen, answered by the scheduler.

A command has an id, so that asking twice is asking once, and gets exactly one reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.events import StopScope
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


Request = SubmitRun | StopJobs
REQUESTS: dict[str, type[SubmitRun] | type[StopJobs]] = {
    kind.__name__: kind for kind in (SubmitRun, StopJobs)
}


@dataclass(frozen=True)
class Command:
    id: str
    at_ms: int
    request: Request


def to_json(request: Request) -> dict[str, Any]:
    return asdict(request)


def from_json(kind: str, data: Mapping[str, Any]) -> Request:
    return REQUESTS[kind](**data)
