"""A whole run, from the scheduler's store through the outbox to a Slack with its rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from orchestrator.events import events as e
from orchestrator.state.state import State
from orchestrator.words.notifying import notifiers_for
from orchestrator.words.outbox import pump, undelivered, waiting
from tests.orchestrator.words.samples import folds
from tests.orchestrator.worlds import World, kfold
from tests.stand_ins.slack import CHANNEL, TOKEN, SlackStandIn


def test_a_run_is_one_edited_head_with_a_picture_for_each_fold_and_an_alert_at_the_end(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, folds([0.5, 0.8], [0.6, 0.9], [0.4, 0.7]))
    graph = replace(kfold(), notify={"slack": {"channel": CHANNEL}})
    with (
        SlackStandIn(now=lambda: world.clock.now_ms() / 1000) as slack,
        closing(sqlite3.connect(tmp_path / "store.db", timeout=300)) as connection,
    ):
        environ = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
        notifiers = notifiers_for([graph], environ)

        def on_events(events: Iterable[e.Event], state: State) -> None:
            pump(connection, notifiers, world.clock.now_ms())

        world.scheduler.on_events = on_events
        world.submit(graph)
        world.until_settled()
        while (due_ms := pump(connection, notifiers, world.clock.now_ms())) is not None:
            world.clock.sleep(3600, wake_ms=due_ms)

        assert (waiting(connection), undelivered(connection)) == (0, [])
        (head,) = slack.heads()
        assert head.edits >= 6
        assert head.text.splitlines()[0] == "seedlings-1 · done · val_acc 0.800 ± 0.100"
        thread = slack.thread(head)
        assert [message.text.splitlines()[0] for message in thread if message.text] == [
            "fold 0 (1 of 3) done: val_acc 0.800",
            "fold 1 (2 of 3) done: val_acc 0.900",
            "fold 2 (3 of 3) done: val_acc 0.700",
            "seedlings-1 · done: val_acc 0.800 ± 0.100 (3 folds)",
        ]
        assert [message.broadcast for message in thread if message.text] == [False] * 3 + [True]
        assert sum(len(message.files) for message in thread) == 4
        assert "ratelimited" not in slack.answers("chat.update")
