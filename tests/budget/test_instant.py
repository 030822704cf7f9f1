from __future__ import annotations

import pytest

from budget.instant import format_instant, zone_named
from tests.budget.usages import at


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "America", ""):
        with pytest.raises(ValueError, match="unknown time zone"):
            zone_named(name)


def test_an_instant_is_shown_on_the_clock_of_its_zone() -> None:
    assert format_instant(at("2026-11-14T00:00Z"), "UTC") == "Sat 14 Nov 2026 00:00 UTC"
    assert format_instant(at("2026-07-04T03:30Z"), "America/New_York") == "Fri 3 Jul 2026 23:30 EDT"
