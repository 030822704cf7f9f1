"""Until when a limit counts, said for every kind of window."""

from __future__ import annotations

import pytest

from budget.accounts.limit import Limit
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger.balance import LimitBalance
from budget.windows import (
    KINDS,
    Calendar,
    FirstUse,
    Lots,
    PerSession,
    Rolling,
    Unbounded,
    WindowRule,
)
from orchestrator.views.budget.windows import gain_words, window_words
from tests.orchestrator.views.balances import NOW_MS, account, balance

WORDS: dict[WindowRule, str] = {
    Calendar("week", "sat"): "week to Sat 28 Nov 2026 00:00 UTC (4 d 22 h)",
    Calendar("month", "1", "00:00", "Europe/Berlin"): (
        "month to Tue 1 Dec 2026 00:00 CET (7 d 21 h)"
    ),
    Calendar("day"): "day to Tue 24 Nov 2026 00:00 UTC (22 h 00 min)",
    Rolling(7 * DAY_MS): "any 7 d · comes back from Mon 30 Nov 2026 01:00 UTC (6 d 23 h)",
    FirstUse(24 * HOUR_MS): "1 d from the first use, to Tue 24 Nov 2026 01:00 UTC (23 h 00 min)",
    PerSession(): "each session anew",
    Unbounded(): "for good, nothing comes back",
    Lots(): "lots, nothing comes back by itself",
}


def of(rule: WindowRule, used_h: int = 1) -> LimitBalance:
    return balance(account(Limit(30 * HOUR_MS, rule, "it")), used_h=used_h).limits[0]


def test_there_are_words_for_every_kind_of_window() -> None:
    assert {rule.kind for rule in WORDS} == set(KINDS)


@pytest.mark.parametrize(
    ("rule", "words"), WORDS.items(), ids=lambda given: getattr(given, "kind", "")
)
def test_a_window_is_said_with_its_end(rule: WindowRule, words: str) -> None:
    assert window_words(of(rule), NOW_MS) == words


def test_a_window_that_has_not_begun_and_one_without_use_say_so() -> None:
    assert "which has yet to come" in window_words(of(FirstUse(24 * HOUR_MS), 0), NOW_MS)
    assert window_words(of(Rolling(7 * DAY_MS), 0), NOW_MS) == "any 7 d"


def test_what_comes_back_is_said_in_ever_fewer_words() -> None:
    words = gain_words(of(Calendar("week", "sat")), NOW_MS)
    assert words[0] == "resets Sat 28 Nov 00:00 UTC (in 4 d 22 h)"
    assert [len(each) for each in words] == sorted((len(each) for each in words), reverse=True)
    assert gain_words(of(Rolling(7 * DAY_MS)), NOW_MS)[-1] == "back in 6 d 23 h"


@pytest.mark.parametrize("rule", [Lots(), Unbounded(), PerSession()], ids=lambda rule: rule.kind)
def test_what_never_comes_back_is_not_promised(rule: WindowRule) -> None:
    assert gain_words(of(rule), NOW_MS) == ()
