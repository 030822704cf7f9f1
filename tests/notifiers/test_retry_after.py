from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from notifiers.retry_after import UNSAID_S, retry_after_s


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("0.5", 0.5), ("-3", 0.0), ("0", 0.0)],
)
def test_seconds_may_have_decimals(value: str, seconds: float) -> None:
    assert retry_after_s({"Retry-After": value}) == seconds


@pytest.mark.parametrize("value", ["soon", "", "nan", "inf", "Fri, 99 Nov 2026"])
def test_what_cannot_be_understood_is_half_a_minute(value: str) -> None:
    assert retry_after_s({"retry-after": value}) == UNSAID_S


def test_nothing_said_is_half_a_minute() -> None:
    assert retry_after_s({"Content-Type": "text/html"}) == UNSAID_S


def test_a_date_may_be_said() -> None:
    now = datetime.now(UTC)
    for when, least, most in ((now + timedelta(hours=2), 7100, 7200), (now, 0, 0)):
        seconds = retry_after_s({"RETRY-AFTER": format_datetime(when, usegmt=True)})
        assert least <= seconds <= most
