"""`skint logs RUN --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Logs:
    SCHEMA: ClassVar[str] = "logs/1"

    run: str
    job: str
    attempt: str
    path: str
    ended: bool
    """Nothing more will come."""
    lines: tuple[str, ...]
