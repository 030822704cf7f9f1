"""Tokens of Slack: whether they are there and look like tokens; never what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from notifiers.slack.settings import api_url, app_token, bot_token, webhook_url
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from skint.errors import SkintError


def look(machine: Machine) -> Iterator[Finding]:
    environ = machine.environ
    wanted = "slack" in machine.settings.notify
    if webhook_url(environ) is not None:
        yield ok("slack", "SLACK_WEBHOOK_URL is set: words alone, without edits and buttons")
        return
    if not environ.get("SLACK_BOT_TOKEN", "").strip():
        if wanted:
            yield bad("slack", "the settings name a channel, and SLACK_BOT_TOKEN is not set",
                      "skint slack setup")  # fmt: skip
        else:
            yield ok("slack", "not set up: skint slack setup tells how")
        return
    token = _token("SLACK_BOT_TOKEN", bot_token, environ)
    yield token
    if environ.get("SLACK_APP_TOKEN", "").strip():
        yield _token("SLACK_APP_TOKEN", app_token, environ)
    else:
        yield warn("slack", "SLACK_APP_TOKEN is not set: no buttons, reactions are read instead",
                   "docs/slack.md, step 3")  # fmt: skip
    if machine.online and token.level == "ok":
        yield _who(environ)


def _token(
    name: str, read: Callable[[Mapping[str, str]], str], environ: Mapping[str, str]
) -> Finding:
    try:
        read(environ)
    except SkintError as error:
        return bad("slack", error.what, error.next or "")
    return ok("slack", f"{name} is set")


def _who(environ: Mapping[str, str]) -> Finding:
    from notifiers.slack.web import SlackWeb

    try:
        answer = SlackWeb(bot_token(environ), api_url=api_url(environ)).call("auth_test")
    except SkintError as error:
        return bad("slack", error.what, error.next or "skint slack test CHANNEL")
    return ok(
        "slack", f"Slack knows {answer.get('user', 'a bot')} of {answer.get('team', 'a team')}"
    )
