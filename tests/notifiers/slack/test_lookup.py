"""What arrived of a send that was cut short: the real slack_sdk against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from notifiers.base import Arrival, Button, Curve, Notice, NotifyError, Picture, Topic
from notifiers.slack import lookup
from notifiers.slack.notifier import Slack
from tests.stand_ins.slack import CHANNEL, TOKEN, Failure, SlackStandIn

CURVE = Curve("s-1 fold 0", "val_acc", {"fold 0": ((1.0, 0.4), (2.0, 0.9))})
STEPS = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")
LOST = Failure(hang_up=True, taken=True)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.rate_limits = False
        yield stand_in


def bot(slack: SlackStandIn) -> Slack:
    return Slack(CHANNEL, TOKEN, api_url=slack.url, hears=True)


def notice(topic: Topic, title: str, curve: Curve | None = None) -> Notice:
    return Notice("s-1", topic, f"{topic}:{title}", title, curve=curve)


def cut_short(slack: SlackStandIn, said: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
    """Send; the answer is lost. The address for the next try."""
    with pytest.raises(NotifyError) as caught:
        bot(slack).send(said, address)
    assert caught.value.uncertain
    return address if caught.value.reached is None else caught.value.reached


@pytest.fixture
def head(slack: SlackStandIn) -> Mapping[str, str]:
    return bot(slack).send(notice("head", "running"), {})


def test_a_head_is_found_in_the_channel_also_after_newer_messages(
    slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "PAGE", 2)
    slack.fail("chat.postMessage", LOST)
    cut_short(slack, notice("head", "running"), {})
    for number in range(5):
        bot(slack).send(Notice(f"other-{number}", "head", f"{number}", "x"), {})
    found = bot(slack).find(notice("head", "running"), {})
    assert found == Arrival({"channel": CHANNEL, "ts": slack.messages[0].ts})
    assert bot(slack).find(notice("head", "another"), {}) is None


def test_an_edited_head_is_still_found(slack: SlackStandIn, head: Mapping[str, str]) -> None:
    bot(slack).send(notice("head", "epoch 2"), head)
    assert bot(slack).find(notice("head", "running"), {}) == Arrival(head)


def test_an_edit_is_not_looked_for(slack: SlackStandIn, head: Mapping[str, str]) -> None:
    calls = len(slack.calls)
    assert bot(slack).find(notice("head", "epoch 2"), head) is None
    assert len(slack.calls) == calls


@pytest.mark.parametrize("topic", ["reply", "alert"])
def test_words_are_found_in_the_thread(
    slack: SlackStandIn, head: Mapping[str, str], topic: Topic
) -> None:
    assert bot(slack).find(notice(topic, "fold 0 done"), head) is None
    slack.fail("chat.postMessage", LOST)
    cut_short(slack, notice(topic, "fold 0 done"), head)
    assert bot(slack).find(notice(topic, "fold 0 done"), head) == Arrival(head)


@pytest.mark.parametrize("step", STEPS)
def test_of_an_upload_that_was_cut_short_either_all_is_found_or_nothing(
    slack: SlackStandIn, head: Mapping[str, str], step: str
) -> None:
    slack.fail(step, LOST)
    said = notice("reply", "fold 0 done", CURVE)
    cut_short(slack, said, head)
    found = bot(slack).find(said, head)
    assert found == (Arrival(head) if step == STEPS[-1] else None)
    assert len(slack.messages) == (2 if found else 1)


def test_a_sentence_that_is_there_without_its_picture_gets_the_picture_alone(
    slack: SlackStandIn, head: Mapping[str, str]
) -> None:
    said = notice("alert", "finished", CURVE)
    slack.fail("files.getUploadURLExternal", LOST)
    cut_short(slack, said, head)
    found = bot(slack).find(said, head)
    assert found == Arrival({**head, "posted": said.key}, whole=False)
    bot(slack).send(said, found.address)
    assert [(m.text, len(m.files)) for m in slack.messages[1:]] == [("s-1 · finished", 0), ("", 1)]
    assert bot(slack).find(said, head) == Arrival(head)


def test_a_picture_that_arrived_though_its_answer_was_lost_is_not_sent_again(
    slack: SlackStandIn, head: Mapping[str, str], tmp_path: Path
) -> None:
    for name in ("grid.png", "curve.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    pictures = tuple(Picture(str(tmp_path / n), n, n) for n in ("grid.png", "curve.png"))
    said = Notice("s-1", "alert", "k", "finished", pictures=pictures)
    slack.fail("files.completeUploadExternal", LOST)
    address = cut_short(slack, said, head)
    assert bot(slack).find(said, address) == Arrival(head)


def test_the_message_with_buttons_is_known_again(
    slack: SlackStandIn, head: Mapping[str, str]
) -> None:
    """Its answer will edit it."""
    asked = Notice("s-1", "alert", "ask", "stop fold 3?", buttons=(Button("Stop", "{}"),))
    slack.fail("chat.postMessage", LOST)
    cut_short(slack, asked, head)
    found = bot(slack).find(asked, head)
    assert found is not None
    answered = Notice("s-1", "reply", "answered", "stopped", edits="ask")
    assert bot(slack).find(answered, found.address) is None
    bot(slack).send(answered, found.address)
    assert [m.text for m in slack.messages[1:]] == ["s-1 · stopped"]


def test_a_thread_that_is_gone_has_nothing(slack: SlackStandIn, head: Mapping[str, str]) -> None:
    slack.messages.clear()
    assert bot(slack).find(notice("reply", "fold 0 done"), head) is None


def test_without_the_right_to_read_it_says_which_scope_is_missing(
    slack: SlackStandIn, head: Mapping[str, str]
) -> None:
    slack.scopes -= {"channels:history"}
    with pytest.raises(NotifyError, match="channels:history") as caught:
        bot(slack).find(notice("reply", "fold 0 done"), head)
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("failure", "uncertain"),
    [
        (Failure(hang_up=True), True),
        (Failure(status=500), True),
        (Failure("fatal_error"), True),
        (Failure(status=200), True),
        (Failure("ratelimited", status=429, retry_after="3"), False),
        (Failure("service_unavailable"), False),
        (Failure("channel_not_found"), False),
    ],
)
def test_which_trouble_leaves_it_open_whether_it_arrived(
    slack: SlackStandIn, failure: Failure, uncertain: bool
) -> None:
    slack.fail("chat.postMessage", failure)
    with pytest.raises(NotifyError) as caught:
        bot(slack).send(notice("head", "running"), {})
    assert caught.value.uncertain == uncertain


def test_a_refused_connection_is_sure_and_a_time_out_is_not(slack: SlackStandIn) -> None:
    with SlackStandIn() as gone:
        pass
    with pytest.raises(NotifyError) as refused:
        bot(gone).send(notice("head", "running"), {})
    assert not refused.value.uncertain
    slack.fail("chat.postMessage", Failure(hang_s=1.5, taken=True))
    with pytest.raises(NotifyError) as late:
        Slack(CHANNEL, TOKEN, api_url=slack.url, timeout_s=1).send(notice("head", "running"), {})
    assert late.value.uncertain
    assert len(slack.messages) == 1


def test_neither_the_key_nor_the_token_stands_in_what_slack_keeps(slack: SlackStandIn) -> None:
    said = Notice("s-1", "head", f"note/{TOKEN}", "running")
    bot(slack).send(said, {})
    assert TOKEN not in str(slack.messages)
    assert "note" not in str(slack.messages[0].metadata)
    assert bot(slack).find(said, {}) is not None
