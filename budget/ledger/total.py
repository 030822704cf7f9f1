"""Totals: what was charged in each hour and each day, so that a balance need not read every line.

A line adds its part of an hour to that hour's total, on its account and on every parent, in the
transaction that writes it. A sum over any span is then whole days, whole hours, and at each end the
lines that touch one broken hour.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.ledger.line import Span

LONG_REACH = 17
"""The reach of lines of more than 65536 minutes: they are in no total and are read one by one."""

_PART = """
    CASE WHEN :{at} <= start_ms THEN 0
         WHEN :{at} >= end_ms THEN amount_ms
         WHEN amount_ms >= 0 THEN min(rate_milli * (:{at} - start_ms) / 1000, amount_ms)
         ELSE -min(rate_milli * (:{at} - start_ms) / 1000, -amount_ms) END
"""
"""`Span.before` in SQL. Its products stay within 64 bits: a thousand times the longest amount."""

_PARTS = f"coalesce(sum({_PART.format(at='b')} - {_PART.format(at='a')}), 0)"

_TOUCHING = f"""
    WITH reaches (reach, span_ms) AS (
        VALUES {", ".join(f"({reach}, {MINUTE_MS << reach})" for reach in range(LONG_REACH))}
    )
    SELECT {_PARTS} FROM reaches CROSS JOIN line INDEXED BY line_by_start
    WHERE line.account = :account AND line.reach = reaches.reach
        AND start_ms >= :a - span_ms AND start_ms < :b AND end_ms >= :a
"""
_LONG = f"""
    SELECT {_PARTS} FROM line INDEXED BY line_by_start
    WHERE account = :account AND reach = {LONG_REACH} AND start_ms < :b AND end_ms >= :a
"""
_IN_USE = f"""
    WITH reaches (reach, span_ms) AS (
        VALUES {", ".join(f"({reach}, {MINUTE_MS << reach})" for reach in range(LONG_REACH))},
            ({LONG_REACH}, 1 << 62)
    )
    SELECT 1 FROM reaches CROSS JOIN line INDEXED BY line_by_start
    WHERE line.account = :account AND line.reach = reaches.reach AND amount_ms > 0
        AND start_ms > :at - span_ms AND start_ms <= :at AND end_ms > :at
    LIMIT 1
"""
_SUM = "SELECT coalesce(sum(amount_ms), 0) FROM total WHERE account = ? AND width_ms = ?"
_WHOLE = f"({_SUM} AND start_ms >= ? AND start_ms < ?)"
_WHOLES = ["SELECT " + " + ".join([_WHOLE] * count) for count in range(4)]
"""By how many spans are added up."""
_ADD = """
    INSERT INTO total VALUES (?, ?, ?, ?) ON CONFLICT (account, width_ms, start_ms)
    DO UPDATE SET amount_ms = amount_ms + excluded.amount_ms
