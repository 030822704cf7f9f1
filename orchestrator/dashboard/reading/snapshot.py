"""All that the dashboard shows, as one value that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.dashboard.budget.outlook import Outlook
from orchestrator.dashboard.jobs.lanes import Lanes
from orchestrator.state.state import RunState, State

if TYPE_CHECKING:
    from budget.accounts.account import Account
    from budget.ledger.balance import Balance, LimitBalance
    from orchestrator.views.run.view import RunView
    from orchestrator.words.telling import Tone

EVENTS_KEPT = 300


@dataclass(frozen=True)
class EventLine:
    id: int
    """The event's number in the store; lines are in its order."""
    at_ms: int
    run: str
    text: str
    tone: Tone


@dataclass(frozen=True)
class AccountLimit:
    """One limit of one account; sub-budgets are one deeper than their parent."""

    account: Account
    limit: LimitBalance
    depth: int = 0
    read_ms: int | None = None
    """When the provider's own counter was read last; None where it never was."""


@dataclass(frozen=True)
class AccountBalance:
    """All limits of one account, and those of its parents: what a reservation is asked of."""

    account: Account
    balance: Balance


@dataclass(frozen=True)
class Screen:
    """What was known at `now_ms`."""

    now_ms: int
    scheduler_pid: int | None = None
    accounts: tuple[AccountLimit, ...] = ()
    """Each limit of each account, sub-budgets after their parent."""
    balances: Mapping[str, AccountBalance] = field(default_factory=dict)
    """By account."""
    state: State = field(default_factory=State)
    """The runs of `views`, those that their reused results come from, and no results."""
    views: tuple[RunView, ...] = ()
    """Live runs in the order they were submitted, then the last ones that ended, newest first."""
    events: tuple[EventLine, ...] = ()
    """Newest last."""
    lanes: Lanes = field(default_factory=Lanes)
    outlook: Outlook = field(default_factory=Outlook)
    trouble: str = ""
    """Why it could not be read; then all the rest is what was known before."""

    @property
    def live(self) -> tuple[RunState, ...]:
        return tuple(self.state.live_runs())

    def view(self, run: str) -> RunView | None:
        return next((view for view in self.views if view.name == run), None)
