"""Accounts: which can be used here, which are overdrawn, how old what is known of them is."""

from __future__ import annotations

import time
from collections.abc import Iterator

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import format_clock
from budget.ledger import Ledger
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.devices import find_devices
from orchestrator.starting.account import usable
from orchestrator.views.budget.reading_words import reading_age, reading_line


def look(machine: Machine) -> Iterator[Finding]:
    now_ms = time.time_ns() // 1_000_000
    source, _ = find_devices(machine.environ)
    with Ledger(machine.home.ledger, read_only=True) as ledger:
        accounts = ledger.accounts()
        here = {account.name for account in usable(accounts, source)}
        if not accounts:
            yield warn("accounts", "none yet", "skint init FOLDER, or skint account add --help")
        elif not here:
            preset = "simulated" if source == "simulated" else "local"
            name = "practice" if preset == "simulated" else "local"
            yield warn("accounts", f"none of {len(accounts)} can be charged by this machine",
                       f"skint account add {name} --preset {preset}")  # fmt: skip
        for account in accounts:
            yield _account(ledger, account, account.name in here, now_ms)
    usual = machine.settings.account
    if usual is not None and usual not in {account.name for account in accounts}:
        yield bad("accounts", f"the settings name {usual}, which is not there",
                  "skint config set account NAME")  # fmt: skip


def _account(ledger: Ledger, account: Account, here: bool, now_ms: int) -> Finding:
    check = f"account {account.name}"
    reading = reading_line(account.name)
    free_ms = ledger.balance(account.name, now_ms).free_ms
    if free_ms < 0:
        over = format_amount(-free_ms, account.unit)
        return warn(check, f"overdrawn by {over}", f"skint budget {account.name}")
    words = f"{format_amount(free_ms, account.unit)} free"
    read_ms = max((one.at_ms for one in ledger.readings(account.name)), default=None)
    if age := reading_age(account, read_ms, now_ms):
        return warn(check, f"{words}, {age}", reading)
    if read_ms is not None:
        words += f", read {format_clock(max(0, now_ms - read_ms))} ago"
    if not here:
        words += "; cannot be charged by this machine"
    return ok(check, words)
