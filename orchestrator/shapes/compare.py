"""`skint compare RUN RUN --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from orchestrator.shapes.shape import Number, shape


@shape
class Fold:
    job: str
    fold: int | None
    status: str
    """waiting, running, done, reused, failed, stopped, parked or skipped, among others."""
    done: bool
    """It has a result; else `score` is the best so far."""
    score: Number | None
    epoch: int | None
    epochs: int | None
    why: str
    """Why it ended without a result."""


@shape
class Paired:
    """The scores less those of the first column, fold by fold."""

    mean: float
    se: float | None
    """Standard error of that mean; null for one fold."""
    folds: int


@shape
class Column:
    """A group of folds of a run."""

    run: str
    plan: str
    group: str
    submitted: str
    simulated: bool
    metric: str
    larger_is_better: bool
    comparable: bool
    """Whether its scores may be set beside those of the first column."""
    why_not: str
    folds: tuple[Fold, ...]
    mean: float | None
    """null before all folds have a score."""
    sd: float | None
    paired: Paired | None
    """null for the first column, and where it is not comparable."""
    unit: str
    """What the amounts count: device, session or credit; 3,600,000 are one hour or credit."""
    charged_ms: int
    """In this run, what is in flight included."""
    cost_ms: int
    """What its scores have cost, in whichever run they were trained."""
    saved_ms: int
    per_hour: float | None
    """The mean for an hour or a credit of `cost_ms`; null where less is better."""
    stops: tuple[str, ...]
    """What stop rules have done to it."""
    recipe: Mapping[str, Any]
    """What is not the same in all columns."""
    changed: tuple[str, ...]
    """Code, libraries and files that differ from the first column's, in words."""


@shape
class Section:
    name: str
    """The entry of the plan; empty where there is one section only."""
    columns: tuple[Column, ...]


@shape
class Compare:
    SCHEMA: ClassVar[str] = "compare/1"

    sections: tuple[Section, ...]
