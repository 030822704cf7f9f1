"""The durable outbox: notices wait here, in the store's file, until they are delivered.

`put` writes in the transaction that keeps the events, so a notice exists exactly if its event
does. `pump` sends, outside of any transaction, and then marks; a crash between the two sends one
notice a second time, and no more than one, since one is sent at a time.

Order: replies and alerts of a run go one after the other, a failing one holds up the later ones;
the first reply waits while the run's head has yet to be posted. Heads are edits of one message:
only the newest waiting one is sent. Rate limits are kept by *lanes* that notifiers name
(`Notifier.pace`); when a lane is free again is stored too, so a restart does not forget it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from notifiers.base import Notice, Notifier, NotifyError
from orchestrator.clock import Clock, SystemClock

SCHEMA = """
create table if not exists outbox (
    id integer primary key,
    notifier text not null,
    run text not null,
    topic text not null,
    key text not null,
    notice text not null,
    place integer not null default 0,
    due_ms integer not null default 0,
    tries integer not null default 0,
    state text not null default 'queued'
        check (state in ('queued', 'sent', 'superseded', 'failed')),
    error text,
    unique (notifier, key)
);
create index if not exists outbox_queued on outbox (notifier, run) where state = 'queued';
create table if not exists address (
    notifier text not null,
    run text not null,
    address text not null,
    primary key (notifier, run)
);
create table if not exists lane (
    lane text primary key,
    free_ms integer not null
);
"""
"""`place`: the turn among the waiting; a head inherits it from the one that it supersedes."""

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Waits after a failure that does not say how long; the last one repeats, for days if need be."""
LONGEST_WAIT_S = 3600.0
"""A wait beyond this is not believed: the clock was set back, or a Retry-After is nonsense."""

_RETRY_DATABASE_S = 1.0


@dataclass(frozen=True)
class Undelivered:
    """A notice that was given up, with the reason."""

    notifier: str
    run: str
    title: str
    error: str


@dataclass(frozen=True)
class _Item:
    """A queued notice that may go at `at_ms`."""

    id: int
    notifier: Notifier
    notice: Notice
    address: Mapping[str, str]
    place: int
    tries: int
    at_ms: int


def put(connection: sqlite3.Connection, notifier: str, notice: Notice) -> bool:
    """Queue a notice inside the caller's transaction; False if its key is known already.

    A head supersedes the heads of the same run that still wait for the same notifier.
    """
    cursor = connection.execute(
        "insert into outbox (notifier, run, topic, key, notice) values (?, ?, ?, ?, ?)"
        " on conflict (notifier, key) do nothing",
        (notifier, notice.run, notice.topic, notice.key, notice.to_json()),
    )
    if cursor.rowcount == 0:
        return False
    new = cursor.lastrowid
    place, due_ms, tries = new, 0, 0
    if notice.topic == "head":
        older = (notifier, notice.run, new)
        waiting = "notifier = ? and run = ? and topic = 'head' and state = 'queued' and id < ?"
        row = connection.execute(
            f"select min(place), max(due_ms), max(tries) from outbox where {waiting}", older
        ).fetchone()
        if row[0] is not None:
            # Its turn and its back-off pass on: a stream of new heads neither starves nor
            # hammers a service that is down.
            place, due_ms, tries = row
            connection.execute(f"update outbox set state = 'superseded' where {waiting}", older)
    connection.execute(
        "update outbox set place = ?, due_ms = ?, tries = ? where id = ?",
        (place, due_ms, tries, new),
    )
    return True


def pump(
    connection: sqlite3.Connection, notifiers: Mapping[str, Notifier], now_ms: int
) -> int | None:
    """Send what is due at `now_ms`; returns when something next will be, None if nothing waits.

    `notifiers` by name; notices of others stay queued. Calls notifiers, which use the network:
    the connection must not be in a transaction. One pump at a time on one file.
    """
    while True:
        item = _first(connection, notifiers, now_ms)
        if item is None or item.at_ms > now_ms:
            return None if item is None else item.at_ms
        _deliver(connection, item, lambda: now_ms, {})


