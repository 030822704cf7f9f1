"""Adding the same account again changes nothing. Presets: simulated, local, lab-server,
kaggle-gpu, kaggle-tpu."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

from budget.account import Account
from budget.duration import format_hours, parse_ms
from budget.instant import format_instant
from budget.ledger import Ledger
from budget.limit import Limit
from budget.presets import PRESETS, preset
from budget.windows import Calendar
from budget.windows.base import NoUsage
from orchestrator.cli.screen import table
from orchestrator.home import Home
from skint.errors import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="add | list")
    add = actions.add_parser("add", help="add an account", allow_abbrev=False)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--preset", metavar="PRESET", help=f"start from one of: {', '.join(PRESETS)}")
    add.add_argument("--quota", metavar="TIME", help="amount a week, e.g. 30h")
    add.add_argument("--resets", metavar="DAY", help="day of the weekly reset, e.g. sat")
    add.add_argument("--at", metavar="HH:MM", help="time of the reset on the clock of --zone")
    add.add_argument("--zone", metavar="ZONE", help="e.g. UTC or Europe/Berlin")
    actions.add_parser("list", help="list the accounts", allow_abbrev=False)


def run(arguments: argparse.Namespace) -> int:
    now_ms = time.time_ns() // 1_000_000
    if arguments.action == "list":
        return _list(now_ms)
    account = _account(arguments)
    with Ledger(Home.find().ledger) as ledger:
        new = ledger.add_account(account, now_ms)
    print(f"{'added' if new else 'there already'}   {_sentence(account, now_ms)}")
    from orchestrator.submitting import EXECUTORS  # slow, and nothing else here needs it

    if account.executor not in EXECUTORS:
        print(f"this version cannot run anything there yet: it has no executor {account.executor}")
    return OK


def _account(arguments: argparse.Namespace) -> Account:
    made = preset(arguments.preset or arguments.name, called=arguments.name)
    limit = made.limits[0]
    if arguments.quota:
        limit = replace(limit, amount_ms=parse_ms(arguments.quota, where="--quota"))
    if arguments.resets or arguments.at or arguments.zone:
        rule = limit.window if isinstance(limit.window, Calendar) else Calendar()
        changes = {
            "on": arguments.resets.lower()[:3] if arguments.resets else None,
            "at": arguments.at,
            "zone": arguments.zone,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        limit = replace(limit, window=replace(rule, **given))
    return replace(made, limits=(limit, *made.limits[1:]))


def _sentence(account: Account, now_ms: int) -> str:
    limits = " and ".join(_limit(limit, now_ms) for limit in account.limits)
    return f"{account.name}: {limits} · kind {account.kind} · executor {account.executor}"


def _limit(limit: Limit, now_ms: int) -> str:
    words = f"{format_hours(limit.amount_ms)} {limit.window.describe()}"
    next_ms = limit.window.next_gain_ms(now_ms, NoUsage())
    if next_ms is None:
        return words
    return f"{words}, next reset {format_instant(next_ms, limit.window.zone)}"


def _list(now_ms: int) -> int:
    with Ledger(Home.find().ledger, read_only=True) as ledger:
        accounts = ledger.accounts()
    if not accounts:
        print("no accounts yet · skint account add NAME --preset simulated")
        return OK
    rows = [
        (
            account.name,
            account.kind,
            account.executor,
            account.unit,
            " and ".join(_limit(limit, now_ms) for limit in account.limits),
        )
        for account in accounts
    ]
    print(table(("account", "kind", "executor", "charged by", "limit"), rows))
    return OK
