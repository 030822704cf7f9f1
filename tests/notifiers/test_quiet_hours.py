from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifiers.quiet_hours import QuietHours, local_time

DAY_MS = 86_400_000
NIGHT = QuietHours.parse("22:00-07:00", "Europe/Berlin")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-22T21:00", "2026-11-22T21:00", "2026-11-23T06:00"),
        ("2026-11-23T02:30", "2026-11-22T21:00", "2026-11-23T06:00"),
        ("2026-07-01T20:00", "2026-07-01T20:00", "2026-07-02T05:00"),
        ("2026-10-25T01:30", "2026-10-24T20:00", "2026-10-25T06:00"),  # the night of 25 hours
    ],
)
def test_a_night_is_counted_on_the_clock_of_its_zone(now: str, start: str, end: str) -> None:
    assert NIGHT.around(at(now)) == (at(start), at(end))


@pytest.mark.parametrize("now", ["2026-11-22T20:59", "2026-11-23T06:00", "2026-11-23T12:00"])
def test_outside_of_it_nothing_is_quiet(now: str) -> None:
    assert NIGHT.around(at(now)) is None


def test_hours_within_a_day() -> None:
    noon = QuietHours.parse("12:00-13:30", "UTC")
    assert noon.around(at("2026-11-23T12:15")) == (at("2026-11-23T12:00"), at("2026-11-23T13:30"))
    assert noon.around(at("2026-11-23T13:30")) is None


SPANS = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda two: two[0] != two[1])


@settings(max_examples=300, deadline=None)
@given(
    span=SPANS,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    now_ms=st.integers(at("2026-01-01T00:00"), at("2027-12-31T00:00")),
)
@example((150, 180), "Europe/Berlin", at("2026-10-25T01:15"))
@example((60, 150), "Europe/Berlin", at("2026-10-25T01:15"))
def test_quiet_hours_hold_their_instant_and_end_within_a_day(
    span: tuple[int, int], zone: str, now_ms: int
) -> None:
    first, last = (f"{minute // 60:02}:{minute % 60:02}" for minute in span)
    hours = QuietHours.parse(f"{first}-{last}", zone)
    around = hours.around(now_ms)
    clock = local_time(now_ms, zone).strftime("%H:%M")
    quiet = first <= clock < last if first < last else clock >= first or clock < last
    assert (around is not None) == quiet
    if around is not None:
        start_ms, end_ms = around
        assert start_ms <= now_ms < end_ms
        assert end_ms - start_ms <= DAY_MS + 3_600_000


@pytest.mark.parametrize("span", ["", "22-7", "24:00-07:00", "22:00–07:00", "07:00-07:00"])
def test_what_are_no_hours_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        QuietHours.parse(span, "UTC")


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown time zone 'Mars/Base'"):
        QuietHours.parse("22:00-07:00", "Mars/Base")
