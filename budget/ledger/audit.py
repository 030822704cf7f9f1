"""Whether the ledger agrees with itself: everything that can be derived is computed again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from budget.ledger import total
from budget.ledger.line import ADJUSTMENT, RELEASED, Span


def disagreements(connection: sqlite3.Connection) -> tuple[str, ...]:
    """A sentence with ids and figures for all that does not agree; none in a sound ledger."""
    checks = (_file, _closings, _amounts, _shares, _refunds, _reaches, _totals)
    return tuple(sentence for check in checks for sentence in check(connection))


def _file(connection: sqlite3.Connection) -> Iterator[str]:
    for (said,) in connection.execute("PRAGMA quick_check"):
        if said != "ok":
            yield f"the file is damaged: {said}"
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"a {table} names a {parent} that is not there"


def _closings(connection: sqlite3.Connection) -> Iterator[str]:
    """One line for each reservation that is closed, none for an open one."""
    for id, line in connection.execute(
        "SELECT reservation.id, line.id FROM reservation LEFT JOIN line USING (id)"
        " WHERE (reservation.closed_ms IS NULL) != (line.id IS NULL)"
    ):
        yield (
            f"reservation {id} is open and has a line"
            if line is not None
            else f"reservation {id} is closed and has no line"
        )
    for id, kind in connection.execute(
        "SELECT line.id, kind FROM line LEFT JOIN reservation USING (id)"
        " WHERE (reservation.id IS NULL) != (kind = ?)",
        (ADJUSTMENT,),
    ):
        stands = "stands for a reservation too" if kind == ADJUSTMENT else "had no reservation"
        yield f"line {id} ({kind}) {stands}"


def _amounts(connection: sqlite3.Connection) -> Iterator[str]:
    """What a line charges is what its reservation says that its time costs."""
    for id, kind, amount_ms, reserved_ms, asked_ms, same in connection.execute(
        "SELECT line.id, kind, line.amount_ms, line.reserved_ms, reservation.amount_ms,"
        " (line.account, line.owner, line.devices, line.machine, line.rate_milli) ="
        " (reservation.account, reservation.owner, reservation.devices, reservation.machine,"
        " reservation.rate_milli)"
        " FROM line JOIN reservation USING (id)"
    ):
        if kind == RELEASED and amount_ms:
            yield f"line {id} is released and charges {amount_ms} ms"
        if reserved_ms != asked_ms or not same:
            yield f"line {id} is not of the reservation that has its id"
    for id, amount_ms, cost_ms in connection.execute(
        "SELECT * FROM (SELECT line.id, line.amount_ms,"
        " (reservation.rate_milli * max(reservation.minimum_ms,"
        "  (line.end_ms - line.start_ms + step_ms - 1) / step_ms * step_ms) + 999) / 1000 AS cost"
        " FROM line JOIN reservation USING (id) WHERE kind = 'settled') WHERE amount_ms != cost"
    ):
        yield f"line {id} charges {amount_ms} ms for what costs {cost_ms} ms"


def _shares(connection: sqlite3.Connection) -> Iterator[str]:
    """What is attributed to attempts adds up to the line."""
    for id, amount_ms, sum_ms in connection.execute(
        "SELECT id, line.amount_ms, sum(share.amount_ms) FROM line"
        " LEFT JOIN share ON share.line = line.id"
        " WHERE kind != 'adjustment' OR refunds IS NOT NULL"
        " GROUP BY id HAVING sum(share.amount_ms) IS NOT line.amount_ms"
    ):
        yield f"the shares of line {id} add up to {sum_ms} ms, not to {amount_ms} ms"


def _refunds(connection: sqlite3.Connection) -> Iterator[str]:
    """No refund gives back more than was charged."""
    for id, refunds in connection.execute(
        "SELECT line.id, line.refunds FROM line JOIN line AS original"
        " ON original.id = line.refunds"
        " WHERE line.amount_ms >= 0 OR original.amount_ms + line.amount_ms < 0"
        " OR original.kind = 'adjustment' OR original.account != line.account"
    ):
        yield f"line {id} refunds more than {refunds} was charged, or something else"


def _reaches(connection: sqlite3.Connection) -> Iterator[str]:
    for id, start_ms, end_ms, reach in connection.execute(
        "SELECT id, start_ms, end_ms, reach FROM line"
    ):
        if reach != total.reach(Span(start_ms, end_ms, 0, 0)):
            yield f"line {id} is filed under the wrong length"


def _totals(connection: sqlite3.Connection) -> Iterator[str]:
    """The totals of hours and days are the sums of the lines."""
    counted = {key: ms for key, ms in total.recount(connection).items() if ms}
    for account, width_ms, start_ms, amount_ms in connection.execute("SELECT * FROM total"):
        right_ms = counted.pop((account, width_ms, start_ms), 0)
        if right_ms != amount_ms:
            yield (
                f"the total of {account} for {width_ms} ms from {start_ms} says {amount_ms} ms,"
                f" its lines {right_ms} ms"
            )
    for (account, width_ms, start_ms), right_ms in counted.items():
        yield f"the total of {account} for {width_ms} ms from {start_ms} misses {right_ms} ms"
