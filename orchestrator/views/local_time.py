"""Instants on the clock of this machine."""

from __future__ import annotations

from datetime import datetime

from budget.instant import MONTHS, WEEKDAYS


def local_time(at_ms: int) -> str:
    """ "Sat 21 Nov 2026 14:02"."""
    at = datetime.fromtimestamp(at_ms / 1000).astimezone()
    # Not strftime: its names of days and months follow the machine's locale.
    month = MONTHS[3 * at.month - 3 : 3 * at.month]
    return f"{WEEKDAYS[at.weekday()].capitalize()} {at.day} {month} {at.year} {at:%H:%M}"
