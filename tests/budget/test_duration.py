from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.duration import (
    LONGEST_MS,
    DurationError,
    format_clock,
    format_exact,
    format_hours,
    parse_ms,
)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2h", 7_200_000),
        ("90m", 5_400_000),
        ("1h30m", 5_400_000),
        ("1 h 30 min", 5_400_000),
        ("10 s", 10_000),
        ("1.5h", 5_400_000),
        ("0.1 s", 100),
        ("250ms", 250),
        ("2 days", 172_800_000),
        (" 1H ", 3_600_000),
        ("0h", 0),
    ],
)
def test_reads_what_people_write(text: str, ms: int) -> None:
    assert parse_ms(text) == ms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("90", "it has no unit"),
        ("-2h", "it is negative"),
        ("2x", "unknown unit 'x'"),
        ("2h -3m", "cannot read ' -3m'"),
        ("1,5h", "cannot read '1,5h'"),
        ("30m1h", "'h' stands after a unit that is not larger"),
        ("1h1h", "'h' stands after a unit that is not larger"),
        ("0.0001s", "it is finer than a millisecond"),
        ("3661d", "it is longer than ten years"),
        ("9" * 5000 + "h", "cannot read"),
        ("٣h", "cannot read"),
        ("nanh", "cannot read 'nanh'"),
    ],
)
def test_refuses_what_is_no_duration_and_says_why(text: str, why: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_ms(text, where="plan.yaml:3:limit")
    assert why in caught.value.what
    assert caught.value.where == "plan.yaml:3:limit"
    assert caught.value.exit_code == 2


def test_a_number_without_a_unit_is_offered_with_units() -> None:
    with pytest.raises(DurationError) as caught:
        parse_ms("90")
    assert caught.value.next == "90s, 90m or 90h"


@given(st.integers(0, LONGEST_MS))
def test_the_exact_form_is_read_back_to_the_millisecond(ms: int) -> None:
    assert parse_ms(format_exact(ms)) == ms


@pytest.mark.parametrize(
    ("ms", "hours", "clock", "exact"),
    [
        (0, "0.00 h", "0 s", "0.000 s"),
        (1, "0.00 h", "0 s", "0.001 s"),
        (-1, "0.00 h", "0 s", "-0.001 s"),
        (18_000, "0.01 h", "18 s", "18.000 s"),
        (-18_000, "-0.01 h", "-18 s", "-18.000 s"),
        (245_999, "0.07 h", "4 min 05 s", "4 min 05.999 s"),
        (5_400_250, "1.50 h", "1 h 30 min", "1 h 30 min 00.250 s"),
        (-900_000, "-0.25 h", "-15 min 00 s", "-15 min 00.000 s"),
        (97_200_000, "27.00 h", "1 d 03 h", "27 h 00 min 00.000 s"),
    ],
)
def test_shows_hours_clock_and_exact(ms: int, hours: str, clock: str, exact: str) -> None:
    assert (format_hours(ms), format_clock(ms), format_exact(ms)) == (hours, clock, exact)
