"""The real slack_sdk listens to a Socket Mode on loopback that goes wrong in all the known ways."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from notifiers.slack.listener import SlackListener, SlackPress, presses_in
from tests.stand_ins.slack import Failure, SlackStandIn
from tests.stand_ins.slack_socket import APP_TOKEN, PRESSER, SocketModeStandIn
from tests.terminal import until


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as slack:
        yield slack


@pytest.fixture
def sockets(slack: SlackStandIn) -> Iterator[SocketModeStandIn]:
    with SocketModeStandIn(slack, ack_s=0.5) as sockets:
        yield sockets


@contextmanager
def listening(
    sockets: SocketModeStandIn,
    on_press: Callable[[SlackPress], None],
    *,
    token: str = APP_TOKEN,
    connected: bool = True,
    **more: Any,
) -> Iterator[SlackListener]:
    settings = {"ping_s": 0.1, "deaf_s": 0.8, "back_off_s": (0.2,), **more}
    listener = SlackListener(token, on_press, api_url=sockets.slack.url, **settings)
    links = len(sockets.links)
    listener.start()
    try:
        if connected:
            until(lambda: len(sockets.links) > links)
        yield listener
    finally:
        listener.stop(0.05)  # its threads end on their own


def test_a_press_is_told_and_acknowledged_afterwards(sockets: SocketModeStandIn) -> None:
    told: list[SlackPress] = []
    acked: list[bool] = []

    def keep(press: SlackPress) -> None:
        acked.append(sockets.deliveries[0].acked.is_set())
        told.append(press)

    with listening(sockets, keep):
        delivery = sockets.press("what the button carries")
        until(delivery.acked.is_set)
    (press,) = told
    assert (press.user, press.value) == (PRESSER, "what the button carries")
    assert acked == [False]


def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(
    sockets: SocketModeStandIn,
) -> None:
    told: list[str] = []

    def keep(press: SlackPress) -> None:
        told.append(press.key)
        if len(told) == 1:
            raise OSError("the disk is full")

    with listening(sockets, keep):
        delivery = sockets.press("x")
        until(delivery.acked.is_set)
    assert (delivery.tries, len(told), len(set(told))) == (2, 2, 1)


def test_a_press_whose_acknowledgement_is_lost_comes_again_with_the_same_key(
    sockets: SocketModeStandIn,
) -> None:
    told: list[str] = []
    sockets.lost_acks = 1
    with listening(sockets, lambda press: told.append(press.key)):
        until(sockets.press("x").acked.is_set)
        until(sockets.press("x").acked.is_set)
    assert [told.index(key) for key in told] == [0, 0, 2]


def test_buttons_that_open_a_page_and_other_envelopes_are_only_acknowledged(
    sockets: SocketModeStandIn,
) -> None:
    told: list[SlackPress] = []
    with listening(sockets, told.append):
        until(sockets.press(None).acked.is_set)
        until(sockets.send("events_api", {"type": "event_callback"}).acked.is_set)
        until(sockets.send("interactive", {"type": "view_submission"}).acked.is_set)
    assert told == []


def test_it_follows_when_slack_asks_to_connect_anew(sockets: SocketModeStandIn) -> None:
    told: list[str] = []
    with listening(sockets, lambda press: told.append(press.value)):
        sockets.refresh()
        until(lambda: sockets.opened == 2 and len(sockets.links) == 1)
        until(sockets.press("after").acked.is_set)
    assert told == ["after"]


def test_it_connects_again_after_the_network_has_torn_the_connection(
    sockets: SocketModeStandIn,
) -> None:
    told: list[str] = []
    with listening(sockets, lambda press: told.append(press.value)):
        sockets.reset()
        until(sockets.press("after").acked.is_set)
    assert told == ["after"]


def test_it_connects_again_after_the_other_side_has_hung_up_without_waiting_for_a_ping(
    sockets: SocketModeStandIn,
) -> None:
    told: list[str] = []
    with listening(sockets, lambda press: told.append(press.value), ping_s=3600, deaf_s=3600):
        sockets.hang_up()
        sockets.redeliveries = 100
        until(sockets.press("after").acked.is_set)
    assert told == ["after"]


def test_a_connection_that_goes_deaf_is_replaced(sockets: SocketModeStandIn) -> None:
    told: list[str] = []
    with listening(sockets, lambda press: told.append(press.value)):
        until(sockets.press("before").acked.is_set)
        sockets.deafen()
        sockets.redeliveries = 100
        until(sockets.press("after").acked.is_set)
    assert (told, sockets.opened > 1) == (["before", "after"], True)


def test_a_connection_that_never_answered_a_ping_is_replaced(
    sockets: SocketModeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    sockets.born_deaf = True
    sockets.redeliveries = 100
    with listening(sockets, lambda press: told.append(press.value)):
        sockets.born_deaf = False
        until(sockets.press("x").acked.is_set)
    assert told == ["x"]
    assert "no sign of life" in caplog.text


def test_a_connection_that_answers_is_kept(sockets: SocketModeStandIn) -> None:
    now_s = [0.0]
    with listening(sockets, lambda press: None, deaf_s=60.0, now_s=lambda: now_s[0]) as listener:
        for _ in range(5):
            pong = listener._sign
            until(lambda seen=pong: listener._sign != seen)  # type: ignore[misc]
            now_s[0] += 50
    assert sockets.opened == 1


def test_failures_are_tried_again_after_longer_and_longer_waits(
    slack: SlackStandIn, sockets: SocketModeStandIn
) -> None:
    slack.fail("apps.connections.open", *[Failure(status=500)] * 2, Failure(hang_up=True))
    asked: list[float] = []
    clock = [0.0]

    def now_s() -> float:
        return clock[0]

    with listening(sockets, print, connected=False, back_off_s=(10, 100, 1000), now_s=now_s):
        for wait_s in (0, 10, 100, 1000):
            until(lambda: len(slack.answers("apps.connections.open")) == len(asked) + 1)
            asked.append(clock[0])
            clock[0] += wait_s and wait_s / 2
            before = len(slack.answers("apps.connections.open"))
            threading.Event().wait(0.2)
            assert len(slack.answers("apps.connections.open")) == before
            clock[0] += [10, 100, 1000, 0][len(asked) - 1]
        until(lambda: len(sockets.links) == 1)


def test_an_address_that_cannot_be_connected_to_is_no_reason_to_ask_in_a_tight_loop(
    slack: SlackStandIn, sockets: SocketModeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    sockets.no_upgrade = True
    with listening(sockets, print, connected=False, back_off_s=(0.0, 0.0, 60.0)):
        until(lambda: len(slack.answers("apps.connections.open")) == 3)
        threading.Event().wait(0.5)
        assert len(slack.answers("apps.connections.open")) == 3
    assert caplog.text.count("do not arrive now") == 1


def test_a_token_that_slack_refuses_is_not_tried_again(
    slack: SlackStandIn, sockets: SocketModeStandIn
) -> None:
    token = "xapp-1-A0STANDIN-3333-AnotherSecret"
    with listening(sockets, print, token=token, connected=False) as listener:
        until(lambda: bool(listener.refused))
    assert listener.refused == "Slack does not accept the token in SLACK_APP_TOKEN (invalid_auth)"
    assert slack.answers("apps.connections.open") == ["invalid_auth"]


def test_another_program_with_the_same_token_is_told_of_once(
    sockets: SocketModeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(sockets, print), listening(sockets, print):
        until(lambda: "2 programs listen" in caplog.text)
        for press in range(4):  # Slack gives them in turn to one or the other
            until(sockets.press(str(press)).acked.is_set)
    assert caplog.text.count("programs listen") == 1


def test_no_token_and_no_address_stands_in_the_log(
    slack: SlackStandIn, sockets: SocketModeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.fail("apps.connections.open", Failure(status=500), Failure(error="internal_error"))
    with listening(sockets, print, connected=False) as listener:
        until(lambda: len(sockets.links) == 1)
        sockets.reset()
        until(lambda: sockets.opened == 2)
    assert "TheStandInsAppSecret" not in caplog.text + repr(listener)
    assert "/link/" not in caplog.text


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {"type": "block_actions"},
        {"type": "block_actions", "actions": "all"},
        {"type": "block_actions", "actions": [None, {"value": 7}]},
    ],
)
def test_a_payload_without_a_button_is_no_press(payload: object) -> None:
    assert presses_in(payload) == []


def test_a_press_without_a_user_or_a_channel_is_still_one_to_refuse() -> None:
    (press,) = presses_in({"type": "block_actions", "actions": [{"value": "x" * 5000}]})
    assert (press.user, press.channel, len(press.value)) == ("", "", 2001)
