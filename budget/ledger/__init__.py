"""The ledger that cannot be overdrawn.

ledger, allocations, corrections, notes  what can be asked of it
file, schema, lease, network_disk  the SQLite file, on local disks and on shared ones
line, reading, lot, saving, versions  what stands in it
rows, readings, total            its tables
usage, purse, reckoning, balance  what follows from them: what is used, and what is left
refusal, audit                   how it says no, and whether it agrees with itself
"""

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
