"""`skint metrics RUN --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orchestrator.shapes.shape import Number, shape


@shape
class Point:
    epoch: int
    """From 1; of a job that counts none, the number of the report."""
    at: str
    values: Mapping[str, Number]
    """By the name of the metric."""


@shape
class Course:
    """What one job has reported."""

    job: str
    fold: int | None
    metric: str
    """What it is judged by."""
    score: Number | None
    """Of that metric, in the end."""
    best_epoch: int | None
    reused_from: str | None
    """The run that it was trained in, where this one has only used it."""
    points: tuple[Point, ...]


@shape
class Metrics:
    SCHEMA: ClassVar[str] = "metrics/1"

    run: str
    jobs: tuple[Course, ...]
