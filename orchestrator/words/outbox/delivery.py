"""One notice is sent, or found to have arrived already, and what came of it is written down."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace

from notifiers.base import Arrival, Finder, Illustrated, NotifyError
from orchestrator.pictures.drawn import with_pictures
from orchestrator.words.outbox.putting import keep_newest_head
from orchestrator.words.outbox.schema import transaction
from orchestrator.words.outbox.turn import LONGEST_WAIT_S, Item

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Waits after a failure that does not say how long; the last one repeats, for days if need be."""
SETTLE_S = 5.0
"""A send whose end nobody saw is looked for no sooner: it may still be under way."""
PERHAPS_REPEATED = "perhaps said before: whether the first try arrived is not known"


def deliver(
    connection: sqlite3.Connection,
    item: Item,
    now: Callable[[], int],
    unmarked: dict[int, Mapping[str, str]],
) -> None:
    """Send one notice and write down what came of it.

    That a send begins is written down before it does. So a notice of which it is not known
    whether it arrived (this process was killed, the answer was lost) is first looked for.
    `unmarked` are the addresses of what was sent and could not be written down, by id: on a disk
    that has become full the same words must not go out again and again.
    """
    gaps_s = item.notifier.pace(item.notice, item.address)
    try:
        if item.id not in unmarked:
            arrival, item = _look(_drawn(item))
            if arrival is None or not arrival.whole:
                if arrival is not None:
                    item = replace(item, address=arrival.address)
                elif _gives_way(connection, item):
                    return
                if not _begin(connection, item, now()):
                    return
                unmarked[item.id] = item.notifier.send(item.notice, item.address)
            else:
                unmarked[item.id] = arrival.address
    except NotifyError as error:
        _failed(connection, item, error, gaps_s, now())
        return
    except sqlite3.Error:
        raise
    except Exception as error:  # a defect of a notifier must not hold up everybody's words
        logging.getLogger(__name__).exception("notifier %s failed", item.notifier.name)
        defect = NotifyError(f"{type(error).__name__}: {error}", permanent=True)
        _failed(connection, item, defect, gaps_s, now())
        return
    with transaction(connection):
        connection.execute(
            "update outbox set state = 'sent', error = null, begun_ms = null where id = ?",
            (item.id,),
        )
        _keep_address(connection, item, unmarked[item.id])
        _occupy(connection, gaps_s, now())
    del unmarked[item.id]


def _drawn(item: Item) -> Item:
    """With its pictures drawn, where they are shown: what is looked for is what was sent."""
    if not (isinstance(item.notifier, Illustrated) and item.notifier.shows_pictures):
        return item
    return replace(item, notice=with_pictures(item.notice))


def _look(item: Item) -> tuple[Arrival | None, Item]:
    """What arrived of an earlier try; and the item, with a remark if that cannot be found out.

    Said twice is better than never: where nobody can look it is sent again, and says so.
    """
    if item.begun_ms is None:
        return None, item
    if isinstance(item.notifier, Finder):
        try:
            return item.notifier.find(item.notice, item.address), item
        except NotifyError as error:
            if not error.permanent:
                raise
            logging.getLogger(__name__).warning(
                "%s: whether %r arrived cannot be looked up, it is sent again: %s",
                item.notifier.name,
                item.notice.title,
                error,
            )
    if item.notice.topic == "head":
        return None, item  # it shows the present state, however often it is said
    lines = (*item.notice.lines, PERHAPS_REPEATED)
    return None, replace(item, notice=replace(item.notice, lines=lines))


def _gives_way(connection: sqlite3.Connection, item: Item) -> bool:
    """Whether a newer head waits behind this one, which did not arrive and need not any more."""
    if item.begun_ms is None or item.notice.topic != "head":
        return False
    of_run = (item.notifier.name, item.notice.run)
    newer = connection.execute(
        "select 1 from outbox where notifier = ? and run = ? and topic = 'head'"
        " and state = 'queued' and id > ?",
        (*of_run, item.id),
    ).fetchone()
    if newer is None:
        return False
    with transaction(connection):
        connection.execute("update outbox set begun_ms = null where id = ?", (item.id,))
        keep_newest_head(connection, *of_run)
    return True


def _begin(connection: sqlite3.Connection, item: Item, now_ms: int) -> bool:
    """Note that a send begins; False if the notice was superseded since it was chosen."""
    settle_s = SETTLE_S if isinstance(item.notifier, Finder) else 0.0
    with transaction(connection):
        cursor = connection.execute(
            "update outbox set begun_ms = coalesce(begun_ms, ?), due_ms = ?"
            " where id = ? and state = 'queued'",
            (now_ms, now_ms + round(settle_s * 1000), item.id),
        )
    return cursor.rowcount == 1


def _failed(
    connection: sqlite3.Connection,
    item: Item,
    error: NotifyError,
    gaps_s: Mapping[str, float],
    now_ms: int,
) -> None:
    wait_s = BACK_OFF_S[min(item.tries, len(BACK_OFF_S) - 1)]
    if error.retry_after_s is not None:
        wait_s = min(error.retry_after_s, LONGEST_WAIT_S)
        # The service means the lane, not the notice.
        gaps_s = {lane: max(gap_s, wait_s) for lane, gap_s in gaps_s.items()}
    if error.uncertain and isinstance(item.notifier, Finder):
        wait_s = max(wait_s, SETTLE_S)
    text = error.what if error.next is None else f"{error.what}; {error.next}"
    if error.permanent:
        logging.getLogger(__name__).warning(
            "%s: not told of %s, %r: %s",
            item.notifier.name,
            item.notice.run,
            item.notice.title,
            text,
        )
    with transaction(connection):
        connection.execute(
            "update outbox set tries = tries + 1, due_ms = ?, error = ? where id = ?",
            (now_ms + max(1, round(wait_s * 1000)), text, item.id),
        )
        if not error.uncertain and item.begun_ms is None:
            # Once a try may have arrived it is looked for until one is known to have.
            connection.execute("update outbox set begun_ms = null where id = ?", (item.id,))
        if item.notice.topic == "head":
            keep_newest_head(connection, item.notifier.name, item.notice.run)
        if error.permanent:
            connection.execute(
                "update outbox set state = 'failed' where id = ? and state = 'queued'", (item.id,)
            )
        if error.reached is not None:
            _keep_address(connection, item, error.reached)
        _occupy(connection, gaps_s, now_ms)


def _keep_address(connection: sqlite3.Connection, item: Item, address: Mapping[str, str]) -> None:
    of_run = (item.notifier.name, item.notice.run)
    if not address:
        # None at all, so that replies wait for the next head.
        connection.execute("delete from address where notifier = ? and run = ?", of_run)
    else:
        connection.execute(
            "insert or replace into address (notifier, run, address) values (?, ?, ?)",
            (*of_run, json.dumps(dict(address))),
        )


def _occupy(connection: sqlite3.Connection, gaps_s: Mapping[str, float], now_ms: int) -> None:
    connection.executemany(
        "insert or replace into lane (lane, free_ms) values (?, ?)",
        [(lane, now_ms + round(gap_s * 1000)) for lane, gap_s in gaps_s.items()],
    )
