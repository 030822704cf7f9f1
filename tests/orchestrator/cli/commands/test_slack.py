"""`skint run` told to a Slack on loopback, from a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.orchestrator.cli.test_main_job import FIT
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn
from tests.terminal import Terminal, until

PLAN = f"""
name: told
account: practice
jobs:
  train: {{run: "python fit.py {{n}}", matrix: {{n: [0, 1]}}, devices: 1, limit: 2m}}
notify: {{slack: {{channel: {CHANNEL}}}}}
"""


def told_to(slack: SlackStandIn, terminal: Terminal) -> Terminal:
    asks = "import os; print('token seen:', os.environ.get('SLACK_BOT_TOKEN'))\n"
    terminal.write("fit.py", asks + FIT)
    terminal.write("plan.yaml", PLAN)
    return Terminal(terminal.folder, {"SLACK_BOT_TOKEN": TOKEN, "SKINT_SLACK_API_URL": slack.url})


def test_a_run_is_one_message_that_is_edited_and_a_thread(terminal: Terminal) -> None:
    with SlackStandIn() as slack:
        said = told_to(slack, terminal).skint("run", "plan.yaml")
        assert said.code == 0, said.out + said.err
        (head,) = slack.heads()
        assert head.edits >= 1
        log = terminal.skint("logs", "told-1", "--job", "train.n=1").out
        assert "token seen: None" in log  # it is the scheduler's, no job's
        replies = [message.text for message in slack.thread(head)]
        assert any("train.n=0 done: val_acc 0.800" in text for text in replies)
    assert TOKEN not in said.out + said.err
    home = Path(terminal.folder / "home")
    for path in home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_a_slack_that_is_down_does_not_hold_up_the_run(terminal: Terminal) -> None:
    """Edge 48: training never waits for words."""
    with SlackStandIn() as slack:
        slack.outage = Failure(status=503)
        said = told_to(slack, terminal).skint("run", "plan.yaml")
        assert said.code == 0, said.out + said.err
        assert slack.messages == []
        slack.outage = None
        terminal = told_to(slack, terminal)
        # Whoever is the scheduler next sends them, when the pause after the last try is over.
        until(lambda: terminal.skint("tick").code == 0 and len(slack.heads()) == 1)


def test_a_run_that_ends_in_quiet_hours_leaves_who_tells_of_it_in_the_morning(
    terminal: Terminal,
) -> None:
    now = datetime.now(UTC)
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    with SlackStandIn() as slack:
        told = told_to(slack, terminal)
        place = f'{{channel: {CHANNEL}, quiet: "{quiet}", timezone: UTC}}'
        told.write("quiet.yaml", f"jobs: {{one: {{run: 'true'}}}}\nnotify: {{slack: {place}}}\n")
        said = told.skint("run", "quiet.yaml")
        assert said.code == 0, said.out + said.err
        words = "a background scheduler goes on with what is to be told when the quiet hours end"
        assert words in said.err
        assert len(slack.heads()) == 1  # its own, and no message of the morning
    assert told.skint("scheduler", "stop").code == 0


def test_a_missing_token_is_told_before_anything_runs(terminal: Terminal) -> None:
    with SlackStandIn() as slack:
        told_to(slack, terminal)
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 4
    assert "SLACK_BOT_TOKEN" in said.err
    assert not (terminal.folder / "home" / "runs").exists()
