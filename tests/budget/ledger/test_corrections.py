"""What is charged more or given back by hand: refunds of a charge, and corrections without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import IdTaken, Ledger, LedgerError
from budget.windows import Rolling
from tests.budget.ledger.reserving import NOW_MS, RESET_MS, figures, reserve

H = HOUR_MS


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        opened.add_account(preset("simulated"), 0)
        yield opened
        assert opened.check() == ()


def test_an_adjustment_counts_once_in_its_week_with_its_cause(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.adjust("simulated", 2 * HOUR_MS, "a notebook by hand", NOW_MS, "fix-1")
    ledger.adjust("simulated", -HOUR_MS, "half of it was free", RESET_MS, "fix-2", at_ms=NOW_MS)
    assert figures(ledger, NOW_MS)[0] == HOUR_MS
    assert figures(ledger, RESET_MS)[0] == 0
    assert [line.reason for line in ledger.charges()] == [
        "a notebook by hand",
        "half of it was free",
    ]
    with pytest.raises(LedgerError, match="stands for something else"):
        ledger.adjust("simulated", 3 * HOUR_MS, "other", NOW_MS, "fix-1")
    with pytest.raises(LedgerError, match="stands for an adjustment"):
        reserve(ledger, "fix-1")
    reserve(ledger, "a")
    with pytest.raises(LedgerError, match="stands for something else"):
        ledger.adjust("simulated", 1, "x", NOW_MS, "a")


class TestRefunds:
    """Edge 43."""

    @pytest.fixture
    def charged(self, ledger: Ledger) -> Ledger:
        """A charge of 4 h, the last 3 h of which are in the next week."""
        next_ms = RESET_MS + 7 * DAY_MS
        reserve(ledger, "a", 4, now_ms=next_ms - 2 * H)
        ledger.settle(
            "a", next_ms - H, next_ms + 3 * H, shares={"x": 1, "y": 3}, now_ms=next_ms + 3 * H
        )
        return ledger

    def weeks(self, ledger: Ledger) -> list[int]:
        return [ledger.balance("simulated", RESET_MS + n * 7 * DAY_MS).settled_ms for n in range(3)]

    def refund(self, ledger: Ledger, amount_ms: int, id: str = "r", refunds: str = "a") -> None:
        now_ms = RESET_MS + 15 * DAY_MS
        ledger.adjust("simulated", amount_ms, "a power cut", now_ms, id, refunds=refunds)

    def test_a_refund_counts_in_the_weeks_of_the_charge(self, charged: Ledger) -> None:
        """Edge 43: a refund after the reset goes to the old week."""
        self.refund(charged, -4 * H)
        assert self.weeks(charged) == [0, 0, 0]
        assert charged.charged_by("run-1/") == {"x": 0, "y": 0}

    def test_a_part_is_given_back_from_the_beginning(self, charged: Ledger) -> None:
        self.refund(charged, -2 * H)
        assert self.weeks(charged) == [0, 2 * H, 0]
        assert charged.charged_by("run-1/") == {"x": H // 2, "y": 3 * H // 2}

    def test_it_is_given_once(self, charged: Ledger) -> None:
        """Edge 43: a refund of a refunded job is refused."""
        self.refund(charged, -H)
        self.refund(charged, -H)
        with pytest.raises(LedgerError, match="refunded once") as caught:
            self.refund(charged, -H, "again")
        assert caught.value.got == "r: a power cut"
        with pytest.raises(IdTaken):
            self.refund(charged, -2 * H)
        assert self.weeks(charged) == [0, 3 * H, 0]

    @pytest.mark.parametrize("amount_ms", [-4 * H - 1, 0, 1])
    def test_it_is_at_most_the_charge(self, charged: Ledger, amount_ms: int) -> None:
        with pytest.raises(LedgerError, match="at most what it was charged"):
            self.refund(charged, amount_ms)

    def test_only_a_charge_of_the_account_can_be_refunded(self, charged: Ledger) -> None:
        reserve(charged, "open", 1)
        reserve(charged, "released", 1)
        charged.release("released", NOW_MS, "never began")
        charged.adjust("simulated", H, "by hand", NOW_MS, "fix")
        for refunds in ("open", "released", "fix", "nothing"):
            with pytest.raises(LedgerError, match="only a charge can be refunded"):
                self.refund(charged, -1, refunds=refunds)
        charged.add_account(preset("simulated", "other"), 0)
        with pytest.raises(LedgerError, match="of another account"):
            charged.adjust("other", -1, "why", NOW_MS, "r", refunds="a")

    def test_nothing_is_given_back_without_a_reason(self, charged: Ledger) -> None:
        """Edge 43: no refund is guessed."""
        with pytest.raises(LedgerError, match="reason is wrong"):
            charged.adjust("simulated", -H, "", NOW_MS, "r")
        assert charged.charges()[-1].id == "a"


class TestGivenBack:
    """Edge 43: what is given back without naming a charge."""

    DAY_0_MS = RESET_MS

    @pytest.fixture
    def rolling(self) -> Iterator[Ledger]:
        with Ledger(":memory:") as opened:
            limit = Limit(40 * H, Rolling(7 * DAY_MS), "rolling")
            opened.add_account(Account("lab", "machine", "local", (limit,)), 0)
            opened.adjust("lab", 10 * H, "by hand", self.DAY_0_MS, "used")
            yield opened
            assert opened.check() == ()

    def free_h(self, ledger: Ledger, day: int, name: str = "lab") -> int:
        return ledger.balance(name, self.DAY_0_MS + day * DAY_MS).free_ms // H

    def test_it_falls_out_of_a_rolling_window_with_what_it_corrects(self, rolling: Ledger) -> None:
        now_ms = self.DAY_0_MS + 3 * DAY_MS
        with pytest.raises(LedgerError, match="lab has not used as much then") as caught:
            rolling.adjust("lab", -10 * H, "it was less", now_ms, "back")
        assert "--refunds" in str(caught.value.next) and "--at" in str(caught.value.next)
        rolling.adjust("lab", -10 * H, "it was less", now_ms, "back", at_ms=self.DAY_0_MS)
        assert [self.free_h(rolling, day) for day in (3, 8)] == [40, 40]

    def test_it_is_not_given_back_twice(self, rolling: Ledger) -> None:
        """Two corrections, each covered by what was used after it, and not both together."""
        first_ms = self.DAY_0_MS - DAY_MS
        rolling.adjust("lab", -10 * H, "less", self.DAY_0_MS, "one", at_ms=first_ms)
        with pytest.raises(LedgerError, match="has not used as much"):
            rolling.adjust("lab", -10 * H, "less", self.DAY_0_MS, "two", at_ms=self.DAY_0_MS)

    def test_after_the_reset_nothing_is_added_to_the_new_week(self) -> None:
        """Edge 43: what is given back goes to the week in which it was used."""
        with Ledger(":memory:") as ledger:
            ledger.add_account(Account("lab", "machine", "local", (weekly(30 * H),)), 0)
            ledger.adjust("lab", 10 * H, "by hand", RESET_MS + DAY_MS, "used")
            next_ms = RESET_MS + 8 * DAY_MS
            for amount_h, at_ms in ((10, None), (11, RESET_MS)):
                with pytest.raises(LedgerError, match="has not used as much in that window"):
                    ledger.adjust("lab", -amount_h * H, "less", next_ms, "back", at_ms=at_ms)
            ledger.adjust("lab", -10 * H, "less", next_ms, "back", at_ms=RESET_MS)
            # Again it is nothing, and for another instant it is another one.
            ledger.adjust("lab", -10 * H, "less", next_ms, "back")
            with pytest.raises(IdTaken):
                ledger.adjust("lab", -10 * H, "less", next_ms, "back", at_ms=next_ms)
            assert [self.free_h(ledger, day) for day in (1, 8)] == [30, 30]

    def test_a_parent_has_used_as_much_too(self, rolling: Ledger) -> None:
        part = Account("part", "machine", "local", (weekly(40 * H),), parent="lab")
        rolling.add_account(part, 0)
        rolling.adjust("part", 10 * H, "by hand", self.DAY_0_MS, "part-used")
        with pytest.raises(LedgerError, match="lab has not used as much then"):
            rolling.adjust("part", -10 * H, "less", self.DAY_0_MS + DAY_MS, "back")

    def test_it_does_not_count_in_the_future(self, rolling: Ledger) -> None:
        with pytest.raises(LedgerError, match="at_ms is wrong"):
            rolling.adjust("lab", H, "tomorrow", self.DAY_0_MS, "x", at_ms=self.DAY_0_MS + 1)
