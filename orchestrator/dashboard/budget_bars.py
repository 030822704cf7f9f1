"""The budget of each account: a bar, and the same in numbers."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.widgets import Static

from budget.account import Account
from budget.balance import LimitBalance
from budget.duration import format_clock, format_hours
from budget.instant import format_instant
from orchestrator.dashboard.snapshot import Screen

LOW_SHARE = 0.1
"""Less than this left is said in words."""
NAME_CELLS = 24
NO_ACCOUNTS = "no accounts yet · add one: skint account add NAME --preset simulated"

MARKS = {"settled": "█", "in flight": "▓", "reserved": "▒", "foreign": "▚", "free": "░"}
"""A part of a bar is told by its mark as well as by its colour."""


class BudgetBars(Static):
    """Two lines for each limit of each account; `show` redraws them if they have changed."""

    STYLES: ClassVar[dict[str, str]] = {
        "settled": "primary",
        "in flight": "success",
        "reserved": "warning",
        "foreign": "secondary",
        "free": "panel-lighten-2",
    }

    def __init__(self) -> None:
        super().__init__(id="budget")
        self._screen: Screen | None = None
        self._shown: Text | None = None

    def on_mount(self) -> None:
        self.border_title = "Budget"

    def on_resize(self) -> None:
        if self._screen is not None:
            self.show(self._screen)

    def show(self, screen: Screen) -> None:
        self._screen = screen
        width = max(20, self.content_size.width or self.app.size.width - 4)
        lines = [
            line
            for account, limit in screen.accounts
            for line in self._drawn(account, limit, screen.now_ms, width)
        ]
        text = Text("\n").join(lines) if lines else Text(NO_ACCOUNTS, style="italic")
        if text == self._shown and text.spans == self._shown.spans:
            return
        self._shown = text
        self.update(text)
        foreign = any(limit.foreign_ms for _, limit in screen.accounts)
        self.border_subtitle = " ".join(
            f"{mark} {name}"
            for name, mark in MARKS.items()
            if lines and (name != "foreign" or foreign)
        )

    def _drawn(
        self, account: Account, limit: LimitBalance, now_ms: int, width: int
    ) -> tuple[Text, Text]:
        kind = " (simulated)" if account.kind == "simulated" else ""
        name = account.name
        if len(name + kind) > NAME_CELLS:
            name = f"{name[: NAME_CELLS - len(kind) - 1]}…"
        share = f"{format_hours(limit.free_ms)} free of {format_hours(limit.amount_ms)}"
        cells = max(4, width - NAME_CELLS - 1 - len(share) - 1)
        head = Text.assemble((name, "bold"), kind)
        head.pad_right(NAME_CELLS + 1 - head.cell_len)
        for part, count in cells_of(limit, cells).items():
            head.append(MARKS[part] * count, self._colour(part))
        head.append(f" {share}", "bold" if limit.free_ms > 0 else f"bold {self._colour('free')}")
        return head, Text(_numbers(limit, now_ms, width), style="dim", no_wrap=True)

    def _colour(self, part: str) -> str:
        return self.app.theme_variables[self.STYLES[part]]


def cells_of(limit: LimitBalance, width: int) -> dict[str, int]:
    """Cells of each part of a bar: never none for a part that is not zero, and `width` in all."""
    amounts = {
        "settled": limit.settled_ms,
        "in flight": limit.in_flight_ms,
        "reserved": limit.reserved_ms,
        "foreign": limit.foreign_ms,
    }
    whole = max(limit.amount_ms, sum(amounts.values()), 1)
    cells = {}
    left = width
    for name, amount_ms in amounts.items():
        cells[name] = min(left, max(round(width * amount_ms / whole), 1 if amount_ms > 0 else 0))
        left -= cells[name]
    return {**cells, "free": left}


def _numbers(limit: LimitBalance, now_ms: int, width: int) -> str:
    parts = [
        f"settled {format_hours(limit.settled_ms)}",
        f"in flight {format_hours(limit.in_flight_ms)}",
        f"reserved {format_hours(limit.reserved_ms)}",
    ]
    if limit.foreign_ms:
        parts.append(f"foreign {format_hours(limit.foreign_ms)}")
    if limit.free_ms < 0:
        parts.insert(0, f"overdrawn by {format_hours(-limit.free_ms)}")
    elif limit.free_ms < LOW_SHARE * limit.amount_ms:
        parts.insert(0, "nearly used up")
    weekday, day, month, _, *time = format_instant(limit.window.end_ms, limit.limit.window.zone).split()
    at = " ".join(time)
    left = f"in {format_clock(limit.window.end_ms - now_ms)}"
    resets = [
        f"resets {weekday} {day} {month} {at} ({left})",
        f"resets {weekday} {at} ({left})",
        f"resets {weekday} {at}",
        f"resets {left}",
    ]
    lines = ["  " + " · ".join([*parts, words]) for words in resets]
    return next((line for line in lines if len(line) <= width), lines[-1])
