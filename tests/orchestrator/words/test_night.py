"""A night from the events to the morning's message, through the outbox to a Slack."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from orchestrator.events import events as e
from orchestrator.state.state import State
from orchestrator.words.notifying import notifiers_for
from orchestrator.words.outbox import Sender, pump
from tests.orchestrator.words.samples import folds
from tests.orchestrator.worlds import SATURDAY_MS, World, kfold
from tests.stand_ins.slack import CHANNEL, TOKEN, SlackStandIn

MORNING_MS = SATURDAY_MS + 7 * 3_600_000
SETTINGS = {"channel": CHANNEL, "quiet": "22:00-07:00", "timezone": "UTC"}


def test_runs_that_end_at_night_wake_nobody_and_are_said_together_in_the_morning(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, folds(*[[0.5, 0.8]] * 3))  # begins at midnight
    graph = replace(kfold(), notify={"slack": SETTINGS})
    with (
        SlackStandIn(now=lambda: world.clock.now_ms() / 1000) as slack,
        closing(sqlite3.connect(tmp_path / "store.db", timeout=300)) as connection,
    ):
        environ = {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url}
        notifiers = notifiers_for([graph], environ)

        def on_events(events: Iterable[e.Event], state: State) -> None:
            pump(connection, notifiers, world.clock.now_ms())

        world.scheduler.on_events = on_events
        for name in ("s-1", "s-2"):
            world.submit(graph, run=name, again=True)
            world.until_settled(name)
        while (due_ms := pump(connection, notifiers, world.clock.now_ms())) != MORNING_MS:
            world.clock.sleep(3600, wake_ms=due_ms)
        assert len(slack.heads()) == 2
        assert not any(message.broadcast for message in slack.messages)
        sender = Sender(tmp_path / "store.db", notifiers, world.clock)
        assert sender.keeps_back()

        world.clock.sleep(24 * 3600, wake_ms=MORNING_MS)
        assert not sender.keeps_back()
        assert pump(connection, notifiers, world.clock.now_ms()) is None
        *_, morning = slack.heads()
        assert len(slack.heads()) == 3
        assert morning.text == (
            "quiet hours to 2026-11-21 07:00 · 2 runs ended\n"
            "s-1: done · val_acc 0.800 ± 0.000\ns-2: done · val_acc 0.800 ± 0.000"
        )