def waiting(connection: sqlite3.Connection, run: str | None = None) -> int:
    """How many notices are queued, of one run or of all."""
    (count,) = connection.execute(
        "select count(*) from outbox where state = 'queued' and run = coalesce(?, run)", (run,)
    ).fetchone()
    return int(count)


def runs_waiting(connection: sqlite3.Connection) -> list[str]:
    """The runs that notices are queued of; they may have ended long ago."""
    rows = connection.execute("select distinct run from outbox where state = 'queued'")
    return [run for (run,) in rows]


def undelivered(connection: sqlite3.Connection, run: str | None = None) -> list[Undelivered]:
    """The notices that were given up, oldest first."""
    rows = connection.execute(
        "select notifier, run, notice, error from outbox"
        " where state = 'failed' and run = coalesce(?, run) order by id",
        (run,),
    )
    return [
        Undelivered(notifier, of_run, Notice.from_json(notice).title, error)
        for notifier, of_run, notice, error in rows
    ]


def _first(
    connection: sqlite3.Connection, notifiers: Mapping[str, Notifier], now_ms: int
) -> _Item | None:
    """The queued notice to send next: of those due the one whose turn is oldest."""
    # With min(), SQLite takes the other columns from the row that has the minimum.
    rows = connection.execute(
        "select min(o.id), o.notifier, o.run, o.topic = 'head' as head, o.notice, o.place,"
        " o.due_ms, o.tries, a.address"
        " from outbox o left join address a on a.notifier = o.notifier and a.run = o.run"
        " where o.state = 'queued' group by o.notifier, o.run, head"
    ).fetchall()
    lanes = dict(connection.execute("select lane, free_ms from lane"))
    unposted = {(row[1], row[2]) for row in rows if row[3] and row[8] is None}
    found: list[_Item] = []
    for key, name, run, head, stored, place, due_ms, tries, kept in rows:
        notifier = notifiers.get(name)
        if notifier is None or ((name, run) in unposted and not head):
            continue
        notice = Notice.from_json(stored)
        address: dict[str, str] = json.loads(kept) if kept else {}
        waits = [due_ms, *(lanes.get(lane, 0) for lane in notifier.pace(notice, address))]
        believed = [wait for wait in waits if wait <= now_ms + LONGEST_WAIT_S * 1000]
        at_ms = max(believed, default=0)
        found.append(_Item(key, notifier, notice, address, place, tries, at_ms))
    return min(found, key=lambda item: (max(item.at_ms, now_ms), item.place), default=None)


def _deliver(
    connection: sqlite3.Connection,
    item: _Item,
    now: Callable[[], int],
    unmarked: dict[int, Mapping[str, str]],
) -> None:
    """Send one notice and write down what came of it.

    `unmarked` are the addresses of what was sent and could not be written down, by id: on a full
    disk the same words must not go out again and again.
    """
    gaps_s = item.notifier.pace(item.notice, item.address)
    try:
        if item.id not in unmarked:
            unmarked[item.id] = item.notifier.send(item.notice, item.address)
    except NotifyError as error:
        _failed(connection, item, error, gaps_s, now())
        return
    except Exception as error:  # a defect of a notifier must not hold up everybody's words
        logging.getLogger(__name__).exception("notifier %s failed", item.notifier.name)
        defect = NotifyError(f"{type(error).__name__}: {error}", permanent=True)
        _failed(connection, item, defect, gaps_s, now())
        return
    with _transaction(connection):
        # Superseded while it was on its way or not: it was delivered.
        connection.execute(
            "update outbox set state = 'sent', error = null where id = ?", (item.id,)
        )
        _keep_address(connection, item, unmarked[item.id])
        _occupy(connection, gaps_s, now())
    del unmarked[item.id]


