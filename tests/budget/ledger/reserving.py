"""A week of 30 hours, and what is reserved of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from budget.duration import HOUR_MS
from budget.ledger import Ledger

RESET_MS = int(datetime(2026, 11, 14, tzinfo=UTC).timestamp()) * 1000
"""A Saturday 00:00 UTC: the windows of the presets change here."""

NOW_MS = RESET_MS - 48 * HOUR_MS


def reserve(ledger: Ledger, id: str = "a", hours: int = 10, **changed: Any) -> None:
    ledger.reserve(
        **{
            "id": id,
            "account": "simulated",
            "owner": "run-1/train",
            "devices": 1,
            "amount_ms": hours * HOUR_MS,
            "now_ms": NOW_MS,
            **changed,
        }
    )


def figures(ledger: Ledger, now_ms: int, account: str = "simulated") -> tuple[int, int, int, int]:
    """Settled, in flight, reserved, free; checks that they add up."""
    balance = ledger.balance(account, now_ms)
    parts = (balance.settled_ms, balance.in_flight_ms, balance.reserved_ms, balance.free_ms)
    assert sum(parts) == balance.amount_ms == 30 * HOUR_MS
    return parts
