"""What the accelerator lane has to give at one time: devices, sessions, hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from budget.accounts.account import Account
from budget.ledger.balance import Balance, LimitBalance
from orchestrator import events as e
from orchestrator.executors.base import Device
from orchestrator.scheduler.backfill import Holding
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state import AllocationState, State


def limit_key(limit: LimitBalance) -> tuple[str, str]:
    """What tells one limit from all others: its account and its name."""
    return limit.account, limit.limit.name


class Room:
    """What is free: as the ledger says, less what is planned and not reserved yet, and with what
    is over and not settled yet. `take` makes it less."""

    def __init__(self, state: State, inputs: Inputs, now_ms: int) -> None:
        self._inputs = inputs
        self._now_ms = now_ms
        self._kept: dict[str, dict[str, str]] = {}
        """By executor: whom each device that is not free is kept for."""
        self._holdings: dict[str, list[Holding]] = {}
        self._sessions: dict[str, int] = {}
        self._planned: dict[tuple[str, str], int] = {}
        """By account and limit."""
        self._balances: dict[str, Balance] = {}
        """What is left by account, until something more is planned."""
        self.unsettled: set[str] = set()
        """Accounts of allocations that are over and not settled yet."""
        for run in state.live_runs():
            for allocation in run.open_allocations:
                if allocation.keeps_devices:
                    self._note(allocation)
                elif allocation.status == "ended":
                    self._plan(allocation.account, -self._unused_ms(allocation))
                    self.unsettled.add(allocation.account)

    def take(self, planned: e.AllocationPlanned) -> None:
        """An allocation that is planned now."""
        self._keep(planned, self._now_ms + planned.wall_ms)
        self._plan(planned.account, planned.amount_ms)

    def _note(self, kept: AllocationState) -> None:
        began_ms = self._now_ms if kept.reserved_at_ms is None else kept.reserved_at_ms
        if kept.start_ms is not None:
            began_ms = kept.start_ms
        until_ms = began_ms + kept.wall_ms
        self._keep(kept, until_ms if until_ms > self._now_ms else None)
        if kept.status == "planned":
            self._plan(kept.account, kept.amount_ms)

    def _keep(self, kept: AllocationState | e.AllocationPlanned, until_ms: int | None) -> None:
        names = ", ".join(name.rsplit(".", 1)[0] for name in kept.attempts)
        devices = self._kept.setdefault(kept.executor, {})
        devices.update(dict.fromkeys(kept.devices, names))
        holding = Holding(len(kept.devices), until_ms)
        self._holdings.setdefault(kept.executor, []).append(holding)
        self._sessions[kept.account] = self._sessions.get(kept.account, 0) + 1

    def _plan(self, account: str, amount_ms: int) -> None:
        self._balances.clear()
        for key in self._limits(account):
            self._planned[key] = self._planned.get(key, 0) + amount_ms

    def _limits(self, account: str) -> list[tuple[str, str]]:
        balance = self._inputs.balances.get(account)
        return [limit_key(limit) for limit in balance.limits] if balance else []

    def _unused_ms(self, ended: AllocationState) -> int:
        """What comes back when it is settled: that is done before anything new is reserved."""
        account = self._inputs.accounts.get(ended.account)
        if account is None or ended.start_ms is None or ended.end_ms is None:
            return 0
        used_ms = account.cost_ms(len(ended.devices), ended.end_ms - ended.start_ms)
        return max(0, ended.amount_ms - used_ms)

    def devices(self, executor: str, usable: Sequence[Device]) -> list[Device]:
        """Those of `usable` that no allocation of any run keeps."""
        kept = self._kept.get(executor, {})
        return [device for device in usable if device.uuid not in kept]

    def holders(self, executor: str) -> list[str]:
        """The jobs that devices are kept for, RUN.JOB."""
        return list(dict.fromkeys(self._kept.get(executor, {}).values()))

    def holdings(self, executor: str) -> list[Holding]:
        return self._holdings.get(executor, [])

    def sessions(self, account: str) -> int:
        """How many allocations of the account are open."""
        return self._sessions.get(account, 0)

    def balance(self, account: Account) -> Balance | None:
        """What is left on it; None where the ledger could not be asked."""
        if account.name in self._balances:
            return self._balances[account.name]
        found = self._inputs.balances.get(account.name)
        if found is None or not self._planned:
            return found
        limits = tuple(
            replace(
                limit,
                reserved_ms=limit.reserved_ms + self._planned.get(limit_key(limit), 0),
            )
            for limit in found.limits
        )
        left = self._balances[account.name] = replace(found, limits=limits)
        return left
