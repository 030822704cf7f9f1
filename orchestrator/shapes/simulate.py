"""`skint simulate --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Week:
    """One window of the account, or seven days; the first one begins now."""

    start: str
    end: str
    amount_ms: int
    folds: int
    """That finished."""
    runs: int
    used_ms: float
    wasted_ms: float
    """Of what was used: for no result that anybody wants."""
    saved_ms: float
    left_ms: float


@shape
class Policy:
    policy: str
    """skint, fcfs or slurm-safe."""
    weeks: tuple[Week, ...]
    waiting: Mapping[str, str]
    """What has not been done in the end, and why, by run and entry."""


@shape
class Simulate:
    SCHEMA: ClassVar[str] = "simulate/1"

    account: str
    devices: int
    seed: int
    free_ms: int | None
    """What the ledger says is left as the first week begins; null where it begins full."""
    basis: tuple[str, ...]
    """What the times of each entry stand on, in words."""
    policies: tuple[Policy, ...]
