from __future__ import annotations

from budget.windows import PerSession
from tests.budget.usages import used


def test_nothing_that_was_used_before_is_in_the_window_of_a_session() -> None:
    usage = used((0, 1_000))
    window = PerSession().window_at(1_000, usage)
    assert 1_000 in window
    assert usage.between(window.start_ms, window.end_ms) == 0
    assert PerSession().next_gain_ms(1_000, usage) is None
    assert PerSession().describe() == "a session"
