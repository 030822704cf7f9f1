"""What every rule of a window can say, and what it may ask.

A rule is a frozen value. The time and the account's use are its only inputs: a clock that steps
forth and back shows another window for a while and forgives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from budget.instant import LATEST_MS


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ms` (inside) to `end_ms` (outside), milliseconds since 1970 UTC."""

    start_ms: int
    end_ms: int

    def __contains__(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms < self.end_ms


ALWAYS = Window(0, LATEST_MS + 1)
"""The window of what never comes back by itself."""


class Usage(Protocol):
    """What an account has used, for windows and lots that depend on it."""

    def between(self, start_ms: int, end_ms: int) -> int:
        """Weighted milliseconds used from `start_ms` (inside) to `end_ms` (outside)."""

    def first_from(self, at_ms: int) -> int | None:
        """Start of the first use at or after `at_ms`; `at_ms` itself where something is in use
        then, None where nothing follows."""


class NoUsage:
    """An account that has used nothing."""

    def between(self, start_ms: int, end_ms: int) -> int:
        return 0

    def first_from(self, at_ms: int) -> int | None:
        return None


class WindowRule(Protocol):
    """Which span a limit is counted over."""

    @property
    def kind(self) -> str:
        """As it is written: "calendar", "rolling", "first-use", "lots", "per-session" or
        "unbounded". A per-session limit is never summed up: each session has it anew."""

    @property
    def zone(self) -> str:
        """On whose clock its instants are shown; "UTC" where the rule names none."""

    def window_at(self, now_ms: int, usage: Usage) -> Window:
        """The window that holds `now_ms`."""

    def next_gain_ms(self, now_ms: int, usage: Usage) -> int | None:
        """When hours come back by themselves next, after `now_ms`; None where they do not."""

    def describe(self) -> str:
        """For after an amount: "a week", "in any 7 d", "a session"."""
