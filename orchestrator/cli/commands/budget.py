"""settled: charged for what has ended. in flight: used by what runs now. reserved: set aside for
what runs or is about to, beyond what it has used. foreign: used by others, says the provider. kept
back: never given out. free: what can still be reserved."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.instant import LATEST_MS, format_instant
from budget.ledger import AccountNotFound, Ledger
from budget.ledger.balance import Balance, LimitBalance
from budget.ledger.reading import Reading
from orchestrator.cli.ledger.amount import parse_instant
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import columns, fitted, prose
from orchestrator.events.holding import Hold
from orchestrator.home import Home
from orchestrator.store.kept_holds import read_holds
from orchestrator.views.budget.account_tree import in_tree
from orchestrator.views.budget.budget_screen import account_screen, newest_reading
from orchestrator.views.words.hold import hold_line
from skint.errors import OK, USAGE, SkintError

if TYPE_CHECKING:
    from orchestrator.forecasts.forecasting import Queue
    from orchestrator.forecasts.history import History
    from orchestrator.shapes import budget as shapes
    from orchestrator.state.state import State

NO_ACCOUNTS = "no accounts yet · skint account add NAME --preset simulated"
MOST_WINDOWS = 1_000
RUNS_MEASURED = 20
"""Ended runs whose times tell how long the queued ones take."""


class HistoryError(SkintError):
    """There is no such number of windows."""

    exit_code = USAGE


EXAMPLES = ("skint budget", "skint budget demo --history 2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", nargs="?", help="one account; default: all")
    parser.add_argument("--exact", action="store_true", help="to the millisecond")
    add_json(parser)
    parser.add_argument("--at", metavar="INSTANT", help="as of e.g. 2026-11-28T00:00Z")
    parser.add_argument("--history", type=int, metavar="N", help="the last N windows as well")


def run(arguments: argparse.Namespace) -> int:
    now_ms = time.time_ns() // 1_000_000
    at_ms = now_ms if arguments.at is None else parse_instant(arguments.at, where="--at")
    if arguments.history is not None and not 0 < arguments.history <= MOST_WINDOWS:
        raise HistoryError(
            "this is not a number of windows",
            where="--history",
            got=arguments.history,
            wanted=f"1 to {MOST_WINDOWS}",
        )
    home = Home.find()
    with Ledger(home.ledger, read_only=True) as ledger:
        accounts = (ledger.account(arguments.account),) if arguments.account else ledger.accounts()
        names = {account.name for account in accounts}
        holds = [
            one for one in read_holds(home.store) if not one.account or names & {*one.accounts}
        ]
        if arguments.json:
            print_answer(told(ledger, accounts, holds, at_ms))
            return OK
        if not accounts:
            print(NO_ACCOUNTS)
        for hold in holds:
            print(prose(f"hold  {hold_line(hold)}"))
        # Another instant has another queue, and nobody knows which.
        live = None if arguments.at else live_runs(home)
        for depth, account in in_tree(accounts):
            room = columns() - 2 * depth if sys.stdout.isatty() else None
            print(_indented(_text(ledger, account, live, at_ms, arguments, room), depth))
    return OK


@dataclass(frozen=True)
class Live:
    """The runs that wait or run, and some that ended, to measure by."""

    state: State
    history: History

    def queue(self, account: Account, at_ms: int) -> Queue:
        from orchestrator.forecasts.forecasting import forecast_queue

        return forecast_queue(self.state, account, at_ms, self.history)


def live_runs(home: Home) -> Live | None:
    """None if nobody runs any."""
    if home.scheduler_pid() is None:
        return None
    from orchestrator.store.store import (
        read_recent,  # 50 ms that nobody waits for who has nothing queued
    )

    if not read_recent(home.store, 0).runs:
        return None
    from orchestrator.forecasts.history import History

    state = read_recent(home.store, RUNS_MEASURED)
    return Live(state, History(_models(state)))


def _models(state: State) -> dict[str, str]:
    """Of the devices here, by id: what one of two alike took is known of the other.

    Where all ran on one device its model tells nothing, and the driver is not asked.
    """
    used = {
        device
        for run in state.runs.values()
        for attempt in run.attempts.values()
        for device in attempt.devices
    }
    if len(used) < 2:
        return {}
    from orchestrator.devices import find_devices

    return {device.uuid: device.name for device in find_devices()[1]}


def _text(
    ledger: Ledger,
    account: Account,
    live: Live | None,
    at_ms: int,
    arguments: argparse.Namespace,
    room: int | None,
) -> str:
    balance = ledger.balance(account.name, at_ms)
    screen = account_screen(
        account,
        balance,
        _newest_readings(ledger, balance),
        at_ms,
        lots=ledger.lots(account.name),
        queue=live.queue(account, at_ms) if live else None,
        exact=arguments.exact,
        columns=room,
    )
    if arguments.history is None:
        return screen
    past = past_windows(ledger, account, at_ms, arguments.history)
    return f"{screen}\n{_past_table(account, past, arguments.exact)}"


def _newest_readings(ledger: Ledger, balance: Balance) -> list[Reading]:
    """One of each limit, of an earlier window or of its present one."""
    found = (
        ledger.newest_reading(limit.account, limit.limit.name, limit.window.end_ms - 1)
        for limit in balance.limits
    )
    return [reading for reading in found if reading is not None]


def _indented(text: str, depth: int) -> str:
    return "\n".join("  " * depth + line for line in text.splitlines())


def past_windows(ledger: Ledger, account: Account, at_ms: int, count: int) -> list[LimitBalance]:
    """The limits of `account` in the windows that have ended, newest first.

    Only windows of a calendar are listed, which follow each other: others have no past that is
    not in the list of the ledger. The amount is the one of that time. Before the account was added
    there is nothing.
    """
    found = []
    added_ms = ledger.account_versions(account.name)[0].from_ms
    for limit in ledger.balance(account.name, at_ms).limits:
        if limit.account != account.name or limit.limit.window.kind != "calendar":
            continue
        start_ms = limit.window.start_ms
        for _ in range(count):
            if start_ms <= added_ms:
                break
            past = _limit_at(ledger, account, limit.limit.name, start_ms - 1)
            if past is None:
                break
            found.append(past)
            start_ms = past.window.start_ms
    return found


def _limit_at(ledger: Ledger, account: Account, name: str, at_ms: int) -> LimitBalance | None:
    """The limit as it was at an instant; None if there was no such limit, or no such account."""
    try:
        balance = ledger.balance(account.name, at_ms)
    except AccountNotFound:  # it was removed then, and has been added again since
        return None
    for limit in balance.limits:
        if (limit.account, limit.limit.name) == (account.name, name):
            return limit
    return None


def _past_table(account: Account, past: Sequence[LimitBalance], exact: bool) -> str:
    if not past:
        return "  (no windows that have ended)"

    def shown(amount_ms: int) -> str:
        return format_amount(amount_ms, account.unit, exact=exact)

    rows = [
        (
            limit.limit.name,
            format_instant(limit.window.start_ms, limit.limit.window.zone),
            format_instant(limit.window.end_ms, limit.limit.window.zone),
            shown(limit.settled_ms + limit.in_flight_ms),
            shown(limit.foreign_ms),
            shown(limit.amount_ms),
        )
        for limit in past
    ]
    heads = ("  limit", "from", "to", ">used", ">foreign", ">of")
    return fitted(heads, [(f"  {name}", *rest) for name, *rest in rows], ("from", ">foreign"))


def told(
    ledger: Ledger, accounts: Sequence[Account], holds: Iterable[Hold], at_ms: int
) -> shapes.Budget:
    """The same for programs."""
    from orchestrator.shapes import budget as shapes
    from orchestrator.shapes.hold import hold_shape
    from orchestrator.shapes.shape import instant

    found = []
    for account in accounts:
        balance = ledger.balance(account.name, at_ms)
        readings = _newest_readings(ledger, balance)
        found.append(
            shapes.Account(
                account=account.name,
                kind=account.kind,
                unit=account.unit,
                simulated=balance.simulated,
                part_of=account.parent or None,
                best_effort=account.best_effort,
                free_ms=balance.free_ms,
                limits=tuple(_limit_told(limit, readings) for limit in balance.limits),
                saved_ms=dict(balance.saved),
            )
        )
    return shapes.Budget(instant(at_ms), tuple(map(hold_shape, holds)), tuple(found))


def _limit_told(limit: LimitBalance, readings: Sequence[Reading]) -> shapes.Limit:
    from orchestrator.shapes import budget as shapes
    from orchestrator.shapes.shape import instant

    reading = newest_reading(readings, limit)
    end_ms = limit.window.end_ms
    return shapes.Limit(
        account=limit.account,
        limit=limit.limit.name,
        window=limit.limit.window.kind,
        start=instant(limit.window.start_ms),
        end=instant(end_ms) if end_ms <= LATEST_MS else None,
        next_gain=instant(limit.next_gain_ms),
        assumed=limit.limit.assumed,
        unlimited=limit.limit.unlimited,
        amount_ms=limit.amount_ms,
        settled_ms=limit.settled_ms,
        in_flight_ms=limit.in_flight_ms,
        reserved_ms=limit.reserved_ms,
        foreign_ms=limit.foreign_ms,
        kept_back_ms=limit.kept_back_ms,
        free_ms=limit.free_ms,
        reading=None
        if reading is None
        else shapes.Reading(
            at=instant(reading.at_ms),
            used_ms=reading.used_ms,
            allowed_ms=reading.allowed_ms,
            reserved_ms=reading.reserved_ms,
            refresh=instant(reading.refresh_ms),
            source=reading.source,
        ),
    )
