"""The thread that sends what stands in the outbox."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from notifiers.base import Notice, NotifyError
from notifiers.memory import Memory
from orchestrator.clock import SimulatedClock
from orchestrator.words.outbox import Sender, delivery, sender, waiting
from tests.orchestrator.words.outboxes import empty_outbox, queue, said, states
from tests.terminal import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return empty_outbox(tmp_path)


def test_the_thread_sends_what_is_put_while_it_runs(path: Path) -> None:
    memory = Memory()
    connection = sqlite3.connect(path)
    sender = Sender(path, {"memory": memory})
    sender.start()
    for number in range(5):
        queue(connection, said("reply", str(number)))
        sender.poke()
    assert sender.drain(timeout_s=300)
    assert [notice.title for notice in memory.sent] == ["0", "1", "2", "3", "4"]
    sender.stop()
    connection.close()


def test_what_is_kept_back_is_not_waited_for_and_goes_out_when_it_may(path: Path) -> None:
    clock = SimulatedClock(1_700_000_000_000)
    memory = Memory()
    connection = sqlite3.connect(path)
    thread = Sender(path, {"memory": memory}, clock)
    morning = replace(said("head", "digest"), not_before_ms=clock.now_ms() + 3_600_000)
    queue(connection, morning, said("alert", "now", run="s-2"))
    thread.start()
    assert thread.drain(timeout_s=300)
    assert [notice.title for notice in memory.sent] == ["now"]
    assert thread.keeps_back()
    clock.advance(3600)
    assert not thread.keeps_back()
    assert thread.drain(timeout_s=300)
    assert [notice.title for notice in memory.sent] == ["now", "digest"]
    thread.stop()
    connection.close()


def test_on_a_full_disk_the_same_words_do_not_go_out_again_and_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were sent, and that could not be written down."""
    monkeypatch.setattr(delivery, "SETTLE_S", 0.0)
    monkeypatch.setattr(sender, "_RETRY_DATABASE_S", 0.01)
    memory = Memory()
    connection = sqlite3.connect(path)
    queue(connection, said("alert", "failed"))
    connection.executescript(
        "create trigger no_room before update on outbox when new.state = 'sent'"
        " begin select raise(abort, 'database or disk is full'); end;"
    )
    thread = Sender(path, {"memory": memory})
    thread.start()
    until(lambda: bool(memory.sent))
    assert not thread.drain(timeout_s=0.2)
    assert [notice.title for notice in memory.sent] == ["failed"]
    connection.execute("drop trigger no_room")
    assert thread.drain(timeout_s=300)
    thread.stop()
    assert states(connection) == {"sent": 1}
    assert [notice.title for notice in memory.sent] == ["failed"]
    connection.close()


def test_putting_does_not_wait_for_a_slow_service(path: Path) -> None:
    """Edge 48: the service hangs, and nobody who writes waits for it."""
    begun, answer = threading.Event(), threading.Event()

    class Hanging(Memory):
        def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
            begun.set()
            answer.wait()
            return super().send(notice, address)

    memory = Hanging()
    connection = sqlite3.connect(path, timeout=0)
    queue(connection, said("head", "first"))
    sender = Sender(path, {"memory": memory})
    sender.start()
    assert begun.wait(300)
    for number in range(20):  # would raise `database is locked` if the thread held the file
        queue(connection, said("head", str(number)))
        sender.poke()
    assert not sender.drain(timeout_s=0.05)
    assert memory.sent == []
    answer.set()
    assert sender.drain(timeout_s=300)
    assert memory.heads["s-1"].title == "19"
    sender.stop()
    connection.close()


def test_draining_what_cannot_be_sent_gives_up_and_keeps_it(path: Path) -> None:
    memory = Memory()
    memory.failures.extend(NotifyError("down", retry_after_s=600) for _ in range(3))
    connection = sqlite3.connect(path)
    queue(connection, said("reply", "later"))
    sender = Sender(path, {"memory": memory})
    sender.start()
    assert not sender.drain(timeout_s=0.2)
    sender.stop()
    assert waiting(connection) == 1
    connection.close()


def test_a_notifier_may_be_added_while_the_thread_runs(path: Path) -> None:
    notifiers: dict[str, Memory] = {}
    connection = sqlite3.connect(path)
    sender = Sender(path, notifiers)
    sender.start()
    queue(connection, said("reply", "a"), notifier="slack:C1")
    assert sender.drain(timeout_s=300)  # nothing that anybody here could send
    notifiers["slack:C1"] = Memory("slack:C1")
    assert sender.drain(timeout_s=300)
    assert len(notifiers["slack:C1"].sent) == 1
    sender.stop()
    connection.close()
