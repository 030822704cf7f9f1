from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.duration import DAY_MS, HOUR_MS
from budget.windows import Calendar, FirstUse, PerSession, Rolling, Unbounded, Window, WindowRule
from budget.windows.base import ALWAYS, NoUsage
from budget.windows.change import window_under, with_refresh
from tests.budget.usages import Used, at, used

Versions = list[tuple[int, WindowRule]]
NONE = NoUsage()
SATURDAY = Calendar("week", "sat")
MONDAY = Calendar("week", "mon")
SAT_14, MON_16, SAT_21, MON_23 = (
    at(f"2026-11-{day}T00:00Z") for day in (14, 16, 21, 23)
)  # fmt: skip
WED_18 = at("2026-11-18T12:00Z")
KAGGLE: Versions = [(0, SATURDAY)]


def test_one_rule_has_its_own_windows_also_before_it_was_written_down() -> None:
    assert window_under([(WED_18, SATURDAY)], SAT_14 + 5, NONE) == Window(SAT_14, SAT_21)
    with pytest.raises(ValueError):
        window_under([], WED_18, NONE)


def test_another_day_of_the_reset_in_mid_week_resets_nothing_until_the_new_day() -> None:
    """Edge 8: the rule is changed on a Wednesday."""
    versions: Versions = [(0, SATURDAY), (WED_18, MONDAY)]
    assert window_under(versions, WED_18 - 1, NONE) == Window(SAT_14, SAT_21)
    for now_ms in (WED_18, SAT_21, MON_23 - 1):
        assert window_under(versions, now_ms, NONE) == Window(SAT_14, MON_23)
    assert window_under(versions, MON_23, NONE) == Window(MON_23, MON_23 + 7 * DAY_MS)


def test_another_zone_in_mid_week_resets_once_at_the_hour_of_the_new_zone() -> None:
    """Edge 8: the zone is changed on a Wednesday, from UTC to New York."""
    new_york = Calendar("week", "sat", zone="America/New_York")
    versions: Versions = [(0, SATURDAY), (WED_18, new_york)]
    for now_ms in (WED_18, SAT_21, SAT_21 + 5 * HOUR_MS - 1):
        assert window_under(versions, now_ms, NONE) == Window(SAT_14, SAT_21 + 5 * HOUR_MS)
    assert window_under(versions, SAT_21 + 5 * HOUR_MS, NONE).start_ms == SAT_21 + 5 * HOUR_MS


def test_changing_there_and_back_gives_nothing() -> None:
    versions: Versions = [(0, SATURDAY), (WED_18, MONDAY), (WED_18 + 5, SATURDAY)]
    assert window_under(versions, WED_18 + 10, NONE) == Window(SAT_14, SAT_21)
    again: Versions = [(0, FirstUse(DAY_MS)), (WED_18, FirstUse(DAY_MS))]
    assert window_under(again, WED_18 + 10, NONE) == Window(WED_18 + 10, WED_18 + 10 + DAY_MS)


def test_a_longer_new_window_counts_what_it_says() -> None:
    month = Calendar("month", "1")
    november, december = at("2026-11-01T00:00Z"), at("2026-12-01T00:00Z")
    versions: Versions = [(0, SATURDAY), (WED_18, month)]
    assert window_under(versions, WED_18, NONE) == Window(november, december)


def test_a_grant_that_becomes_weekly_is_owed_until_the_first_reset() -> None:
    versions: Versions = [(0, Unbounded()), (WED_18, SATURDAY)]
    assert window_under(versions, WED_18, NONE) == Window(0, SAT_21)
    assert window_under(versions, SAT_21, NONE).start_ms == SAT_21
    there: Versions = [(0, SATURDAY), (WED_18, Unbounded())]
    assert window_under(there, WED_18, NONE) == ALWAYS


def test_a_week_that_becomes_first_use_is_not_forgotten_because_nothing_runs_just_then() -> None:
    usage = used((SAT_14 + 5, SAT_14 + 4 * HOUR_MS))
    versions: Versions = [(0, SATURDAY), (WED_18, FirstUse(DAY_MS))]
    assert window_under(versions, WED_18 + 1, usage) == Window(SAT_14, WED_18 + DAY_MS)
    later_ms = WED_18 + DAY_MS
    assert window_under(versions, later_ms, usage) == Window(later_ms, later_ms + DAY_MS)


def test_a_month_that_becomes_seven_rolling_days_counts_until_it_has_fallen_out() -> None:
    november = at("2026-11-01T00:00Z")
    versions: Versions = [(0, Calendar("month", "1")), (WED_18, Rolling(7 * DAY_MS))]
    assert window_under(versions, WED_18 + 7 * DAY_MS - 1, NONE).start_ms == november
    after = window_under(versions, WED_18 + 7 * DAY_MS, NONE)
    assert after == Rolling(7 * DAY_MS).window_at(WED_18 + 7 * DAY_MS)


