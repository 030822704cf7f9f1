"""End what `skint hold` has set: all of it, or the hold of one account or lane."""

from __future__ import annotations

import argparse
from typing import get_args

from orchestrator.cli.acting import login_name, tell
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import ReleaseHold
from orchestrator.graph import Lane
from orchestrator.home import Home
from skint.errors import OK

EXAMPLES = ("skint release --account demo",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", default="", help="only the hold of this account")
    parser.add_argument(
        "--lane", default="", choices=get_args(Lane), help="only the hold of this lane"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    request = ReleaseHold(account=arguments.account, lane=arguments.lane, by=login_name())
    tell(arguments, "release", [ask(home, request)], None)
    return OK
