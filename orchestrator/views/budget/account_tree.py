"""Accounts in the order of the screens: each sub-budget stands under its parent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from budget.accounts.account import Account


def in_tree(accounts: Iterable[Account]) -> tuple[tuple[int, Account], ...]:
    """(depth, account): by name, sub-budgets after their parent, one deeper.

    One whose parent is not among `accounts` stands at depth 0.
    """
    known = sorted(accounts, key=lambda account: account.name)
    names = {account.name for account in known}
    roots = [account for account in known if account.parent not in names]
    return tuple(pair for root in roots for pair in _below(root, 0, known))


def _below(account: Account, depth: int, known: Sequence[Account]) -> Iterator[tuple[int, Account]]:
    yield depth, account
    for child in known:
        if child.parent == account.name:
            yield from _below(child, depth + 1, known)
