"""No new job starts, CPU work included, until `skint release`; what runs goes on. With `--account`
nothing starts that the account, or one below it, would pay for. It stands when the machine was
switched off, and is shown in `status`, `queue`, `budget` and `top`."""

from __future__ import annotations

import argparse
from typing import get_args

from budget.ledger import Ledger
from orchestrator.cli.acting import login_name, tell
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import SetHold
from orchestrator.graph import Lane
from orchestrator.home import Home
from skint.errors import OK

EXAMPLES = ('skint hold --account demo --reason "the room is too warm"',)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", default="", help="only what it pays for, and those below it")
    parser.add_argument("--lane", default="", choices=get_args(Lane), help="only jobs of this lane")
    parser.add_argument("--reason", default="", metavar="TEXT", help="shown wherever a job waits")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    if arguments.account:
        with Ledger(home.ledger, read_only=True) as ledger:
            ledger.account(arguments.account)  # or AccountNotFound, with the names there are
    request = SetHold(
        account=arguments.account,
        lane=arguments.lane,
        reason=arguments.reason,
        by=login_name(),
    )
    # The hold is there before a scheduler is started that would start something.
    tell(arguments, "hold", [ask(home, request)], None)
    return OK
