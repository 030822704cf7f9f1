from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from notifiers.base import Curve, Notice, NotifyError
from notifiers.memory import Memory
from orchestrator.clock import SimulatedClock
from orchestrator.store.store import Store
from orchestrator.words.outbox import BACK_OFF_S, pump, put, undelivered, waiting
from tests.orchestrator.words.outboxes import empty_outbox, queue, said, states

HOUR_MS = 3_600_000
KEPT = Path(__file__).parents[2] / "data" / "versions" / "store-1.db"
"""Written by version 1 of the store."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return empty_outbox(tmp_path)


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def pump_until_quiet(connection: sqlite3.Connection, memory: Memory, clock: SimulatedClock) -> None:
    while (due_ms := pump(connection, {memory.name: memory}, clock.now_ms())) is not None:
        clock.sleep(HOUR_MS, wake_ms=due_ms)


def test_a_notice_exists_only_if_the_transaction_of_its_event_does(path: Path) -> None:
    """Edge 16: what was kept is told, what was not kept is not."""
    first = sqlite3.connect(path)
    put(first, "memory", said("head", "epoch 1"))
    first.rollback()
    memory = Memory()
    assert pump(first, {"memory": memory}, 0) is None
    assert memory.sent == []
    first.close()


def test_what_is_queued_is_sent_whole_and_once(connection: sqlite3.Connection) -> None:
    memory = Memory()
    head = Notice("s-1", "head", "1", "epoch 1", ("0.1 h",), (("left", "29.9 h"),), at_ms=7)
    reply = Notice("s-1", "reply", "2", "done", curve=Curve("t", "m", {"fold 0": ((1.0, 0.5),)}))
    queue(connection, head, reply)
    assert pump(connection, {"memory": memory}, 0) is None
    assert pump(connection, {"memory": memory}, 1) is None
    assert memory.sent == [head, reply]


def test_the_same_key_is_sent_once_by_each_notifier(connection: sqlite3.Connection) -> None:
    """Edge 50: told again after a restart."""
    first, second = Memory("first"), Memory("second")
    with connection:
        assert put(connection, "first", said("reply", "a"))
        assert not put(connection, "first", said("reply", "a"))
        assert put(connection, "second", said("reply", "a"))
    pump(connection, {"first": first, "second": second}, 0)
    with connection:
        assert not put(connection, "first", said("reply", "a"))
    pump(connection, {"first": first, "second": second}, 0)
    assert len(first.sent) == len(second.sent) == 1


def test_of_waiting_heads_only_the_newest_is_sent(connection: sqlite3.Connection) -> None:
    memory = Memory()
    queue(connection, *(said("head", f"epoch {n}") for n in range(5)), said("head", "x", "other"))
    pump(connection, {"memory": memory}, 0)
    assert [(n.run, n.title) for n in memory.sent] == [("s-1", "epoch 4"), ("other", "x")]
    assert states(connection) == {"sent": 2, "superseded": 4}


def test_repeating_an_old_head_does_not_supersede_a_newer_one(
    connection: sqlite3.Connection,
) -> None:
    memory = Memory()
    queue(connection, said("head", "epoch 1"), said("head", "epoch 2"), said("head", "epoch 1"))
    pump(connection, {"memory": memory}, 0)
    assert [notice.title for notice in memory.sent] == ["epoch 2"]


def test_replies_wait_until_the_head_is_posted(connection: sqlite3.Connection) -> None:
    memory = Memory()
    memory.failures.append(NotifyError("down"))
    queue(connection, said("head", "epoch 1"), said("reply", "fold 0"), said("alert", "end"))
    queue(connection, said("head", "epoch 2"))  # newer than the replies, and still first
    assert pump(connection, {"memory": memory}, 0) == BACK_OFF_S[0] * 1000
    assert memory.sent == []
    pump(connection, {"memory": memory}, 1000)
    assert [notice.title for notice in memory.sent] == ["epoch 2", "fold 0", "end"]
    assert [notice.title for notice in memory.replies["s-1"]] == ["fold 0", "end"]


def test_a_reply_without_any_head_is_not_lost(connection: sqlite3.Connection) -> None:
    memory = Memory()
    queue(connection, said("reply", "alone"))
    pump(connection, {"memory": memory}, 0)
    assert [notice.title for notice in memory.sent] == ["alone"]


def test_a_failing_reply_holds_up_its_run_and_no_other(connection: sqlite3.Connection) -> None:
    memory = Memory()
    queue(connection, said("reply", "1"), said("reply", "2"), said("reply", "x", "other"))
    memory.failures.append(NotifyError("trouble"))
    pump(connection, {"memory": memory}, 0)
    assert [(n.run, n.title) for n in memory.sent] == [("other", "x")]
    pump(connection, {"memory": memory}, 1000)
    assert [(n.run, n.title) for n in memory.sent[1:]] == [("s-1", "1"), ("s-1", "2")]


def test_it_backs_off_and_never_gives_up_on_passing_trouble(
    connection: sqlite3.Connection,
) -> None:
    memory, clock = Memory(), SimulatedClock()
    memory.failures.extend(NotifyError("down") for _ in range(2000))
    queue(connection, said("reply", "at last"))
    pump_until_quiet(connection, memory, clock)
    assert [notice.title for notice in memory.sent] == ["at last"]
    assert clock.now_ms() > 24 * HOUR_MS  # a day without a network
    assert clock.now_ms() == 1000 * (sum(BACK_OFF_S) + (2000 - len(BACK_OFF_S)) * BACK_OFF_S[-1])


def test_new_heads_do_not_hammer_a_service_that_is_down(connection: sqlite3.Connection) -> None:
    memory = Memory()
    memory.failures.extend(NotifyError("down") for _ in range(3))
    for now_ms in range(0, 3000, 100):
        queue(connection, said("head", f"at {now_ms}"))
        pump(connection, {"memory": memory}, now_ms)
    assert len(memory.failures) == 1  # tried at 0 s and 1 s; the next one is at 3 s
    queue(connection, said("head", "last"))
    pump(connection, {"memory": memory}, 3000)
    pump(connection, {"memory": memory}, 7000)
    assert [notice.title for notice in memory.sent] == ["last"]


def test_retry_after_is_honoured_and_closes_the_lane(connection: sqlite3.Connection) -> None:
    memory = Memory(lanes={"channel": 1.0})
    memory.failures.append(NotifyError("slow down", retry_after_s=20))
    queue(connection, said("reply", "a"), said("reply", "b", "other"))
    assert pump(connection, {"memory": memory}, 0) == 20_000
    assert pump(connection, {"memory": memory}, 19_999) == 20_000
    assert memory.sent == []
    assert pump(connection, {"memory": memory}, 20_000) == 21_000
    assert len(memory.sent) == 1


def test_a_lane_is_kept_free_between_sends_of_all_runs(connection: sqlite3.Connection) -> None:
    memory, clock = Memory(lanes={"channel": 1.05}), SimulatedClock()
    queue(connection, *(said("reply", "a", f"run-{n}") for n in range(4)))
    pump_until_quiet(connection, memory, clock)
    assert [notice.run for notice in memory.sent] == [f"run-{n}" for n in range(4)]
    assert clock.now_ms() == 3150


def test_lanes_are_remembered_by_the_next_sender(path: Path) -> None:
    due_ms = []
    for now_ms in (0, 500):
        connection = sqlite3.connect(path)
        queue(connection, said("reply", str(now_ms)))
        due_ms.append(pump(connection, {"memory": Memory(lanes={"channel": 1.05})}, now_ms))
        connection.close()
    assert due_ms == [None, 1050]


def test_a_clock_that_was_set_back_does_not_silence_it(connection: sqlite3.Connection) -> None:
    memory = Memory(lanes={"channel": 1.05})
    queue(connection, said("reply", "a"))
    pump(connection, {"memory": memory}, 1000 * HOUR_MS)
    queue(connection, said("reply", "b"))
    pump(connection, {"memory": memory}, HOUR_MS)
    assert [notice.title for notice in memory.sent] == ["a", "b"]


def test_a_new_head_takes_the_turn_of_the_one_it_supersedes(
    connection: sqlite3.Connection,
) -> None:
    memory = Memory(lanes={"channel": 1.0})
    queue(connection, said("head", "1", "busy"), said("reply", "a", "other"))
    queue(connection, said("head", "2", "busy"))
    pump(connection, {"memory": memory}, 0)
    assert [notice.title for notice in memory.sent] == ["2"]


def test_a_permanent_failure_is_recorded_and_logged_and_the_run_goes_on(
    connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    memory = Memory()
    memory.failures.append(NotifyError("no such channel", permanent=True, next="check the ID"))
    queue(connection, said("reply", "a"), said("reply", "b"))
    assert waiting(connection) == waiting(connection, "s-1") == 2
    assert pump(connection, {"memory": memory}, 0) is None
    assert [notice.title for notice in memory.sent] == ["b"]
    (lost,) = undelivered(connection, "s-1")
    assert (lost.notifier, lost.title) == ("memory", "a")
    assert lost.error == "no such channel; check the ID"
    assert caplog.messages == ["memory: not told of s-1, 'a': no such channel; check the ID"]
    assert undelivered(connection, "other") == []
    assert waiting(connection) == 0


def test_a_defect_in_a_notifier_is_recorded_and_holds_up_nobody(
    connection: sqlite3.Connection,
) -> None:
    memory = Memory()
    memory.failures.append(ZeroDivisionError("oops"))
    queue(connection, said("reply", "a"), said("reply", "b"))
    pump(connection, {"memory": memory}, 0)
    assert [notice.title for notice in memory.sent] == ["b"]
    assert undelivered(connection)[0].error == "ZeroDivisionError: oops"


def test_how_far_a_send_got_is_kept_for_the_next_try(connection: sqlite3.Connection) -> None:
    memory = Memory()
    memory.failures.append(NotifyError("half", reached={"head": "elsewhere"}))
    queue(connection, said("reply", "a"))
    pump(connection, {"memory": memory}, 0)
    pump(connection, {"memory": memory}, 1000)
    assert list(memory.replies) == ["elsewhere"]


def test_notices_of_a_notifier_that_is_not_loaded_stay(connection: sqlite3.Connection) -> None:
    queue(connection, said("reply", "a"), notifier="slack:C1")
    assert pump(connection, {}, 0) is None
    memory = Memory("slack:C1")
    pump(connection, {memory.name: memory}, 0)
    assert len(memory.sent) == 1


def test_a_head_that_is_on_its_way_is_not_superseded(path: Path) -> None:
    connection = sqlite3.connect(path)

    class Slow(Memory):
        def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
            if notice.title == "epoch 1":  # the store puts the next one meanwhile
                store = sqlite3.connect(path)
                queue(store, said("head", "epoch 2"))
                store.close()
            return super().send(notice, address)

    memory = Slow()
    queue(connection, said("head", "epoch 1"))
    pump(connection, {"memory": memory}, 0)
    assert [notice.title for notice in memory.sent] == ["epoch 1", "epoch 2"]
    assert states(connection) == {"sent": 2}
    connection.close()


def test_what_is_kept_back_holds_up_no_other(connection: sqlite3.Connection) -> None:
    memory = Memory()
    until = replace(said("reply", "news"), not_before_ms=8 * HOUR_MS)
    queue(connection, until, replace(until, key="more", title="more"), said("alert", "decide"))
    assert pump(connection, {"memory": memory}, 0) == 8 * HOUR_MS
    assert [notice.title for notice in memory.sent] == ["decide"]
    assert pump(connection, {"memory": memory}, 8 * HOUR_MS) is None
    assert [notice.title for notice in memory.sent] == ["decide", "news", "more"]


def test_it_is_not_kept_back_for_ever_by_a_clock_that_was_set_back(
    connection: sqlite3.Connection,
) -> None:
    memory = Memory()
    queue(connection, replace(said("reply", "news"), not_before_ms=1000 * HOUR_MS))
    assert pump(connection, {"memory": memory}, HOUR_MS) is None
    assert len(memory.sent) == 1


def test_a_thousand_notices_through_bad_weather_arrive_in_order_with_the_last_heads(
    connection: sqlite3.Connection,
) -> None:
    dice, clock = random.Random(4), SimulatedClock()

    class Weather(Memory):
        def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
            if dice.random() < 0.3:
                raise NotifyError("rain", retry_after_s=dice.choice([None, 1, 30]))
            return super().send(notice, address)

    memory = Weather(lanes={"channel": 1.05})
    replies: dict[str, list[str]] = {}
    heads: dict[str, str] = {}
    for number in range(1000):
        run = f"run-{dice.randrange(20)}"
        if dice.random() < 0.8:
            heads[run] = str(number)
            queue(connection, said("head", str(number), run))
        else:
            replies.setdefault(run, []).append(str(number))
            queue(connection, said("reply", str(number), run))
        clock.advance(dice.random())
        pump(connection, {"memory": memory}, clock.now_ms())
    pump_until_quiet(connection, memory, clock)
    got: dict[str, list[str]] = {}
    for notice in memory.sent:
        if notice.topic == "reply":
            got.setdefault(notice.run, []).append(notice.title)
    assert got == replies
    assert {run: notice.title for run, notice in memory.heads.items()} == heads
    assert states(connection)["superseded"] > 0


def test_what_an_older_version_left_is_sent(tmp_path: Path) -> None:
    shutil.copy(KEPT, tmp_path / "store.db")
    Store(tmp_path / "store.db").close()
    memory, clock = Memory("console"), SimulatedClock()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        left = waiting(connection)
        pump_until_quiet(connection, memory, clock)
        assert (len(memory.sent), waiting(connection)) == (left, 0)
    assert left == 5
    assert memory.heads["seedlings-1"].final
