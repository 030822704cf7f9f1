from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.accounts.definition import AccountError
from budget.duration import HOUR_MS
from budget.instant import LATEST_MS, WEEKDAYS, format_instant
from budget.windows import Calendar, Window
from tests.budget.usages import at

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def limit(on: str = "sat", clock: str = "00:00", zone: str = "UTC") -> Calendar:
    return Calendar("week", on, clock, zone)


def resets(limit: Calendar, since: str, until: str) -> list[int]:
    """Every instant between two at which the window changes, by walking on from window end."""
    found = []
    window = limit.window_at(at(since))
    while window.end_ms < at(until):
        found.append(window.end_ms)
        window = limit.window_at(window.end_ms)
    return found


def test_a_week_of_kaggle_goes_from_saturday_to_saturday_utc() -> None:
    window = limit().window_at(at("2026-11-11T12:00:00Z"))
    assert window == Window(at("2026-11-07T00:00:00Z"), at("2026-11-14T00:00:00Z"))


def test_the_instant_of_the_reset_is_in_the_new_window_and_the_one_before_in_the_old() -> None:
    reset = at("2026-11-14T00:00:00Z")
    assert limit().window_at(reset).start_ms == reset
    assert limit().window_at(reset - 1).end_ms == reset
    assert reset in limit().window_at(reset)
    assert reset not in limit().window_at(reset - 1)


@pytest.mark.parametrize(
    ("zone", "on", "clock", "inside", "start", "end", "hours"),
    [
        # Clocks go back on Sun 1 Nov 2026 in New York, on Sun 25 Oct 2026 in Berlin.
        (NEW_YORK, "sun", "00:00", "2026-11-01T12:00-05:00", "2026-11-01T00:00-04:00",
         "2026-11-08T00:00-05:00", 169),
        (BERLIN, "sat", "00:00", "2026-10-25T12:00+01:00", "2026-10-24T00:00+02:00",
         "2026-10-31T00:00+01:00", 169),
        # They go forward on Sun 8 Mar 2026 in New York, on Sun 29 Mar 2026 in Berlin.
        (NEW_YORK, "sun", "00:00", "2026-03-08T12:00-04:00", "2026-03-08T00:00-05:00",
         "2026-03-15T00:00-04:00", 167),
        (BERLIN, "mon", "06:00", "2026-03-29T12:00+02:00", "2026-03-23T06:00+01:00",
         "2026-03-30T06:00+02:00", 167),
        (NEW_YORK, "wed", "12:00", "2026-07-01T15:00Z", "2026-06-24T12:00-04:00",
         "2026-07-01T12:00-04:00", 168),
    ],
)  # fmt: skip
def test_a_week_with_a_change_of_clocks_is_an_hour_shorter_or_longer(
    zone: str, on: str, clock: str, inside: str, start: str, end: str, hours: int
) -> None:
    """Edge 1: resets across the end and the start of summer time."""
    window = limit(on, clock, zone).window_at(at(inside))
    assert window == Window(at(start), at(end))
    assert window.end_ms - window.start_ms == hours * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "skipped", "reset"),
    [
        (NEW_YORK, "2026-03-08", "2026-03-08T02:30-05:00"),
        (BERLIN, "2026-03-29", "2026-03-29T02:30+01:00"),
    ],
)
def test_a_reset_in_the_skipped_hour_happens_once_with_the_offset_of_before(
    zone: str, skipped: str, reset: str
) -> None:
    """Edge 2: 02:30 does not exist on that day."""
    in_gap = limit("sun", "02:30", zone)
    assert resets(in_gap, f"{skipped}T00:00Z", f"{skipped}T23:59Z") == [at(reset)]
    assert format_instant(at(reset), zone).split()[4] == "03:30"


@pytest.mark.parametrize(
    ("zone", "clock", "repeated", "first"),
    [
        (NEW_YORK, "01:30", "2026-11-01", "2026-11-01T01:30-04:00"),
        (BERLIN, "02:30", "2026-10-25", "2026-10-25T02:30+02:00"),
    ],
)
def test_a_reset_in_the_repeated_hour_happens_at_its_first_occurrence_only(
    zone: str, clock: str, repeated: str, first: str
) -> None:
    """Edge 2: the clock shows that time twice on that day."""
    assert resets(limit("sun", clock, zone), f"{repeated}T00:00Z", f"{repeated}T23:59Z") == [
        at(first)
    ]


