"""`skint scheduler status --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Scheduler:
    SCHEMA: ClassVar[str] = "scheduler/1"

    pid: int | None
    """Null while none runs; jobs that were started go on without one."""
    home: str
    """The SKINT_HOME that it serves."""
    log: str
