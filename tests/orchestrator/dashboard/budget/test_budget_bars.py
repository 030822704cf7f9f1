"""The budget on the dashboard, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import Ledger
from budget.windows import PerSession, Rolling
from orchestrator.dashboard.budget.budget_bars import budget_lines
from orchestrator.dashboard.budget.outlook import Outlook
from orchestrator.dashboard.ink import text_of, width_of
from orchestrator.dashboard.reading.reading import limits_of
from orchestrator.dashboard.reading.snapshot import AccountBalance, Screen
from orchestrator.views.budget.ahead import Dry
from tests.orchestrator.worlds import SATURDAY_MS

NOW_MS = SATURDAY_MS + 50 * HOUR_MS


def budget(
    folder: Path, write: Callable[[Ledger], object], width: int = 140, dry: Dry | None = None
) -> list[str]:
    """The lines of a ledger, the head first; `dry` is said of each limit."""
    with Ledger(folder / "ledger.db") as ledger:
        write(ledger)
        balances = {
            one.name: AccountBalance(one, ledger.balance(one.name, NOW_MS))
            for one in ledger.accounts()
        }
        accounts = limits_of(ledger, balances, NOW_MS)
    ahead = {(one.account.name, one.limit.limit.name): dry for one in accounts if dry}
    lines = budget_lines(Screen(NOW_MS, accounts=accounts, outlook=Outlook(dry=ahead)), width)
    assert all(width_of(line) <= width for line in lines)
    return [text_of(line) for line in lines]


def account(name: str, *limits: Limit, **fields: object) -> Account:
    return Account(name, "machine", "local", limits or (weekly(30 * HOUR_MS),), **fields)  # type: ignore[arg-type]


def added(*accounts: Account) -> Callable[[Ledger], object]:
    return lambda ledger: [ledger.add_account(one, SATURDAY_MS) for one in accounts]


def test_foreign_and_kept_back_are_parts_of_the_bar_and_of_the_legend(tmp_path: Path) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("kaggle", keep_back_ms=3 * HOUR_MS), SATURDAY_MS)
        ledger.adjust("kaggle", 6 * HOUR_MS, "used", SATURDAY_MS, "used")
        ledger.reading("kaggle", id="r", used_ms=9 * HOUR_MS, at_ms=NOW_MS - HOUR_MS, now_ms=NOW_MS)

    head, line = budget(tmp_path, write, width=200)
    found = re.search(r"(█+)(▚+)(▤+)(░+) +9\.00 +0\.00 +18\.00 +30\.00 h +", line)
    assert found
    settled, foreign, kept, free = (len(part) for part in found.groups())
    assert abs(settled - 2 * foreign) <= 2 and abs(foreign - kept) <= 1
    assert abs(free - 6 * kept) <= 6
    assert "foreign 3.00 h" in line
    assert "▚ foreign ▤ kept back ░ free" in head
    (head, _) = budget(tmp_path / "other", added(account("lab")), width=200)
    assert "░ free" in head
    assert "foreign" not in head and "kept back" not in head, "where there is none"


def test_a_sub_budget_stands_under_its_parent_and_the_parents_limits_stand_once(
    tmp_path: Path,
) -> None:
    child = account("alpha", weekly(5 * HOUR_MS), parent="lab")
    lines = budget(tmp_path, added(account("lab"), account("lab2"), child))[1:]
    assert [line.split()[0] for line in lines] == ["lab", "alpha", "lab2"]
    assert lines[1].index("alpha") == lines[0].index("lab") + 2


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

    colab, roll, studio = budget(tmp_path, write)[1:]
    assert "comes back Mon 30 Nov 01:00 UTC (in 6 d 23 h)" in roll
    assert re.search(r"0\.00 +0\.00 +100\.00 +100\.00 cr", colab) and "resets" not in colab
    assert "studio · weekly" in studio and "4.00 h" not in studio
    assert budget(tmp_path / "narrow", write, width=80)[2].endswith("  back in 6 d 23 h")


@pytest.mark.parametrize(("used_h", "words"), [(29, "nearly used up"), (31, "overdrawn by 1.00 h")])
def test_little_and_less_than_nothing_are_said_in_words(
    tmp_path: Path, used_h: int, words: str
) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("lab"), SATURDAY_MS)
        ledger.adjust("lab", used_h * HOUR_MS, "used", SATURDAY_MS, "used")

    assert f"  {words} · resets Sat" in budget(tmp_path, write)[1]


def test_when_and_in_which_job_it_runs_dry_is_said_as_long_as_there_is_room(tmp_path: Path) -> None:
    dry = Dry(NOW_MS + 9 * HOUR_MS, -4 * HOUR_MS, NOW_MS + 7 * HOUR_MS, "wide-3", "fold 4 (5 of 5)")
    for width, words in (
        (160, "dry Mon 09:00 in wide-3 fold 4 (5 of 5); 4.00 h short"),
        (100, "dry Mon 09:00 in wide-3"),
        (80, "dry Mon 09:00"),
    ):
        line = budget(tmp_path / str(width), added(account("lab")), width, dry)[1]
        assert line.split("  ")[-1].strip() == words
    lasts = Dry(NOW_MS + 9 * HOUR_MS, 4 * HOUR_MS)
    line = budget(tmp_path / "lasts", added(account("lab")), 160, lasts)[1]
    assert "lasts: 4.00 h left when all has run, Mon 11:00" in line


def test_what_the_provider_said_too_long_ago_or_never_is_said_unless_hours_are_short(
    tmp_path: Path,
) -> None:
    def read(days: int, used_h: int = 5) -> Callable[[Ledger], object]:
        def write(ledger: Ledger) -> None:
            ledger.add_account(account("lab"), SATURDAY_MS - 9 * DAY_MS)
            at_ms = NOW_MS - days * DAY_MS
            ledger.reading("lab", id="r", used_ms=used_h * HOUR_MS, at_ms=at_ms, now_ms=NOW_MS)
            ledger.adjust("lab", used_h * HOUR_MS, "used", NOW_MS, "used")

        return write

    assert "read " not in budget(tmp_path / "fresh", read(1))[1]
    assert budget(tmp_path / "old", read(3))[1].endswith(" · read 3 d ago")
    assert budget(tmp_path / "narrow", read(3), 80)[1].endswith("  read 3 d ago")
    assert budget(tmp_path / "short", read(3, 31), 80)[1].endswith("  overdrawn by 1.00 h")
    kaggle = preset("kaggle-gpu", called="kaggle")
    assert budget(tmp_path / "kaggle", added(kaggle))[1].endswith(" · never read")


def test_less_than_an_hour_is_told_in_minutes_that_have_room(tmp_path: Path) -> None:
    def write(ledger: Ledger) -> None:
        ledger.add_account(account("lab", weekly(18 * 60_000)), SATURDAY_MS)
        ledger.adjust("lab", 800_000, "used", SATURDAY_MS, "used")

    for width in (80, 140):
        line = budget(tmp_path / str(width), write, width)[1]
        assert re.search(r" 13\.3 +0\.0 +4\.7 +18\.0 min ", line), line
