"""Durations as people write them, as integer milliseconds."""

from __future__ import annotations

import re

from skint.errors import USAGE, SkintError

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LONGEST_MS = 3_660 * DAY_MS
"""Ten years: more than that is a slip of the pen, and keeps every sum far inside 64 bits."""

_UNITS_MS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS, "ms": 1}
_SPELLINGS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "ms"),
}
_PART = re.compile(r"\s*([0-9]{1,12})(?:\.([0-9]{1,12}))?\s*([a-z]+)", re.IGNORECASE)
_WANTED = "a duration such as 2h, 90m, 1h30m, 1.5h or 10s"


class DurationError(SkintError):
    """The text is not a duration."""

    exit_code = USAGE


def parse_ms(text: str, *, where: str | None = None) -> int:
    """Milliseconds of `text`: "2h", "90m", "1h30m", "10 s", "1.5h", "0h".

    Units go from large to small and stand once each. Raises `DurationError`, which carries
    `where`, for anything else: no unit, a sign, a fraction of a millisecond, more than ten years.
    """

    def wrong(why: str, next: str | None = None) -> DurationError:
        return DurationError(
            f"this is not a duration: {why}", where=where, got=repr(text), wanted=_WANTED, next=next
        )

    if not isinstance(text, str):
        raise wrong("it is not text")
    stripped = text.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", stripped):
        raise wrong("it has no unit", next=f"{stripped}s, {stripped}m or {stripped}h")
    if stripped.startswith("-"):
        raise wrong("it is negative")
    total_ms, at, last_unit_ms = 0, 0, LONGEST_MS
    while at < len(stripped):
        part = _PART.match(stripped, at)
        if part is None:
            raise wrong(f"cannot read {stripped[at:]!r}")
        unit = _SPELLINGS.get(part[3].lower())
        if unit is None:
            raise wrong(f"unknown unit {part[3]!r}")
        if _UNITS_MS[unit] >= last_unit_ms:
            raise wrong(f"{part[3]!r} stands after a unit that is not larger")
        last_unit_ms = _UNITS_MS[unit]
        decimals = part[2] or ""
        part_ms, rest = divmod(int(part[1] + decimals) * last_unit_ms, 10 ** len(decimals))
        if rest:
            raise wrong("it is finer than a millisecond")
        total_ms += part_ms
        at = part.end()
    if at == 0:
        raise wrong("it is empty")
    if total_ms > LONGEST_MS:
        raise wrong("it is longer than ten years")
    return total_ms


def format_hours(ms: int) -> str:
    """Hours with two decimals, for tables: "1.50 h", "-0.25 h". Rounds half away from zero."""
    hundredths = (abs(ms) * 100 + HOUR_MS // 2) // HOUR_MS
    sign = "-" if ms < 0 and hundredths else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d} h"


def format_length(ms: int) -> str:
    """A round span in its largest units, nothing left out: "7 d", "1 d 12 h", "90 s"."""
    parts = []
    for unit, unit_ms in (("d", DAY_MS), ("h", HOUR_MS), ("min", MINUTE_MS), ("s", SECOND_MS)):
        count, ms = divmod(ms, unit_ms)
        if count:
            parts.append(f"{count} {unit}")
    if ms or not parts:
        parts.append(f"{ms} ms")
    return " ".join(parts)


def format_clock(ms: int) -> str:
    """Two units, for progress: "2 d 03 h", "1 h 04 min", "4 min 05 s", "12 s". Rounds down."""
    sign, ms = ("-" if ms < 0 else ""), abs(ms)
    if ms >= DAY_MS:
        return f"{sign}{ms // DAY_MS} d {ms % DAY_MS // HOUR_MS:02d} h"
    if ms >= HOUR_MS:
        return f"{sign}{ms // HOUR_MS} h {ms % HOUR_MS // MINUTE_MS:02d} min"
    if ms >= MINUTE_MS:
        return f"{sign}{ms // MINUTE_MS} min {ms % MINUTE_MS // SECOND_MS:02d} s"
    return f"{sign if ms >= SECOND_MS else ''}{ms // SECOND_MS} s"


def format_exact(ms: int) -> str:
    """To the millisecond: "1 h 30 min 00.250 s"; `parse_ms` reads it back when not negative."""
    sign, ms = ("-" if ms < 0 else ""), abs(ms)
    hours, minutes = ms // HOUR_MS, ms % HOUR_MS // MINUTE_MS
    seconds, rest = ms % MINUTE_MS // SECOND_MS, ms % SECOND_MS
    if hours:
        return f"{sign}{hours} h {minutes:02d} min {seconds:02d}.{rest:03d} s"
    if minutes:
        return f"{sign}{minutes} min {seconds:02d}.{rest:03d} s"
    return f"{sign}{seconds}.{rest:03d} s"
