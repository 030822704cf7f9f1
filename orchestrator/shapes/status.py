"""`skint status --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.hold import Hold
from orchestrator.shapes.run import Run
from orchestrator.shapes.shape import shape


@shape
class Status:
    SCHEMA: ClassVar[str] = "status/1"

    at: str
    scheduler_pid: int | None
    """null where none runs."""
    holds: tuple[Hold, ...]
    """Where no new job starts."""
    runs: tuple[Run, ...]
    """The live ones and the last five that ended, the oldest first; with `--all` every one."""
