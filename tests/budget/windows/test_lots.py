from __future__ import annotations

import pytest

from budget.accounts.definition import AccountError
from budget.duration import DAY_MS
from budget.windows import Lots
from budget.windows.base import ALWAYS


def test_the_rule_counts_all_time_and_gains_nothing_by_itself() -> None:
    assert Lots().window_at(5) == ALWAYS
    assert Lots().next_gain_ms(5) is None
    assert (Lots().describe(), Lots(90 * DAY_MS).describe()) == ("in lots", "in lots of 90 d")


@pytest.mark.parametrize("lifetime_ms", [0, -1, 10**15, "90d"])
def test_a_lot_that_never_lives_is_refused(lifetime_ms: int) -> None:
    with pytest.raises(AccountError):
        Lots(lifetime_ms)
