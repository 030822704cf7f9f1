"""What all events have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Event:
    at_ms: int
    """Unix time in milliseconds at which the scheduler took note of it."""
    run: str
