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
    text: str
    """The same in words."""
