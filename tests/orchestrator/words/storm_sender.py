"""The sender of a storm: a process of its own, so that it can be killed.

    python -m tests.orchestrator.words.storm_sender STORE URL CLOCK MUTANT

Ends with its standard input. A mutant is a wrong outbox, to see that the storm finds it.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from notifiers.base import Notice, Notifier
from notifiers.slack.notifier import Slack
from orchestrator.words.outbox import Sender
from tests.orchestrator.words.storm_clock import StormClock
from tests.stand_ins.slack import CHANNEL, TOKEN

LOOK_S = 0.01
"""The sender sleeps by the machine's clock, and the storm's runs faster and jumps."""
TIMEOUT_S = 1


class NeverLooks:
    """Sends again what may have arrived."""

    def __init__(self, slack: Slack, store: Path) -> None:
        self.name, self.pace, self.send = slack.name, slack.pace, slack.send


class MarksFirst:
    """Writes down that a notice was sent, and then sends it."""

    def __init__(self, slack: Slack, store: Path) -> None:
        self.name, self.pace, self.find = slack.name, slack.pace, slack.find
        self._slack, self._store = slack, store

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        with closing(sqlite3.connect(self._store, timeout=300)) as connection, connection:
            connection.execute("update outbox set state = 'sent' where key = ?", (notice.key,))
        return self._slack.send(notice, address)


class ForgetsTheHead:
    """Looks and marks, and forgets where the run's messages belong."""

    def __init__(self, slack: Slack, store: Path) -> None:
        self.name, self.pace, self.find = slack.name, slack.pace, slack.find
        self._slack = slack

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        reached = self._slack.send(notice, address)
        return reached if notice.topic == "head" else {}


MUTANTS: dict[str, Callable[[Slack, Path], Notifier]] = {
    "never-looks": NeverLooks,
    "marks-first": MarksFirst,
    "forgets-the-head": ForgetsTheHead,
}


def main(store: str, url: str, clock: str, mutant: str) -> None:
    slack = Slack(CHANNEL, TOKEN, api_url=url, timeout_s=TIMEOUT_S)
    notifier: Notifier = MUTANTS[mutant](slack, Path(store)) if mutant else slack
    sender = Sender(Path(store), {slack.name: notifier}, StormClock(Path(clock)))
    sender.start()
    ended = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    while not ended.is_set():
        sender.poke()
        time.sleep(LOOK_S)
    sender.stop(timeout_s=30)


if __name__ == "__main__":
    main(*sys.argv[1:])
