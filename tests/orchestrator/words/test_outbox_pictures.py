"""Pictures of a notice are drawn by whoever sends it, and only for those who show them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from notifiers.base import Notice, Notifier
from notifiers.memory import Memory
from notifiers.slack.notifier import Slack
from orchestrator.pictures.drawn import mistakes_of
from orchestrator.pictures.record import PICTURE
from orchestrator.words.outbox import SCHEMA, pump, put
from tests.jobs.small_set import small_set
from tests.orchestrator.pictures.fold import finished
from tests.stand_ins.slack import CHANNEL, TOKEN, SlackStandIn


class Wordy(Memory):
    """Shows no pictures, as a console."""

    shows_pictures = False


def send(notifier: Notifier, folder: Path) -> None:
    """A notice with the grid of the fold in `folder`, through the outbox."""
    pictures = (mistakes_of(str(folder), "train fold 0"),)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        put(connection, notifier.name, Notice("run", "head", "run/head", "run"))
        put(connection, notifier.name, Notice("run", "reply", "run/x", "done", pictures=pictures))
        connection.commit()
        for second in range(5):
            pump(connection, {notifier.name: notifier}, 1000 * second)
        left = connection.execute("select error from outbox where state != 'sent'").fetchall()
    assert left == []


def told(notifier: Memory, folder: Path) -> Notice:
    """What `notifier` is given of it."""
    send(notifier, folder)
    return notifier.sent[-1]


def test_they_are_drawn_when_they_are_sent_and_told_in_words(tmp_path: Path) -> None:
    folder = finished(tmp_path / "job", small_set(tmp_path / "packed"), [0, 2, 2], [0.9] * 3)
    (picture,) = told(Memory(), folder).pictures
    assert Path(picture.path).read_bytes().startswith(b"\x89PNG")
    assert "green taken for red" in picture.alt_text


def test_for_a_notifier_that_shows_none_nothing_is_drawn(tmp_path: Path) -> None:
    folder = finished(tmp_path / "job", small_set(tmp_path / "packed"), [0, 2, 2], [0.9] * 3)
    told(Wordy(), folder)
    assert not (folder / PICTURE).exists()


def test_where_nothing_can_be_drawn_the_words_go_out_alone(tmp_path: Path) -> None:
    assert told(Memory(), tmp_path / "gone").pictures == ()


def test_slack_shows_the_grid_under_the_words_with_its_mistakes_as_alt_text(tmp_path: Path) -> None:
    folder = finished(tmp_path / "job", small_set(tmp_path / "packed"), [0, 2, 2], [0.9] * 3)
    with SlackStandIn(now=count(0, 10).__next__) as slack:  # far below its rate limits
        send(Slack(CHANNEL, TOKEN, api_url=slack.url), folder)
        (reply,) = slack.messages[1:]
    (file,) = reply.files
    assert file.title == "train fold 0" and file.content == (folder / PICTURE).read_bytes()
    assert "1. green taken for red (90 %)" in file.alt_text
