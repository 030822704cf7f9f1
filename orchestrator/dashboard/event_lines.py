"""What has happened, as lines: the newest last. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from orchestrator.dashboard.ink import Line, fitted
from orchestrator.dashboard.reading.snapshot import EventLine, Screen

COLOURS = {"good": "good", "attention": "attention", "bad": "bad", "plain": ""}


def event_lines(screen: Screen, most: int, zone: tzinfo | None, width: int) -> tuple[Line, ...]:
    """The newest `most` of them, the newest last."""
    if not screen.events:
        return ((("  nothing has happened yet", "dim"),),)
    days = {_at(line, zone).date() for line in screen.events[-most:]}
    return tuple(
        fitted(pieces_of(line, zone, with_day=len(days) > 1), width)
        for line in screen.events[-most:]
    )


def _at(line: EventLine, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(line.at_ms / 1000, tz=UTC).astimezone(zone)


def pieces_of(line: EventLine, zone: tzinfo | None, *, with_day: bool = True) -> Line:
    at = _at(line, zone)
    return (
        (f" {at:%a %H:%M:%S}  " if with_day else f" {at:%H:%M:%S}  ", "dim"),
        (f"{line.run}  " if line.run else "", "bold"),
        (line.text, COLOURS[line.tone]),
    )
