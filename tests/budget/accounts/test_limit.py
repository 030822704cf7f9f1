from __future__ import annotations

from typing import Any

import pytest

from budget.accounts.definition import AccountError
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.duration import HOUR_MS
from budget.windows import Calendar, Rolling, Unbounded


def test_a_weekly_limit_is_a_calendar_of_weeks() -> None:
    limit = weekly(30 * HOUR_MS, "sun", "02:30", "America/New_York", name="mine")
    window = Calendar("week", "sun", "02:30", "America/New_York")
    assert limit == Limit(30 * HOUR_MS, window, "mine")
    assert weekly(0).window == Calendar("week", "sat", "00:00", "UTC")


def test_nothing_and_unlimited_are_amounts() -> None:
    """Edge 30: a cap of nothing, and none at all."""
    assert not Limit(0, Unbounded()).unlimited
    assert not Limit(UNLIMITED_MS - 1, Unbounded()).unlimited
    assert Limit(UNLIMITED_MS, Unbounded()).unlimited


@pytest.mark.parametrize("assumed", [True, False])
def test_a_limit_comes_back_from_its_fields(assumed: bool) -> None:
    limit = Limit(5, Rolling(7), "a-name", assumed)
    assert Limit.from_fields(limit.to_fields()) == limit


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_ms": -1},
        {"amount_ms": 1.5},
        {"amount_ms": True},
        {"amount_ms": "30h"},
        {"amount_ms": UNLIMITED_MS + 1},
        {"name": ""},
        {"name": "two words"},
        {"name": "Weekly"},
        {"name": "a" * 33},
        {"name": None},
        {"assumed": 1},
    ],
)
def test_a_limit_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"amount_ms": HOUR_MS, "window": Unbounded(), "name": "grant"}
    Limit(**right)
    with pytest.raises(AccountError) as caught:
        Limit(**{**right, **wrong})
    assert caught.value.exit_code == 2
    assert caught.value.got


def test_a_limit_from_fields_that_are_none_is_refused() -> None:
    right = weekly(HOUR_MS).to_fields()
    wrongs: tuple[object, ...] = (None, [], {}, {**right, "colour": "red"}, {**right, "window": 7})
    for wrong in wrongs:
        with pytest.raises(AccountError):
            Limit.from_fields(wrong)
