"""Whose turn it is: the notice to send next, and when."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from notifiers.base import Notice, Notifier

LONGEST_WAIT_S = 3600.0
"""A wait beyond this is not believed: the clock was set back, or a Retry-After is nonsense."""
LONGEST_HOLD_S = 86_400.0
"""The same for notices that are kept back, e.g. in quiet hours."""


@dataclass(frozen=True)
class Item:
    """A queued notice that may go at `at_ms`."""

    id: int
    notifier: Notifier
    notice: Notice
    address: Mapping[str, str]
    place: int
    tries: int
    begun_ms: int | None
    """When a send began of which it is not known whether it arrived."""
    at_ms: int


def next_item(
    connection: sqlite3.Connection, notifiers: Mapping[str, Notifier], now_ms: int
) -> Item | None:
    """The queued notice to send next: of those due the one whose turn is oldest.

    Of a run the oldest head and the oldest other notice are looked at; one that is kept back
    holds up no other.
    """
    # With min(), SQLite takes the other columns from the row that has the minimum.
    rows = connection.execute(
        "select min(o.id), o.notifier, o.run, o.topic = 'head' as head, o.notice, o.place,"
        " o.due_ms, o.tries, o.begun_ms, a.address,"
        " case when o.not_before_ms between :now + 1 and :longest then o.not_before_ms end as held"
        " from outbox o left join address a on a.notifier = o.notifier and a.run = o.run"
        " where o.state = 'queued' group by o.notifier, o.run, head, held",
        {"now": now_ms, "longest": now_ms + round(LONGEST_HOLD_S * 1000)},
    ).fetchall()
    lanes = dict(connection.execute("select lane, free_ms from lane"))
    unposted = {(row[1], row[2]) for row in rows if row[3] and row[9] is None}
    found: list[Item] = []
    for key, name, run, head, stored, place, due_ms, tries, begun_ms, kept, held in rows:
        notifier = notifiers.get(name)
        if notifier is None or ((name, run) in unposted and not head):
            continue
        notice = Notice.from_json(stored)
        address: dict[str, str] = json.loads(kept) if kept else {}
        waits = [due_ms, *(lanes.get(lane, 0) for lane in notifier.pace(notice, address))]
        believed = [wait for wait in waits if wait <= now_ms + LONGEST_WAIT_S * 1000]
        at_ms = max([*believed, held or 0])
        found.append(Item(key, notifier, notice, address, place, tries, begun_ms, at_ms))
    return min(found, key=lambda item: (max(item.at_ms, now_ms), item.place), default=None)
