"""What an account has used, read from its totals, its lines and its open reservations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from budget.ledger import total
from budget.ledger.line import Reservation, Span

_REACHES = ", ".join(f"({reach})" for reach in range(total.LONG_REACH + 1))

_FIRST = f"""
    WITH reaches (reach) AS (VALUES {_REACHES})
    SELECT min((
        SELECT start_ms FROM line WHERE account = :account AND line.reach = reaches.reach
            AND start_ms >= :at AND amount_ms > 0
        ORDER BY start_ms LIMIT 1
    )) FROM reaches
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """The lines of `account` and of all below it."""

    connection: sqlite3.Connection
    account: str
    subtree: Sequence[str]

    def between(self, start_ms: int, end_ms: int) -> int:
        """What was charged from `start_ms` (inside) to `end_ms` (outside)."""
        return total.between(self.connection, self.account, self.subtree, start_ms, end_ms)

    def first_from(self, at_ms: int) -> int | None:
        """Start of the first charged use at or after `at_ms`, or `at_ms` where there is some."""
        found = [
            first_ms
            for name in self.subtree
            if (first_ms := self._first_of(name, at_ms)) is not None
        ]
        return min(found, default=None)

    def _first_of(self, name: str, at_ms: int) -> int | None:
        if total.in_use(self.connection, name, at_ms):
            return at_ms
        values = {"account": name, "at": at_ms}
        (first_ms,) = self.connection.execute(_FIRST, values).fetchone()
        return None if first_ms is None else int(first_ms)


@dataclass(frozen=True, slots=True)
class InFlight:
    """What the allocations that have started have used by `now_ms`, each up to its deadline."""

    reservations: Sequence[Reservation]
    now_ms: int

    def between(self, start_ms: int, end_ms: int) -> int:
        """What was used from `start_ms` to `end_ms`, at most until now."""
        start_ms, end_ms = min(start_ms, self.now_ms), min(end_ms, self.now_ms)
        return sum(span.between(start_ms, end_ms) for span in self._spans())

    def first_from(self, at_ms: int) -> int | None:
        """Start of the first at or after `at_ms`, or `at_ms` where one is running."""
        starts = [max(at_ms, span.start_ms) for span in self._spans() if at_ms < span.end_ms]
        return min((start_ms for start_ms in starts if start_ms <= self.now_ms), default=None)

    @property
    def starts_ms(self) -> list[int]:
        """When each of them began."""
        return [span.start_ms for span in self._spans()]

    def _spans(self) -> list[Span]:
        return [span for row in self.reservations if (span := row.span()) is not None]


@dataclass(frozen=True, slots=True)
class Used:
    """What is settled and what is in flight, together."""

    settled: Settled
    in_flight: InFlight
    first_ms: int = 0
    """The first use is looked for from here on."""

    def since_idle(self, now_ms: int, idle_ms: int) -> Used:
        """The same, where use before the last `idle_ms` without any does not matter any more.

        A window of that length that begins with its first use cannot reach over them.
        """
        until_ms = min([now_ms, *self.in_flight.starts_ms])
        settled = self.settled
        first_ms = total.resumed(settled.connection, settled.account, until_ms, idle_ms)
        return replace(self, first_ms=first_ms)

    def between(self, start_ms: int, end_ms: int) -> int:
        """Both from `start_ms` (inside) to `end_ms` (outside)."""
        settled_ms = self.settled.between(start_ms, end_ms)
        return settled_ms + self.in_flight.between(start_ms, end_ms)

    def first_from(self, at_ms: int) -> int | None:
        """The earlier of both."""
        at_ms = max(at_ms, self.first_ms)
        firsts = (self.settled.first_from(at_ms), self.in_flight.first_from(at_ms))
        return min((first for first in firsts if first is not None), default=None)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is settled, and all that open allocations may come to use."""

    settled: Settled
    spans: Sequence[Span]

    def between(self, start_ms: int, end_ms: int) -> int:
        """Both from `start_ms` (inside) to `end_ms` (outside)."""
        planned_ms = sum(span.between(start_ms, end_ms) for span in self.spans)
        return self.settled.between(start_ms, end_ms) + planned_ms

    def first_from(self, at_ms: int) -> int | None:
        """The earlier of both."""
        starts = [max(at_ms, span.start_ms) for span in self.spans if at_ms < span.end_ms]
        firsts = (self.settled.first_from(at_ms), min(starts, default=None))
        return min((first for first in firsts if first is not None), default=None)
