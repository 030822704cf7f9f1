"""Hours that were not spent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SavingState:
    """Hours that were not spent, in the account's milliseconds."""

    id: str
    job: str
    account: str
    unit: str
    kind: str
    amount_ms: int
    derivation: str
    found_ms: int
    booked: bool = False
    """The ledger has it."""
    takes_back: str = ""
    """The saving that came to nothing, as the job goes on after all."""
