"""What `skint budget` says, read as text."""

from __future__ import annotations

import re
from dataclasses import replace

from budget.accounts.account import Account
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.ledger import Ledger
from budget.ledger.balance import Balance
from budget.windows import PerSession
from orchestrator.views.budget.budget_screen import WIDTH, account_screen
from tests.orchestrator.views.balances import NOW_MS, account, balance, limit_balance
from tests.orchestrator.worlds import SATURDAY_MS


def screen(made: Account, shown: Balance) -> list[str]:
    return account_screen(made, shown, (), NOW_MS).splitlines()


def line(lines: list[str], name: str) -> str:
    (found,) = [text for text in lines if text.startswith(f"  {name} ")]
    return found


def test_the_parts_stand_apart_and_the_free_one_is_a_bar() -> None:
    lines = screen(account(), balance(account(), used_h=6))
    assert lines[0] == "lab   week to Sat 28 Nov 2026 00:00 UTC (4 d 22 h)"
    assert line(lines, "settled") == f"  settled        6.00 h  {'█' * 8}"
    assert line(lines, "free") == f"  free          24.00 h  {'░' * 32}"
    assert line(lines, "of") == "  of            30.00 h"
    assert not [text for text in lines if "foreign" in text or "saved" in text]


def test_what_the_provider_counts_beyond_ours_is_foreign_and_both_figures_are_said() -> None:
    made = account(kind="provider", executor="kaggle", keep_back_ms=HOUR_MS)
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS)
        ledger.adjust("lab", 12 * HOUR_MS, "used", NOW_MS - 3 * HOUR_MS, "used")
        ledger.reading(
            "lab",
            id="r",
            used_ms=798 * MINUTE_MS,
            at_ms=NOW_MS - 125 * MINUTE_MS,
            now_ms=NOW_MS,
            allowed_ms=30 * HOUR_MS,
        )
        text = account_screen(made, ledger.balance("lab", NOW_MS), ledger.readings("lab"), NOW_MS)
    lines = text.splitlines()
    assert "(by others: the provider counts 13.30 h, skint 12.00 h by then)" in line(
        lines, "foreign"
    )
    assert re.match(r"  foreign +1\.30 h  ▚+  ", line(lines, "foreign"))
    assert "1.00 h" in line(lines, "kept back") and "never given out" in line(lines, "kept back")
    assert "15.70 h" in line(lines, "free")
    assert line(lines, "reading").endswith(
        "Sun 22 Nov 2026 23:55 UTC (2 h 05 min ago, manual): used 13.30 h of 30.00 h"
    )


def test_a_reading_of_an_earlier_window_is_shown_as_that() -> None:
    made = account()
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS - 8 * DAY_MS)
        ledger.reading(
            "lab", id="r", used_ms=HOUR_MS, at_ms=SATURDAY_MS - HOUR_MS, now_ms=SATURDAY_MS
        )
        text = account_screen(made, ledger.balance("lab", NOW_MS), ledger.readings("lab"), NOW_MS)
    assert "in an earlier window: it no longer counts" in text
    assert "foreign" not in text


def test_a_negative_rest_is_said_in_words() -> None:
    """Edge 30: a negative rest is shown, not cut off."""
    lines = screen(account(), balance(account(), used_h=31))
    assert "-1.00 h" in line(lines, "free")
    assert "overdrawn by 1.00 h: nothing new starts until hours come back" in line(lines, "free")


def test_credits_are_credits_and_lots_have_their_expiry() -> None:
    made = replace(preset("colab-paid"), name="lab")
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS)
        ledger.grant(
            "lab",
            id="g",
            amount_ms=100 * HOUR_MS,
            granted_ms=SATURDAY_MS,
            expires_ms=SATURDAY_MS + 90 * DAY_MS,
            reason="bought",
            now_ms=SATURDAY_MS,
        )
        ledger.adjust("lab", HOUR_MS // 4, "used", NOW_MS, "u")
        text = account_screen(
            made, ledger.balance("lab", NOW_MS), (), NOW_MS, lots=ledger.lots("lab")
        )
    lines = text.splitlines()
    assert re.match(r"  free +99\.75 credits  ░+$", line(lines, "free"))
    assert line(lines, "lot").endswith("expires Fri 19 Feb 2027 00:00 UTC (87 d 22 h): bought")
    assert " h  " not in text
    bars = [text.index(mark) - text.rindex("\n", 0, text.index(mark)) for mark in "█░"]
    assert bars[0] == bars[1]  # a long amount widens the column for all


def test_an_expired_lot_is_not_shown() -> None:
    made = replace(preset("colab-paid"), name="lab")
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS)
        ledger.grant(
            "lab",
            id="g",
            amount_ms=HOUR_MS,
            granted_ms=SATURDAY_MS,
            expires_ms=NOW_MS,
            reason="bought",
            now_ms=SATURDAY_MS,
        )
        shown = ledger.balance("lab", NOW_MS)
        assert "bought" not in account_screen(made, shown, (), NOW_MS, lots=ledger.lots("lab"))