def _failed(
    connection: sqlite3.Connection,
    item: _Item,
    error: NotifyError,
    gaps_s: Mapping[str, float],
    now_ms: int,
) -> None:
    wait_s = BACK_OFF_S[min(item.tries, len(BACK_OFF_S) - 1)]
    if error.retry_after_s is not None:
        wait_s = min(error.retry_after_s, LONGEST_WAIT_S)
        # The service means the lane, not the notice.
        gaps_s = {lane: max(gap_s, wait_s) for lane, gap_s in gaps_s.items()}
    text = error.what if error.next is None else f"{error.what}; {error.next}"
    with _transaction(connection):
        connection.execute(
            "update outbox set state = ?, tries = tries + 1, due_ms = ?, error = ?"
            " where id = ? and state = 'queued'",
            (
                "failed" if error.permanent else "queued",
                now_ms + max(1, round(wait_s * 1000)),
                text,
                item.id,
            ),
        )
        if error.reached is not None:
            _keep_address(connection, item, error.reached)
        _occupy(connection, gaps_s, now_ms)


def _keep_address(connection: sqlite3.Connection, item: _Item, address: Mapping[str, str]) -> None:
    of_run = (item.notifier.name, item.notice.run)
    if not address:
        # None at all, so that replies wait for the next head.
        connection.execute("delete from address where notifier = ? and run = ?", of_run)
    elif dict(address) != item.address:
        connection.execute(
            "insert or replace into address (notifier, run, address) values (?, ?, ?)",
            (*of_run, json.dumps(dict(address))),
        )


def _occupy(connection: sqlite3.Connection, gaps_s: Mapping[str, float], now_ms: int) -> None:
    connection.executemany(
        "insert or replace into lane (lane, free_ms) values (?, ?)",
        [(lane, now_ms + round(gap_s * 1000)) for lane, gap_s in gaps_s.items()],
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


class Sender:
    """Pumps in a daemon thread with a connection of its own: training never waits for words.

    `notifiers` is shared with the caller, who may add to it while runs come. After `put` and
    commit call `poke`; at the end `drain`, then `stop`. What is still queued then is sent by the
    next sender on the same file.
    """

    def __init__(
        self, path: Path, notifiers: Mapping[str, Notifier], clock: Clock | None = None
    ) -> None:
        self._path = path
        self._notifiers = notifiers
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._unmarked: dict[int, Mapping[str, str]] = {}
        self._pokes = 0
        self._idle_at = -1
        """Number of pokes that had been seen when nothing was left to send."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> int:
        """Something was put and committed; returns the number of this poke."""
        with self._changed:
            self._pokes += 1
            self._changed.notify_all()
            return self._pokes

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is queued; False when it still is after `timeout_s`."""
        poke = self.poke()
        with self._changed:
            return self._changed.wait_for(lambda: self._idle_at >= poke, timeout_s)

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the thread after the send that is under way, and wait for that up to `timeout_s`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            try:
                with closing(sqlite3.connect(self._path, timeout=30)) as connection:
                    self._pump(connection)
            except sqlite3.Error as error:  # e.g. locked or a full disk: nothing is lost by waiting
                logging.getLogger(__name__).warning("the outbox waits for its file: %s", error)
                self._wait(_RETRY_DATABASE_S, seen=-1)

    def _pump(self, connection: sqlite3.Connection) -> None:
        while not self._stopping:
            seen = self._pokes
            now_ms = self._clock.now_ms()
            item = _first(connection, self._notifiers, now_ms)
            if item is None:
                with self._changed:
                    self._idle_at = seen
                    self._changed.notify_all()
                self._wait(None, seen)
            elif item.at_ms > now_ms:
                self._wait((item.at_ms - now_ms) / 1000, seen)
            else:
                _deliver(connection, item, self._clock.now_ms, self._unmarked)

    def _wait(self, timeout_s: float | None, seen: int) -> None:
        """Until stopped, poked after the poke number `seen` (any, if -1), or the time is over."""
        with self._changed:
            since = self._pokes if seen < 0 else seen
            self._changed.wait_for(lambda: self._stopping or self._pokes != since, timeout_s)
