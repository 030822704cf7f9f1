"""The answer to a plan that was run before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """Nothing is queued: all of its results are there."""

    run: str | None
    """The one that has most of them."""
    said: str
