"""What every notifier keeps to, tried on stand-ins of the services."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from notifiers import catalog
from notifiers.base import Button, Curve, Notice, Notifier, NotifyError, Picture, Topic
from orchestrator.words.outbox import SETTLE_S, pump, undelivered, waiting
from tests.contract.desks import DESKS, PERSON, Desk, Trouble
from tests.orchestrator.words.outboxes import empty_outbox, queue

KEPT = Path(__file__).parent.parent / "data" / "versions" / "notice-1.json"
"""A notice as the outbox of this version stores it."""
NAN = float("nan")


@pytest.fixture(params=DESKS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if request.param == "apprise":
        pytest.importorskip("apprise", reason="the extra `apprise`")
    made = DESKS[request.param]()
    yield made
    made.close()


def said(topic: Topic, title: str, *lines: str) -> Notice:
    return Notice("s-1", topic, f"{topic}/{title}", title, lines)


def send_all(notifier: Notifier, *notices: Notice) -> Mapping[str, str]:
    address: Mapping[str, str] = {}
    for notice in notices:
        address = notifier.send(notice, address)
    return address


def refusal(notifier: Notifier, notice: Notice, address: Mapping[str, str]) -> NotifyError:
    with pytest.raises(NotifyError) as caught:
        notifier.send(notice, address)
    return caught.value


def met_by(*kinds: Trouble) -> pytest.MarkDecorator:
    """Tries each of `kinds` on those to whom it can happen."""
    pairs = [(name, kind) for kind in kinds for name in DESKS if kind in DESKS[name].troubles]
    return pytest.mark.parametrize(("desk", "kind"), pairs, indirect=["desk"])


def of(wanted: Callable[[type[Desk]], object]) -> pytest.MarkDecorator:
    names = [name for name, desk in DESKS.items() if wanted(desk)]
    return pytest.mark.parametrize("desk", names, indirect=True)


def test_every_kind_of_the_catalogue_is_tried() -> None:
    assert {name.split()[-1] for name in DESKS} >= set(catalog.BUILT_IN)


def test_what_is_said_is_seen_once_and_in_order(desk: Desk) -> None:
    titles = ["begun", "fold 0 is over", "decide", "done"]
    topics: tuple[Topic, ...] = ("head", "reply", "alert", "alert")
    send_all(desk.notifier(), *map(said, topics, titles))
    shown = [title for text in desk.seen() for title in titles if title in text]
    assert shown == (titles if desk.keeps_all else ["begun", "decide", "done"])


def test_an_address_outlives_the_process(desk: Desk) -> None:
    address = desk.notifier().send(said("head", "begun"), {})
    address = desk.notifier().send(said("alert", "decide"), address)
    desk.notifier().send(said("alert", "done"), address)
    assert len(desk.seen()) == 3


def as_it_looks(text: str) -> str:
    """To a person: a sign that would do something may be one that looks like it, or be parted from
    the next by what nobody sees."""
    return text.replace("\u2060", "").replace("∗", "*")


@pytest.mark.parametrize("topic", ["head", "alert"])
def test_text_is_text_and_no_command_to_the_service(desk: Desk, topic: Topic) -> None:
    text = "<!channel> & <b>x</b> *a* \x1b[2J"
    send_all(desk.notifier(), said(topic, text, "<@U1>"))
    (shown,) = map(as_it_looks, desk.seen())
    assert "<!channel> & <b>x</b> *a*" in shown
    assert "<@U1>" in shown


@pytest.mark.parametrize("topic", ["head", "alert"])
def test_whatever_is_too_long_is_cut_and_not_lost(desk: Desk, topic: Topic) -> None:
    lines = tuple(f"line {number} " + "🙂&<" * 200 for number in range(300))
    fields = tuple((f"name {number}" * 100, "value" * 1000) for number in range(600))
    send_all(
        desk.notifier(), replace(said(topic, "first words " + "x" * 6000, *lines), fields=fields)
    )
    assert "first words" in desk.seen()[0]


def test_an_empty_title_and_an_odd_run_are_no_trouble(desk: Desk) -> None:
    send_all(desk.notifier(), Notice("&<run>", "head", "k", ""))
    assert len(desk.seen()) == 1


@met_by("error", "hang-up", "limited", "closed")
def test_passing_trouble_is_not_permanent_and_the_next_try_works(desk: Desk, kind: Trouble) -> None:
    desk.trouble(kind)
    notice = said("head", "begun", "0.14 h")
    error = refusal(desk.notifier(), notice, {})
    assert not error.permanent
    assert error.what
    assert desk.seen() == []
    if kind != "closed":
        desk.notifier().send(notice, error.reached or {})
        assert len(desk.seen()) == 1


@of(lambda desk: "limited" in desk.troubles)
@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", 30.0)])
def test_it_passes_on_for_how_long_to_wait(desk: Desk, value: str, seconds: float) -> None:
    desk.trouble("limited", value)
    error = refusal(desk.notifier(), said("head", "begun"), {})
    assert error.retry_after_s == (seconds if desk.says_when else None)
    assert not error.uncertain  # it was not taken, for sure


@of(lambda desk: "hang-up" in desk.troubles)
def test_a_lost_answer_leaves_open_whether_it_arrived(desk: Desk) -> None:
    desk.trouble("hang-up")
    assert refusal(desk.notifier(), said("head", "begun"), {}).uncertain


@of(lambda desk: "refused" in desk.troubles)
def test_a_refusal_for_good_is_permanent_and_given_up(desk: Desk, tmp_path: Path) -> None:
    notifier = desk.notifier()
    desk.trouble("refused")
    with closing(sqlite3.connect(empty_outbox(tmp_path))) as connection:
        queue(connection, said("head", "begun"), notifier=notifier.name)
        pump(connection, {notifier.name: notifier}, 0)
        (lost,) = undelivered(connection)
    assert lost.error


@of(lambda desk: desk.secrets)
def test_no_secret_stands_in_an_error_a_log_a_name_or_a_message(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notifier = desk.notifier()
    leak = said("head", "begun", *(f"environ: {secret}" for secret in desk.secrets))
    quoted = [repr(notifier), notifier.name]
    for kind in desk.troubles:
        desk.trouble(kind)
        error = refusal(notifier, leak, {})
        quoted += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    for secret in desk.secrets:
        assert secret not in "".join(quoted)
        assert secret not in caplog.text


@of(lambda desk: desk.secrets)
def test_a_secret_in_the_words_is_not_passed_on(desk: Desk) -> None:
    """E.g. the dump of an environment in a traceback."""
    secret = desk.secret()
    send_all(desk.notifier(), said("head", "begun", f"environ: {secret}"))
    assert secret not in "".join(desk.seen())


def test_the_same_key_is_told_once(desk: Desk, tmp_path: Path) -> None:
    notifier = desk.notifier()
    with closing(sqlite3.connect(empty_outbox(tmp_path))) as connection:
        for now_ms in range(3):
            queue(connection, said("alert", "done"), notifier=notifier.name)
            pump(connection, {notifier.name: notifier}, now_ms * 10_000)
    assert len(desk.seen()) == 1


@met_by("error", "hang-up", "limited")
def test_through_the_outbox_order_is_kept_whatever_happens(
    desk: Desk, tmp_path: Path, kind: Trouble
) -> None:
    notifier = desk.notifier()
    titles = ["begun", "first", "second", "third"]
    with closing(sqlite3.connect(empty_outbox(tmp_path))) as connection:
        queue(connection, said("head", titles[0]), notifier=notifier.name)
        queue(connection, *(said("alert", t) for t in titles[1:]), notifier=notifier.name)
        now_ms: int | None = 0
        for _ in range(4):
            desk.trouble(kind)
            now_ms = pump(connection, {notifier.name: notifier}, now_ms or 0)
        while now_ms is not None:
            now_ms = pump(connection, {notifier.name: notifier}, now_ms)
        assert (waiting(connection), undelivered(connection)) == (0, [])
    shown = [title for text in desk.seen() for title in titles if title in text]
    assert shown == titles


@of(lambda desk: "closed" in desk.troubles)
def test_with_a_closed_network_nothing_is_lost(desk: Desk, tmp_path: Path) -> None:
    notifier = desk.notifier()
    desk.close()
    with closing(sqlite3.connect(empty_outbox(tmp_path))) as connection:
        queue(connection, said("alert", "done"), notifier=notifier.name)
        due_ms = pump(connection, {notifier.name: notifier}, 0)
        assert due_ms is not None and due_ms <= SETTLE_S * 1000
        assert waiting(connection) == 1


def test_pictures_are_shown_where_they_can_be(desk: Desk, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "grid.png")
    picture = Picture(str(tmp_path / "grid.png"), "grid", "a grid")
    curve = Curve("s-1", "val_acc", {"fold 0": ((1.0, 0.4), (2.0, NAN))})
    notice = replace(said("alert", "done"), pictures=(picture,), curve=curve)
    send_all(desk.notifier(), said("head", "begun"), notice)
    assert desk.picture_count() == (2 if desk.pictures else 0)
    assert any("done" in text for text in desk.seen())


def test_a_picture_that_is_gone_does_not_cost_the_words(desk: Desk, tmp_path: Path) -> None:
    gone = Picture(str(tmp_path / "gone.png"), "grid", "a grid")
    send_all(
        desk.notifier(), said("head", "begun"), replace(said("alert", "done"), pictures=(gone,))
    )
    assert any("done" in text for text in desk.seen())
    assert desk.picture_count() == 0


def full() -> Notice:
    return Notice(
        run="s-1",
        topic="alert",
        key="s-1/ask/1",
        title="stop fold 3?",
        lines=("it is below the others",),
        fields=(("charged", "0.41 h"),),
        curve=Curve("s-1", "val_acc", {"fold 0": ((1.0, 0.5), (2.0, float("inf")))}),
        pictures=(Picture("/nowhere/grid.png", "grid", "a grid"),),
        buttons=(Button("Stop", '{"v":1}', "danger", "sure?"),),
        typed=("abort fold 3",),
        mention=(PERSON,),
        about="decision",
        edits="",
        not_before_ms=0,
        at_ms=1_795_219_670_000,
        final=False,
    )


def test_what_an_outbox_of_this_version_stored_is_told(desk: Desk) -> None:
    kept = Notice.from_json(KEPT.read_text())
    assert kept == full() == Notice.from_json(full().to_json())
    send_all(desk.notifier(), said("head", "begun"), kept)
    assert "stop fold 3?" in desk.seen()[1]
