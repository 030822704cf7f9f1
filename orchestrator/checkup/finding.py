"""One thing that was looked at, in a sentence, with what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]
"""`bad`: something does not work. `warn`: it works, and could surprise."""


@dataclass(frozen=True)
class Finding:
    check: str
    level: Level
    said: str
    fix: str = ""
    """What to type, or to do."""
    repair: Callable[[], str] | None = None
    """Does it, and says what it did; only what loses nothing."""


def ok(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def warn(check: str, said: str, fix: str = "", repair: Callable[[], str] | None = None) -> Finding:
    return Finding(check, "warn", said, fix, repair)


def bad(check: str, said: str, fix: str = "", repair: Callable[[], str] | None = None) -> Finding:
    return Finding(check, "bad", said, fix, repair)
