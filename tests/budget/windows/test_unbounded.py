from __future__ import annotations

from budget.instant import LATEST_MS
from budget.windows import Unbounded
from tests.budget.usages import used


def test_all_that_was_ever_used_counts_and_nothing_comes_back() -> None:
    usage = used((0, 1_000), (5_000, 5_001))
    for now_ms in (0, 5_001, LATEST_MS):
        window = Unbounded().window_at(now_ms, usage)
        assert now_ms in window
        assert usage.between(window.start_ms, window.end_ms) == 1_001
        assert Unbounded().next_gain_ms(now_ms, usage) is None
    assert Unbounded().describe() == "in all"
