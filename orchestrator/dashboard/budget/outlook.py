"""What is to be expected: what each waiting job will cost, and in which one an account runs dry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budget.accounts.account import Account
    from budget.ledger.balance import LimitBalance
    from orchestrator.state.state import State
    from orchestrator.views.budget.ahead import Ahead, Dry

AGAIN_MS = 5_000
"""A forecast is no clock: it is not made anew for each event."""


@dataclass(frozen=True)
class Outlook:
    expected: Mapping[tuple[str, str], Ahead] = field(default_factory=dict)
    """By run and job."""
    dry: Mapping[tuple[str, str], Dry] = field(default_factory=dict)
    """By account and limit."""


class Forecaster:
    """Remembers how long things took, and what it has said last."""

    def __init__(self) -> None:
        from orchestrator.forecasts.history import History  # the first frame is drawn without it

        self._history = History()
        self._made_ms: int | None = None
        self._accounts: tuple[str, ...] = ()
        self._ahead: tuple[Ahead, ...] = ()
        self._state: State | None = None

    def look(
        self, state: State, accounts: Sequence[tuple[Account, LimitBalance]], now_ms: int
    ) -> Outlook:
        names = tuple(account.name for account, _ in accounts)
        made_ms = self._made_ms
        due = made_ms is None or not 0 <= now_ms - made_ms < AGAIN_MS
        if due or names != self._accounts or (not self._ahead and state is not self._state):
            from orchestrator.views.budget.ahead import ahead_of

            self._history.update(state)
            distinct = {account.name: account for account, _ in accounts}
            self._ahead = tuple(
                one
                for account in distinct.values()
                for one in ahead_of(state, account, now_ms, self._history)
            )
            self._made_ms, self._accounts, self._state = now_ms, names, state
        return Outlook(
            {(one.run, one.job): one for one in self._ahead},
            {
                (account.name, limit.limit.name): dry
                for account, limit in accounts
                if (dry := self._dry(account, accounts, limit)) is not None
            },
        )

    def _dry(
        self,
        account: Account,
        accounts: Sequence[tuple[Account, LimitBalance]],
        limit: LimitBalance,
    ) -> Dry | None:
        from orchestrator.views.budget.ahead import dry_of

        below = {account.name}
        for other, _ in accounts:  # sub-budgets stand after their parent
            if other.parent in below:
                below.add(other.name)
        return dry_of(limit, self._ahead, below, self._made_ms or 0)
