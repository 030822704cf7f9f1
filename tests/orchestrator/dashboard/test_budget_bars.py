"""Bars that add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from budget.account import WeeklyLimit
from budget.balance import LimitBalance
from budget.window import window_at
from orchestrator.dashboard.budget_bars import cells_of
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS

AMOUNTS = st.integers(0, 60 * HOUR_MS)


@given(st.integers(0, 40 * HOUR_MS), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.integers(4, 200))
def test_a_bar_is_as_wide_as_asked_and_shows_every_part(
    limit_ms: int, settled: int, flying: int, reserved: int, foreign: int, width: int
) -> None:
    limit = WeeklyLimit(limit_ms)
    window = window_at(limit, SATURDAY_MS)
    cells = cells_of(LimitBalance(limit, window, settled, flying, reserved, foreign), width)
    assert sum(cells.values()) == width
    assert min(cells.values()) >= 0
    amounts = {"settled": settled, "in flight": flying, "reserved": reserved, "foreign": foreign}
    assert all(cells[name] == 0 for name, ms in amounts.items() if ms == 0)
    if settled:
        assert cells["settled"] >= 1


def test_a_quarter_used_fills_a_quarter() -> None:
    limit = WeeklyLimit(40 * HOUR_MS)
    window = window_at(limit, SATURDAY_MS)
    balance = LimitBalance(limit, window, 10 * HOUR_MS, 1_000, 4 * HOUR_MS)
    assert cells_of(balance, 40) == {
        "settled": 10,
        "in flight": 1,
        "reserved": 4,
        "foreign": 0,
        "free": 25,
    }
