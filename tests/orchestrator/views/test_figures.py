from __future__ import annotations

import pytest

from orchestrator.views.figures import amount, decimals_of, figure, mean_and_spread, shown, to_go
from orchestrator.views.run.training import Eta

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.87123, "0.871"),
        (0.0, "0.000"),
        (12.34, "12.34"),
        (1.0, "1.000"),
        (60.0, "60"),
        (0.0000123, "1.23e-05"),
        (123456.0, "123456"),
        (12345678.0, "1.23e+07"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_a_metric_is_said_with_as_many_decimals_as_say_something(value: float, said: str) -> None:
    assert figure(value) == said


def test_a_spread_is_said_only_when_there_is_one() -> None:
    assert mean_and_spread(0.904, 0.0061) == "0.904 ± 0.006"
    assert mean_and_spread(0.904, None) == "0.904"
    assert mean_and_spread(60.25, 1.5) == "60.25 ± 1.50"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.5, 0.9, 1.0), ["0.5000", "0.9000", "1.0000"]),
        ((60.0, 7.0), ["60", "7"]),
        ((60.5, 7.0), ["60.5", "7.0"]),
        ((60.12345, 7.0), ["60.123", "7.000"]),
        ((2.34567, 0.00012), ["2.3457", "0.00012"]),
        ((1234.5678, float("nan")), ["1234.6", "nan"]),
        ((), []),
    ],
)
def test_numbers_side_by_side_have_the_same_decimals_and_none_that_no_one_needs(
    values: tuple[float, ...], said: list[str]
) -> None:
    assert [shown(value, decimals_of(values)) for value in values] == said


def test_less_than_six_minutes_are_not_said_in_hours() -> None:
    assert amount(150_000) == "2 min 30 s"
    assert amount(6 * MINUTE_MS) == "0.10 h"
    assert amount(2 * HOUR_MS) == "2.00 h"


@pytest.mark.parametrize(
    ("eta", "said"),
    [
        (Eta(6_120_000, 6_840_000, 7_920_000), "1.9 h to go (1.7–2.2)"),
        (Eta(12 * MINUTE_MS, 12 * MINUTE_MS, 12 * MINUTE_MS), "12 min to go"),
        (Eta(50_000, 61_000, 190_000), "2 min to go (1–4)"),
        (Eta(30_000, 40_000, 40_000), "40 s to go (30–40)"),
        (Eta(0, 0, 0), "0 s to go"),
    ],
)
def test_time_to_go_is_a_range_in_the_unit_of_the_likely_time(eta: Eta, said: str) -> None:
    assert to_go(eta) == said
