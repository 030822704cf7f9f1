"""What a person adds to the ledger: corrections, readings of the provider's counter, lots."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TypeVar

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import parse_ms
from budget.ledger import Ledger
from budget.ledger.balance import Balance
from budget.ledger.reading import Reading
from budget.windows import Lots
from orchestrator.cli.ledger.amount import AmountError, parse_amount, parse_instant

T = TypeVar("T")


def add_adjust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("amount", metavar="AMOUNT", help="+1.5h is charged, -30m is given back")
    parser.add_argument("--reason", required=True, metavar="WORDS")
    parser.add_argument("--refunds", metavar="ALLOCATION", help="whose charge it gives back")
    parser.add_argument("--at", metavar="INSTANT", help="when it was used; default: now")
    parser.add_argument("--id", metavar="ID", help="the same id again changes nothing")


def add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("--used", required=True, metavar="AMOUNT", help="in the present window")
    parser.add_argument("--allowed", metavar="AMOUNT", help="what the window has in all")
    parser.add_argument("--reserved", metavar="AMOUNT", help="what the provider has set aside")
    parser.add_argument("--refresh", metavar="INSTANT", help="when the window ends")
    parser.add_argument("--limit", default="", metavar="NAME", help="where there are several")
    parser.add_argument("--at", metavar="INSTANT", help="when it was read; default: now")
    parser.add_argument("--id", metavar="ID", help="the same id again changes nothing")


def add_grant(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("amount", metavar="AMOUNT", help="e.g. 100")
    parser.add_argument(
        "--expires",
        metavar="TIME",
        help="after e.g. 90d, at an instant, or never; default: as the account's lots do",
    )
    parser.add_argument("--at", metavar="INSTANT", help="when it was granted; default: now")
    parser.add_argument("--reason", required=True, metavar="WORDS")
    parser.add_argument("--id", metavar="ID", help="the same id again changes nothing")


def _adjust(
    ledger: Ledger, account: Account, arguments: argparse.Namespace, id: str, now_ms: int
) -> str:
    amount_ms = parse_amount(arguments.amount, account.unit, signed=True, where="AMOUNT")
    at_ms = _instant(arguments.at, "--at", None)
    if at_ms is not None and arguments.refunds is not None:
        raise _wrong_instant("--at", arguments.at, "a refund counts when its charge does", "none")
    if at_ms is not None and at_ms > now_ms:
        raise _wrong_instant("--at", arguments.at, "it is still to come", "no later than now")
    ledger.adjust(
        account.name,
        amount_ms,
        _reason(arguments),
        now_ms,
        id,
        refunds=arguments.refunds,
        at_ms=at_ms,
    )
    amount = format_amount(abs(amount_ms), account.unit, exact=True)
    done = f"{amount} {'given back' if amount_ms < 0 else 'charged'}"
    return f"{done} ({id}) · {_left(ledger.balance(account.name, now_ms))}"


def _reading(
    ledger: Ledger, account: Account, arguments: argparse.Namespace, id: str, now_ms: int
) -> str:
    def amount(name: str) -> int | None:
        text = getattr(arguments, name)
        return None if text is None else parse_amount(text, account.unit, where=f"--{name}")

    # The same id again is the same reading, taken when it was taken.
    first = (made.at_ms for made in ledger.readings(account.name) if made.id == id)
    at_ms = _instant(arguments.at, "--at", next(first, now_ms))
    if at_ms > now_ms:
        raise _wrong_instant("--at", arguments.at, "it is still to come", "no later than now")
    refresh_ms = _instant(arguments.refresh, "--refresh", None)
    if refresh_ms is not None and refresh_ms <= at_ms:
        raise _wrong_instant("--refresh", arguments.refresh, "it is past", "after the reading")
    used_ms = parse_amount(arguments.used, account.unit, where="--used")
    made = ledger.reading(
        account.name,
        id=id,
        used_ms=used_ms,
        at_ms=at_ms,
        now_ms=now_ms,
        limit=arguments.limit,
        allowed_ms=amount("allowed"),
        reserved_ms=amount("reserved"),
        refresh_ms=refresh_ms,
        source="manual",
    )
    used = format_amount(used_ms, account.unit, exact=True)
    balance = ledger.balance(account.name, now_ms)
    return f"the provider counts {used} ({id}) · {_effect(made, balance)} · {_left(balance)}"


def _effect(made: Reading, balance: Balance) -> str:
    """What came of the reading."""
    (limit,) = [
        limit
        for limit in balance.limits
        if (limit.account, limit.limit.name) == (made.account, made.limit)
    ]
    if made.at_ms < limit.window.start_ms:
        return "in an earlier window: kept, and not counted"
    foreign = format_amount(limit.foreign_ms, balance.unit)
    return f"{foreign} foreign" if limit.foreign_ms else "nothing foreign"


def _grant(
    ledger: Ledger, account: Account, arguments: argparse.Namespace, id: str, now_ms: int
) -> str:
    first = (lot.granted_ms for lot in ledger.lots(account.name) if lot.id == id)
    granted_ms = _instant(arguments.at, "--at", next(first, now_ms))
    amount_ms = parse_amount(arguments.amount, account.unit, where="AMOUNT")
    if amount_ms == 0:
        raise AmountError("a lot of nothing", where="AMOUNT", got=arguments.amount)
    ledger.grant(
        account.name,
        id=id,
        amount_ms=amount_ms,
        granted_ms=granted_ms,
        expires_ms=_expiry(arguments.expires, granted_ms, account),
        reason=_reason(arguments),
        now_ms=now_ms,
    )
    amount = format_amount(amount_ms, account.unit, exact=True)
    return f"{amount} granted ({id}) · {_left(ledger.balance(account.name, now_ms))}"


def _expiry(text: str | None, granted_ms: int, account: Account) -> int | None:
    """`90d` counts from the grant; anything with a date in it is an instant; None: never.

    Where nothing is said, lots live as long as the account's do: an expiry that is forgotten would
    be a guess in our favour.
    """
    if text is None:
        rules = (limit.window for limit in account.limits)
        lives = (rule.lifetime_ms for rule in rules if isinstance(rule, Lots))
        lifetime_ms = next(lives, None)
        return None if lifetime_ms is None else granted_ms + lifetime_ms
    if text.strip().lower() == "never":
        return None
    if "-" not in text.strip()[1:]:
        return granted_ms + parse_ms(text, where="--expires")
    expires_ms = parse_instant(text, where="--expires")
    if expires_ms <= granted_ms:
        raise _wrong_instant("--expires", text, "it is past", "after the grant")
    return expires_ms


def _reason(arguments: argparse.Namespace) -> str:
    reason: str = arguments.reason.strip()
    if not reason:
        raise AmountError("a reason is missing", where="--reason", wanted="a few words")
    return reason


def _instant(text: str | None, where: str, missing: T) -> int | T:
    return missing if text is None else parse_instant(text, where=where)


def _wrong_instant(where: str, text: str, why: str, wanted: str) -> AmountError:
    return AmountError(f"this instant is wrong: {why}", where=where, got=text, wanted=wanted)


def _left(balance: Balance) -> str:
    if balance.free_ms < 0:
        return f"overdrawn by {format_amount(-balance.free_ms, balance.unit)}"
    if balance.tightest.limit.unlimited:
        return "unlimited"
    free = format_amount(balance.free_ms, balance.unit)
    return f"{free} free of {format_amount(balance.amount_ms, balance.unit)}"


Note = Callable[[Ledger, Account, argparse.Namespace, str, int], str]

NOTES: Mapping[str, Note] = {"adjust": _adjust, "reading": _reading, "grant": _grant}
"""By action: writes it down, and says in words what came of it."""
