from __future__ import annotations

from budget.amount import format_amount
from budget.duration import HOUR_MS, LONGEST_MS


def test_an_amount_has_the_unit_of_its_account() -> None:
    assert format_amount(90 * 60_000, "device") == "1.50 h"
    assert format_amount(90 * 60_000, "session") == "1.50 h"
    assert format_amount(4_284_000, "credit") == "1.19 credits"
    assert format_amount(100 * HOUR_MS, "credit") == "100.00 credits"
    assert format_amount(-HOUR_MS // 4, "device") == "-0.25 h"
    assert format_amount(-HOUR_MS // 4, "credit") == "-0.25 credits"


def test_exactly_means_to_the_millisecond() -> None:
    assert format_amount(5_400_250, "device", exact=True) == "1 h 30 min 00.250 s"
    assert format_amount(4_284_000, "credit", exact=True) == "1.19 credits"
    assert format_amount(HOUR_MS, "credit", exact=True) == "1.00 credits"
    shown = {format_amount(ms, "credit", exact=True) for ms in range(-2_000, 2_000)}
    assert len(shown) == 4_000


def test_what_nobody_can_use_up_is_unlimited() -> None:
    assert format_amount(LONGEST_MS, "device") == "unlimited"
    assert format_amount(LONGEST_MS, "credit", exact=True) == "unlimited"
    assert format_amount(LONGEST_MS - 1, "device") != "unlimited"
