"""Outbox, notifier and the real slack_sdk against a Slack that enforces its limits, on a clock
that jumps: its seconds and the outbox's are the same."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from notifiers.base import Curve, Notice, Notifier
from notifiers.slack.notifier import Slack
from orchestrator.clock import SimulatedClock
from orchestrator.words.outbox import SCHEMA, pump, put, undelivered, waiting
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn

HOUR_S = 3600


@dataclass
class Desk:
    """A store's outbox, a notifier and a Slack on one clock."""

    slack: SlackStandIn
    connection: sqlite3.Connection
    clock: SimulatedClock
    notifier: Notifier

    def say(self, *notices: Notice) -> None:
        with self.connection:
            for notice in notices:
                put(self.connection, self.notifier.name, notice)

    def run(self, seconds: float) -> None:
        """Let the outbox work for some simulated time."""
        end_ms = self.clock.now_ms() + round(seconds * 1000)
        notifiers: dict[str, Notifier] = {self.notifier.name: self.notifier}
        while True:
            due_ms = pump(self.connection, notifiers, self.clock.now_ms())
            if due_ms is None or due_ms > end_ms:
                break
            self.clock.sleep(seconds, wake_ms=due_ms)
        self.clock.advance((end_ms - self.clock.now_ms()) / 1000)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    connection.executescript(SCHEMA)
    clock = SimulatedClock(1_700_000_000_000)
    with SlackStandIn(now=lambda: clock.now_ms() / 1000) as slack:
        environ = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
        yield Desk(slack, connection, clock, Slack.configure({"channel": CHANNEL}, environ))
    connection.close()


def head(run: str, epoch: int, epochs: int = 12, fold: int = 0) -> Notice:
    title = f"fold {fold} ({fold + 1} of 5) · epoch {epoch}/{epochs}"
    return Notice(run, "head", f"{run}:head:{fold}:{epoch}", title, (f"{epoch * 0.03:.2f} h",))


def fold_done(run: str, fold: int) -> Notice:
    points = tuple((float(epoch), 0.5 + 0.03 * epoch) for epoch in range(1, 13))
    curve = Curve(f"{run} fold {fold}", "val_acc", {f"fold {fold}": points})
    return Notice(run, "reply", f"{run}:fold:{fold}", f"fold {fold} done", curve=curve)


def test_a_run_is_one_head_edited_at_each_epoch_and_a_picture_for_each_fold(desk: Desk) -> None:
    for fold in range(5):
        for epoch in range(1, 13):
            desk.say(head("s-1", epoch, fold=fold))
            desk.run(20)
        desk.say(fold_done("s-1", fold))
    desk.say(Notice("s-1", "head", "end", "done: 0.904 ± 0.006", final=True))
    desk.say(Notice("s-1", "alert", "end!", "done: 0.904 ± 0.006"))
    desk.run(60)
    (message,) = desk.slack.heads()
    assert message.edits == 5 * 12  # the first epoch posts it; every other one and the end edit it
    assert message.history[0].startswith("s-1 · fold 0 (1 of 5) · epoch 1/12")
    assert message.history[-1] == "s-1 · done: 0.904 ± 0.006"
    assert message.blocks
    thread = desk.slack.thread(message)
    titles = [reply.text.splitlines()[0] for reply in thread]
    assert titles == [*(f"fold {n} done" for n in range(5)), "s-1 · done: 0.904 ± 0.006"]
    assert [reply.broadcast for reply in thread] == [False] * 5 + [True]
    for reply in thread[:5]:
        with Image.open(io.BytesIO(reply.files[0].content)) as image:
            image.load()
    assert {call.answer for call in desk.slack.calls} == {"ok"}


