"""`skint slack test`: everything a run would ask of Slack, tried once, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from notifiers.base import Button, Curve, Notice, NotifierSettingsError, NotifyError
from notifiers.slack.blocks import blocks, fallback_text
from notifiers.slack.errors import SlackRefusal
from notifiers.slack.manifest import ADVISED, FOR_POLLING, NEEDED
from notifiers.slack.pictures import uploads
from notifiers.slack.settings import api_url, app_token, bot_token, webhook_url
from notifiers.slack.web import AS_IT_STANDS, SlackWeb
from notifiers.slack.webhook import SlackWebhook
from skint.errors import CREDENTIALS, FAILED, OK

_AGAIN = "your app's page: OAuth & Permissions, add the scope; then install the app again"
_BAD_TOKEN = ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive")


@dataclass(frozen=True)
class Check:
    """One thing that was tried."""

    what: str
    ok: bool
    said: str
    """What was found."""
    then: str = ""
    """What to do about it."""
    exit_code: int = OK
    """What the command comes to because of it."""


def sample(button: Button) -> Notice:
    """A message as a run would send it."""
    return Notice(
        run="slack-test",
        topic="head",
        key="slack-test",
        title="a message of `skint slack test`; nothing runs",
        lines=("press the button: who hears it answers that there is no such run",),
        fields=(("charged", "nothing"),),
        buttons=(button,),
        typed=("buttons are not shown: nothing listens (SLACK_APP_TOKEN is not set)",),
    )


def tried(channel: str, button: Button, environ: Mapping[str, str]) -> Iterator[Check]:
    """Each check as soon as it is done; those that depend on a failed one are left out.

    Raises `NotifierSettingsError` (exit 4) without credentials.
    """
    notice = sample(button)
    url = webhook_url(environ)
    if url is not None:
        yield _through_webhook(notice, url)
        return
    hears = bool(environ.get("SLACK_APP_TOKEN", "").strip())
    web = SlackWeb(bot_token(environ), api_url=api_url(environ))
    known = _try("bot token", lambda: _who(web))
    yield known
    if not known.ok:
        return
    yield from _scopes(web, hears)
    address: dict[str, str] = {}
    posted = _try("message", lambda: _post(web, channel, notice, hears, address))
    yield posted
    if posted.ok:
        yield _try("edit", lambda: _edit(web, notice, hears, address))
        yield _try("picture", lambda: _picture(web, address))
    yield _connection(environ) if hears else _no_listener()


def _try(what: str, do: Callable[[], str]) -> Check:
    try:
        return Check(what, True, do())
    except SlackRefusal as refusal:
        code = CREDENTIALS if refusal.code in _BAD_TOKEN else FAILED
        return Check(what, False, refusal.what, refusal.next or "", code)


def _who(web: SlackWeb) -> str:
    answer = web.call("auth_test")
    return f"{answer.get('user', 'a bot')} of {answer.get('team', 'a workspace')}"


def _scopes(web: SlackWeb, hears: bool) -> Iterator[Check]:
    """By a header of every answer; an answer without it says nothing."""
    headers = getattr(web.call("auth_test"), "headers", {})
    given = next((v for k, v in headers.items() if k.lower() == "x-oauth-scopes"), None)
    if given is None:
        yield Check("scopes", True, "Slack did not say which there are")
        return
    has = {scope.strip() for scope in given.split(",")}
    for scope, purpose in NEEDED.items():
        if scope not in has:
            yield Check("scopes", False, f"{scope} is missing: {purpose}", _AGAIN, FAILED)
    for scope, lost in {**ADVISED, **({} if hears else FOR_POLLING)}.items():
        if scope not in has:
            yield Check("scopes", True, f"without {scope}: {lost}", _AGAIN)
    if set(NEEDED) <= has:
        yield Check("scopes", True, ", ".join(sorted(has)))


def _post(web: SlackWeb, channel: str, notice: Notice, hears: bool, address: dict[str, str]) -> str:
    answer = web.call(
        "chat_postMessage",
        channel=channel,
        text=fallback_text(notice, pressable=hears),
        blocks=blocks(notice, pressable=hears),
        **AS_IT_STANDS,
    )
    address.update(channel=str(answer["channel"]), ts=str(answer["ts"]))
    return "sent with a button" if hears else "sent without a button"


def _edit(web: SlackWeb, notice: Notice, hears: bool, address: Mapping[str, str]) -> str:
    edited = replace(notice, lines=(*notice.lines, "this line came with an edit"))
    web.call(
        "chat_update",
        channel=address["channel"],
        ts=address["ts"],
        text=fallback_text(edited, pressable=hears),
        blocks=blocks(edited, pressable=hears),
        **AS_IT_STANDS,
    )
    return "the message was edited in place"


def _picture(web: SlackWeb, address: Mapping[str, str]) -> str:
    points = tuple((float(epoch), 1 - 1 / (epoch + 1)) for epoch in range(1, 9))
    curve = Curve("a learning curve of nothing", "val_acc", {"fold 0": points})
    files, missing = uploads(Notice("slack-test", "reply", "picture", "", curve=curve))
    if not files:
        return f"not tried, {missing}"
    web.call(
        "files_upload_v2",
        channel=address["channel"],
        thread_ts=address["ts"],
        file_uploads=files,
        initial_comment="a picture in the thread",
    )
    return "uploaded to the thread"


def _connection(environ: Mapping[str, str]) -> Check:
    try:
        web = SlackWeb(app_token(environ), api_url=api_url(environ))
    except NotifierSettingsError as error:
        return Check("buttons", False, error.what, error.next or "", CREDENTIALS)
    try:
        web.call("apps_connections_open", app_token=web.token)
    except SlackRefusal as refusal:
        then = (
            "your app's page: Socket Mode on, and Basic Information, App-Level Tokens with the"
            " scope connections:write"
        )
        code = CREDENTIALS if refusal.code in _BAD_TOKEN else FAILED
        # Its sentences are about the other token.
        said = f"Slack opens no connection ({refusal.code})" if refusal.code else refusal.what
        return Check("buttons", False, said, then, code)
    return Check("buttons", True, "Slack opens a connection; presses arrive while a scheduler runs")


def _no_listener() -> Check:
    then = "`skint slack setup` says how to get SLACK_APP_TOKEN"
    return Check("buttons", True, "none: SLACK_APP_TOKEN is not set", then)


def _through_webhook(notice: Notice, url: str) -> Check:
    try:
        SlackWebhook("slack:webhook", url).send(notice, {})
    except NotifyError as error:
        return Check("webhook", False, error.what, error.next or "", FAILED)
    return Check("webhook", True, "a message was sent; there will be no edits, threads or pictures")