"""


def reach(span: Span) -> int:
    """The span is at most 2 ** reach minutes long; `LONG_REACH` stands for everything longer.

    Who looks for the lines at an instant need not look further back than that.
    """
    minutes = -(-(span.end_ms - span.start_ms) // MINUTE_MS)
    return min(LONG_REACH, max(0, minutes - 1).bit_length())


def parts(span: Span) -> Iterator[tuple[int, int, int]]:
    """Width, start and amount of each total that `span` counts in; none for a long one."""
    if span.amount_ms == 0 or reach(span) == LONG_REACH:
        return
    for width_ms in (HOUR_MS, DAY_MS):
        start_ms = span.start_ms // width_ms * width_ms
        before_ms = 0
        while before_ms != span.amount_ms:
            until_ms = span.before(start_ms + width_ms)
            if until_ms != before_ms:
                yield width_ms, start_ms, until_ms - before_ms
            before_ms, start_ms = until_ms, start_ms + width_ms


def add(connection: sqlite3.Connection, accounts: Iterable[str], span: Span) -> None:
    """Add `span` to the totals of `accounts`: the one that is charged, and its parents."""
    found = tuple(parts(span))
    connection.executemany(_ADD, [(account, *part) for account in accounts for part in found])


def between(
    connection: sqlite3.Connection,
    account: str,
    subtree: Sequence[str],
    start_ms: int,
    end_ms: int,
) -> int:
    """What was charged to `account` from `start_ms` to `end_ms`, by the totals and the lines.

    `subtree` is the account and all its sub-budgets: theirs are the lines.
    """
    a_ms, b_ms = -(-start_ms // HOUR_MS) * HOUR_MS, end_ms // HOUR_MS * HOUR_MS
    if a_ms >= b_ms:
        whole_ms, broken = 0, [(start_ms, end_ms)]
    else:
        whole_ms = _whole(connection, account, a_ms, b_ms)
        broken = [(start_ms, a_ms), (b_ms, end_ms)]
    for name in subtree:
        for a, b in broken:
            if a < b:
                values = {"account": name, "a": a, "b": b}
                whole_ms += connection.execute(_TOUCHING, values).fetchone()[0]
        values = {"account": name, "a": start_ms, "b": end_ms}
        whole_ms += connection.execute(_LONG, values).fetchone()[0]
    return whole_ms


def in_use(connection: sqlite3.Connection, account: str, at_ms: int) -> bool:
    """Whether a line of `account` alone was using something at `at_ms`."""
    values = {"account": account, "at": at_ms}
    return connection.execute(_IN_USE, values).fetchone() is not None


def resumed(connection: sqlite3.Connection, account: str, until_ms: int, idle_ms: int) -> int:
    """An instant before which `account` was idle for `idle_ms`: the latest by `until_ms`, or 0.

    To the hour, and an hour early: what is used in it need not be in its total yet.
    """
    (long,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM line WHERE reach = ?)", (LONG_REACH,)
    ).fetchone()
    next_ms = until_ms
    hours = connection.execute(
        "SELECT start_ms FROM total WHERE account = ? AND width_ms = ? AND start_ms <= ?"
        " ORDER BY start_ms DESC",
        (account, HOUR_MS, until_ms),
    )
    for (hour_ms,) in () if long else hours:
        if next_ms - HOUR_MS - (hour_ms + 2 * HOUR_MS) >= idle_ms:
            return next_ms - HOUR_MS
        next_ms = hour_ms
    return 0


def _whole(connection: sqlite3.Connection, account: str, a_ms: int, b_ms: int) -> int:
    """The sum of the hours from `a_ms` to `b_ms`, as days where they are whole."""
    day_a_ms, day_b_ms = -(-a_ms // DAY_MS) * DAY_MS, b_ms // DAY_MS * DAY_MS
    spans = [(HOUR_MS, a_ms, b_ms)]
    if day_a_ms < day_b_ms:
        spans = [(DAY_MS, day_a_ms, day_b_ms)]
        spans += [(HOUR_MS, a_ms, day_a_ms)] if a_ms < day_a_ms else []
        spans += [(HOUR_MS, day_b_ms, b_ms)] if day_b_ms < b_ms else []
    values = [value for span in spans for value in (account, *span)]
    (sum_ms,) = connection.execute(_WHOLES[len(spans)], values).fetchone()
    return int(sum_ms)


def recount(connection: sqlite3.Connection) -> dict[tuple[str, int, int], int]:
    """By account, width and start: every total as the lines have it."""
    parents = dict(connection.execute("SELECT name, parent FROM account"))
    totals: dict[tuple[str, int, int], int] = {}
    rows = connection.execute("SELECT account, start_ms, end_ms, rate_milli, amount_ms FROM line")
    for account, *values in rows:
        for width_ms, start_ms, amount_ms in parts(Span(*values)):
            name = account
            while name is not None:
                key = (name, width_ms, start_ms)
                totals[key] = totals.get(key, 0) + amount_ms
                name = parents.get(name)
    return totals


def fill(connection: sqlite3.Connection) -> None:
    """Compute the reach of every line and all totals: for a ledger that had none."""
    rows = connection.execute(
        "SELECT start_ms, end_ms, rowid FROM line WHERE end_ms - start_ms > ?", (MINUTE_MS,)
    ).fetchall()
    connection.executemany(
        "UPDATE line SET reach = ? WHERE rowid = ?",
        [(reach(Span(start_ms, end_ms, 0, 0)), row) for start_ms, end_ms, row in rows],
    )
    connection.executemany(
        "INSERT INTO total VALUES (?, ?, ?, ?)",
        [(*key, amount_ms) for key, amount_ms in recount(connection).items()],
    )
