"""The balance of an account, computed from what stands in the ledger. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from budget.accounts.account import Account
from budget.accounts.limit import Limit
from budget.instant import LATEST_MS
from budget.ledger import readings, rows, versions
from budget.ledger.balance import Balance, LimitBalance
from budget.ledger.line import Reservation, Span
from budget.ledger.purse import Purse, purse_at
from budget.ledger.reading import Reading
from budget.ledger.usage import Ahead, InFlight, Settled, Used
from budget.ledger.versions import Version
from budget.windows import FirstUse, Lots, Window, WindowRule
from budget.windows.base import Usage
from budget.windows.change import window_under, with_refresh


@dataclass(frozen=True, slots=True)
class Book:
    """All that the limits of one account, asked or a parent, are computed from."""

    connection: sqlite3.Connection
    account: Account
    versions: Sequence[Version]
    reservations: Sequence[Reservation]
    """The open ones that count here: its own, and those of all below it."""
    used: Used
    now_ms: int

    @property
    def reserved_ms(self) -> int:
        """What open reservations have not used yet: it counts whole in the present window."""
        return sum(row.amount_ms - row.in_flight_ms(self.now_ms) for row in self.reservations)


def books(
    connection: sqlite3.Connection, name: str, now_ms: int, said_ms: int | None = None
) -> tuple[Book, ...]:
    """The account and its parents upwards, by what they say now, or said at `said_ms`.

    What admits goes by now: a clock that was set back must not get round a change. Raises
    `AccountNotFound`.
    """
    found: list[Book] = []
    reservations = rows.open_reservations(connection)
    link = name
    while link:
        known = versions.of(connection, link)
        if not known or known[-1].account is None:
            raise versions.not_found(connection, link)
        if said_ms is not None:
            known = versions.until(known, said_ms)
        account = known[-1].account
        if account is None:  # it was removed then, and has been added again
            raise versions.not_found(connection, link)
        below = versions.subtree(connection, link)
        mine = [row for row in reservations if row.account in below]
        used = Used(Settled(connection, link, below), InFlight(mine, now_ms))
        found.append(Book(connection, account, known, mine, used, now_ms))
        link = account.parent
    return tuple(found)


def balance_of(connection: sqlite3.Connection, name: str, now_ms: int) -> Balance:
    """The balance of the account at `now_ms`, by what it and its parents said then."""
    kept = books(connection, name, now_ms, said_ms=now_ms)
    balance = admission_by(kept)
    tightest = balance.tightest
    of = next(book for book in kept if book.account.name == tightest.account)
    saved = rows.saved(connection, of.used.settled.subtree, tightest.window)
    kinds = MappingProxyType(saved)
    return Balance(balance.account, balance.limits, balance.simulated, balance.unit, kinds)


def admission_by(books: Sequence[Book]) -> Balance:
    """The balance of the first of `books`, without what was saved."""
    limits = [_limit_balance(book, limit) for book in books for limit in book.account.limits]
    asked = books[0].account
    return Balance(asked.name, tuple(limits), asked.kind == "simulated", asked.unit)


def open_below(connection: sqlite3.Connection, name: str) -> list[Reservation]:
    """The open reservations that count on the account: its own, and those of all below it."""
    below = set(versions.subtree(connection, name))
    return [row for row in rows.open_reservations(connection) if row.account in below]


def _limit_balance(book: Book, limit: Limit) -> LimitBalance:
    if limit.window.kind == "per-session":
        return _of_session(book, limit)
    if isinstance(limit.window, Lots):
        return _of_lots(book, limit, limit.window)
    return _of_window(book, limit)


def _of_session(book: Book, limit: Limit) -> LimitBalance:
    window = limit.window.window_at(book.now_ms, book.used)
    return LimitBalance(
        book.account.name,
        limit,
        window,
        limit.amount_ms,
        settled_ms=0,
        in_flight_ms=0,
        reserved_ms=0,
        whole_ms=limit.amount_ms,
        unit=book.account.unit,
    )


def _of_lots(book: Book, limit: Limit, rule: Lots) -> LimitBalance:
    now_ms, used = book.now_ms, book.used
    newest = readings.newest(book.connection, book.account.name, limit.name, LATEST_MS)
    before = _purse(book, limit, rule, used.settled, now_ms)
    purse = _purse(book, limit, rule, used, now_ms)
    settled_ms = purse.amount_ms - before.left_ms - purse.foreign_ms
    return _finished(
        book,
        limit,
        limit.window.window_at(now_ms, used),
        amount_ms=purse.amount_ms,
        settled_ms=settled_ms,
        in_flight_ms=before.left_ms - purse.left_ms,
        foreign_ms=purse.foreign_ms + (newest.others_reserved_ms if newest else 0),
        next_gain_ms=None,
    )


def expires_before(books: Sequence[Book], made: Reservation) -> LimitBalance | None:
    """The limit whose lots expire before `made` could use them; None if it is paid to its end.

    What has not started counts as if it did now.
    """
    for book in books:
        for limit in book.account.limits:
            if isinstance(limit.window, Lots):
                spans = [_planned(row, book.now_ms) for row in (*book.reservations, made)]
                usage = Ahead(book.used.settled, spans)
                end_ms = max(span.end_ms for span in spans)
                missing_ms = -_purse(book, limit, limit.window, usage, end_ms).left_ms
                if missing_ms > 0:
                    now = _of_lots(book, limit, limit.window)
                    usable_ms = now.amount_ms - now.free_ms + made.amount_ms - missing_ms
                    return replace(now, amount_ms=usable_ms)
    return None


def _planned(row: Reservation, now_ms: int) -> Span:
    span = (row if row.start_ms is not None else replace(row, start_ms=now_ms)).span()
    assert span is not None, "it has a start"
    return span


def _purse(book: Book, limit: Limit, rule: Lots, usage: Usage, at_ms: int) -> Purse:
    lots = readings.lots(book.connection, book.account.name)
    newest = readings.newest(book.connection, book.account.name, limit.name, LATEST_MS)
    return purse_at(at_ms, lots, usage, newest, known=book.used, lifetime_ms=rule.lifetime_ms)


def _of_window(book: Book, limit: Limit) -> LimitBalance:
    rule, now_ms, used = limit.window, book.now_ms, book.used
    rules = versions.rules(book.versions, limit.name)
    # An older rule may have begun a window that the present one would not know of.
    if isinstance(rule, FirstUse) and len(rules) == 1:
        used = used.since_idle(now_ms, rule.length_ms)
    window = plain = rule.window_at(now_ms, used)
    newest = readings.newest(book.connection, book.account.name, limit.name, window.end_ms - 1)
    refresh_ms = None if newest is None else _refresh_ms(book, rules, newest)
    if newest is not None or len(rules) > 1:
        plain = _window(rules[-1:], now_ms, used, newest, refresh_ms)
        # A change of the rule is no reset: until its first one, the window goes further back.
        window = _window(rules, now_ms, used, newest, refresh_ms)
    amount_ms, foreign_ms = limit.amount_ms, 0
    if newest is not None and newest.at_ms in window:
        # Of the window as it was then: what we had used by then may have fallen out since.
        since_ms = max(
            _window(known, newest.at_ms, used, newest, refresh_ms).start_ms
            for known in (rules, rules[-1:])
        )
        foreign_ms = newest.foreign_ms(since_ms, used)
        amount_ms = limit.amount_ms if newest.allowed_ms is None else newest.allowed_ms
    gain_ms: int | None = plain.end_ms
    not_begun = rule.kind == "first-use" and plain.start_ms == now_ms and not foreign_ms
    if not_begun or rule.kind not in ("calendar", "first-use"):
        gain_ms = rule.next_gain_ms(now_ms, used)
    return _finished(
        book,
        limit,
        window,
        amount_ms=amount_ms,
        settled_ms=used.settled.between(window.start_ms, window.end_ms),
        in_flight_ms=used.in_flight.between(window.start_ms, window.end_ms),
        foreign_ms=foreign_ms,
        next_gain_ms=gain_ms,
    )


def _refresh_ms(book: Book, rules: Sequence[tuple[int, WindowRule]], newest: Reading) -> int | None:
    """When the window of the reading ends, where that is more than what the rules say."""
    from_ms, rule = rules[-1]
    before = len(rules) > 1 and newest.at_ms < from_ms
    if newest.refresh_ms is not None or not newest.used_ms or before:
        return newest.refresh_ms
    if not isinstance(rule, FirstUse):
        return None
    # Where something is used a window has begun, by our own use or else by that of others.
    own = book.used.since_idle(newest.at_ms, rule.length_ms)
    return rule.window_at(newest.at_ms, own).end_ms


def _window(
    rules: Sequence[tuple[int, WindowRule]],
    now_ms: int,
    used: Usage,
    newest: Reading | None,
    refresh_ms: int | None,
) -> Window:
    if newest is None or refresh_ms is None:
        return window_under(rules, now_ms, used)
    return with_refresh(rules, now_ms, used, read_at_ms=newest.at_ms, refresh_ms=refresh_ms)


def _finished(
    book: Book,
    limit: Limit,
    window: Window,
    *,
    amount_ms: int,
    settled_ms: int,
    in_flight_ms: int,
    foreign_ms: int,
    next_gain_ms: int | None,
) -> LimitBalance:
    keep_back_ms, reserved_ms = book.account.keep_back_ms, book.reserved_ms
    used_ms = settled_ms + in_flight_ms + reserved_ms + foreign_ms
    kept_back_ms = max(0, min(keep_back_ms, amount_ms - used_ms))
    if limit.window.kind in ("lots", "unbounded"):
        whole_ms = amount_ms - settled_ms - foreign_ms - keep_back_ms
    else:
        whole_ms = max(amount_ms, limit.amount_ms) - keep_back_ms
    return LimitBalance(
        book.account.name,
        limit,
        window,
        amount_ms,
        settled_ms,
        in_flight_ms,
        reserved_ms,
        foreign_ms,
        kept_back_ms,
        next_gain_ms,
        whole_ms,
        book.account.unit,
    )
