"""The span a limit is counted over, as a pure function of the limit and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budget.account import WeeklyLimit

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

LATEST_MS = 250_000_000_000_000
"""Year 9892: instants up to here have a window that a calendar can name."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ms` (inside) to `end_ms` (outside), milliseconds since 1970 UTC."""

    start_ms: int
    end_ms: int

    def __contains__(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms < self.end_ms


def window_at(limit: WeeklyLimit, now_ms: int) -> Window:
    """The window of `limit` that holds `now_ms`.

    There is exactly one reset for every local date that is a `resets_on`, so a week with a change
    of clocks is 167 or 169 hours long and never reset twice. A local time that is skipped is taken
    with the offset from before the gap, one that occurs twice is its first occurrence (RFC 5545,
    3.3.5; both are `fold=0`). The time is the only input: a clock that steps forth and back shows
    another window for a while and forgives nothing.
    """
    zone = zone_named(limit.zone)
    local = (_EPOCH + now_ms * _MS).astimezone(zone)
    ahead = (WEEKDAYS.index(limit.resets_on) - local.weekday()) % 7
    day = local.date() + timedelta(days=ahead)
    # One week further than needed: where a zone skips a day, "the next one" may have passed.
    day += timedelta(days=7)
    end_ms = reset_ms = _instant_ms(day, limit.resets_at, zone)
    while reset_ms > now_ms:
        end_ms, day = reset_ms, day - timedelta(days=7)
        reset_ms = _instant_ms(day, limit.resets_at, zone)
    return Window(reset_ms, end_ms)


def zone_named(name: str) -> tzinfo:
    """The zone called `name`. Raises ValueError if the machine knows none."""
    if name == "UTC":  # without the zone database, which a slim machine may not have
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def format_instant(at_ms: int, zone: str) -> str:
    """An instant on the clock of `zone`, to the minute: "Sat 14 Nov 2026 00:00 UTC"."""
    local = (_EPOCH + at_ms * _MS).astimezone(zone_named(zone))
    # Not strftime: its names of days and months follow the machine's locale.
    weekday = WEEKDAYS[local.weekday()].capitalize()
    month = _MONTHS[3 * local.month - 3 : 3 * local.month]
    return f"{weekday} {local.day} {month} {local.year} {local:%H:%M} {local.tzname() or zone}"


def _instant_ms(day: date, clock: str, zone: tzinfo) -> int:
    local = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)
    return (local.astimezone(UTC) - _EPOCH) // _MS