def test_what_is_assumed_simulated_or_best_effort_says_so() -> None:
    guess = replace(weekly(30 * HOUR_MS), assumed=True)
    made = account(guess, kind="simulated", best_effort=True)
    lines = screen(made, balance(made))
    assert lines[0].endswith("(simulated)  (best effort)")
    assert line(lines, "of").endswith("assumed: the provider publishes no figure")


def test_without_limit_there_is_no_bar() -> None:
    made = account(weekly(UNLIMITED_MS))
    lines = screen(made, balance(made, used_h=5))
    assert line(lines, "free") == "  free        unlimited"
    assert line(lines, "settled") == "  settled        5.00 h"


def test_an_amount_of_minutes_is_shown_in_minutes() -> None:
    made = replace(preset("zerogpu-free"), name="lab")
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS)
        ledger.adjust("lab", 30_000, "used", NOW_MS, "u")
        lines = screen(made, ledger.balance("lab", NOW_MS))
    assert line(lines, "settled").startswith("  settled          30 s  █")
    assert line(lines, "free").startswith("  free       3 min 00 s  ░")
    assert line(lines, "of") == "  of         3 min 30 s"


def test_several_limits_have_their_names_and_a_session_has_no_bar() -> None:
    made = account(weekly(30 * HOUR_MS), Limit(4 * HOUR_MS, PerSession(), "per-session"))
    lines = screen(made, balance(made))
    assert lines[0].startswith("lab · weekly   week to ")
    assert "lab · per-session   each session anew" in lines
    assert line(lines, "at most") == "  at most        4.00 h"


def test_a_sub_budget_says_when_its_parent_has_less() -> None:
    parent, part = account(weekly(3 * HOUR_MS)), account(name="thesis", parent="lab")
    shown = balance(parent, part, of="thesis", used_h=1)
    lines = screen(part, shown)
    assert lines[0].startswith("thesis   week to ") and lines[0].endswith("(part of lab)")
    assert "29.00 h" in line(lines, "free")
    assert line(lines, "at most") == "  at most        2.00 h  lab has no more than this free"
    assert len([text for text in lines if " settled " in text]) == 1


def test_hours_saved_are_told_by_kind() -> None:
    made = account()
    with Ledger(":memory:") as ledger:
        ledger.add_account(made, SATURDAY_MS)
        for number, (kind, hours) in enumerate((("cache", 2), ("early-stop", 3), ("cache", 1))):
            ledger.book_saving(
                f"s{number}", "lab", "run/", kind, hours * HOUR_MS, "because", NOW_MS
            )
        text = account_screen(made, ledger.balance("lab", NOW_MS), (), NOW_MS)
    assert line(text.splitlines(), "saved") == (
        "  saved          6.00 h  3.00 h by early stops · 3.00 h by cache"
    )


def test_a_forecast_is_the_last_line_where_there_is_one() -> None:
    made = account()
    assert screen(made, balance(made, used_h=20))[-1] == (
        "  forecast    at 9.60 h a day, as so far, nothing is left from Tue 24 Nov 2026 03:00 UTC"
    )
    assert screen(made, balance(made))[-1].startswith("  of ")


def test_exact_figures_add_up() -> None:
    shown = balance(account(), used_h=6)
    text = account_screen(account(), shown, (), NOW_MS, exact=True)
    assert "6 h 00 min 00.000 s" in text and "24 h 00 min 00.000 s" in text


def test_a_bar_is_never_wider_than_its_place() -> None:
    over = limit_balance(settled_ms=90 * HOUR_MS)
    text = account_screen(account(), Balance("lab", (over,)), (), NOW_MS)
    assert "█" * WIDTH in text and "█" * (WIDTH + 1) not in text
