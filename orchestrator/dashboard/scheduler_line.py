"""The first line: whether a scheduler runs, and how old what is shown is."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from rich.text import Text
from textual.widgets import Static

from budget.duration import format_clock
from orchestrator.dashboard.snapshot import Screen

STALE_AFTER_MS = 5_000


def scheduler_words(screen: Screen, *, read_only: bool) -> str:
    """What is known of the scheduler, and the key that starts one."""
    if screen.scheduler_pid is not None:
        return f"scheduler runs (pid {screen.scheduler_pid})"
    attempts = sum(attempt.live for run in screen.live for attempt in run.attempts.values())
    meanwhile = ""
    if attempts:
        meanwhile = f": {'1 job goes' if attempts == 1 else f'{attempts} jobs go'} on"
    elif screen.live:
        meanwhile = ": nothing starts"
    return f"no scheduler runs{meanwhile}{'' if read_only else '; s starts one'}"


class SchedulerLine(Static):
    def __init__(self, zone: tzinfo | None, *, read_only: bool) -> None:
        super().__init__(id="scheduler")
        self._zone = zone
        self._read_only = read_only

    def show(self, screen: Screen, now_ms: int) -> None:
        """`now_ms` is later than the screen's where reading takes long or fails."""
        variables = self.app.theme_variables
        alive = screen.scheduler_pid is not None
        colour = variables["success" if alive else "warning"]
        text = Text.assemble(
            ("skint", "bold"),
            " (read-only)   " if self._read_only else "   ",
            ("● " if alive else "○ ", colour),
            scheduler_words(screen, read_only=self._read_only),
        )
        age_ms = now_ms - screen.now_ms
        if screen.now_ms and age_ms > STALE_AFTER_MS:
            text.append(f"   seen {format_clock(age_ms)} ago", variables["warning"])
        if screen.trouble:
            text.append(f"   cannot read: {screen.trouble}", variables["error"])
        at = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(self._zone)
        clock = f"{at:%a %H:%M:%S %Z}"
        room = (self.size.width or self.app.size.width) - 2 - len(clock) - 1
        text.truncate(max(0, room), overflow="ellipsis", pad=True)
        text.append(f" {clock}", "dim")
        self.update(text)
