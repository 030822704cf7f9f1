"""`skint account list --json`, `show NAME --json` and `presets --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Limit:
    name: str
    amount_ms: int
    unlimited: bool
    assumed: bool
    """The provider publishes no figure: this is a guess."""
    window: str
    """In words, for after the amount: "a week"."""
    next_gain: str | None
    """When hours come back, of an account that was not used."""


@shape
class Account:
    name: str
    kind: str
    """simulated, machine or provider."""
    executor: str
    unit: str
    """What an amount counts: device, session or credit; 3,600,000 are one hour or credit."""
    part_of: str | None
    keep_back_ms: int
    """Never given out."""
    limits: tuple[Limit, ...]


@shape
class Accounts:
    SCHEMA: ClassVar[str] = "accounts/1"

    accounts: tuple[Account, ...]
