"""Instants on the clock of this machine."""

from __future__ import annotations

from datetime import datetime

from budget.instant import MONTHS, WEEKDAYS

DAYS_OF_WEEK = 7


def local_time(at_ms: int) -> str:
    """ "Sat 21 Nov 2026 14:02"."""
    at = datetime.fromtimestamp(at_ms / 1000).astimezone()
    # Not strftime: its names of days and months follow the machine's locale.
    month = MONTHS[3 * at.month - 3 : 3 * at.month]
    return f"{WEEKDAYS[at.weekday()].capitalize()} {at.day} {month} {at.year} {at:%H:%M}"


def short_time(at_ms: int, now_ms: int) -> str:
    """ "14:02" of today, "Sat 14:02" within a week, else with the date."""
    at, now = (datetime.fromtimestamp(ms / 1000).astimezone() for ms in (at_ms, now_ms))
    if at.date() == now.date():
        return f"{at:%H:%M}"
    if abs(at.date() - now.date()).days < DAYS_OF_WEEK:
        return f"{WEEKDAYS[at.weekday()].capitalize()} {at:%H:%M}"
    return local_time(at_ms)
