from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.accounts.definition import AccountError
from budget.windows import FirstUse
from budget.windows.base import NoUsage, Window
from tests.budget.usages import used

DAY = FirstUse(1_000)


def test_without_any_use_no_window_has_begun() -> None:
    """Edge 9: a window from the first use, and no use at all."""
    assert DAY.window_at(500, NoUsage()) == Window(500, 1_500)
    assert DAY.next_gain_ms(500, NoUsage()) is None


def test_the_first_use_begins_it_and_its_length_ends_it() -> None:
    usage = used((300, 400), (900, 950))
    assert DAY.window_at(299, usage) == Window(299, 1_299)
    assert DAY.window_at(300, usage) == Window(300, 1_300)
    assert (DAY.next_gain_ms(299, usage), DAY.next_gain_ms(300, usage)) == (None, 1_300)
    assert DAY.window_at(1_299, usage) == Window(300, 1_300)
    assert DAY.next_gain_ms(950, usage) == 1_300
    assert DAY.window_at(1_300, usage) == Window(1_300, 2_300)
    assert DAY.next_gain_ms(1_300, usage) is None


def test_the_next_window_begins_with_the_next_use_not_with_the_end_of_the_last() -> None:
    usage = used((300, 400), (5_000, 5_010), (5_999, 6_002))
    assert DAY.window_at(4_999, usage) == Window(4_999, 5_999)
    assert DAY.window_at(5_500, usage) == Window(5_000, 6_000)


def test_what_runs_when_a_window_ends_begins_the_next_at_that_instant() -> None:
    usage = used((300, 2_400))
    windows = [DAY.window_at(now_ms, usage) for now_ms in (1_299, 1_300, 2_299, 2_300, 3_299)]
    assert windows == [
        Window(300, 1_300), Window(1_300, 2_300), Window(1_300, 2_300), Window(2_300, 3_300),
        Window(2_300, 3_300),
    ]  # fmt: skip
    assert DAY.window_at(3_300, usage) == Window(3_300, 4_300)


SPANS = st.lists(st.tuples(st.integers(0, 6_000), st.integers(1, 2_500)), max_size=6)


@given(SPANS, st.integers(100, 1_500))
def test_every_millisecond_of_use_is_in_just_one_window(
    spans: list[tuple[int, int]], length_ms: int
) -> None:
    usage = used(*[(start, start + length) for start, length in spans])
    rule = FirstUse(length_ms)
    windows: list[Window] = []
    at_ms = usage.first_from(0)
    while at_ms is not None:
        window = rule.window_at(at_ms, usage)
        assert window.start_ms == at_ms
        assert not windows or window.start_ms >= windows[-1].end_ms
        assert rule.window_at(window.end_ms - 1, usage) == window
        windows.append(window)
        at_ms = usage.first_from(window.end_ms)
    total = sum(usage.between(window.start_ms, window.end_ms) for window in windows)
    assert total == usage.between(0, 10**6)


@pytest.mark.parametrize("length_ms", [0, -1, 10**15, None])
def test_a_length_of_nothing_or_of_ages_is_refused(length_ms: int) -> None:
    with pytest.raises(AccountError):
        FirstUse(length_ms)


def test_it_is_told_in_words() -> None:
    assert FirstUse(86_400_000).describe() == "in 1 d from the first use"
