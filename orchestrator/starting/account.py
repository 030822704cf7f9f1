"""The account that a plan charges: the one that is named, the only one, or one that is made."""

from __future__ import annotations

from collections.abc import Sequence

from budget.accounts.account import Account
from budget.accounts.presets import preset
from orchestrator.devices import Source
from orchestrator.submitting.usable import EXECUTORS

LOCAL, PRACTICE = "local", "practice"


def usable(accounts: Sequence[Account], source: Source) -> list[Account]:
    """Those that this machine can charge, in their order."""
    simulated = source == "simulated"
    return [
        account
        for account in accounts
        if account.executor in EXECUTORS and (account.kind == "simulated") == simulated
    ]


def new_account(accounts: Sequence[Account], source: Source) -> Account:
    """One for this machine, under a name that is free."""
    kind, name = ("simulated", PRACTICE) if source == "simulated" else ("local", LOCAL)
    taken = {account.name for account in accounts}
    numbered = (f"{name}{number}" for number in range(2, len(taken) + 3))
    return preset(kind, name if name not in taken else next(n for n in numbered if n not in taken))
