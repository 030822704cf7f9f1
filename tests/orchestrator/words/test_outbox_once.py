"""Said exactly once, whenever the sender is killed and whatever becomes of an answer."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from notifiers.base import Arrival, Notice, NotifyError
from notifiers.memory import Memory
from orchestrator.words.outbox import PERHAPS_REPEATED, SETTLE_S, pump, undelivered, waiting
from tests.orchestrator.words.outboxes import empty_outbox, queue, said, states

SETTLED_MS = round(SETTLE_S * 1000)
ROOT = str(Path(__file__).parents[3])
LOST = NotifyError("the answer was lost", uncertain=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return empty_outbox(tmp_path)


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


class Lossy(Memory):
    """Takes what it is sent, and of the first `losses` the answer is lost."""

    def __init__(self, losses: int) -> None:
        super().__init__()
        self.losses = losses
        self.looks = 0

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        reached = super().send(notice, address)
        if self.losses:
            self.losses -= 1
            raise LOST
        return reached

    def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
        self.looks += 1
        return super().find(notice, address)


class Blind:
    """A service that cannot be asked what it has."""

    name = "memory"

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.pace = memory.pace
        self.send = memory.send


def sent(memory: Memory) -> list[str]:
    return [notice.title for notice in memory.sent]


WIRE = """
import os, signal, sqlite3, sys
from notifiers.base import Arrival
from orchestrator.words.outbox import pump

class Wire:
    '''Keeps what it is told in a file, which outlives the process.'''

    name = "memory"

    def pace(self, notice, address):
        return {{}}

    def send(self, notice, address):
        self.die(notice, "before")
        with open({wire!r}, "a") as file:
            file.write(notice.key + "\\n")
        self.die(notice, "after")
        return {{"head": notice.run}}

    def die(self, notice, moment):
        if (notice.title, moment) == tuple(sys.argv[1].split()):
            os.kill(os.getpid(), signal.SIGKILL)

class Asked(Wire):
    def find(self, notice, address):
        with open({wire!r}, "a+") as file:
            file.seek(0)
            there = notice.key in file.read().split()
        return Arrival({{"head": notice.run}}) if there else None

connection = sqlite3.connect({path!r})
for now_ms in sys.argv[2:]:
    pump(connection, {{"memory": {kind}()}}, int(now_ms))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("title", ["now", "2"])
def test_a_sender_killed_at_any_moment_of_a_send_says_it_once(
    connection: sqlite3.Connection, path: Path, tmp_path: Path, title: str, moment: str
) -> None:
    """Edge 16: killed before the words went out, or after that and before it was written down."""
    notices = [said("head", "now"), *(said("reply", str(number)) for number in range(4))]
    queue(connection, *notices)
    wire = tmp_path / "wire"
    program = WIRE.format(wire=str(wire), path=str(path), kind="Asked")
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, dies, *map(str, at_ms)], cwd=ROOT, check=False
        ).returncode
        for dies, at_ms in ((f"{title} {moment}", [0]), ("- -", [SETTLED_MS - 1, SETTLED_MS]))
    ]
    assert runs == [-signal.SIGKILL, 0]
    assert wire.read_text().split() == [notice.key for notice in notices]
    assert states(connection) == {"sent": 5}


def test_a_service_that_cannot_be_asked_is_told_twice_rather_than_never(
    connection: sqlite3.Connection, path: Path, tmp_path: Path
) -> None:
    queue(connection, said("reply", "0"), said("alert", "1"), said("reply", "2"))
    wire = tmp_path / "wire"
    program = WIRE.format(wire=str(wire), path=str(path), kind="Wire")
    first = subprocess.run([sys.executable, "-c", program, "1 after", "0"], cwd=ROOT, check=False)
    assert first.returncode == -signal.SIGKILL
    memory = Memory()
    pump(connection, {"memory": Blind(memory)}, 0)
    assert wire.read_text().split() == ["s-1:reply:0", "s-1:alert:1"]
    assert [(n.title, n.lines) for n in memory.sent] == [("1", (PERHAPS_REPEATED,)), ("2", ())]


def test_what_was_taken_though_its_answer_was_lost_is_not_sent_again(
    connection: sqlite3.Connection,
) -> None:
    memory = Lossy(losses=1)
    queue(connection, said("reply", "a"), said("reply", "b"))
    assert pump(connection, {"memory": memory}, 0) == SETTLED_MS
    assert sent(memory) == ["a"]  # b waits: nobody knows yet whether it would be the first
    assert pump(connection, {"memory": memory}, SETTLED_MS) is None
    assert sent(memory) == ["a", "b"]
    assert memory.looks == 1


def test_what_was_not_taken_is_sent_after_the_look(connection: sqlite3.Connection) -> None:
    memory = Memory()
    memory.failures.append(LOST)
    queue(connection, said("reply", "a"))
    pump(connection, {"memory": memory}, 0)
    pump(connection, {"memory": memory}, SETTLED_MS)
    assert [(n.title, n.lines) for n in memory.sent] == [("a", ())]


