"""The versions of an account: what it says from when on. History keeps the old ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from budget.accounts.account import Account, check_parent
from budget.accounts.account_json import account_from_json, account_to_json
from budget.ledger.file import LedgerError
from budget.ledger.refusal import AccountNotFound
from budget.windows import WindowRule


@dataclass(frozen=True, slots=True)
class Version:
    """What an account says from `from_ms` until its next version; None: it is removed."""

    from_ms: int
    account: Account | None


# A definition is parsed on every call of the ledger; the same text is the same account.
_parsed = lru_cache(maxsize=256)(account_from_json)


def of(connection: sqlite3.Connection, name: str) -> tuple[Version, ...]:
    """All versions of the account `name`, the oldest first; none if it never was."""
    rows = connection.execute(
        "SELECT from_ms, definition FROM account_version WHERE account = ? ORDER BY number", (name,)
    )
    return tuple(Version(from_ms, _parsed(text) if text else None) for from_ms, text in rows)


def present(connection: sqlite3.Connection, name: str) -> Account:
    """The account `name` as it is now. Raises `AccountNotFound`."""
    known = of(connection, name)
    if not known or known[-1].account is None:
        raise not_found(connection, name)
    return known[-1].account


def not_found(connection: sqlite3.Connection, name: str) -> AccountNotFound:
    """That there is no such account, with those that there are."""
    return AccountNotFound(name, tuple(account.name for account in all_present(connection)))


def all_present(connection: sqlite3.Connection) -> tuple[Account, ...]:
    """All accounts that are not removed, by name."""
    rows = connection.execute(
        "SELECT account, definition FROM account_version ORDER BY account, number"
    )
    newest = dict(rows.fetchall())
    return tuple(_parsed(text) for text in newest.values() if text is not None)


def until(known: Sequence[Version], at_ms: int) -> tuple[Version, ...]:
    """The versions that there were at `at_ms`; the first one, if there was none yet."""
    return tuple(version for version in known if version.from_ms <= at_ms) or tuple(known[:1])


def rules(known: Sequence[Version], limit: str) -> list[tuple[int, WindowRule]]:
    """The rules of the limit and since when they held, as far back as it had any.

    While an account was removed they went on: adding it again is no reset either.
    """
    found: list[tuple[int, WindowRule]] = []
    for version in known:
        if version.account is None:
            continue
        limits = version.account.limits
        rule = next((own.window for own in limits if own.name == limit), None)
        if rule is None:
            found.clear()
        elif not found or found[-1][1] != rule:
            found.append((version.from_ms, rule))
    return found


def chain(connection: sqlite3.Connection, name: str) -> tuple[str, ...]:
    """The account and its parents, upwards: those on which a charge counts."""
    found: list[str] = []
    above: str | None = name
    while above is not None and above not in found:
        found.append(above)
        row = connection.execute("SELECT parent FROM account WHERE name = ?", (above,)).fetchone()
        above = row[0] if row else None
    return tuple(found)


def subtree(connection: sqlite3.Connection, name: str) -> tuple[str, ...]:
    """The account and all sub-budgets below it, removed ones too: whose charges count on it."""
    parents = connection.execute("SELECT name, parent FROM account").fetchall()
    found = [name]
    for above in found:  # which grows meanwhile
        found += [child for child, parent in parents if parent == above]
    return tuple(found)


def add(connection: sqlite3.Connection, account: Account, now_ms: int) -> bool:
    """Add `account`, or one that was removed again; False if it stands there just so."""
    known = of(connection, account.name)
    last = known[-1].account if known else None
    if last == account:
        return False
    if last is not None:
        raise LedgerError(
            f"there is another account called {account.name}",
            got=", ".join(f"{name} {getattr(account, name)}" for name in _changed(last, account)),
            wanted=", ".join(f"{name} {getattr(last, name)}" for name in _changed(last, account)),
            next="give the new one another name",
        )
    if account.parent:
        check_parent(account, present(connection, account.parent))
    removed = next((old.account for old in reversed(known) if old.account), None)
    if removed is None:
        connection.execute(
            "INSERT INTO account VALUES (?, ?, ?)", (account.name, account.parent or None, now_ms)
        )
    else:
        _check_same_nature(removed, account)
    _append(connection, account.name, account, known, now_ms)
    return True


def change(connection: sqlite3.Connection, account: Account, now_ms: int) -> bool:
    """From now on the account of that name is `account`; False if it is so already."""
    known = of(connection, account.name)
    last = present(connection, account.name)
    if last == account:
        return False
    _check_same_nature(last, account)
    if account.parent:
        check_parent(account, present(connection, account.parent))
    for child in all_present(connection):
        if child.parent == account.name:
            check_parent(child, account)
    _append(connection, account.name, account, known, now_ms)
    return True


def remove(connection: sqlite3.Connection, name: str, now_ms: int) -> None:
    """From now on nothing can be reserved there; its lines stay."""
    present(connection, name)
    children = [child.name for child in all_present(connection) if child.parent == name]
    if children:
        raise LedgerError(
            f"{name} has sub-budgets and cannot be removed",
            got=", ".join(children),
            next=f"skint account remove {children[0]}",
        )
    (open_now,) = connection.execute(
        "SELECT count(*) FROM reservation WHERE account = ? AND closed_ms IS NULL", (name,)
    ).fetchone()
    if open_now:
        raise LedgerError(
            f"{name} has open reservations and cannot be removed",
            got=f"{open_now} open",
            next="wait until they are settled",
        )
    _append(connection, name, None, of(connection, name), now_ms)


def _append(
    connection: sqlite3.Connection,
    name: str,
    account: Account | None,
    known: Sequence[Version],
    now_ms: int,
) -> None:
    # A clock that was set back must not put a version before one that was already counted by.
    from_ms = max(now_ms, known[-1].from_ms) if known else now_ms
    definition = None if account is None else account_to_json(account)
    connection.execute(
        "INSERT INTO account_version VALUES (?, ?, ?, ?)",
        (name, len(known) + 1, from_ms, definition),
    )


def _changed(old: Account, new: Account) -> list[str]:
    return [name for name in Account.__slots__ if getattr(old, name) != getattr(new, name)]


def _check_same_nature(old: Account, new: Account) -> None:
    """What is charged already must go on to mean the same, on the same parents."""
    for name in ("kind", "unit", "parent"):
        if getattr(old, name) != getattr(new, name):
            raise LedgerError(
                f"the {name} of {old.name} cannot change: its charges are counted by it",
                got=getattr(new, name) or "none",
                wanted=getattr(old, name) or "none",
                next="add an account of another name",
            )
