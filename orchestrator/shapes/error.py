"""What any command answers with `--json` where it fails."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Said:
    code: str
    """`run-not-found`: what a program may compare."""
    exit_code: int
    message: str
    where: str | None
    """A file, a line and a key, or an option."""
    got: str | None
    wanted: str | None
    hint: str | None
    """What to type or to do next."""
    docs: str


@shape
class Error:
    SCHEMA: ClassVar[str] = "error/1"

    error: Said
