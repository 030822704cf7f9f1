"""Accounts: which can be used here, which are overdrawn, how old what is known of them is."""

from __future__ import annotations

import time
from collections.abc import Iterator

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import format_clock
from budget.ledger import Ledger
from budget.ledger.reading import OLD_MS
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.devices import find_devices
from orchestrator.starting.account import usable


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
    reading = f"skint ledger reading {account.name} --used AMOUNT"
    free_ms = ledger.balance(account.name, now_ms).free_ms
    if free_ms < 0:
        over = format_amount(-free_ms, account.unit)
        return warn(check, f"overdrawn by {over}", f"skint budget {account.name}")
    words = f"{format_amount(free_ms, account.unit)} free"
    readings = ledger.readings(account.name)
    if readings:
        age_ms = now_ms - max(reading.at_ms for reading in readings)
        words += f", read {format_clock(max(0, age_ms))} ago"
        if age_ms > OLD_MS:
            return warn(check, words, reading)
    elif account.kind == "provider" and account.observe != "none":
        return warn(check, f"{words}; what the provider counts was never noted",
                    reading)  # fmt: skip
    if not here:
        words += "; cannot be charged by this machine"
    return ok(check, words)
