"""`skint artifacts RUN --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class File:
    name: str
    """Relative to the folder of its job."""
    kind: str
    """checkpoint, model, predictions, report, table or other."""
    size_bytes: int


@shape
class Made:
    """What one job has made, or has used of another run."""

    job: str
    status: str
    """done, reused, or unfinished: leftovers of an attempt without a result."""
    folder: str
    made_by: str
    """The attempt."""
    made_in: str
    """Its run."""
    size_bytes: int
    files: tuple[File, ...]
    """Empty where they were removed, or there were none."""


@shape
class Artifacts:
    SCHEMA: ClassVar[str] = "artifacts/1"

    run: str
    size_bytes: int
    jobs: tuple[Made, ...]
    copied_to: str | None
    """The folder, with --copy-to."""