def test_pacing_keeps_twenty_busy_runs_under_every_limit(desk: Desk) -> None:
    """Edge 48: coalesced, and under the rate limits."""
    runs = [f"run-{number}" for number in range(20)]
    for epoch in range(1, 31):
        desk.say(*(head(run, epoch, 30) for run in runs))
        if epoch % 10 == 0:
            desk.say(*(Notice(run, "reply", f"{run}:{epoch}", f"note {epoch}") for run in runs))
        desk.run(2)
    desk.run(10 * 60)
    assert {call.answer for call in desk.slack.calls} == {"ok"}
    heads = desk.slack.heads()
    assert len(heads) == 20
    assert all("epoch 30/30" in message.text for message in heads)
    notes = [[r.text for r in desk.slack.thread(message)] for message in heads]
    assert notes == [["note 10", "note 20", "note 30"]] * 20
    assert sum(message.edits for message in heads) < 20 * 29  # coalesced


def test_a_retry_after_is_waited_for(desk: Desk) -> None:
    desk.slack.fail("chat.postMessage", Failure("ratelimited", 429, "30"))
    desk.say(head("s-1", 1))
    desk.run(60)
    first, second = (call.at_s for call in desk.slack.calls)
    assert second - first == 30


@pytest.mark.parametrize(
    "outage", [Failure(status=503), Failure(hang_up=True), Failure("fatal_error")]
)
def test_after_an_outage_everything_arrives_in_order(desk: Desk, outage: Failure) -> None:
    """Edge 48: Slack is down for a while."""
    desk.say(head("a", 1), head("b", 1))
    desk.run(60)
    desk.slack.outage = outage
    for epoch in range(2, 13):
        desk.say(head("a", epoch), head("b", epoch), head("c", epoch))
        desk.say(Notice("a", "reply", f"a{epoch}", f"note {epoch}"))
        desk.say(Notice("c", "reply", f"c{epoch}", f"note {epoch}"))
        desk.run(120)
    assert len(desk.slack.messages) == 2
    desk.slack.outage = None
    desk.run(180)
    assert waiting(desk.connection) == 0
    assert undelivered(desk.connection) == []
    heads = {message.text.split()[0]: message for message in desk.slack.heads()}
    assert sorted(heads) == ["a", "b", "c"]
    assert all("epoch 12/12" in message.text for message in heads.values())
    notes = [f"note {epoch}" for epoch in range(2, 13)]
    assert [reply.text for reply in desk.slack.thread(heads["a"])] == notes
    assert [reply.text for reply in desk.slack.thread(heads["c"])] == notes
    assert "ratelimited" not in [call.answer for call in desk.slack.calls]


def test_a_revoked_token_is_recorded_and_nothing_is_tried_again(desk: Desk) -> None:
    """Edge 48: the token stands nowhere, also after an error."""
    desk.slack.outage = Failure("token_revoked")
    desk.say(head("s-1", 1), fold_done("s-1", 0))
    desk.run(HOUR_S)
    lost = undelivered(desk.connection, "s-1")
    assert [notice.notifier for notice in lost] == [f"slack:{CHANNEL}"] * 2
    assert all("revoked" in notice.error and "SLACK_BOT_TOKEN" in notice.error for notice in lost)
    assert waiting(desk.connection) == 0
    stored = "".join(desk.connection.iterdump())
    assert TOKEN not in stored
    calls = len(desk.slack.calls)
    desk.run(HOUR_S)
    assert len(desk.slack.calls) == calls


def test_a_head_that_somebody_deleted_is_posted_again_and_replies_follow_it(desk: Desk) -> None:
    """Edge 50: the message was deleted."""
    desk.say(head("s-1", 1))
    desk.run(10)
    desk.slack.messages.clear()
    desk.say(head("s-1", 2), fold_done("s-1", 0))
    desk.run(60)
    (message,) = desk.slack.heads()
    assert "epoch 2/12" in message.text
    assert [reply.text for reply in desk.slack.thread(message)] == ["fold 0 done"]


def test_blocks_that_slack_refuses_do_not_cost_the_alert(desk: Desk) -> None:
    desk.say(head("s-1", 1))
    desk.run(10)
    desk.slack.fail("chat.postMessage", Failure("invalid_blocks"))
    desk.say(Notice("s-1", "alert", "x", "decide: abort fold 3?"))
    desk.run(60)
    assert [(m.text, m.blocks) for m in desk.slack.messages[1:]] == [
        ("s-1 · decide: abort fold 3?", [])
    ]
