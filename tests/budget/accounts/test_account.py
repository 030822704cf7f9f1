from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.accounts.account import Account, AccountError, Machine, Metering, check_parent
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.duration import HOUR_MS, LONGEST_MS, MINUTE_MS
from budget.windows import Lots, Unbounded

DEVICES = Account("mine", "machine", "local", (weekly(HOUR_MS),))
SESSIONS = replace(DEVICES, unit="session")
CREDITS = replace(
    DEVICES, unit="credit", machines=(Machine("T4", 1_190, 1), Machine("A100", 7_520, 1))
)


def test_devices_cost_their_time_each_and_a_session_its_time_once() -> None:
    """Edge 26: two devices for one hour are two device hours, or one session hour."""
    assert DEVICES.cost_ms(2, HOUR_MS) == 2 * HOUR_MS
    assert SESSIONS.cost_ms(2, HOUR_MS) == HOUR_MS
    assert (DEVICES.rate_milli(3), SESSIONS.rate_milli(3)) == (3_000, 1_000)


def test_credits_cost_the_rate_of_the_machine_rounded_up() -> None:
    assert CREDITS.cost_ms(1, HOUR_MS, "T4") == 4_284_000
    assert CREDITS.cost_ms(1, 1, "T4") == 2
    assert CREDITS.cost_ms(1, 0, "T4") == 0
    assert CREDITS.cost_ms(8, HOUR_MS, "T4") == CREDITS.cost_ms(1, HOUR_MS, "T4")


def test_without_the_name_of_a_machine_the_dearest_is_meant() -> None:
    assert CREDITS.rate_milli(1) == 7_520
    assert replace(CREDITS, machines=CREDITS.machines[::-1]).rate_milli(1) == 7_520


def test_a_device_may_count_for_more_than_one() -> None:
    """Edge 27: the rate is that of the machine, and a machine that changes has another."""
    weighted = replace(
        DEVICES,
        machines=(Machine("V100", 1_000, 4), Machine("H100", 2_500, 8), Machine("MIG", 143, 7)),
    )
    assert weighted.cost_ms(2, HOUR_MS, "H100") == 5 * HOUR_MS
    assert weighted.cost_ms(2, HOUR_MS, "V100") == 2 * HOUR_MS
    assert weighted.cost_ms(3, 1_000, "MIG") == 429


def test_a_machine_that_the_account_does_not_have_is_refused() -> None:
    for account, machine in ((CREDITS, "H100"), (DEVICES, "T4")):
        with pytest.raises(AccountError) as caught:
            account.rate_milli(1, machine)
        assert caught.value.got == machine
        assert caught.value.wanted == ("T4, A100" if account is CREDITS else "no machine")


def test_steps_and_minimum_of_the_meter_are_in_the_cost() -> None:
    """Edge 28: minutes begun are paid, and fifteen of them at least."""
    meter = Metering(granularity_ms=MINUTE_MS, minimum_ms=15 * MINUTE_MS)
    account = replace(DEVICES, metering=meter)
    assert account.cost_ms(2, 1) == 30 * MINUTE_MS
    assert account.cost_ms(1, 15 * MINUTE_MS + 1) == 16 * MINUTE_MS
    assert account.duration_ms(2, 30 * MINUTE_MS) == 15 * MINUTE_MS


def test_what_does_not_pay_the_minimum_pays_for_nothing_and_never_for_less() -> None:
    """Edge 47: no threshold below zero."""
    account = replace(DEVICES, metering=Metering(minimum_ms=15 * MINUTE_MS))
    for amount_ms in (-HOUR_MS, -1, 0, 15 * MINUTE_MS - 1):
        assert account.duration_ms(1, amount_ms) == 0


@given(
    st.sampled_from([DEVICES, SESSIONS, CREDITS]),
    st.integers(1, 8),
    st.integers(0, 10**9),
    st.sampled_from([Metering(), Metering(60_000), Metering(1_000, 90_000), Metering(7, 3)]),
)
def test_the_longest_session_is_paid_and_a_millisecond_more_is_not(
    account: Account, devices: int, amount_ms: int, meter: Metering
) -> None:
    account = replace(account, metering=meter)
    duration_ms = account.duration_ms(devices, amount_ms)
    assert duration_ms == 0 or account.cost_ms(devices, duration_ms) <= amount_ms
    assert account.cost_ms(devices, duration_ms + 1) > amount_ms


