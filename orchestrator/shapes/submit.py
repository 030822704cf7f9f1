"""`skint submit FILE --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Submit:
    SCHEMA: ClassVar[str] = "submit/1"

    run: str | None
    """The run that was queued; null where nothing was, as all its results are known."""
    scheduler_pid: int | None
    known_run: str | None
    """Where nothing was queued: the run that has most of these results, as `skint show` takes it;
    null where a run was queued, or where that run is forgotten."""
    text: str
    """The same in words."""
