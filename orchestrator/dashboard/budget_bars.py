"""The budget of each account: a bar, and the same in numbers."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.widgets import Static

from budget.ledger.balance import LimitBalance
from orchestrator.dashboard.snapshot import AccountLimit, Screen
from orchestrator.views.budget_parts import ALWAYS, MARKS, cells_of, shown_amount, shown_parts
from orchestrator.views.windows import gain_words

LOW_SHARE = 0.1
"""Less than this left is said in words."""
NAME_CELLS = 24
NO_ACCOUNTS = "no accounts yet · add one: skint account add NAME --preset simulated"


class BudgetBars(Static):
    """Two lines for each limit of each account; `show` redraws them if they have changed."""

    STYLES: ClassVar[dict[str, str]] = {
        "settled": "primary",
        "in flight": "success",
        "reserved": "warning",
        "foreign": "secondary",
        "kept back": "panel-lighten-3",
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
            line for shown in screen.accounts for line in self._drawn(shown, screen.now_ms, width)
        ]
        text = Text("\n").join(lines) if lines else Text(NO_ACCOUNTS, style="italic")
        if text == self._shown and text.spans == self._shown.spans:
            return
        self._shown = text
        self.update(text)
        named = {part.name for shown in screen.accounts for part in shown_parts(shown.limit)}
        self.border_subtitle = " ".join(
            f"{mark} {name}"
            for name, mark in MARKS.items()
            if lines and (name in ALWAYS or name in named)
        )

    def _drawn(self, shown: AccountLimit, now_ms: int, width: int) -> tuple[Text, Text]:
        account, limit = shown.account, shown.limit
        kind = " (simulated)" if account.kind == "simulated" else ""
        name = "  " * shown.depth + _name(shown)
        if len(name + kind) > NAME_CELLS:
            name = f"{name[: NAME_CELLS - len(kind) - 1]}…"
        share = _share(limit)
        cells = max(4, width - NAME_CELLS - 1 - len(share) - 1)
        head = Text.assemble((name, "bold"), kind)
        head.pad_right(NAME_CELLS + 1 - head.cell_len)
        for part, count in cells_of(limit, cells).items():
            head.append(MARKS[part] * count, self._colour(part))
        head.append(f" {share}", "bold" if limit.free_ms > 0 else f"bold {self._colour('free')}")
        return head, Text(_numbers(limit, now_ms, width), style="dim", no_wrap=True)

    def _colour(self, part: str) -> str:
        return self.app.theme_variables[self.STYLES[part]]


def _name(shown: AccountLimit) -> str:
    if len(shown.account.limits) == 1:
        return shown.account.name
    return f"{shown.account.name} · {shown.limit.limit.name}"


def _share(limit: LimitBalance) -> str:
    if limit.limit.unlimited:
        return "unlimited"
    free, whole = (shown_amount(ms, limit) for ms in (limit.free_ms, limit.amount_ms))
    if limit.unit == "credit":
        free = free.removesuffix(" credits")
    return f"{free} free of {whole}{' assumed' if limit.limit.assumed else ''}"


def _numbers(limit: LimitBalance, now_ms: int, width: int) -> str:
    parts = [
        f"{part.name} {shown_amount(part.amount_ms, limit)}"
        for part in shown_parts(limit)
        if part.name != "free"
    ]
    if limit.free_ms < 0:
        parts.insert(0, f"overdrawn by {shown_amount(-limit.free_ms, limit)}")
    elif limit.free_ms < LOW_SHARE * limit.amount_ms:
        parts.insert(0, "nearly used up")
    lines = ["  " + " · ".join([*parts, words]) for words in gain_words(limit, now_ms)]
    lines.append("  " + " · ".join(parts))
    return next((line for line in lines if len(line) <= width), lines[0 if len(lines) == 1 else -2])
