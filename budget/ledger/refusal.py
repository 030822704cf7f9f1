"""How the ledger says no."""

from __future__ import annotations

from budget.amount import format_amount
from budget.duration import HOUR_MS, LONGEST_MS
from budget.instant import LATEST_MS, format_instant
from budget.ledger.balance import LimitBalance
from budget.ledger.file import LedgerError
from skint.errors import NOT_FOUND, OVER_BUDGET


class AccountNotFound(LedgerError):
    """The ledger has no account of that name."""

    exit_code = NOT_FOUND

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        super().__init__(
            "no such account",
            got=name,
            wanted=", ".join(known) or None,
            next=f"did you mean {near[0]}?"
            if near
            else f"skint account add {name} --preset simulated",
        )


class IdTaken(LedgerError):
    """The id stands for something else in the ledger."""


class SavingNotFound(LedgerError):
    """The ledger has no saving of that id."""


class ReservationNotFound(LedgerError):
    """The ledger has no reservation of that id."""


class TooManySessions(LedgerError):
    """`account` admits `concurrent` allocations at once, and `open_now` are open."""

    exit_code = OVER_BUDGET

    def __init__(self, account: str, open_now: int, concurrent: int) -> None:
        super().__init__(
            f"{account} admits {concurrent} allocation{'s' * (concurrent != 1)} at once"
            f" and {open_now} {'is' if open_now == 1 else 'are'} open",
            next="wait until one ends",
        )
        self.account = account
        self.open_now = open_now
        self.concurrent = concurrent


class OverBudget(LedgerError):
    """It does not fit in what is left of a limit of `account`, or of a parent of the one asked.

    `until_ms` is when hours come back by themselves next; None if they do not, or if not even a
    fresh window has as much.
    """

    exit_code = OVER_BUDGET

    def __init__(self, needed_ms: int, refusing: LimitBalance) -> None:
        limit, free_ms, unit = refusing.limit, refusing.free_ms, refusing.unit
        ever = needed_ms <= refusing.whole_ms
        until_ms = refusing.next_gain_ms if ever else None
        whole = format_amount(refusing.amount_ms, unit)
        if until_ms is not None:
            back = f"; it {_comes_back(refusing.limit.window.kind)} " + format_instant(
                until_ms, limit.window.zone
            )
            next = "ask for less, or wait for the reset"
        elif not ever:
            back = _resets(refusing)
            whole_window = format_amount(refusing.whole_ms, unit)
            next = f"ask for less: no reset helps, a whole window has {whole_window}"
        else:
            back, next = "", "ask for less: nothing comes back by itself"
        parts = [
            ("settled", refusing.settled_ms),
            ("in flight", refusing.in_flight_ms),
            ("reserved", refusing.reserved_ms),
            *([("by hand", refusing.foreign_ms)] if refusing.foreign_ms else []),
            *([("kept back", refusing.kept_back_ms)] if refusing.kept_back_ms else []),
        ]
        over_ms = needed_ms - free_ms
        # What rounds to nothing has to be seen all the same.
        too_much = format_amount(over_ms, unit, exact=over_ms < HOUR_MS // 100)
        super().__init__(
            f"{refusing.account} has {format_amount(free_ms, unit)} left of {whole} and this needs"
            f" {format_amount(needed_ms, unit)}: {too_much} too much{back}",
            got=", ".join(f"{name} {format_amount(ms, unit)}" for name, ms in parts),
            next=next,
        )
        self.account = refusing.account
        self.limit = limit
        self.needed_ms = needed_ms
        self.free_ms = free_ms
        self.until_ms = until_ms


def check_whole(name: str, value: object, least: int, most: int = LONGEST_MS) -> None:
    """Raise LedgerError unless `value` is a whole number (no bool) from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise LedgerError(
            f"{name} is wrong", got=repr(value), wanted=f"a whole number, {least} to {most}"
        )


def check_instants(**values: object) -> None:
    """Raise LedgerError unless all values are instants that a calendar can name."""
    for name, value in values.items():
        check_whole(name, value, 0, LATEST_MS)


def check_texts(**values: object) -> None:
    """Raise LedgerError unless all values are text that is not empty."""
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise LedgerError(f"{name} is wrong", got=repr(value), wanted="text that is not empty")


def _comes_back(kind: str) -> str:
    return "gives hours back from" if kind == "rolling" else "resets"


def _resets(refusing: LimitBalance) -> str:
    if refusing.next_gain_ms is None:
        return ""
    at = format_instant(refusing.next_gain_ms, refusing.limit.window.zone)
    return f"; it {_comes_back(refusing.limit.window.kind)} {at}"
