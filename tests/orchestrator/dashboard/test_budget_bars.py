"""Bars that add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from budget.balance import LimitBalance
from budget.limit import weekly
from budget.windows.base import NoUsage
from orchestrator.dashboard.budget_bars import cells_of
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS

AMOUNTS = st.integers(0, 60 * HOUR_MS)


@given(st.integers(0, 40 * HOUR_MS), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.integers(4, 200))
def test_a_bar_is_as_wide_as_asked_and_shows_every_part(
    limit_ms: int, settled: int, flying: int, reserved: int, foreign: int, width: int
) -> None:
    limit = weekly(limit_ms)
    window = limit.window.window_at(SATURDAY_MS, NoUsage())
    cells = cells_of(LimitBalance(limit, window, settled, flying, reserved, foreign), width)
    assert sum(cells.values()) == width
    assert min(cells.values()) >= 0
    amounts = {"settled": settled, "in flight": flying, "reserved": reserved, "foreign": foreign}
    assert all(cells[name] == 0 for name, ms in amounts.items() if ms == 0)
    if settled:
        assert cells["settled"] >= 1


def test_a_quarter_used_fills_a_quarter() -> None:
    limit = weekly(40 * HOUR_MS)
    window = limit.window.window_at(SATURDAY_MS, NoUsage())
    balance = LimitBalance(limit, window, 10 * HOUR_MS, 1_000, 4 * HOUR_MS)
    assert cells_of(balance, 40) == {
        "settled": 10,
        "in flight": 1,
        "reserved": 4,
        "foreign": 0,
        "free": 25,
    }
