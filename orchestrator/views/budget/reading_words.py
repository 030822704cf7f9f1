"""How old what a provider has counted is, in words: the same ones wherever it is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from budget.accounts.account import Account
from budget.duration import DAY_MS
from budget.ledger.reading import OLD_MS, Reading


def reading_age(account: Account, read_ms: int | None, now_ms: int) -> str:
    """ "read 3 d ago", or "never read" of a provider that counts itself; empty where what it said
    is new enough."""
    if read_ms is None:
        counts = account.kind == "provider" and account.observe != "none"
        return "never read" if counts else ""
    age_ms = now_ms - read_ms
    return f"read {age_ms // DAY_MS} d ago" if age_ms > OLD_MS else ""


def reading_due(account: Account, readings: Iterable[Reading], now_ms: int) -> str:
    """The age of the newest of an account's readings, and what to type; empty if there is no need:
    "read 3 d ago · skint ledger reading kaggle-gpu --used AMOUNT"."""
    known = (reading.at_ms for reading in readings if reading.account == account.name)
    age = reading_age(account, max(known, default=None), now_ms)
    return f"{age} · {reading_line(account.name)}" if age else ""


def reading_line(account: str) -> str:
    """What somebody types who has looked at the provider's page."""
    return f"skint ledger reading {account} --used AMOUNT"
