"""Until when a limit counts, in words. Pure."""

from __future__ import annotations

from budget.duration import format_clock, format_length
from budget.instant import format_instant
from budget.ledger.balance import LimitBalance
from budget.windows import Calendar, FirstUse, Lots, PerSession, Rolling


def window_words(limit: LimitBalance, now_ms: int) -> str:
    """For a head line: "week to Sat 28 Nov 2026 00:00 UTC (3 d 09 h)", "any 7 d", "a session"."""
    rule = limit.limit.window
    if isinstance(rule, Calendar):
        return f"{rule.every} to {_until(limit, limit.window.end_ms, now_ms)}"
    if isinstance(rule, Rolling):
        gain_ms = limit.next_gain_ms
        back = "" if gain_ms is None else f" · comes back from {_until(limit, gain_ms, now_ms)}"
        return f"any {format_length(rule.length_ms)}{back}"
    if isinstance(rule, FirstUse):
        if limit.next_gain_ms is None:
            return f"{format_length(rule.length_ms)} from the first use, which has yet to come"
        return (
            f"{format_length(rule.length_ms)} from the first use,"
            f" to {_until(limit, limit.next_gain_ms, now_ms)}"
        )
    if isinstance(rule, Lots):
        return "lots, nothing comes back by itself"
    if isinstance(rule, PerSession):
        return "each session anew"
    return "for good, nothing comes back"


def gain_words(limit: LimitBalance, now_ms: int) -> tuple[str, ...]:
    """When hours come back by themselves, from the longest to the shortest; empty if never."""
    gain_ms = limit.next_gain_ms
    if gain_ms is None or isinstance(limit.limit.window, PerSession):
        return ()
    verb = "comes back" if isinstance(limit.limit.window, Rolling) else "resets"
    weekday, day, month, _, *clock = format_instant(gain_ms, limit.limit.window.zone).split()
    at = " ".join(clock)
    left = f"in {format_clock(gain_ms - now_ms)}"
    return (
        f"{verb} {weekday} {day} {month} {at} ({left})",
        f"{verb} {weekday} {at} ({left})",
        f"{verb} {weekday} {at}",
        f"{verb.removeprefix('comes ')} {left}",
    )


def _until(limit: LimitBalance, at_ms: int, now_ms: int) -> str:
    at = format_instant(at_ms, limit.limit.window.zone)
    return f"{at} ({format_clock(at_ms - now_ms)})"
