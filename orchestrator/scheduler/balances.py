"""What is left on accounts, looked up in the ledger when somebody asks: in most rounds nobody does,
since no device is free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from budget.ledger.balance import Balance


class Balances(Mapping[str, Balance]):
    """By account; KeyError for one whose ledger cannot be read. What was read once stays."""

    def __init__(self, accounts: Iterable[str], read: Callable[[str], Balance | None]) -> None:
        self._accounts = tuple(accounts)
        self._read = read
        self._known: dict[str, Balance | None] = {}

    def __getitem__(self, account: str) -> Balance:
        if account not in self._accounts:
            raise KeyError(account)
        if account not in self._known:
            self._known[account] = self._read(account)
        balance = self._known[account]
        if balance is None:
            raise KeyError(account)
        return balance

    def __iter__(self) -> Iterator[str]:
        return (account for account in self._accounts if account in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
