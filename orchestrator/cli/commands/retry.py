"""Failed and aborted folds start anew from their last checkpoint, where they have one; what was
skipped because of them waits with them. Says what it will cost, and is refused (exit code 5) where
so much is not left. What a stop rule has stopped goes on with `skint resume`."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Literal

from budget.ledger import Ledger
from budget.ledger.refusal import OverBudget
from orchestrator.cli.acting import add_part, login_name, part_meant, run_named, tell
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import RetryJobs
from orchestrator.home import Home
from orchestrator.store.store import read_state
from skint.errors import OK

EXAMPLES = ("skint retry wide --fold 0", "skint cancel wide --kill")
Which = Literal["all", "failed", "aborted"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    add_part(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--failed", action="store_true", help="only what failed")
    which.add_argument("--aborted", action="store_true", help="only what a person has stopped")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    known = run_named(home, arguments.name)
    scope, target = part_meant(known, arguments.fold, arguments.group)
    which: Which = "failed" if arguments.failed else "aborted" if arguments.aborted else "all"
    request = RetryJobs(run=known.name, scope=scope, target=target, which=which, by=login_name())
    cost = _cost(home, request, known.graph.account, now_ms)
    home.start_scheduler()
    tell(arguments, "retry", [ask(home, request), *cost], known.name)
    return OK


def _cost(home: Home, request: RetryJobs, name: str | None, now_ms: int) -> list[str]:
    """In words. Raises OverBudget where so much is not left."""
    with Ledger(home.ledger) as ledger:
        account = next((one for one in ledger.accounts() if one.name == name), None)
        if account is None:
            return []  # the scheduler says what it thinks of that
        from orchestrator.forecasts.history import History
        from orchestrator.resuming.retry_price import price_of, price_words

        state, balance = read_state(home.store), ledger.balance(account.name, now_ms)
        price = price_of(state, request, account, balance, History(), now_ms)
    if price.refusing is not None:
        if not state.runs[request.run].park:
            raise OverBudget(price.needs_ms, price.refusing)
        print(f"not all of it is left on {account.name}: it waits for the rest", file=sys.stderr)
    return [price_words(price, account)]