def test_an_unlimited_amount_pays_for_ten_years_at_most() -> None:
    assert DEVICES.duration_ms(1, UNLIMITED_MS) == LONGEST_MS
    cheap = replace(CREDITS, machines=(Machine("CPU", 80, 0),))
    assert cheap.duration_ms(1, UNLIMITED_MS) == LONGEST_MS


def test_a_million_small_costs_are_the_sum_of_integers() -> None:
    """Edge 29: no part of a millisecond is carried or lost."""
    cost_ms = CREDITS.cost_ms(1, 333, "T4")
    assert cost_ms == 397 and sum(cost_ms for _ in range(10**6)) == 397 * 10**6


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "my account"},
        {"name": "-rf"},
        {"name": "a" * 65},
        {"name": "../up"},
        {"kind": "free"},
        {"unit": "epoch"},
        {"unit": "credit"},
        {"executor": ""},
        {"executor": "two words"},
        {"limits": ()},
        {"limits": (weekly(1), weekly(2))},
        {"machines": (Machine("T4", 1, 1), Machine("T4", 2, 1))},
        {"keep_back_ms": -1},
        {"keep_back_ms": HOUR_MS + 1},
        {"keep_back_ms": 0.5},
        {"overrun": "forgives"},
        {"observe": "guess"},
        {"parent": "mine"},
    ],
)
def test_an_account_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AccountError) as caught:
        replace(DEVICES, **wrong)
    assert caught.value.exit_code == 2


def test_what_is_kept_back_is_compared_with_every_amount_but_those_of_lots() -> None:
    both = (Limit(0, Lots(), "lots"), Limit(5, Unbounded(), "grant"))
    assert replace(DEVICES, limits=both, keep_back_ms=5).keep_back_ms == 5
    with pytest.raises(AccountError):
        replace(DEVICES, limits=both, keep_back_ms=6)


def test_a_limit_is_found_by_its_name() -> None:
    account = replace(DEVICES, limits=(weekly(1), weekly(2, name="other")))
    assert (account.limit("").amount_ms, account.limit("other").amount_ms) == (1, 2)
    with pytest.raises(AccountError) as caught:
        account.limit("monthly")
    assert caught.value.wanted == "weekly, other"


def test_a_part_has_the_nature_of_its_parent() -> None:
    """Edge 25: what is charged to a part must mean the same on its parent."""
    part = replace(DEVICES, name="part", parent="mine", limits=(weekly(5),))
    check_parent(part, DEVICES)
    wrongs: tuple[dict[str, Any], ...] = (
        {"kind": "simulated"}, {"executor": "slurm"}, {"unit": "session"},
        {"machines": (Machine("T4", 500, 1),)}, {"metering": Metering(minimum_ms=1)},
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(AccountError):
            check_parent(replace(part, **wrong), DEVICES)


def test_a_part_has_no_cheaper_machine_than_its_parent() -> None:
    """Edge 25: an hour that costs the part less would cost its parent less, too."""
    part = replace(CREDITS, name="part", parent="mine")
    check_parent(part, CREDITS)
    cheap = replace(part, machines=(Machine("T4", 1_000, 1), CREDITS.machines[1]))
    with pytest.raises(AccountError, match="has the machines of its parent mine") as caught:
        check_parent(cheap, CREDITS)
    assert (caught.value.got, caught.value.wanted) == (
        "T4 x1 at 1.0, A100 x1 at 7.52", "T4 x1 at 1.19, A100 x1 at 7.52",
    )  # fmt: skip
    coarse = replace(CREDITS, metering=Metering(granularity_ms=MINUTE_MS))
    with pytest.raises(AccountError, match="granularity_ms of the meter") as caught:
        check_parent(part, coarse)
    assert (caught.value.got, caught.value.wanted) == ("1", str(MINUTE_MS))
