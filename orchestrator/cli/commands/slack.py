"""`setup` prints the manifest of an app of your own and what to do with it; `test` tries with your
tokens what a run would: who the bot is, its scopes, a message with a button, an edit, a picture,
and the connection that presses come over. What it posts stays in the channel."""

from __future__ import annotations

import argparse
import os
import sys

from notifiers.base import Button
from notifiers.slack.manifest import MANIFEST, NEXT_STEPS
from notifiers.slack.settings import settings_of
from notifiers.slack.trial import tried
from orchestrator.presses.press import TRIAL_RUN, Press
from skint.errors import OK

EXAMPLES = ("skint slack setup",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="setup | test")
    actions.add_parser("setup", help="print the app's manifest and the next steps")
    test = actions.add_parser("test", help="try the tokens and the channel", allow_abbrev=False)
    test.add_argument("channel", metavar="CHANNEL", help="its ID, such as C0123456789")


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "setup":
        print(MANIFEST)
        sys.stdout.flush()
        print(NEXT_STEPS, end="", file=sys.stderr)
        return OK
    channel = settings_of({"channel": arguments.channel}).channel
    button = Button("Press me", Press(TRIAL_RUN, "let-run").to_json(), "primary")
    code = OK
    for check in tried(channel, button, os.environ):
        mark = "ok   " if check.ok else "WRONG"
        print(f"{mark}  {check.what:<10} {check.said}")
        if check.then:
            print(f"       {'':<10} next: {check.then}")
        code = max(code, check.exit_code)
    return code
