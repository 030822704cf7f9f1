"""Parts that add up, and bars of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from budget.accounts.limit import UNLIMITED_MS, weekly
from budget.duration import HOUR_MS
from orchestrator.views.budget.budget_parts import MARKS, cells_of, parts_of, shown_parts
from tests.orchestrator.views.balances import limit_balance

AMOUNTS = st.integers(0, 60 * HOUR_MS)


@given(st.integers(0, 40 * HOUR_MS), st.tuples(*[AMOUNTS] * 5), st.integers(5, 200))
def test_a_bar_is_as_wide_as_asked_and_shows_every_part(
    amount_ms: int, taken: tuple[int, int, int, int, int], width: int
) -> None:
    settled, flying, reserved, foreign, kept = taken
    limit = limit_balance(
        amount_ms=amount_ms,
        settled_ms=settled,
        in_flight_ms=flying,
        reserved_ms=reserved,
        foreign_ms=foreign,
        kept_back_ms=kept,
    )
    cells = cells_of(limit, width)
    assert tuple(cells) == tuple(MARKS)
    assert sum(cells.values()) == width
    assert min(cells.values()) >= 0
    parts = parts_of(limit)
    assert sum(part.amount_ms for part in parts) == amount_ms
    assert all(cells[part.name] == 0 for part in parts[:-1] if part.amount_ms == 0)
    if settled:
        assert cells["settled"] >= 1


def test_a_quarter_used_fills_a_quarter() -> None:
    limit = limit_balance(
        amount_ms=40 * HOUR_MS,
        settled_ms=10 * HOUR_MS,
        in_flight_ms=1_000,
        reserved_ms=4 * HOUR_MS,
        kept_back_ms=2 * HOUR_MS,
    )
    assert cells_of(limit, 40) == {
        "settled": 10,
        "in flight": 1,
        "reserved": 4,
        "foreign": 0,
        "kept back": 2,
        "free": 23,
    }


def test_an_amount_without_limit_has_a_bar_that_is_never_full() -> None:
    limit = limit_balance(
        limit=weekly(UNLIMITED_MS), amount_ms=UNLIMITED_MS, settled_ms=1_000 * HOUR_MS
    )
    cells = cells_of(limit, 40)
    assert (cells["settled"], cells["free"]) == (10, 30)


def test_what_is_foreign_or_kept_back_is_named_only_where_there_is_some() -> None:
    limit = limit_balance(settled_ms=HOUR_MS)
    names = ("settled", "in flight", "reserved", "free")
    assert tuple(part.name for part in shown_parts(limit)) == names
    other = replace(limit, foreign_ms=1, kept_back_ms=1)
    assert [part.name for part in shown_parts(other)] == list(MARKS)


def test_every_part_has_a_mark_of_its_own() -> None:
    assert len(set(MARKS.values())) == len(MARKS)
