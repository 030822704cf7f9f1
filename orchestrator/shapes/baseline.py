"""`skint baseline show --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import Number, shape


@shape
class Chosen:
    run: str
    plan: str
    """The runs of this plan are compared with it."""
    at: str


@shape
class Finished:
    """A finished group that may be compared."""

    run: str
    group: str
    mean: Number
    sd: Number | None
    wall_s: float
    """How long its folds kept their devices."""
    baseline: bool


@shape
class Refused:
    run: str
    group: str
    why: str


@shape
class Group:
    group: str
    metric: str
    larger_is_better: bool
    baseline: str | None
    """A run; null where there is none."""
    sentence: str
    finished: tuple[Finished, ...]
    refused: tuple[Refused, ...]


@shape
class Baseline:
    SCHEMA: ClassVar[str] = "baseline/1"

    run: str | None
    """null: no run was named."""
    chosen: tuple[Chosen, ...]
    """The newest first."""
    groups: tuple[Group, ...]
    """Of the run: what each of its groups of folds is compared with."""
