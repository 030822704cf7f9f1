"""settled: charged for what has ended. in flight: used by what runs now. reserved: set aside for
what runs or is about to, beyond what it has used. free: what can still be reserved."""

from __future__ import annotations

import argparse
import time

from budget.account import Account
from budget.balance import LimitBalance
from budget.duration import format_clock, format_exact, format_hours
from budget.instant import format_instant
from budget.ledger import Ledger
from orchestrator.home import Home
from skint.errors import OK

WIDTH = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", nargs="?", help="one account; default: all")
    parser.add_argument("--exact", action="store_true", help="to the millisecond")


def run(arguments: argparse.Namespace) -> int:
    now_ms = time.time_ns() // 1_000_000
    with Ledger(Home.find().ledger, read_only=True) as ledger:
        accounts = ledger.accounts()
        if arguments.account:
            accounts = (ledger.account(arguments.account),)
        for account in accounts:
            for limit in ledger.balance(account.name, now_ms).limits:
                print(render(account, limit, now_ms, exact=arguments.exact))
    if not accounts:
        print("no accounts yet · skint account add NAME --preset simulated")
    return OK


def render(account: Account, limit: LimitBalance, now_ms: int, *, exact: bool = False) -> str:
    """One limit of one account: a head line, then a line and a bar for each part."""
    resets = format_instant(limit.window.end_ms, limit.limit.window.zone)
    left = format_clock(limit.window.end_ms - now_ms)
    simulated = "  (simulated)" if account.kind == "simulated" else ""
    lines = [f"{account.name}   week to {resets} ({left}){simulated}"]
    parts = [
        ("settled", limit.settled_ms, "█"),
        ("in flight", limit.in_flight_ms, "▓"),
        ("reserved", limit.reserved_ms, "▒"),
        ("foreign", limit.foreign_ms, "▚"),
        ("free", limit.free_ms, "░"),
    ]
    show = format_exact if exact else format_hours
    for name, amount_ms, mark in parts:
        if name == "foreign" and not amount_ms:
            continue
        cells = round(WIDTH * max(0, amount_ms) / limit.amount_ms) if limit.amount_ms else 0
        cells = max(cells, 1 if amount_ms > 0 else 0)
        lines.append(f"  {name:<10} {show(amount_ms):>10}  {mark * min(cells, WIDTH)}".rstrip())
    return "\n".join([*lines, f"  {'of':<10} {show(limit.amount_ms):>10}"])