def test_a_reset_on_a_day_that_the_zone_skipped_still_happens_once() -> None:
    # Samoa had no Friday 30 December 2011.
    around = resets(limit("fri", "12:00", "Pacific/Apia"), "2011-12-18T00:00Z", "2012-01-10T00:00Z")
    assert around == [
        at("2011-12-23T12:00-10:00"),
        at("2011-12-30T12:00-10:00"),
        at("2012-01-06T12:00+14:00"),
    ]


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_ten_years_have_one_reset_for_each_local_date_and_no_gap(zone: str) -> None:
    for on, clock in (("sun", "02:15"), ("sat", "00:00")):
        found = resets(limit(on, clock, zone), "2020-01-01T00:00Z", "2030-01-01T00:00Z")
        dates = [datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).date() for ms in found]
        assert len(found) == 522
        assert {b - a for a, b in pairwise(dates)} == {timedelta(days=7)}
        assert {WEEKDAYS[date.weekday()] for date in dates} == {on}


ZONES = sorted(available_timezones() - {"localtime", "Factory"})


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    every = draw(st.sampled_from(("day", "week", "month")))
    days = {"day": [""], "week": [*WEEKDAYS], "month": [str(day) for day in range(1, 32)]}
    minute = draw(st.integers(0, 24 * 60 - 1))
    return Calendar(
        every,
        draw(st.sampled_from(days[every])),
        f"{minute // 60:02d}:{minute % 60:02d}",
        draw(st.sampled_from(ZONES)),
    )


@settings(max_examples=300, deadline=None)
@given(calendars(), st.one_of(st.integers(0, LATEST_MS), st.integers(0, 2_500_000_000_000)))
def test_windows_hold_the_time_and_adjoin(rule: Calendar, now_ms: int) -> None:
    """Edges 1 and 2, in any zone: no gap, no overlap, to the millisecond."""
    window = rule.window_at(now_ms)
    assert now_ms in window
    assert rule.window_at(window.end_ms).start_ms == window.end_ms
    assert rule.window_at(window.end_ms - 1) == window
    assert rule.window_at(window.start_ms) == window
    assert rule.window_at(window.start_ms - 1).end_ms == window.start_ms
    assert rule.next_gain_ms(now_ms) == window.end_ms


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 24 * 60 - 1), st.integers(1971, 2037))
def test_a_year_of_days_has_one_reset_a_local_date(zone: str, minute: int, year: int) -> None:
    """Edges 1 and 2: walked through the year, every change of clocks of that zone included."""
    rule = Calendar("day", at=f"{minute // 60:02d}:{minute % 60:02d}", zone=zone)
    found = resets(rule, f"{year}-01-02T00:00Z", f"{year}-12-30T00:00Z")
    lengths = [end - start for start, end in pairwise(found)]
    assert 361 <= len(found) <= 363
    # A zone that moves to the other side of the date line skips a day, others move by some hours.
    assert all(20 * HOUR_MS <= length <= 48 * HOUR_MS for length in lengths)


@settings(max_examples=100, deadline=None)
@given(calendars(), st.integers(0, 2_500_000_000_000), st.integers(-(10**9), 10**9))
def test_the_window_is_told_by_the_time_alone(rule: Calendar, now_ms: int, step_ms: int) -> None:
    """Edge 4: the clock steps over the reset and back; the same time has the same window again."""
    before = rule.window_at(now_ms)
    rule.window_at(max(0, now_ms + step_ms))
    assert rule.window_at(now_ms) == before


def slurm_next_reset_s(last_reset_s: int, zone: str) -> int:
    """Slurm's rule: midnight of the last reset's day + 86,400 s x (7 - day of the week)."""
    last = datetime.fromtimestamp(last_reset_s, ZoneInfo(zone))
    midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp()) + 86_400 * (7 - last.isoweekday() % 7)


