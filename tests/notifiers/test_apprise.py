"""Several services at once, through apprise's own JSON service and a receiver on this machine."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from notifiers.apprise import Apprise
from notifiers.base import Curve, Notice, NotifierSettingsError, NotifyError, Topic
from skint.errors import CREDENTIALS
from tests.stand_ins.receiver import Answer, Receiver

pytest.importorskip("apprise", reason="the extra `apprise`")


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    with Receiver() as first, Receiver() as second:
        yield first, second


def both(receivers: tuple[Receiver, Receiver]) -> Apprise:
    urls = " \n".join(one.url.replace("http://", "json://") for one in receivers)
    return Apprise.configure({}, {"SKINT_APPRISE_URLS": urls})


def said(topic: Topic, title: str) -> Notice:
    return Notice("s-1", topic, f"{topic}/{title}", title, ("0.14 h",))


def titles(receiver: Receiver) -> list[str]:
    return [json.loads(post.body)["title"] for post in receiver.posts]


def test_of_the_heads_the_first_and_the_last_are_told(
    receivers: tuple[Receiver, Receiver],
) -> None:
    notifier = both(receivers)
    last = replace(said("head", "done"), final=True)
    address = notifier.send(said("head", "epoch 1"), {})
    for notice in (said("head", "epoch 2"), said("reply", "fold 0"), said("head", "epoch 3"), last):
        assert bool(notifier.pace(notice, address)) == ("epoch" not in notice.title)
        address = notifier.send(notice, address)
    for receiver in receivers:
        assert titles(receiver) == ["s-1 · epoch 1", "s-1 · fold 0", "s-1 · done"]


@pytest.mark.parametrize("topic", ["head", "alert"])
def test_who_has_it_is_not_told_again_when_another_fails(
    receivers: tuple[Receiver, Receiver], topic: Topic
) -> None:
    first, second = receivers
    second.answers.extend([Answer(500), Answer(503)])
    notifier = both(receivers)
    address: Mapping[str, str] = {}
    for _ in range(2):
        with pytest.raises(NotifyError) as caught:
            notifier.send(said(topic, "x"), address)
        assert not caught.value.permanent
        assert caught.value.reached is not None
        address = caught.value.reached
    address = notifier.send(said(topic, "x"), address)
    assert (len(first.posts), len(second.posts)) == (1, 1)
    notifier.send(said("reply", "y"), address)
    assert (len(first.posts), len(second.posts)) == (2, 2)


def test_a_service_that_refuses_for_good_is_named_and_the_others_are_told(
    receivers: tuple[Receiver, Receiver],
) -> None:
    receivers[0].answers.append(Answer(403))
    with pytest.raises(NotifyError, match=r"JSON \(HTTP 403\)") as caught:
        both(receivers).send(said("alert", "x"), {})
    assert caught.value.permanent
    assert len(receivers[1].posts) == 1


def test_one_that_refuses_every_head_does_not_make_the_others_hear_of_each(
    receivers: tuple[Receiver, Receiver],
) -> None:
    receivers[0].answers.extend([Answer(403), Answer(403)])
    notifier = both(receivers)
    with pytest.raises(NotifyError) as caught:
        notifier.send(said("head", "epoch 1"), {})
    address = caught.value.reached
    assert address is not None
    assert notifier.send(said("head", "epoch 2"), address) == address
    assert titles(receivers[1]) == ["s-1 · epoch 1"]


def test_a_curve_is_attached_as_png(receivers: tuple[Receiver, Receiver]) -> None:
    curve = Curve("s-1", "val_acc", {"fold 0": ((1.0, 0.4), (2.0, 0.9))})
    both(receivers).send(replace(said("alert", "done"), curve=curve), {})
    (attached,) = json.loads(receivers[0].posts[0].body)["attachments"]
    assert attached["mimetype"] == "image/png"


def test_a_title_alone_is_still_told(receivers: tuple[Receiver, Receiver]) -> None:
    both(receivers).send(replace(said("alert", "done"), lines=()), {})
    assert json.loads(receivers[0].posts[0].body)["message"] == "s-1 · done"


def test_an_address_that_apprise_does_not_know_is_refused_without_showing_it() -> None:
    environ = {"SKINT_APPRISE_URLS": "json://localhost nosuch://the-token"}
    with pytest.raises(NotifierSettingsError, match="address 2 of 2") as caught:
        Apprise.configure({}, environ)
    assert caught.value.exit_code == CREDENTIALS
    assert "the-token" not in str(caught.value)


def test_without_addresses_there_is_nobody_to_tell() -> None:
    with pytest.raises(NotifierSettingsError, match="SKINT_APPRISE_URLS") as caught:
        Apprise.configure({}, {})
    assert caught.value.exit_code == CREDENTIALS


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifiers.apprise.find_spec", lambda name: None)
    with pytest.raises(NotifierSettingsError, match=r"skint\[apprise\]"):
        Apprise.configure({}, {"SKINT_APPRISE_URLS": "json://localhost"})


def test_checking_a_plan_does_not_import_it() -> None:
    assert importlib.util.find_spec("apprise")
    program = (
        "import sys; from notifiers import catalog; catalog.check('apprise', {'level': 'end'}); "
        "print(sorted({'apprise', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_nobody_is_called_by_what_somebody_else_wrote(
    receivers: tuple[Receiver, Receiver],
) -> None:
    wrote = "@everyone <@123> <!channel> <#9> ana@example.org"
    both(receivers).send(replace(said("reply", wrote), quoted=(wrote,)), {})
    body = json.loads(receivers[0].posts[-1].body)
    for text in (body["title"], body["message"]):
        assert "ana@example.org" in text
        assert not any(call in text for call in ("@everyone", "<@1", "<!c", "<#9"))
