"""`skint show RUN --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.run import Run
from orchestrator.shapes.shape import shape


@shape
class Attempt:
    """One execution of a job."""

    id: str
    job: str
    status: str
    """planned, accepted, running or ended."""
    started: str | None
    ended: str | None
    outcome: str | None
    """done, failed, stopped, deadline, killed, lost or unused."""
    reason: str
    sentence: str
    devices: tuple[str, ...]
    charged_ms: int | None
    """By the ledger; null where nothing was charged for it."""
    folder: str


@shape
class Saving:
    """Hours that were not spent."""

    job: str
    account: str
    kind: str
    """cache, early-stop, refused or parked."""
    amount_ms: int
    derivation: str
    """How that follows, in words."""


@shape
class Compared:
    """What a group of folds is compared with."""

    group: str
    baseline: str | None
    """The run; null where there is none."""
    sentence: str


@shape
class Show:
    SCHEMA: ClassVar[str] = "show/1"

    at: str
    run: Run
    attempts: tuple[Attempt, ...]
    savings: tuple[Saving, ...]
    compared: tuple[Compared, ...]
