"""What was saved goes into the ledger, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from budget.ledger import AccountNotFound, Ledger, LedgerError
from orchestrator.scheduler import inputs as i
from orchestrator.state import SavingState

_log = logging.getLogger(__name__)


def book_saving(ledger: Ledger, owner: str, run: str, saving: SavingState) -> Iterable[i.Answer]:
    """Book it under its id. No answer where the ledger cannot be written now: ask again."""
    try:
        ledger.book_saving(
            saving.id,
            saving.account,
            owner,
            saving.kind,
            saving.amount_ms,
            saving.derivation,
            saving.found_ms,
        )
    except AccountNotFound as error:  # the account was removed, or the ledger replaced
        _log.warning("%s is booked nowhere: %s", saving.id, error.what)
    except LedgerError as error:
        _log.warning("%s cannot be booked now: %s", saving.id, error)
        return ()
    return (i.Booked(run, saving.id),)
