"""An account in words: its limits in a line, and every field with where it comes from. Pure."""

from __future__ import annotations

from budget.accounts.account import Account
from budget.accounts.limit import Limit
from budget.accounts.machine import Machine
from budget.amount import format_amount
from budget.duration import HOUR_MS, format_length
from budget.instant import format_instant
from budget.windows import Lots
from budget.windows.base import NoUsage

KINDS = {
    "simulated": "simulated: pretended devices, for practice",
    "machine": "machine: devices of your own or of the lab",
    "provider": "provider: devices that somebody else meters",
}
UNITS = {
    "device": "device hours: time x devices",
    "session": "session hours: the time alone, however many devices a session has",
    "credit": "credits: time x credits an hour of the machine",
}
OVERRUNS = {
    "finishes": "what runs may finish, nothing new starts",
    "killed": "what runs is killed",
    "billed": "what runs goes on and is billed",
}
OBSERVED = {
    "api": "from the provider's API",
    "cli": "from a command of the provider's",
    "manual": "typed in: skint ledger reading",
    "none": "not at all: this ledger is the only counter",
}

YOURS, PROVIDER, ASSUMED = "yours", "provider", "assumed"


def limit_words(limit: Limit, unit: str, now_ms: int) -> str:
    """ "30.00 h a week, next reset Sat 28 Nov 2026 00:00 UTC", for what has not been used."""
    words = format_amount(limit.amount_ms, unit)
    if unit != "credit" and 0 < limit.amount_ms < HOUR_MS:
        words = format_length(limit.amount_ms)
    if isinstance(limit.window, Lots):
        words = {"credit": "credits"}.get(unit, "hours")
    words = f"{words} {limit.window.describe()}{' (assumed)' if limit.assumed else ''}"
    next_ms = limit.window.next_gain_ms(now_ms, NoUsage())
    if next_ms is None:
        return words
    return f"{words}, next reset {format_instant(next_ms, limit.window.zone)}"


def limits_words(account: Account, now_ms: int) -> str:
    return " and ".join(limit_words(limit, account.unit, now_ms) for limit in account.limits)


def account_rows(account: Account, now_ms: int) -> list[tuple[str, str, str]]:
    """(field, words, source) of every field; the source is yours, provider, measured or assumed."""
    given = PROVIDER if account.kind == "provider" else YOURS
    rows = [
        ("kind", KINDS[account.kind], YOURS),
        ("executor", account.executor, YOURS),
        ("part of", account.parent or "nothing: it stands for itself", YOURS),
        ("counted in", UNITS[account.unit], given),
    ]
    for limit in account.limits:
        source = ASSUMED if limit.assumed else YOURS if account.parent else given
        rows.append((f"limit {limit.name}", limit_words(limit, account.unit, now_ms), source))
    session, meter = account.session, account.metering
    longest = "as long as you like" if session.max_ms is None else format_length(session.max_ms)
    several = "any number" if session.concurrent is None else str(session.concurrent)
    idle = "never" if session.idle_ms is None else f"after {format_length(session.idle_ms)}"
    rows += [
        ("kept back", format_amount(account.keep_back_ms, account.unit), YOURS),
        ("longest session", longest, given),
        ("sessions at once", several, given),
        ("ended when idle", idle, given),
    ]
    for machine in account.machines:
        rows.append((f"machine {machine.name}", _machine(machine, account), meter.rate_source))
    starts, stops = meter.starts.replace("_", " "), meter.stops.replace("_", " ")
    steps = f"in steps of {format_length(meter.granularity_ms)}"
    least = f", {format_length(meter.minimum_ms)} at least" if meter.minimum_ms else ""
    rows += [
        ("meter", f"from {starts} to {stops}, {steps}{least}", given),
        ("when used up", OVERRUNS[account.overrun], given),
        ("counter read", OBSERVED[account.observe], given),
        ("machines free", "not always" if account.best_effort else "yes", given),
    ]
    return rows


def _machine(machine: Machine, account: Account) -> str:
    whole, milli = divmod(machine.rate_milli, 1_000)
    rate = f"{whole}.{milli:03d}".rstrip("0").rstrip(".")
    unit = {"credit": "credits", "session": "h", "device": "h a device"}[account.unit]
    plural = "" if machine.devices == 1 else "s"
    return f"{rate} {unit} an hour, {machine.devices} device{plural}"
