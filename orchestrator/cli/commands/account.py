"""Adding the same account again changes nothing. A change holds from now on and gives nothing back:
what was used keeps counting until the next reset. Removing an account keeps its history."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.accounts.limit import Limit
from budget.accounts.presets import PRESETS
from budget.amount import format_amount
from budget.ledger import Ledger
from budget.windows import Lots
from budget.windows.base import NoUsage
from orchestrator.cli.ledger.account_options import (
    add_options,
    change_options,
    changed,
    described,
    quota_ms,
)
from orchestrator.cli.ledger.amount import SignedParser
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import table
from orchestrator.home import Home
from orchestrator.views.budget.account_words import account_rows, limits_words
from skint.errors import OK

EXAMPLES = (
    "skint account add lab --preset simulated --quota 5h",
    "skint account list",
    "skint account show lab",
    "skint account remove lab --yes",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action",
        required=True,
        metavar="add | list | show | presets | set-quota | change | remove",
        parser_class=SignedParser,
    )
    add_options(actions.add_parser("add", help="add an account", allow_abbrev=False))
    add_json(actions.add_parser("list", help="list the accounts", allow_abbrev=False))
    show = actions.add_parser("show", help="all that is known of an account", allow_abbrev=False)
    show.add_argument("name", metavar="NAME")
    add_json(show)
    add_json(actions.add_parser("presets", help="list the presets", allow_abbrev=False))
    quota = actions.add_parser("set-quota", help="change an amount", allow_abbrev=False)
    quota.add_argument("name", metavar="NAME")
    quota.add_argument("amount", metavar="AMOUNT", help="e.g. 40h, unlimited")
    quota.add_argument("--limit", metavar="LIMIT", default="", help="which one; default: the first")
    change_options(
        actions.add_parser(
            "change", help="change a window, an amount or what is kept back", allow_abbrev=False
        )
    )
    remove = actions.add_parser("remove", help="take no more from an account", allow_abbrev=False)
    remove.add_argument("name", metavar="NAME")


def run(arguments: argparse.Namespace) -> int:
    now_ms = time.time_ns() // 1_000_000
    if arguments.action == "presets":
        return _list(tuple(PRESETS.values()), now_ms, as_json=arguments.json)
    if arguments.action in ("list", "show"):
        with Ledger(Home.find().ledger, read_only=True) as ledger:
            return (
                _list(ledger.accounts(), now_ms, as_json=arguments.json)
                if arguments.action == "list"
                else _show(ledger, arguments.name, now_ms, as_json=arguments.json)
            )
    with Ledger(Home.find().ledger) as ledger:
        if arguments.action == "add":
            return _add(ledger, arguments, now_ms)
        if arguments.action == "set-quota":
            return _set_quota(ledger, arguments, now_ms)
        if arguments.action == "change":
            return _change(ledger, arguments, now_ms)
        ledger.remove_account(arguments.name, now_ms)
    print(f"removed   {arguments.name}; what was charged to it stays in the ledger")
    return OK


def _add(ledger: Ledger, arguments: argparse.Namespace, now_ms: int) -> int:
    known = {there.name: there for there in ledger.accounts()}.get(arguments.name)
    if known is not None and not _says_what(arguments):
        raise AccountError(
            f"there is an account {known.name} already",
            got=_sentence(known, now_ms),
            wanted="another name, or what is to change",
            next=f"skint account change {known.name} --quota AMOUNT",
        )
    account = described(arguments, ledger.account)
    if known is not None and _lacks_only_facts(known, account):
        ledger.change_account(account, now_ms)
        done = "completed"
    elif known is not None and known != account:
        raise AccountError(
            f"there is an account {account.name} already, and it is another one",
            got=_sentence(account, now_ms),
            wanted=f"{_sentence(known, now_ms)}, which is there",
            next=f"skint account set-quota {account.name} AMOUNT, or another name",
        )
    else:
        done = "added" if ledger.add_account(account, now_ms) else "there already"
    print(f"{done}   {account.name}: {_sentence(account, now_ms)}")
    _grant_first(ledger, account, arguments.quota, now_ms)
    from orchestrator.submitting.usable import EXECUTORS  # nothing else here needs it

    if account.executor not in EXECUTORS:
        print(f"this version cannot run anything there yet: it has no executor {account.executor}")
    return OK


def _says_what(arguments: argparse.Namespace) -> bool:
    """Whether the line describes an account, and does not only name it."""
    return bool(arguments.preset or arguments.parent or arguments.name in PRESETS)


def _sentence(account: Account, now_ms: int) -> str:
    kept = ""
    if account.keep_back_ms:
        kept = f" · {format_amount(account.keep_back_ms, account.unit)} kept back"
    of = f" · part of {account.parent}" if account.parent else ""
    words = limits_words(account, now_ms)
    return f"{words}{kept} · kind {account.kind} · executor {account.executor}{of}"


FACTS = ("machines", "session", "metering", "overrun", "observe", "best_effort")
"""What a preset knows of its platform, and accounts of the first version could not say."""


def _lacks_only_facts(known: Account, account: Account) -> bool:
    """`known` is `account` as the first version wrote it: without any fact of the platform."""
    bare = Account(account.name, account.kind, account.executor, account.limits)
    without = {name: getattr(bare, name) for name in FACTS}
    return known != account and account.unit != "credit" and known == replace(account, **without)


def _grant_first(ledger: Ledger, account: Account, quota: str | None, now_ms: int) -> None:
    """The first lot of a new account; later ones are granted by themselves."""
    rule = account.limits[0].window
    if not isinstance(rule, Lots):
        return
    amount_ms = quota_ms(quota, account.unit)
    if amount_ms is None or ledger.lots(account.name):
        if not ledger.lots(account.name):
            print(f"it has nothing yet · skint ledger grant {account.name} AMOUNT --reason bought")
        return
    expires_ms = None if rule.lifetime_ms is None else now_ms + rule.lifetime_ms
    ledger.grant(
        account.name,
        id=f"{account.name}/first",
        amount_ms=amount_ms,
        granted_ms=now_ms,
        expires_ms=expires_ms,
        reason="there when the account was added",
        now_ms=now_ms,
    )
    print(f"granted   {format_amount(amount_ms, account.unit)}")


def _set_quota(ledger: Ledger, arguments: argparse.Namespace, now_ms: int) -> int:
    account = ledger.account(arguments.name)
    limit = account.limit(arguments.limit)
    if isinstance(limit.window, Lots):
        raise AccountError(
            f"the amount of {account.name} is in its lots",
            got=arguments.amount,
            next=f"skint ledger grant {account.name} AMOUNT --reason bought",
        )
    amount_ms = quota_ms(arguments.amount, account.unit)
    assert amount_ms is not None, "argparse asks for it"
    given = replace(limit, amount_ms=amount_ms, assumed=False)
    limits = tuple(given if known is limit else known for known in account.limits)
    account = replace(account, limits=limits)
    ledger.change_account(account, now_ms)
    was = format_amount(limit.amount_ms, account.unit)
    print(f"changed   {account.name}: {limits_words(account, now_ms)} (was {was})")
    _say_what_counts(ledger, account, given, now_ms)
    return OK


def _change(ledger: Ledger, arguments: argparse.Namespace, now_ms: int) -> int:
    old = ledger.account(arguments.name)
    new = changed(old, arguments)
    if isinstance(new.limit(arguments.limit).window, Lots) and arguments.quota is not None:
        raise AccountError(
            f"the amount of {new.name} is in its lots",
            got=arguments.quota,
            next=f"skint ledger grant {new.name} AMOUNT --reason bought",
        )
    done = "changed" if ledger.change_account(new, now_ms) else "as it was"
    print(f"{done}   {new.name}: {_sentence(new, now_ms)}")
    _say_what_counts(ledger, new, new.limit(arguments.limit), now_ms)
    return OK


def _say_what_counts(ledger: Ledger, account: Account, limit: Limit, now_ms: int) -> None:
    """That the provider has said another amount of the present window: its word counts first."""
    for now in ledger.balance(account.name, now_ms).limits:
        same = (now.account, now.limit) == (account.name, limit)
        if same and now.amount_ms != limit.amount_ms and not isinstance(limit.window, Lots):
            said = format_amount(now.amount_ms, account.unit)
            print(f"the provider has allowed {said} in this window: that counts until it ends")
            print(f"to use less: skint account add NAME --parent {account.name} --quota AMOUNT")


def _show(ledger: Ledger, name: str, now_ms: int, *, as_json: bool) -> int:
    account = ledger.account(name)
    if as_json:
        _print_accounts((account,), now_ms)
        return OK
    rows = account_rows(account, now_ms)
    parts = [other.name for other in ledger.accounts() if other.parent == name]
    if parts:
        rows.append(("its parts", ", ".join(parts), "yours"))
    print(table((account.name, "", "source"), rows))
    return OK


def _list(accounts: tuple[Account, ...], now_ms: int, *, as_json: bool) -> int:
    if as_json:
        _print_accounts(accounts, now_ms)
    elif accounts:
        print(_accounts_table(accounts, now_ms))
    else:
        print("no accounts yet · skint account add NAME --preset simulated")
    return OK


def _print_accounts(accounts: tuple[Account, ...], now_ms: int) -> None:
    from orchestrator.shapes import accounts as shapes
    from orchestrator.shapes.shape import instant

    def limit_of(limit: Limit) -> shapes.Limit:
        return shapes.Limit(
            name=limit.name,
            amount_ms=limit.amount_ms,
            unlimited=limit.unlimited,
            assumed=limit.assumed,
            window=limit.window.describe(),
            next_gain=instant(limit.window.next_gain_ms(now_ms, NoUsage())),
        )

    found = (
        shapes.Account(
            name=account.name,
            kind=account.kind,
            executor=account.executor,
            unit=account.unit,
            part_of=account.parent or None,
            keep_back_ms=account.keep_back_ms,
            limits=tuple(map(limit_of, account.limits)),
        )
        for account in accounts
    )
    print_answer(shapes.Accounts(tuple(found)))


def _accounts_table(accounts: tuple[Account, ...], now_ms: int) -> str:
    rows = [
        (
            account.name,
            account.kind,
            account.executor,
            account.unit,
            limits_words(account, now_ms),
            account.parent,
        )
        for account in accounts
    ]
    heads = ("account", "kind", "executor", "charged by", "limit", "part of")
    if not any(account.parent for account in accounts):
        return table(heads[:-1], [row[:-1] for row in rows])
    return table(heads, rows)
