"""What an account has used, written down in a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def at(text: str) -> int:
    """Milliseconds of an ISO 8601 instant with offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


@dataclass(frozen=True)
class Used:
    """Spans (start, end, rate): `rate` weighted milliseconds a millisecond; negative gives back."""

    spans: tuple[tuple[int, int, int], ...] = ()

    def between(self, start_ms: int, end_ms: int) -> int:
        return sum(
            max(0, min(end_ms, end) - max(start_ms, start)) * rate
            for start, end, rate in self.spans
        )

    def first_from(self, at_ms: int) -> int | None:
        starts = [max(start, at_ms) for start, end, _ in self.spans if end > at_ms]
        return min(starts, default=None)


def used(*spans: tuple[int, int]) -> Used:
    """One device in use in each of the spans (start, end)."""
    return Used(tuple((start, end, 1) for start, end in spans))
