from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.accounts.definition import AccountError
from budget.instant import LATEST_MS
from budget.windows import Rolling
from budget.windows.base import NoUsage, Usage, Window
from tests.budget.usages import used


def counted(rule: Rolling, usage: Usage, now_ms: int) -> int:
    window = rule.window_at(now_ms, usage)
    return usage.between(window.start_ms, window.end_ms)


def test_the_window_holds_the_present_millisecond_and_just_its_length_before_it() -> None:
    assert Rolling(100).window_at(1_000).start_ms == 901
    assert Rolling(1).window_at(1_000) == Window(1_000, 1_001)
    assert Rolling(100).window_at(0) == Window(0, 100)
    assert LATEST_MS in Rolling(100).window_at(LATEST_MS)


def test_a_job_half_inside_counts_half_and_falls_out_millisecond_by_millisecond() -> None:
    """Edge 9: a rolling window and a job that is half inside."""
    usage = used((1_000, 1_100))
    rule = Rolling(500)
    assert [counted(rule, usage, now) for now in (1_099, 1_499, 1_500, 1_549, 1_599, 1_600)] == [
        100, 100, 99, 50, 0, 0,
    ]  # fmt: skip


def test_hours_come_back_when_the_oldest_use_begins_to_fall_out() -> None:
    rule, usage = Rolling(500), used((1_000, 1_100), (1_300, 1_400))
    assert rule.next_gain_ms(1_350, usage) == 1_500
    assert counted(rule, usage, 1_499) - counted(rule, usage, 1_500) == 1
    # The oldest is falling out already: more of it with the next millisecond.
    assert rule.next_gain_ms(1_550, usage) == 1_551
    # The gap between the two.
    assert rule.next_gain_ms(1_700, usage) == 1_800
    assert rule.next_gain_ms(2_000, usage) is None
    assert rule.next_gain_ms(2_000, NoUsage()) is None


SPANS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 400)), max_size=5)


@given(SPANS, st.integers(1, 1_000), st.integers(0, 5_000))
def test_nothing_comes_back_before_the_next_gain_and_something_then(
    spans: list[tuple[int, int]], length_ms: int, now_ms: int
) -> None:
    usage = used(*[(start, start + length) for start, length in spans if start + length <= now_ms])
    rule = Rolling(length_ms)
    gain_ms = rule.next_gain_ms(now_ms, usage)
    if gain_ms is None:
        assert counted(rule, usage, now_ms) == 0
    else:
        assert gain_ms > now_ms
        assert counted(rule, usage, gain_ms - 1) == counted(rule, usage, now_ms)
        assert counted(rule, usage, gain_ms) < counted(rule, usage, now_ms)


def test_a_clock_that_is_set_back_does_not_forget_what_was_booked_ahead_of_it() -> None:
    """Edges 3 and 4: one hour of one hour used, then the clock goes back by two."""
    usage = used((9_000, 10_000))
    assert counted(Rolling(5_000), usage, 10_000) == 1_000
    assert counted(Rolling(5_000), usage, 8_000) == 1_000


@pytest.mark.parametrize("length_ms", [0, -1, 10**15, 1.5, True, "7d"])
def test_a_length_of_nothing_or_of_ages_is_refused(length_ms: int) -> None:
    with pytest.raises(AccountError):
        Rolling(length_ms)


def test_it_is_told_in_words() -> None:
    assert Rolling(7 * 86_400_000).describe() == "in any 7 d"
