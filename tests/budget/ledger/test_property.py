"""Random schedules: what we admit never exceeds the amount, in any window."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.duration import HOUR_MS
from budget.ledger import Ledger, OverBudget
from budget.ledger.line import RELEASED
from budget.windows.base import NoUsage

AMOUNT_MS = 30 * HOUR_MS
FIRST_MS = 1_772_800_000_000
"""A Friday evening in New York, 29 hours before its clocks go forward."""

LIMIT = weekly(AMOUNT_MS, resets_on="sun", resets_at="02:30", zone="America/New_York")
ACCOUNT = Account("acc", "machine", "local", (LIMIT,))
BELOW_MS = 20 * HOUR_MS
BELOW = Account("below", "machine", "local", (weekly(BELOW_MS, "wed"),), parent="acc")

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "start", "start", "settle", "release", "expire"]),
        st.integers(0, 5 * HOUR_MS),  # how much later than the step before
        st.integers(0, 9),  # which reservation
        st.integers(1, 14 * HOUR_MS),  # how much to reserve
        st.integers(1, 3),  # devices
        st.booleans(),  # whether it may expire
    ),
    min_size=5,
    max_size=60,
)


def used_in_week(ledger: Ledger, a: int, b: int, now_ms: int, accounts: tuple[str, ...]) -> int:
    """Device-ms from `a` to `b` of charges and of what is in flight, counted anew."""
    total = 0
    for charge in ledger.charges():
        if charge.account not in accounts:
            continue
        if charge.start_ms == charge.end_ms:
            total += charge.amount_ms if a <= charge.start_ms < b else 0
        else:
            inside = max(0, min(b, charge.end_ms) - max(a, charge.start_ms))
            # An estimate ends with what is left of it, less than a millisecond of all devices.
            short = charge.devices * (charge.end_ms - charge.start_ms) - charge.amount_ms
            ends_here = inside > 0 and a < charge.end_ms <= b
            total += charge.devices * inside - (short if ends_here else 0)
    for row in ledger.reservations():
        if row.start_ms is not None and row.account in accounts:
            end_ms = min(now_ms, row.start_ms + row.amount_ms // row.devices)
            total += row.devices * max(0, min(b, end_ms) - max(a, row.start_ms))
    return total


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_no_schedule_overdraws_any_window(
    steps: list[tuple[str, int, int, int, int, bool]],
) -> None:
    """Edges 21 and 25: whatever is asked in whatever order, of a parent and its sub-budget."""
    with Ledger(":memory:") as ledger:
        ledger.add_account(ACCOUNT, FIRST_MS)
        ledger.add_account(BELOW, FIRST_MS)
        now_ms, windows, accepted = FIRST_MS, set(), {}
        for number, (verb, later_ms, which, amount_ms, devices, expires) in enumerate(steps):
            now_ms += later_ms
            open_rows = ledger.reservations()
            row = open_rows[which % len(open_rows)] if open_rows else None
            asked = ACCOUNT if which % 2 else BELOW
            admitted_ms = ledger.balance(asked.name, now_ms).free_ms
            free_ms = ledger.balance("acc", now_ms).free_ms
            if verb == "reserve":
                try:
                    made = ledger.reserve(
                        id=str(number),
                        account=asked.name,
                        owner="run",
                        devices=devices,
                        amount_ms=amount_ms,
                        now_ms=now_ms,
                        expires_ms=now_ms + 2 * later_ms if expires else None,
                    )
                    accepted[made.id] = made
                    assert amount_ms <= admitted_ms
                except OverBudget as refused:
                    assert amount_ms > admitted_ms
                    assert amount_ms > refused.free_ms >= admitted_ms
            elif verb == "start" and row:
                ledger.start(row.id, max(row.reserved_at_ms, now_ms - later_ms))
            elif verb == "settle" and row and row.start_ms is not None:
                longest_ms = row.amount_ms // row.devices
                end_ms = min(now_ms, row.start_ms + min(longest_ms, amount_ms))
                ledger.settle(
                    row.id,
                    row.start_ms,
                    max(row.start_ms, end_ms),
                    shares={"x": which, "y": devices},
                    now_ms=now_ms,
                )
                assert ledger.balance("acc", now_ms).free_ms >= free_ms
            elif verb == "release" and row and row.start_ms is None:
                ledger.release(row.id, now_ms, "refused")
                assert ledger.balance("acc", now_ms).free_ms == free_ms + row.amount_ms
            elif verb == "expire":
                ledger.expire(now_ms)
                assert ledger.balance("acc", now_ms).free_ms == free_ms

            for account, counted in ((ACCOUNT, ("acc", "below")), (BELOW, ("below",))):
                (limit,) = account.limits
                balance = ledger.balance(account.name, now_ms).limits[0]
                parts = (balance.settled_ms, balance.in_flight_ms, balance.reserved_ms)
                assert min(parts) >= 0
                assert sum(parts) + balance.free_ms == limit.amount_ms
                assert balance.free_ms >= 0
                windows.add((limit, limit.window.window_at(now_ms, NoUsage()), counted))
            for limit, window, counted in windows:
                used_ms = used_in_week(ledger, window.start_ms, window.end_ms, now_ms, counted)
                assert used_ms <= limit.amount_ms

        assert ledger.check() == ()
        charges = ledger.charges()
        assert {c.id for c in charges} | {r.id for r in ledger.reservations()} == set(accepted)
        for charge in charges:
            assert sum(ledger.shares(charge.id).values()) == charge.amount_ms
            assert charge.amount_ms <= accepted[charge.id].amount_ms
            assert charge.kind != RELEASED or charge.amount_ms == 0
