"""The budget on the dashboard, as a person sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import Ledger
from budget.windows import PerSession, Rolling
from orchestrator.dashboard.app import Dashboard
from orchestrator.home import Home
from tests.orchestrator.dashboard.screens import line_with, shown, watch
from tests.orchestrator.worlds import SATURDAY_MS

NOW_MS = SATURDAY_MS + 50 * HOUR_MS


def watched(
    folder: Path,
    write: Callable[[Ledger], object],
    look: Callable[[Dashboard], object],
    size: tuple[int, int] = (120, 40),
) -> None:
    with Ledger(folder / "ledger.db") as ledger:
        write(ledger)

    async def steps(app: Dashboard, pilot: Pilot[None]) -> None:
        look(app)

    watch(Home(folder), lambda: NOW_MS, steps, size=size)


def account(name: str, *limits: Limit, **fields: object) -> Account:
    return Account(name, "machine", "local", limits or (weekly(30 * HOUR_MS),), **fields)  # type: ignore[arg-type]


def test_foreign_and_kept_back_are_parts_of_the_bar_and_of_the_legend(tmp_path: Path) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("kaggle", keep_back_ms=3 * HOUR_MS), SATURDAY_MS)
        ledger.adjust("kaggle", 6 * HOUR_MS, "used", SATURDAY_MS, "used")
        ledger.reading("kaggle", id="r", used_ms=9 * HOUR_MS, at_ms=NOW_MS - HOUR_MS, now_ms=NOW_MS)

    def look(app: Dashboard) -> None:
        head, numbers = line_with(app, "18.00 h free of 30.00 h"), line_with(app, "settled 6.00 h")
        found = re.search(r"(█+)(▚+)(▤+)(░+) ", head)
        assert found
        settled, foreign, kept, free = (len(part) for part in found.groups())
        assert abs(settled - 2 * foreign) <= 2 and abs(foreign - kept) <= 1
        assert abs(free - 6 * kept) <= 6
        assert "foreign 3.00 h · kept back 3.00 h" in numbers
        assert "▚ foreign" in shown(app) and "▤ kept back" in shown(app)

    watched(tmp_path, write, look)


def test_parts_that_are_nothing_are_not_in_the_legend(tmp_path: Path) -> None:
    def look(app: Dashboard) -> None:
        assert "░ free" in shown(app)
        assert "foreign" not in shown(app) and "kept back" not in shown(app)

    watched(tmp_path, lambda ledger: ledger.add_account(account("lab"), SATURDAY_MS), look)


def test_a_sub_budget_stands_under_its_parent_and_the_parents_limits_stand_once(
    tmp_path: Path,
) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("lab"), SATURDAY_MS)
        ledger.add_account(account("lab2"), SATURDAY_MS)
        ledger.add_account(account("alpha", weekly(5 * HOUR_MS), parent="lab"), SATURDAY_MS)

    def look(app: Dashboard) -> None:
        heads = [line for line in shown(app).splitlines() if "free of" in line]
        names = [line.strip("│ ┃║▕▏").split()[0] for line in heads]
        assert names == ["lab", "alpha", "lab2"]
        assert heads[1].index("alpha") == heads[0].index("lab") + 2

    watched(tmp_path, write, look)


def test_every_window_says_when_hours_come_back_or_nothing(tmp_path: Path) -> None:
    def write(ledger: Ledger) -> None:
        rolling = Limit(40 * HOUR_MS, Rolling(7 * DAY_MS), "rolling")
        ledger.add_account(account("roll", rolling), SATURDAY_MS)
        ledger.adjust("roll", 7 * HOUR_MS, "used", NOW_MS - HOUR_MS, "used")
        ledger.add_account(preset("colab-paid", called="colab"), SATURDAY_MS)
        ledger.grant(
            "colab",
            id="g",
            amount_ms=100 * HOUR_MS,
            granted_ms=SATURDAY_MS,
            expires_ms=None,
            reason="bought",
            now_ms=SATURDAY_MS,
        )
        session = Limit(4 * HOUR_MS, PerSession(), "session")
        ledger.add_account(account("studio", weekly(9 * HOUR_MS), session), SATURDAY_MS)

    def look(app: Dashboard) -> None:
        assert "comes back Mon 30 Nov 01:00 UTC (in 6 d 23 h)" in line_with(app, "settled 7.00 h")
        assert "100.00 free of 100.00 credits" in line_with(app, "colab")
        assert "studio · weekly" in line_with(app, "9.00 h free of 9.00 h")
        assert "4.00 h" not in shown(app)
        colab = shown(app).splitlines()
        numbers = colab[next(at for at, line in enumerate(colab) if "colab" in line) + 1]
        assert "settled 0.00 credits" in numbers and "resets" not in numbers

    watched(tmp_path, write, look)


@pytest.mark.parametrize(("used_h", "words"), [(29, "nearly used up"), (31, "overdrawn by 1.00 h")])
def test_little_and_less_than_nothing_are_said_in_words(
    tmp_path: Path, used_h: int, words: str
) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("lab"), SATURDAY_MS)
        ledger.adjust("lab", used_h * HOUR_MS, "used", SATURDAY_MS, "used")

    watched(tmp_path, write, lambda app: line_with(app, words))
