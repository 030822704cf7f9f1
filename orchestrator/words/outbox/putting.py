"""Notices are put in, and of heads that wait only the newest stays."""

from __future__ import annotations

import sqlite3

from notifiers.base import Notice


def put(connection: sqlite3.Connection, notifier: str, notice: Notice) -> bool:
    """Queue a notice inside the caller's transaction; False if its key is known already.

    A head supersedes the heads of the same run that still wait for the same notifier.
    """
    cursor = connection.execute(
        "insert into outbox (notifier, run, topic, key, notice, not_before_ms)"
        " values (?, ?, ?, ?, ?, ?) on conflict (notifier, key) do nothing",
        (
            notifier,
            notice.run,
            notice.topic,
            notice.key,
            notice.to_json(),
            notice.not_before_ms,
        ),
    )
    if cursor.rowcount == 0:
        return False
    connection.execute("update outbox set place = id where id = ?", (cursor.lastrowid,))
    if notice.topic == "head":
        keep_newest_head(connection, notifier, notice.run)
    return True


def keep_newest_head(connection: sqlite3.Connection, notifier: str, run: str) -> None:
    """Supersede all but the newest of the heads that wait; one that is on its way does not.

    Turn and back-off pass on to the newest: a stream of new heads neither starves nor hammers a
    service that is down.
    """
    waiting = (
        "notifier = ? and run = ? and topic = 'head' and state = 'queued' and begun_ms is null"
    )
    of_run = (notifier, run)
    newest, place, due_ms, tries = connection.execute(
        f"select max(id), min(place), max(due_ms), max(tries) from outbox where {waiting}", of_run
    ).fetchone()
    if newest is None:
        return
    connection.execute(
        "update outbox set place = ?, due_ms = ?, tries = ? where id = ?",
        (place, due_ms, tries, newest),
    )
    connection.execute(
        f"update outbox set state = 'superseded' where {waiting} and id < ?", (*of_run, newest)
    )
