"""Instants: milliseconds since 1970 UTC, and how they look on the clock of a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

LATEST_MS = 250_000_000_000_000
"""Year 9892: instants up to here have a window that a calendar can name."""


def zone_named(name: str) -> tzinfo:
    """The zone called `name`. Raises ValueError if the machine knows none."""
    if name == "UTC":  # without the zone database, which a slim machine may not have
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def local_date(at_ms: int, zone: tzinfo) -> date:
    """The date on the clock of `zone` at an instant."""
    return (_EPOCH + at_ms * _MS).astimezone(zone).date()


def instant_ms(day: date, clock: str, zone: tzinfo) -> int:
    """When the clock of `zone` shows `clock` ("HH:MM") on `day`.

    A local time that is skipped is taken with the offset from before the gap, one that occurs twice
    is its first occurrence (RFC 5545, 3.3.5; both are `fold=0`).
    """
    local = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)
    return (local.astimezone(UTC) - _EPOCH) // _MS


def format_instant(at_ms: int, zone: str) -> str:
    """An instant on the clock of `zone`, to the minute: "Sat 14 Nov 2026 00:00 UTC"."""
    local = (_EPOCH + at_ms * _MS).astimezone(zone_named(zone))
    # Not strftime: its names of days and months follow the machine's locale.
    weekday = WEEKDAYS[local.weekday()].capitalize()
    month = MONTHS[3 * local.month - 3 : 3 * local.month]
    return f"{weekday} {local.day} {month} {local.year} {local:%H:%M} {local.tzname() or zone}"