def test_the_week_of_slurm_resets_twice_in_autumn_and_late_in_spring_and_ours_once() -> None:
    """Edge 1: a double reset would forgive the hour between."""
    sunday = limit("sun", "00:00", NEW_YORK)
    first_ms = slurm_next_reset_s(at("2026-11-01T00:00-04:00") // 1000, NEW_YORK) * 1000
    second_ms = slurm_next_reset_s(first_ms // 1000, NEW_YORK) * 1000
    assert format_instant(first_ms, NEW_YORK) == "Sat 7 Nov 2026 23:00 EST"
    assert format_instant(second_ms, NEW_YORK) == "Sun 8 Nov 2026 00:00 EST"
    assert resets(sunday, "2026-11-02T00:00-05:00", "2026-11-09T00:00-05:00") == [second_ms]
    spring_ms = slurm_next_reset_s(at("2026-03-08T00:00-05:00") // 1000, NEW_YORK) * 1000
    assert format_instant(spring_ms, NEW_YORK) == "Sun 15 Mar 2026 01:00 EDT"
    found = resets(sunday, "2026-03-09T00:00-04:00", "2026-03-16T00:00-04:00")
    assert [format_instant(ms, NEW_YORK) for ms in found] == ["Sun 15 Mar 2026 00:00 EDT"]


def test_a_year_with_53_weeks_and_the_turn_of_the_year_are_weeks_like_others() -> None:
    """Edge 8: ISO week 53 of 2026."""
    found = resets(limit("mon"), "2026-12-15T00:00Z", "2027-01-20T00:00Z")
    days = ("21 Dec 2026", "28 Dec 2026", "4 Jan 2027", "11 Jan 2027", "18 Jan 2027")
    assert [format_instant(ms, "UTC") for ms in found] == [f"Mon {day} 00:00 UTC" for day in days]


@pytest.mark.parametrize(
    ("on", "year", "days"),
    [
        ("31", 2027, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
        ("30", 2028, [30, 29, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30]),
        ("29", 2027, [29, 28, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29]),
        ("29", 2028, [29] * 12),
        ("1", 2100, [1] * 12),
    ],
)
def test_a_monthly_reset_on_a_day_that_a_month_does_not_have_is_on_its_last(
    on: str, year: int, days: list[int]
) -> None:
    """Edge 8: leap days, and days 29 to 31."""
    rule = Calendar("month", on, "00:00", NEW_YORK)
    found = resets(rule, f"{year}-01-01T00:00Z", f"{year + 1}-01-01T04:00Z")
    local = [datetime.fromtimestamp(ms / 1000, ZoneInfo(NEW_YORK)).date() for ms in found]
    assert [day for day in local if day.year == year] == [
        date(year, month, day) for month, day in enumerate(days, 1)
    ]


def test_a_monthly_reset_in_the_skipped_hour_happens_once() -> None:
    """Edge 2: 29 March 2026, 02:30 in Berlin."""
    rule = Calendar("month", "29", "02:30", BERLIN)
    assert resets(rule, "2026-03-20T00:00Z", "2026-04-20T00:00Z") == [at("2026-03-29T03:30+02:00")]


def test_clocks_that_go_back_over_midnight_do_not_bring_the_reset_of_the_next_date_twice() -> None:
    """Edge 2: on 7 November 2010 the clock of St. John's went from 00:01 back to 23:01."""
    rule = Calendar("day", at="00:00", zone="America/St_Johns")
    first_ms, again_ms = at("2010-11-07T00:00-02:30"), at("2010-11-06T23:30-03:30")
    assert first_ms < again_ms
    assert rule.window_at(again_ms) == Window(first_ms, at("2010-11-08T00:00-03:30"))


def test_a_day_that_the_zone_skipped_does_not_make_a_window_of_nothing() -> None:
    # Samoa had no Friday 30 December 2011: both noons are the same instant.
    rule = Calendar("day", at="12:00", zone="Pacific/Apia")
    found = resets(rule, "2011-12-28T00:00Z", "2012-01-02T00:00Z")
    assert found == sorted(set(found))
    assert at("2011-12-31T12:00+14:00") in found


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": "year"},
        {"on": "saturday"},
        {"on": "1"},
        {"every": "month", "on": "sat"},
        {"every": "month", "on": "0"},
        {"every": "month", "on": "32"},
        {"every": "month", "on": 3},
        {"every": "day", "on": "sat"},
        {"at": "24:00"},
        {"at": "0:00"},
        {"at": 0},
        {"zone": "Mars/Olympus"},
        {"zone": 3},
        {"zone": "../../etc/passwd"},
    ],
)
def test_a_calendar_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AccountError) as caught:
        Calendar(**wrong)
    assert caught.value.exit_code == 2
    assert caught.value.got == str(wrong[list(wrong)[-1]])


def test_a_calendar_is_told_in_words_and_has_usual_days() -> None:
    assert [Calendar(every).describe() for every in ("day", "week", "month")] == [
        "a day", "a week", "a month",
    ]  # fmt: skip
    assert (Calendar("week").on, Calendar("month").on, Calendar("day").on) == ("sat", "1", "")
