"""The header Retry-After: seconds, also with decimals, or a date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNSAID_S = 30.0
"""For whoever asks to wait and does not say how long, or not so that it can be understood."""


def retry_after_s(headers: Mapping[str, str]) -> float:
    """At least 0; `headers` in any case of letters."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            return _seconds(value.strip())
    return UNSAID_S


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else UNSAID_S


def _until(date: str) -> float:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()
