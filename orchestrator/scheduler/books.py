"""What the scheduler has the ledger do. Each call may be made again and changes nothing then.

No answer where the ledger cannot be used at the moment: what was asked is simply due again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from budget.accounts.account import Account
from budget.ledger import (
    AccountNotFound,
    IdTaken,
    Ledger,
    LedgerError,
    OverBudget,
    ReservationNotFound,
    SavingNotFound,
    TooManySessions,
)
from budget.ledger.balance import Balance
from orchestrator.clock import Clock
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.balances import lineage
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.saving_state import SavingState

_log = logging.getLogger(__name__)

FORGOTTEN_MS = 7 * 24 * 3_600_000
"""A reservation that nobody settled so long after its deadline is charged in full, as an estimate:
its run was lost with its store."""

BACK_OFF_MS = 30_000
"""After the ledger has refused what seemed to fit: somebody else has it, for longer than a tick."""
MOST_DOUBLINGS = 6
"""Each further refusal of the same attempts doubles the wait, so often: to half an hour. Who has it
may have it for days, and every time of asking is a line in the store for good."""


def owner_of(run: str) -> str:
    """Under whose name the ledger books a run; the slash ends the prefix that it is found by."""
    return f"{run}/"


class Books:
    """The ledger as a scheduler uses it."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self._accounts: Mapping[str, Account] = {}

    def accounts(self) -> Mapping[str, Account]:
        """All of the ledger; those of the last time where it cannot be read at the moment."""
        try:
            self._accounts = {account.name: account for account in self.ledger.accounts()}
        except LedgerError as error:
            if not self._accounts:
                raise  # without any, every job that waits would be told that it has none
            _log.warning("the accounts cannot be read now: %s", error)
        return self._accounts

    def sessions(self, accounts: Mapping[str, Account], names: Iterable[str]) -> dict[str, int]:
        """Open allocations by account, sub-budgets included, where `names` or what is above them
        admit only so many; none where the ledger cannot be read: when it can be, it has the last
        word."""
        limits = (accounts[above].session for name in names for above in lineage(accounts, name))
        if all(session.concurrent is None for session in limits):
            return {}
        try:
            charged = [open.account for open in self.ledger.reservations()]
        except LedgerError as error:
            _log.warning("who uses the accounts is not known: %s", error)
            return {}
        return Counter(above for name in charged for above in lineage(accounts, name))

    def balances(self, accounts: Iterable[str]) -> dict[str, Balance]:
        """What is left on each of them, as far as that is known."""
        found = {}
        for account in accounts:
            try:
                found[account] = self.ledger.balance(account, self.clock.now_ms())
            except LedgerError as error:
                _log.warning("what is left on %s is not known: %s", account, error)
        return found

    def reserve(
        self, run: str, allocation: AllocationState, refused_before: int = 0
    ) -> Iterable[i.Answer]:
        """Set aside what it may cost, before anything starts. `refused_before` is how often that
        was refused for the same attempts."""
        back_off_ms = BACK_OFF_MS << min(refused_before, MOST_DOUBLINGS)
        try:
            known = self.ledger.reserve(
                id=allocation.id,
                account=allocation.account,
                owner=owner_of(run),
                devices=len(allocation.devices),
                amount_ms=allocation.amount_ms,
                now_ms=self.clock.now_ms(),
                expires_ms=self.clock.now_ms() + allocation.wall_ms + FORGOTTEN_MS,
            )
        except OverBudget as refused:
            again_ms = self.clock.now_ms() + back_off_ms
            return (i.Refused(allocation.id, refused.what, refused.until_ms, again_ms),)
        except TooManySessions as full:
            again_ms = self.clock.now_ms() + back_off_ms
            return (i.Refused(allocation.id, full.what, None, again_ms, "sessions"),)
        except IdTaken as taken:
            return (i.Refused(allocation.id, taken.what, None, self.clock.now_ms(), "id-taken"),)
        except AccountNotFound as gone:  # removed since we last looked: the next look sees it
            text = f"{gone.what}: {allocation.account}"
            again_ms = self.clock.now_ms() + back_off_ms
            return (i.Refused(allocation.id, text, None, again_ms, "account"),)
        except LedgerError as error:
            _log.warning("the ledger cannot reserve %s now: %s", allocation.id, error)
            return ()  # whether it stands there is not known: it will be dropped
        if not known.is_open:
            # The ledger outlives the store: an earlier run of this name has paid under this id.
            text = f"{allocation.id} stands in the ledger for something else, and is closed"
            return (i.Refused(allocation.id, text, None, self.clock.now_ms(), "id-taken"),)
        return (i.Reserved(allocation.id),)

    def drop(self, allocation: AllocationState, refused_before: int) -> Iterable[i.Answer]:
        """Give up one that could not be reserved when it was decided: it is decided anew."""
        text = "the ledger could not be written when it was to be reserved"
        if not self.release(allocation.id, text):
            return ()
        back_off_ms = BACK_OFF_MS << min(refused_before, MOST_DOUBLINGS) if refused_before else 0
        again_ms = self.clock.now_ms() + back_off_ms
        return (i.Refused(allocation.id, text, None, again_ms, "ledger"),)

    def settle(self, allocation: AllocationState) -> Iterable[i.Answer]:
        """Replace what was set aside by what was used."""
        assert allocation.start_ms is not None and allocation.end_ms is not None
        try:
            charge = self.ledger.settle(
                allocation.id,
                allocation.start_ms,
                allocation.end_ms,
                shares=allocation.weights,
                estimated=allocation.estimated,
                now_ms=self.clock.now_ms(),
            )
            shares = self.ledger.shares(allocation.id)
        except ReservationNotFound:
            return self._book_without_reservation(allocation)
        except LedgerError as error:
            _log.warning("the ledger cannot settle %s now: %s", allocation.id, error)
            return ()
        return (i.Settled(allocation.id, charge.amount_ms, shares),)

    def _book_without_reservation(self, allocation: AllocationState) -> Iterable[i.Answer]:
        """The ledger was lost or replaced meanwhile: the hours are used all the same."""
        assert allocation.start_ms is not None and allocation.end_ms is not None
        used_ms = (allocation.end_ms - allocation.start_ms) * allocation.amount_ms
        charged_ms = -(-used_ms // max(1, allocation.wall_ms))  # never rounded in our favour
        try:
            reason = f"{allocation.id} ended; its reservation is not in this ledger"
            self.ledger.adjust(
                allocation.account, charged_ms, reason, self.clock.now_ms(), allocation.id
            )
        except (AccountNotFound, IdTaken) as error:
            _log.error("%s was used and can be booked nowhere: %s", allocation.id, error)
        except LedgerError as error:
            _log.warning("the ledger cannot book %s now: %s", allocation.id, error)
            return ()
        return (i.Settled(allocation.id, charged_ms, {}),)

    def release(self, allocation: str, reason: str) -> Iterable[i.Answer]:
        """Give back what was set aside for one that never started."""
        try:
            self.ledger.release(allocation, self.clock.now_ms(), reason)
        except ReservationNotFound:
            pass  # a lost or replaced ledger: there is nothing to give back
        except LedgerError as error:
            _log.warning("the ledger cannot release %s now: %s", allocation, error)
            return ()
        return (i.Released(allocation, reason),)

    def save(self, run: str, saving: SavingState) -> Iterable[i.Answer]:
        """Note what was not spent, or that it is spent after all."""
        try:
            if saving.takes_back:
                self.ledger.take_back_saving(saving.id, saving.takes_back, saving.derivation)
                return (i.Booked(run, saving.id),)
            self.ledger.book_saving(
                saving.id,
                saving.account,
                owner_of(run),
                saving.kind,
                saving.amount_ms,
                saving.derivation,
                saving.found_ms,
            )
        except (AccountNotFound, SavingNotFound) as error:
            # The account was removed, or the ledger replaced.
            _log.warning("%s is booked nowhere: %s", saving.id, error.what)
        except LedgerError as error:
            _log.warning("%s cannot be booked now: %s", saving.id, error)
            return ()
        return (i.Booked(run, saving.id),)
