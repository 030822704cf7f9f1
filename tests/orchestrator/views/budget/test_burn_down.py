"""The hours of a window as a plot: what was spent, what is committed, what is to be expected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from budget.accounts.limit import UNLIMITED_MS, weekly
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger.balance import LimitBalance
from budget.windows import Window
from orchestrator.forecasts.forecasting import Queue
from orchestrator.views.budget.ahead import Dry
from orchestrator.views.budget.burn_down import Burn, drawn

START_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC."""
NOW_MS = START_MS + 3 * DAY_MS
END_MS = START_MS + 7 * DAY_MS

LIMIT = LimitBalance(
    account="lab",
    limit=weekly(30 * HOUR_MS),
    window=Window(START_MS, END_MS),
    amount_ms=30 * HOUR_MS,
    settled_ms=10 * HOUR_MS,
    in_flight_ms=0,
    reserved_ms=4 * HOUR_MS,
    next_gain_ms=END_MS,
)
BURN = Burn(
    limit=LIMIT,
    now_ms=NOW_MS,
    start_ms=START_MS,
    end_ms=END_MS,
    used=(
        (START_MS, 0),
        (START_MS + DAY_MS, 0),
        (START_MS + DAY_MS, 10 * HOUR_MS),
        (NOW_MS, 10 * HOUR_MS),
    ),
)


def styles(burn: Burn) -> set[str]:
    return {piece.style for line in drawn(burn, 80, 20, UTC) for piece in line}


def lines(burn: Burn, width: int = 80, height: int = 20) -> list[str]:
    return ["".join(piece.text for piece in line) for line in drawn(burn, width, height, UTC)]


def test_the_days_of_the_window_stand_below_and_the_hours_at_the_left() -> None:
    text = lines(BURN)
    assert {len(line) for line in text} == {80}
    days = "Sat 21 Sun 22 Mon 23 Tue 24 Wed 25 Thu 26 Fri 27 Sat 28"
    assert " ".join(text[-1].split()) == days
    assert any(line.startswith("30┤") for line in text)
    now = next(line for line in text if "●" in line)
    assert 0.35 < now.index("●") / 80 < 0.5, "three of seven days"


def test_with_nothing_queued_the_rate_so_far_goes_on() -> None:
    assert styles(BURN) >= {"settled", "allowed", "pace", "likely"}
    assert "range" not in styles(BURN)


def test_what_is_queued_has_a_range_and_what_is_reserved_a_line_of_its_own() -> None:
    queue = Queue(3, 5 * HOUR_MS, 8 * HOUR_MS, 12 * HOUR_MS, 8 * HOUR_MS, 0, DAY_MS)
    committed = ((NOW_MS, 10 * HOUR_MS), (NOW_MS + 4 * HOUR_MS, 14 * HOUR_MS))
    assert styles(replace(BURN, expected=queue, committed=committed)) >= {"range", "reserved"}


def test_where_it_runs_dry_is_marked_on_the_line_of_what_is_allowed() -> None:
    dry = Dry(END_MS, -HOUR_MS, at_ms=START_MS + 5 * DAY_MS, run="big-1", title="fold 3")
    (marked,) = [line for line in lines(replace(BURN, dry=dry)) if "▼" in line]
    assert 0.65 < marked.index("▼") / 80 < 0.8
    assert "▼" not in "".join(lines(BURN))


def test_an_unlimited_account_has_no_line_of_what_is_allowed() -> None:
    endless = replace(LIMIT, limit=replace(LIMIT.limit, amount_ms=UNLIMITED_MS))
    assert not styles(replace(BURN, limit=endless)) & {"allowed", "pace"}


def test_where_there_is_no_room_or_no_time_nothing_is_drawn() -> None:
    assert lines(BURN, width=20) == []
    assert lines(replace(BURN, end_ms=START_MS)) == []
