"""`skint budget --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orchestrator.shapes.hold import Hold
from orchestrator.shapes.shape import shape


@shape
class Reading:
    """What the provider last counted."""

    at: str
    used_ms: int
    allowed_ms: int | None
    reserved_ms: int | None
    refresh: str | None
    """When the provider says that hours come back."""
    source: str


@shape
class Limit:
    """One limit in its present window: amount = settled + in flight + reserved + foreign + kept
    back + free."""

    account: str
    """Itself, or the account that it is a part of."""
    limit: str
    window: str
    """The kind of window: calendar, rolling, first-use, lots, per-session or unbounded."""
    start: str
    end: str | None
    """null where it has none."""
    next_gain: str | None
    """When hours come back by themselves."""
    assumed: bool
    """The provider publishes no figure: this is a guess."""
    unlimited: bool
    amount_ms: int
    settled_ms: int
    in_flight_ms: int
    reserved_ms: int
    foreign_ms: int
    kept_back_ms: int
    free_ms: int
    """Negative after an overrun."""
    reading: Reading | None


@shape
class Account:
    account: str
    kind: str
    """simulated, machine or provider."""
    unit: str
    """What an amount counts: device, session or credit; 3,600,000 are one hour or credit."""
    simulated: bool
    part_of: str | None
    best_effort: bool
    free_ms: int
    """Of the limit that has least."""
    limits: tuple[Limit, ...]
    saved_ms: Mapping[str, int]
    """By kind: cache, early-stop, refused, parked."""


@shape
class Budget:
    SCHEMA: ClassVar[str] = "budget/1"

    at: str
    holds: tuple[Hold, ...]
    """Those that keep jobs on these accounts from starting."""
    accounts: tuple[Account, ...]
