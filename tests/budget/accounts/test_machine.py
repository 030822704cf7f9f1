from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.accounts.definition import AccountError
from budget.accounts.machine import Machine, Metering, Session


@pytest.mark.parametrize(
    ("meter", "duration_ms", "billed_ms"),
    [
        (Metering(), 0, 0),
        (Metering(), 1, 1),
        (Metering(granularity_ms=60_000), 0, 0),
        (Metering(granularity_ms=60_000), 1, 60_000),
        (Metering(granularity_ms=60_000), 60_000, 60_000),
        (Metering(granularity_ms=60_000), 60_001, 120_000),
        (Metering(minimum_ms=900_000), 0, 900_000),
        (Metering(minimum_ms=900_000), 400, 900_000),
        (Metering(minimum_ms=900_000), 900_001, 900_001),
        (Metering(granularity_ms=60_000, minimum_ms=90_000), 1, 90_000),
        (Metering(granularity_ms=60_000, minimum_ms=90_000), 61_000, 120_000),
    ],
)
def test_a_session_is_billed_in_whole_steps_and_at_least_the_minimum(
    meter: Metering, duration_ms: int, billed_ms: int
) -> None:
    """Edge 28: no time at all, less than a second, a minute begun, a minimum charge."""
    assert meter.billed_ms(duration_ms) == billed_ms


@given(st.integers(1, 5_000), st.integers(0, 20_000), st.integers(0, 100_000))
def test_the_longest_session_is_the_longest_that_can_be_paid(
    granularity_ms: int, minimum_ms: int, paid_ms: int
) -> None:
    meter = Metering(granularity_ms, minimum_ms)
    longest_ms = meter.longest_ms(paid_ms)
    assert longest_ms == 0 or meter.billed_ms(longest_ms) <= paid_ms
    assert meter.billed_ms(longest_ms + 1) > paid_ms


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_milli": 0},
        {"rate_milli": -5},
        {"rate_milli": 1.5},
        {"rate_milli": 10**9},
        {"devices": -1},
        {"devices": True},
        {"name": ""},
        {"name": "T4 x2"},
    ],
)
def test_a_machine_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"name": "T4", "rate_milli": 1_000, "devices": 2}
    Machine(**right)
    with pytest.raises(AccountError):
        Machine(**{**right, **wrong})


@pytest.mark.parametrize("wrong", [{"max_ms": 0}, {"concurrent": 0}, {"idle_ms": -1}])
def test_a_session_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    Session(1, 1, 1)
    with pytest.raises(AccountError):
        Session(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"granularity_ms": 0},
        {"minimum_ms": -1},
        {"starts": "whenever"},
        {"stops": ""},
        {"rate_source": "hearsay"},
    ],
)
def test_a_meter_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AccountError):
        Metering(**wrong)
