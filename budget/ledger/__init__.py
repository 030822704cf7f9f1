"""The ledger that cannot be overdrawn.

ledger, allocations, corrections, notes  what can be asked of it
file, schema, lease, network_disk  the SQLite file, on local disks and on shared ones
line, reading, lot, saving, versions  what stands in it
rows, readings, total            its tables
usage, purse, reckoning, balance  what follows from them: what is used, and what is left
refusal, audit                   how it says no, and whether it agrees with itself
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budget.ledger.ledger import (
        AccountNotFound,
        IdTaken,
        Ledger,
        LedgerError,
        OverBudget,
        ReservationNotFound,
        SavingNotFound,
        TooManySessions,
    )

__all__ = [
    "AccountNotFound",
    "IdTaken",
    "Ledger",
    "LedgerError",
    "OverBudget",
    "ReservationNotFound",
    "SavingNotFound",
    "TooManySessions",
]


def __getattr__(name: str) -> object:
    """Who only shows a balance (`budget.ledger.balance`) does not wait for SQLite and the tables:
    a fifth of what a screen imports."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module("budget.ledger.ledger"), name)
    globals()[name] = found
    return found
