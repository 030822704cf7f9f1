"""Signed JSON against a receiver that checks signatures as the guide says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notifiers.base import Curve, Notice, NotifierSettingsError, NotifyError
from notifiers.webhook import SIGNATURE, VERSION, Webhook, payload, sign
from skint.errors import CREDENTIALS
from tests.stand_ins.receiver import Answer, Post, Receiver

PAGE = Path(__file__).parents[2] / "docs" / "notifiers.md"
SECRET = "0123456789abcdef-the-secret"
NOW_S = 1_795_219_670
Receive = Callable[..., dict[str, Any] | None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def receive() -> Receive:
    """The function that the guide shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    found: Receive = names["receive"]
    return found


def hook(receiver: Receiver, secret: str = SECRET, timeout_s: float = 300) -> Webhook:
    return Webhook(receiver.url, secret, now_s=lambda: NOW_S, timeout_s=timeout_s)


def notice(**changes: Any) -> Notice:
    return Notice(**{"run": "s-1", "topic": "alert", "key": "s-1/end", "title": "done", **changes})


def sent(receiver: Receiver, said: Notice) -> Post:
    hook(receiver).send(said, {})
    return receiver.posts[-1]


def test_the_json_is_as_documented(receiver: Receiver) -> None:
    curve = Curve("s-1", "val_acc", {"fold 0": ((1.0, 0.5), (2.0, float("nan")))})
    said = notice(
        lines=("0.41 h",),
        fields=(("left", "29.6 h"),),
        curve=curve,
        at_ms=5,
        about="end",
        quoted=("Killed",),
    )
    body = sent(receiver, said).body
    assert json.loads(body) == {
        "version": VERSION,
        "key": "s-1/end",
        "run": "s-1",
        "topic": "alert",
        "about": "end",
        "title": "done",
        "lines": ["0.41 h"],
        "quoted": ["Killed"],
        "fields": [{"name": "left", "value": "29.6 h"}],
        "typed": [],
        "curve": {
            "title": "s-1",
            "metric": "val_acc",
            "series": {"fold 0": [[1.0, 0.5], [2.0, None]]},
        },
        "at_ms": 5,
        "final": False,
    }
    table = PAGE.read_text(encoding="utf-8").partition("| field | what |")[2].partition("\n\n")[0]
    named = {
        name
        for row in re.findall(r"^\| (.+?) \|", table, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(json.loads(body))


def test_the_guides_receiver_takes_it_once(receiver: Receiver, receive: Receive) -> None:
    post = sent(receiver, notice())
    header = post.headers[SIGNATURE.lower()]
    told = receive(SECRET, header, post.body, now=NOW_S + 2)
    assert told is not None and told["title"] == "done"
    assert receive(SECRET, header, post.body, now=NOW_S + 3) is None  # replayed


def test_it_refuses_what_is_forged_changed_or_old(receiver: Receiver, receive: Receive) -> None:
    post = sent(receiver, notice())
    header = post.headers[SIGNATURE.lower()]
    changed = post.body.replace(b"done", b"gone")
    later = header.replace(f"t={NOW_S}", f"t={NOW_S + 1000}")
    for forged, body, now in (
        (header, changed, NOW_S),
        (sign("another-secret-of-somebody", post.body, NOW_S), post.body, NOW_S),
        (later, post.body, NOW_S + 1000),
        (header, post.body, NOW_S + 301),
        (header, post.body, NOW_S - 301),
        (f"t={NOW_S},v1=", post.body, NOW_S),
        (f"t={NOW_S}", post.body, NOW_S),
        ("t=,v1=é", post.body, NOW_S),
        (f"t={NOW_S},v1=é", post.body, NOW_S),
        ("", post.body, NOW_S),
        ("nonsense", post.body, NOW_S),
    ):
        assert receive(SECRET, forged, body, now=now) is None
    assert receive(SECRET, header, post.body, now=NOW_S) is not None


def test_a_receiver_that_refuses_a_forged_signature_is_told_so(
    receiver: Receiver, receive: Receive
) -> None:
    def judge(post: Post) -> int:
        header = post.headers[SIGNATURE.lower()]
        return 200 if receive(SECRET, header, post.body, now=NOW_S) else 401

    receiver.judge = judge
    hook(receiver).send(notice(), {})
    with pytest.raises(NotifyError, match="SKINT_WEBHOOK_SECRET") as caught:
        hook(receiver, "the-secret-of-somebody-else").send(notice(key="k"), {})
    assert caught.value.permanent
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    with Receiver() as elsewhere:
        receiver.answers.append(Answer(status, {"Location": elsewhere.url}))
        with pytest.raises(NotifyError, match="redirect") as caught:
            hook(receiver).send(notice(), {})
        assert caught.value.permanent
        assert elsewhere.posts == []


@pytest.mark.parametrize(
    ("status", "permanent", "uncertain"),
    [(400, True, False), (404, True, False), (410, True, False), (413, True, False),
     (408, False, False), (429, False, False), (500, False, True), (503, False, True)],
)  # fmt: skip
def test_which_states_are_worth_another_try(
    receiver: Receiver, status: int, permanent: bool, uncertain: bool
) -> None:
    receiver.answers.append(Answer(status))
    with pytest.raises(NotifyError, match=str(status)) as caught:
        hook(receiver).send(notice(), {})
    assert (caught.value.permanent, caught.value.uncertain) == (permanent, uncertain)


def test_a_503_may_say_when_to_come_back(receiver: Receiver) -> None:
    receiver.answers.append(Answer(503, {"Retry-After": "12"}))
    with pytest.raises(NotifyError) as caught:
        hook(receiver).send(notice(), {})
    assert caught.value.retry_after_s == 12


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_the_time_out(
    receiver: Receiver,
) -> None:
    receiver.answers.append(Answer(hang_s=1.5))
    with pytest.raises(NotifyError, match="cannot reach") as caught:
        hook(receiver, timeout_s=1).send(notice(), {})
    assert caught.value.uncertain


def test_a_proxy_is_not_asked_for_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    hook(receiver).send(notice(), {})
    assert receiver.posts


@pytest.mark.parametrize(
    "url",
    [None, 5, "", "example.org/x", "ftp://example.org/x", "https://user:pw@example.org/x",
     "https://example.org/a b", "https://example.org/\n", "https://[::1", "https://h:port/",
     "https://exämple.org/", "http://example.org/x"],
)  # fmt: skip
def test_an_address_that_cannot_be_trusted_is_refused_without_showing_it(url: object) -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        Webhook.check({} if url is None else {"url": url})
    assert caught.value.where == "notify.webhook.url"
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://localhost:8080/", "http://[::1]/"]
)
def test_an_address_by_https_or_on_this_machine_is_taken(url: str) -> None:
    Webhook.check({"url": url, "level": "end"})


@pytest.mark.parametrize("secret", ["", "abc123", "fifteen-letters"])
def test_a_secret_that_could_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(NotifierSettingsError) as caught:
        Webhook.configure({"url": "https://example.org/"}, {"SKINT_WEBHOOK_SECRET": secret})
    assert caught.value.exit_code == CREDENTIALS
    assert not secret or secret not in str(caught.value)


def test_two_addresses_are_two_places_and_neither_shows_its_path() -> None:
    names = {Webhook.place({"url": f"https://example.org/secret-{n}"}) for n in range(2)}
    assert len(names) == 2
    assert all(name.startswith("webhook:example.org/") and "secret" not in name for name in names)


def test_strict_json_has_no_nan() -> None:
    curve = Curve("s", "m", {"a": ((1.0, float("inf")), (2.0, float("-inf")))})
    assert b"Infinity" not in payload(notice(curve=curve))
