from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.duration import HOUR_MS
from budget.instant import LATEST_MS, WEEKDAYS, format_instant
from budget.windows import Calendar, Window

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def at(text: str) -> int:
    """Milliseconds of an ISO 8601 instant with offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


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


@settings(max_examples=200)
@given(
    now_ms=st.integers(0, LATEST_MS),
    on=st.sampled_from(WEEKDAYS),
    minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(["UTC", NEW_YORK, BERLIN, "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_windows_hold_the_time_and_adjoin(now_ms: int, on: str, minute: int, zone: str) -> None:
    weekly = limit(on, f"{minute // 60:02d}:{minute % 60:02d}", zone)
    window = weekly.window_at(now_ms)
    assert now_ms in window
    assert weekly.window_at(window.end_ms).start_ms == window.end_ms
    assert weekly.window_at(window.start_ms) == window
    assert weekly.window_at(window.start_ms - 1).end_ms == window.start_ms
