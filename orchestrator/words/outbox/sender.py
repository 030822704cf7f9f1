"""What empties the outbox: one pass (`pump`), or a thread that goes on."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from notifiers.base import Notifier
from orchestrator.clock import Clock, SystemClock
from orchestrator.words.outbox.contents import kept_back
from orchestrator.words.outbox.delivery import deliver
from orchestrator.words.outbox.turn import next_item

_RETRY_DATABASE_S = 1.0


def pump(
    connection: sqlite3.Connection, notifiers: Mapping[str, Notifier], now_ms: int
) -> int | None:
    """Send what is due at `now_ms`; returns when something next will be, None if nothing waits.

    `notifiers` by name; notices of others stay queued. Calls notifiers, which use the network:
    the connection must not be in a transaction. One pump at a time on one file.
    """
    while True:
        item = next_item(connection, notifiers, now_ms)
        if item is None or item.at_ms > now_ms:
            return None if item is None else item.at_ms
        deliver(connection, item, lambda: now_ms, {})


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
        """Number of pokes that had been seen when nothing was left to send for now."""
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
        """Wait until nothing is queued but what is kept back; False when it still is after
        `timeout_s`."""
        poke = self.poke()
        with self._changed:
            return self._changed.wait_for(lambda: self._idle_at >= poke, timeout_s)

    def keeps_back(self) -> bool:
        """Whether words wait for an instant within a day, such as the end of quiet hours."""
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return kept_back(connection, self._clock.now_ms())

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
            item = next_item(connection, self._notifiers, now_ms)
            if item is None or item.notice.not_before_ms > now_ms:
                with self._changed:
                    self._idle_at = seen
                    self._changed.notify_all()
            if item is None:
                self._wait(None, seen)
            elif item.at_ms > now_ms:
                self._wait((item.at_ms - now_ms) / 1000, seen)
            else:
                deliver(connection, item, self._clock.now_ms, self._unmarked)

    def _wait(self, timeout_s: float | None, seen: int) -> None:
        """Until stopped, poked after the poke number `seen` (any, if -1), or the time is over."""
        with self._changed:
            since = self._pokes if seen < 0 else seen
            self._changed.wait_for(lambda: self._stopping or self._pokes != since, timeout_s)
