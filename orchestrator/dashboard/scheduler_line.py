"""The first line: whether a scheduler runs, what is held, and how old all this is. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from budget.duration import format_clock
from orchestrator.dashboard.ink import Line, Piece, justified, width_of
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.views.words.hold import what_is_held, where_held

STALE_AFTER_MS = 5_000
QUIET_AFTER_MS = 60_000
"""Without a scheduler, the time of the last event is worth saying after so long."""


def scheduler_words(screen: Screen, *, read_only: bool) -> str:
    """What is known of the scheduler, and the key that starts one."""
    if screen.scheduler_pid is not None:
        return f"scheduler runs (pid {screen.scheduler_pid})"
    attempts = sum(len(run.live_attempts) for run in screen.live)
    meanwhile = ""
    if attempts:
        meanwhile = f": {'1 job goes' if attempts == 1 else f'{attempts} jobs go'} on"
    elif screen.live:
        meanwhile = ": nothing starts"
    quiet_ms = screen.now_ms - screen.events[-1].at_ms if screen.events else 0
    if screen.live and quiet_ms > QUIET_AFTER_MS:
        meanwhile += f", last seen {format_clock(quiet_ms)} ago"
    return f"no scheduler runs{meanwhile}{'' if read_only else ' · g starts one'}"


def scheduler_line(
    screen: Screen, now_ms: int, zone: tzinfo | None, width: int, *, read_only: bool
) -> Line:
    """`now_ms` is later than the screen's where reading takes long or fails."""
    alive = screen.scheduler_pid is not None
    left: list[Piece] = [
        (" skint", "bold accent"),
        (" read-only" if read_only else "", "bold attention"),
        ("  ", ""),
        ("● " if alive else "○ ", "good" if alive else "bold attention"),
        (scheduler_words(screen, read_only=read_only), "" if alive else "attention"),
    ]
    age_ms = now_ms - screen.now_ms
    if screen.now_ms and age_ms > STALE_AFTER_MS:
        left.append((f" · seen {format_clock(age_ms)} ago", "bold attention"))
    if screen.trouble:
        left.append((f" · cannot read: {screen.trouble}", "bold bad"))
    at = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(zone)
    clock = f"{at:%a %H:%M:%S %Z} "
    if screen.state.holds:
        room = width - width_of(left) - len(clock) - 1
        left.append((_held(screen, room, read_only=read_only), "bold attention"))
    return justified(left, ((clock, "dim"),), width)


def _held(screen: Screen, room: int, *, read_only: bool) -> str:
    """The longest words that fit; the shortest where none do."""
    first, *others = screen.state.holds
    more = f" and {len(others)} more" if others else ""
    ends = "" if read_only else " · h ends it"
    held = f" · held: no new job starts {what_is_held(first.account, first.lane)}{more}"
    short = f" · held {where_held(first.account, first.lane)}{more}"
    candidates = (held + ends, held, short + ends, short, " · held")
    return next((words for words in candidates if len(words) <= room), candidates[-1])
