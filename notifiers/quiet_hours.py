"""Hours of the day in which nobody is to be woken, on the clock of a zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def zone_of(name: str) -> tzinfo:
    """Raises ValueError for a zone that this machine does not know."""
    if name == "UTC":  # without the zone database, which a slim machine may not have
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def local_time(at_ms: int, zone: str) -> datetime:
    """An instant in milliseconds since 1970 UTC, on the clock of `zone`."""
    return (_EPOCH + at_ms * _MS).astimezone(zone_of(zone))


@dataclass(frozen=True)
class QuietHours:
    """From `start` (inside) to `end` (outside), the same every day; over midnight if `end` is
    earlier."""

    start: time
    end: time
    zone: str

    @classmethod
    def parse(cls, span: str, zone: str) -> QuietHours:
        """Of "22:00-07:00". Raises ValueError for another form, an empty span or no such zone."""
        found = _SPAN.fullmatch(span)
        if found is None:
            raise ValueError("quiet hours are written like 22:00-07:00")
        hours = [int(part) for part in found.groups()]
        start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        if start == end:
            raise ValueError("quiet hours that end when they begin are none")
        zone_of(zone)
        return cls(start, end, zone)

    def around(self, at_ms: int) -> tuple[int, int] | None:
        """Start and end, in milliseconds since 1970 UTC, of the quiet hours that hold an instant;
        None outside of them."""
        now = local_time(at_ms, self.zone)
        clock = now.time()
        over_midnight = self.end < self.start
        late = over_midnight and clock >= self.start
        early = clock < self.end and (over_midnight or clock >= self.start)
        if not (late or early):
            return None
        last_day = now.date() + timedelta(days=1) if late else now.date()
        first_day = last_day - timedelta(days=1) if over_midnight else last_day
        end_ms = self._instant_ms(last_day, self.end, fold=0)
        if end_ms <= at_ms:  # that hour comes twice today, and this is the second time
            end_ms = self._instant_ms(last_day, self.end, fold=1)
        return min(at_ms, self._instant_ms(first_day, self.start, fold=0)), end_ms

    def _instant_ms(self, day: date, clock: time, fold: int) -> int:
        local = datetime.combine(day, clock.replace(fold=fold), tzinfo=zone_of(self.zone))
        return (local.astimezone(UTC) - _EPOCH) // _MS

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"