def test_what_may_once_have_arrived_is_looked_for_before_each_further_try(
    connection: sqlite3.Connection,
) -> None:
    """A request that was cut off may be carried out late."""
    memory = Memory()
    memory.failures.extend([LOST, NotifyError("refused", retry_after_s=10)])
    late = said("reply", "a")
    queue(connection, late)
    pump(connection, {"memory": memory}, 0)
    assert pump(connection, {"memory": memory}, SETTLED_MS) == SETTLED_MS + 10_000
    memory.sent.append(late)
    assert pump(connection, {"memory": memory}, SETTLED_MS + 10_000) is None
    assert sent(memory) == ["a"]


def test_trouble_that_is_sure_costs_no_look(connection: sqlite3.Connection) -> None:
    memory = Lossy(losses=0)
    memory.failures.append(NotifyError("nobody listens"))
    queue(connection, said("reply", "a"))
    pump(connection, {"memory": memory}, 0)
    pump(connection, {"memory": memory}, 1000)
    assert (sent(memory), memory.looks) == (["a"], 0)


def test_while_nobody_can_tell_it_waits(connection: sqlite3.Connection) -> None:
    class Deaf(Lossy):
        def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
            if now_ms < 600_000:
                raise NotifyError("no network")
            return super().find(notice, address)

    memory, now_ms = Deaf(losses=1), 0
    queue(connection, said("alert", "a"))
    while (due_ms := pump(connection, {"memory": memory}, now_ms)) is not None:
        now_ms = due_ms
    assert sent(memory) == ["a"]
    assert 600_000 <= now_ms < 660_000


def test_where_looking_is_not_permitted_it_is_said_again_and_told(
    connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    class Private(Memory):
        """Every notice arrives, and the first answer to each is lost."""

        def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
            first = all(known.key != notice.key for known in self.sent)
            reached = super().send(notice, address)
            if first:
                raise LOST
            return reached

        def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
            raise NotifyError("needs channels:history", permanent=True)

    memory = Private()
    queue(connection, said("head", "now"), said("alert", "a"))
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            pump(connection, {"memory": memory}, step * SETTLED_MS)
    assert [(n.title, n.lines) for n in memory.sent] == [
        ("now", ()),
        ("now", ()),  # a head says how it stands, however often
        ("a", ()),
        ("a", (PERHAPS_REPEATED,)),
    ]
    assert "needs channels:history" in caplog.text
    assert waiting(connection) == 0
    assert undelivered(connection) == []


def test_what_is_there_in_part_is_completed(connection: sqlite3.Connection) -> None:
    class Album(Memory):
        """Shows the words first, then the picture."""

        shown: list[str]

        def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
            if address.get("words") != notice.key:
                self.shown.append("words")
                if self.shown == ["words"]:
                    raise LOST
            self.shown.append("picture")
            return {}

        def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
            return Arrival({"words": notice.key}, whole=False) if self.shown else None

    album = Album()
    album.shown = []
    queue(connection, said("alert", "a"))
    pump(connection, {"memory": album}, 0)
    assert pump(connection, {"memory": album}, SETTLED_MS) is None
    assert album.shown == ["words", "picture"]


def test_a_newer_head_waits_until_it_is_known_whether_the_first_one_was_posted(
    connection: sqlite3.Connection,
) -> None:
    """Else there would be two heads of one run."""
    memory = Lossy(losses=1)
    queue(connection, said("head", "epoch 1"))
    pump(connection, {"memory": memory}, 0)
    queue(connection, said("head", "epoch 2"))
    assert pump(connection, {"memory": memory}, 1000) == SETTLED_MS
    assert pump(connection, {"memory": memory}, SETTLED_MS) is None
    assert sent(memory) == ["epoch 1", "epoch 2"]


def test_a_head_that_did_not_arrive_gives_way_to_a_newer_one(
    connection: sqlite3.Connection,
) -> None:
    memory = Memory()
    memory.failures.append(LOST)
    queue(connection, said("head", "epoch 1"))
    pump(connection, {"memory": memory}, 0)
    queue(connection, said("head", "epoch 2"))
    assert pump(connection, {"memory": memory}, SETTLED_MS) is None
    assert sent(memory) == ["epoch 2"]
    assert states(connection) == {"sent": 1, "superseded": 1}


def test_a_head_that_is_superseded_just_before_it_is_sent_is_not_sent(path: Path) -> None:
    """It would be on its way, and nobody would look for it."""

    class Busy(Lossy):
        """The store puts a newer head between choosing and sending."""

        paced = 0

        def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
            self.paced += 1
            if self.paced == 2:
                with closing(sqlite3.connect(path)) as store:
                    queue(store, said("head", "epoch 2"))
            return {}

    memory = Busy(losses=1)
    with closing(sqlite3.connect(path)) as connection:
        queue(connection, said("head", "epoch 1"))
        assert pump(connection, {"memory": memory}, 0) == SETTLED_MS
        assert pump(connection, {"memory": memory}, SETTLED_MS) is None
        assert sent(memory) == ["epoch 2"]