RULES: tuple[WindowRule, ...] = (
    SATURDAY,
    MONDAY,
    Calendar("day", at="02:30", zone="Europe/Berlin"),
    Calendar("month", "31"),
    Rolling(3 * DAY_MS),
    FirstUse(DAY_MS),
    Unbounded(),
)
START = at("2026-10-20T00:00Z")
TIMES = st.integers(0, 40 * 24).map(lambda hours: START + hours * HOUR_MS)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(TIMES, st.sampled_from(RULES)), min_size=2, max_size=5),
    st.lists(st.tuples(TIMES, st.integers(1, 30)), max_size=8),
)
def test_a_change_never_lowers_what_counts_at_its_instant(
    changes: list[tuple[int, WindowRule]], runs: list[tuple[int, int]]
) -> None:
    """Edge 8: whatever is changed into whatever, at whatever time."""
    versions = sorted(changes, key=lambda change: change[0])
    for number in range(1, len(versions)):
        changed_ms = versions[number][0]
        usage = Used(tuple((start, start + h * HOUR_MS, 1) for start, h in runs
                           if start + h * HOUR_MS <= changed_ms))  # fmt: skip
        before = window_under(versions[:number], changed_ms, usage)
        after = window_under(versions[: number + 1], changed_ms, usage)
        assert changed_ms in after
        assert after.start_ms <= before.start_ms
        counted = usage.between(before.start_ms, changed_ms)
        assert usage.between(after.start_ms, changed_ms) >= counted


def test_the_provider_names_a_later_reset() -> None:
    late_ms = SAT_21 + 6 * HOUR_MS

    def window(now_ms: int) -> Window:
        return with_refresh(KAGGLE, now_ms, NONE, read_at_ms=WED_18, refresh_ms=late_ms)

    assert window(WED_18 - 1) == Window(SAT_14, SAT_21)
    for now_ms in (WED_18, SAT_21, late_ms - 1):
        assert window(now_ms) == Window(SAT_14, late_ms)
    # The next one by the calendar would come six hours too soon.
    assert window(late_ms) == Window(late_ms, late_ms + 7 * DAY_MS)
    assert window(late_ms + 14 * DAY_MS).start_ms == late_ms + 14 * DAY_MS


def test_the_provider_names_an_earlier_reset() -> None:
    friday_ms = at("2026-11-20T00:00Z")

    def window(now_ms: int) -> Window:
        return with_refresh(KAGGLE, now_ms, NONE, read_at_ms=WED_18, refresh_ms=friday_ms)

    assert window(friday_ms - 1) == Window(SAT_14, friday_ms)
    for now_ms in (friday_ms, SAT_21, friday_ms + 7 * DAY_MS - 1):
        assert window(now_ms) == Window(friday_ms, friday_ms + 7 * DAY_MS)


def test_a_refresh_at_the_reset_of_the_calendar_changes_nothing() -> None:
    for now_ms in (WED_18, SAT_21 - 1, SAT_21, SAT_21 + 30 * DAY_MS):
        seen = with_refresh(KAGGLE, now_ms, NONE, read_at_ms=WED_18, refresh_ms=SAT_21)
        assert seen == SATURDAY.window_at(now_ms)


def test_a_refresh_that_was_past_when_it_was_read_says_nothing() -> None:
    for refresh_ms in (WED_18, WED_18 - 5, SAT_14 + 1):
        seen = with_refresh(KAGGLE, SAT_21 - 1, NONE, read_at_ms=WED_18, refresh_ms=refresh_ms)
        assert seen == Window(SAT_14, SAT_21)


def test_what_was_used_before_a_refresh_is_out_of_a_rolling_window_after_it() -> None:
    rule: Versions = [(0, Rolling(5_000))]
    for now_ms, start_ms in ((3_999, 0), (4_000, 4_000), (8_999, 4_000), (9_000, 4_001)):
        window = with_refresh(rule, now_ms, NONE, read_at_ms=2_000, refresh_ms=4_000)
        assert window.start_ms == start_ms and now_ms in window


def test_first_use_ends_at_the_refresh_and_what_runs_then_begins_the_next() -> None:
    usage = used((1_000, 9_000))
    rule: Versions = [(0, FirstUse(5_000))]

    def window(now_ms: int) -> Window:
        return with_refresh(rule, now_ms, usage, read_at_ms=2_000, refresh_ms=5_500)

    # By the provider it was begun at 500, by hand.
    assert window(1_999) == Window(1_000, 6_000)
    assert window(2_000) == window(5_499) == Window(500, 5_500)
    assert window(5_500) == window(10_499) == Window(5_500, 10_500)
    assert window(10_500) == Window(10_500, 15_500)


def test_a_limit_of_each_session_that_becomes_weekly_counts_from_the_reset_of_the_week() -> None:
    assert window_under([(0, PerSession()), (5, SATURDAY)], WED_18, NONE) == Window(SAT_14, SAT_21)
