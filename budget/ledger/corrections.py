"""Corrections: lines with a cause that charge something more, or give something back.

Each function is one transaction's work and is safe to be asked again.
"""

from __future__ import annotations

import sqlite3

from budget.accounts.limit import Limit
from budget.amount import format_amount
from budget.attribution import attribute
from budget.instant import format_instant
from budget.ledger import reckoning, rows, versions
from budget.ledger.file import LedgerError
from budget.ledger.line import ADJUSTMENT, ESTIMATED, SETTLED, Charge
from budget.ledger.reckoning import Book
from budget.ledger.refusal import IdTaken
from budget.windows import Rolling, Window


def adjust(connection: sqlite3.Connection, made: Charge, *, same_instant: bool) -> None:
    """Write the correction `made`, which counts at one instant, once.

    With `same_instant` one that stands there for another instant is another one.
    """
    versions.present(connection, made.account)
    if _stands(connection, made, same_instant=same_instant):
        return
    if made.amount_ms < 0:
        for book in reckoning.books(connection, made.account, made.at_ms):
            for limit in book.account.limits:
                _check_was_used(book, limit, made)
    rows.insert_line(connection, made, versions.chain(connection, made.account), {})


def _check_was_used(book: Book, limit: Limit, made: Charge) -> None:
    """What is given back has been used in the window that it counts in.

    In no window may less than nothing be used: there would be more free than its amount.
    """
    rule, at_ms, settled = limit.window, made.start_ms, book.used.settled
    if rule.kind == "per-session":
        return
    spans = [rule.window_at(at_ms, book.used)]
    if isinstance(rule, Rolling):
        # A window that begins later holds only what was used later.
        firsts = rows.given_back_at(
            book.connection, settled.subtree, at_ms - rule.length_ms + 1, at_ms
        )
        spans = [Window(start_ms, start_ms + rule.length_ms) for start_ms in (*firsts, at_ms)]
    used_ms = min(settled.between(span.start_ms, span.end_ms) for span in spans)
    if used_ms + made.amount_ms < 0:
        unit, zone = book.account.unit, rule.zone
        since = "then" if isinstance(rule, Rolling) else "in that window"
        raise LedgerError(
            f"{book.account.name} has not used as much {since}"
            f" ({limit.name}, {format_instant(at_ms, zone)})",
            got=f"{format_amount(-made.amount_ms, unit, exact=True)} to give back",
            wanted=f"at most {format_amount(max(0, used_ms), unit, exact=True)}",
            next="name the charge with --refunds, or with --at when it was used",
        )


def refund(
    connection: sqlite3.Connection,
    *,
    id: str,
    account: str,
    refunds: str,
    amount_ms: int,
    reason: str,
    now_ms: int,
) -> None:
    """Give back, once, at most what the charge `refunds` was, where it was used and to whom."""
    original = rows.line(connection, refunds)
    if original is None or original.kind not in (SETTLED, ESTIMATED):
        raise LedgerError(
            "only a charge can be refunded",
            got=f"{refunds}: {original.kind if original else 'not in the ledger'}",
            next="skint ledger",
        )
    if original.account != account:
        raise LedgerError(
            f"the charge {refunds} is of another account", got=account, wanted=original.account
        )
    versions.present(connection, account)
    if not -original.amount_ms <= amount_ms < 0:
        unit = versions.present(connection, account).unit
        raise LedgerError(
            f"a refund of {refunds} gives back at most what it was charged",
            got=format_amount(amount_ms, unit),
            wanted=f"less than nothing, down to {format_amount(-original.amount_ms, unit)}",
        )
    made = original.refunded(id, amount_ms, now_ms, reason)
    if _stands(connection, made):
        return
    known = rows.refund_of(connection, refunds)
    if known is not None:
        raise LedgerError(
            f"{refunds} was refunded already: a charge is refunded once",
            got=f"{known.id}: {known.reason}",
        )
    weights = rows.line_shares(connection, refunds)
    parts = {name: -part_ms for name, part_ms in attribute(-amount_ms, weights).items()}
    rows.insert_line(connection, made, versions.chain(connection, account), parts)


def _stands(connection: sqlite3.Connection, made: Charge, *, same_instant: bool = False) -> bool:
    """Whether the adjustment stands in the ledger. Raises `IdTaken` if its id is another's."""
    known = rows.line(connection, made.id)
    if known is None and rows.reservation(connection, made.id) is None:
        return False
    moved = same_instant and known is not None and known.start_ms != made.start_ms
    if (
        known is None
        or moved
        or (known.kind, known.account, known.amount_ms, known.refunds)
        != (
            ADJUSTMENT,
            made.account,
            made.amount_ms,
            made.refunds,
        )
    ):
        raise IdTaken(f"the id {made.id} stands for something else in the ledger")
    return True
