"""What an account has used up already when the weeks begin: by its ledger, of each limit."""

from __future__ import annotations

from dataclasses import dataclass

from budget.amount import format_amount
from budget.duration import HOUR_MS
from budget.ledger import Ledger
from budget.ledger.balance import Balance, LimitBalance
from budget.ledger.lot import Lot
from budget.windows import PerSession, Rolling
from orchestrator.views.budget.budget_parts import shown_parts
from orchestrator.views.figures import amount


@dataclass(frozen=True)
class Standing:
    """`balance` as it was at `at_ms`; `lots` those of the account and its parents."""

    at_ms: int
    balance: Balance
    lots: tuple[Lot, ...] = ()
    past: tuple[tuple[int, int], ...] = ()
    """(when, amount) charged to the account in its rolling windows, to the hour."""

    def note(self, ledger: Ledger) -> None:
        """Let another ledger, which has the accounts and no lines, begin as this one stands.

        What is reserved or runs counts as used. In a rolling window the account's own charges come
        back one by one, as they were made; the rest at once.
        """
        for lot in self.lots:
            ledger.grant(
                lot.account,
                id=lot.id,
                amount_ms=lot.amount_ms,
                granted_ms=lot.granted_ms,
                expires_ms=lot.expires_ms,
                reason=lot.reason,
                now_ms=self.at_ms,
            )
        for when_ms, amount_ms in self.past:
            id = f"charged until {when_ms}"
            ledger.adjust(self.balance.account, amount_ms, id, self.at_ms, id, at_ms=when_ms)
        for limit in self.balance.limits:
            if isinstance(limit.limit.window, PerSession):
                continue
            resets = limit.limit.window.kind in ("calendar", "first-use") and limit.used_ms > 0
            ledger.reading(
                limit.account,
                id=f"{limit.account} {limit.limit.name}",
                limit=limit.limit.name,
                used_ms=max(0, limit.used_ms),
                allowed_ms=max(0, limit.amount_ms),
                refresh_ms=limit.window.end_ms if resets else None,
                at_ms=self.at_ms,
                now_ms=self.at_ms,
            )

    def words(self) -> str:
        """ "20.83 h of 30.00 h are free now (8.17 h settled, 1.00 h foreign)"."""
        limit = self.balance.tightest
        if limit.limit.unlimited:
            return "begins now"
        taken = [part for part in shown_parts(limit)[:-1] if part.amount_ms]
        parts = ", ".join(f"{amount(part.amount_ms, limit.unit)} {part.name}" for part in taken)
        whose = "" if limit.account == self.balance.account else f" of {limit.account}"
        free, whole = (format_amount(ms, limit.unit) for ms in (limit.free_ms, limit.amount_ms))
        return f"{free} of {whole}{whose} are free now" + (f" ({parts})" if parts else "")

    def of(self, limit_name: str) -> LimitBalance:
        """The account's own limit of that name. KeyError if it has none."""
        for limit in self.balance.limits:
            if (limit.account, limit.limit.name) == (self.balance.account, limit_name):
                return limit
        raise KeyError(limit_name)


def standing_of(ledger: Ledger, account: str, now_ms: int) -> Standing:
    """How the account stands in the ledger now. Raises `AccountNotFound`."""
    balance = ledger.balance(account, now_ms)
    lineage = dict.fromkeys(limit.account for limit in balance.limits)
    return Standing(
        now_ms,
        balance,
        tuple(lot for name in lineage for lot in ledger.lots(name)),
        _past(ledger, balance, now_ms),
    )


def _past(ledger: Ledger, balance: Balance, now_ms: int) -> tuple[tuple[int, int], ...]:
    rules = [limit.limit.window for limit in balance.limits if limit.account == balance.account]
    length_ms = max((rule.length_ms for rule in rules if isinstance(rule, Rolling)), default=0)
    instants = [*range(max(0, now_ms - length_ms), now_ms, HOUR_MS), now_ms]
    sums = ledger.charged_by_then(balance.account, instants)
    charged = ((at, sums[n] - sums[n - 1]) for n, at in enumerate(instants) if n)
    return tuple((at - 1, amount_ms) for at, amount_ms in charged if amount_ms > 0)
