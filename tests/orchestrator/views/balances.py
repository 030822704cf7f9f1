"""Balances made by a real ledger, for tests of screens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.ledger import Ledger
from budget.ledger.balance import Balance, LimitBalance
from budget.windows import Window
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS

NOW_MS = SATURDAY_MS + 50 * HOUR_MS
"""Mon 23 Nov 2026 02:00 UTC."""


def account(*limits: Limit, **fields: Any) -> Account:
    """`lab`, of this machine; 30 h a week unless limits are given."""
    given = {"name": "lab", "kind": "machine", "executor": "local", **fields}
    return Account(limits=limits or (weekly(30 * HOUR_MS),), **given)


def limit_balance(**fields: Any) -> LimitBalance:
    """Of 30 h a week, nothing of it used unless fields say so."""
    window = Window(SATURDAY_MS, SATURDAY_MS + 168 * HOUR_MS)
    made = LimitBalance(
        "lab",
        weekly(30 * HOUR_MS),
        window,
        30 * HOUR_MS,
        settled_ms=0,
        in_flight_ms=0,
        reserved_ms=0,
        next_gain_ms=window.end_ms,
    )
    return replace(made, **fields)


def balance(*accounts: Account, of: str = "lab", used_h: int = 0, now_ms: int = NOW_MS) -> Balance:
    """What a ledger with those accounts says, after `used_h` hours of one device."""
    with Ledger(":memory:") as ledger:
        for made in accounts:
            ledger.add_account(made, SATURDAY_MS)
        if used_h:
            ledger.adjust(of, used_h * HOUR_MS, "used", now_ms - HOUR_MS, "used")
        return ledger.balance(of, now_ms)
