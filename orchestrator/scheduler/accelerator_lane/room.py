"""What the accelerator lane has to give at one time: devices, sessions, hours."""

from __future__ import annotations

from collections.abc import Sequence

from budget.accounts.account import Account
from budget.ledger.balance import Balance, LimitBalance
from orchestrator.events import events as e
from orchestrator.executors.base import Device
from orchestrator.scheduler.accelerator_lane.backfill import Holding
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import State


def limit_key(limit: LimitBalance) -> tuple[str, str]:
    """What tells one limit from all others: its account and its name."""
    return limit.account, limit.limit.name


class Room:
    """What is free: as the ledger says, less what is planned and not reserved yet, and with what
    is over and not settled yet. `take` makes it less."""

    def __init__(self, state: State, inputs: Inputs, now_ms: int) -> None:
        self._inputs = inputs
        self._now_ms = now_ms
        self._kept: list[AllocationState | e.AllocationPlanned] = []
        """Those that keep devices."""
        self._taken = set(state.kept_devices)
        self._moving: list[AllocationState | e.AllocationPlanned] = []
        """Those that the ledger has not reserved yet, or not settled."""
        self._promised: dict[tuple[str, str], str] = {}
        """By executor and device, whom it waits for though nobody keeps it."""
        self._balances: dict[str, Balance] = {}
        """What is left by account, until something more is planned."""
        for run in state.busy:
            for allocation in run.open_allocations:
                if allocation.keeps_devices:
                    self._kept.append(allocation)
                if allocation.status in ("planned", "ended"):
                    self._moving.append(allocation)

    def take(self, planned: e.AllocationPlanned) -> None:
        """An allocation that is planned now."""
        self._kept.append(planned)
        self._taken.update((planned.executor, device) for device in planned.devices)
        self._moving.append(planned)
        self._balances.clear()

    def promise(self, executor: str, devices: Sequence[Device], to: str) -> None:
        """Devices that wait for the job `to`, which is not charged for them yet."""
        promised = {(executor, device.uuid): to for device in devices}
        self._promised |= promised
        self._taken |= promised.keys()

    def _planned_ms(self) -> dict[tuple[str, str], int]:
        """What will be reserved more than is now, by account and limit; less where negative."""
        found: dict[tuple[str, str], int] = {}
        for moving in self._moving:
            amount_ms = moving.amount_ms
            if isinstance(moving, AllocationState) and moving.status == "ended":
                amount_ms = -self._unused_ms(moving)
            balance = self._inputs.balances.get(moving.account)
            for limit in balance.limits if balance else ():
                key = limit_key(limit)
                found[key] = found.get(key, 0) + amount_ms
        return found

    def _unused_ms(self, ended: AllocationState) -> int:
        """What comes back when it is settled: that is done before anything new is reserved."""
        account = self._inputs.accounts.get(ended.account)
        if account is None or ended.start_ms is None or ended.end_ms is None:
            return 0
        used_ms = account.cost_ms(len(ended.devices), ended.end_ms - ended.start_ms)
        return max(0, ended.amount_ms - used_ms)

    def devices(self, executor: str, usable: Sequence[Device]) -> list[Device]:
        """Those of `usable` that no allocation of any run keeps."""
        return [device for device in usable if (executor, device.uuid) not in self._taken]

    def holders(self, executor: str) -> list[str]:
        """The jobs that devices are kept for, RUN.JOB."""
        of: dict[str, str] = {}
        for kept in self._kept:
            if kept.executor == executor:
                names = ", ".join(name.rsplit(".", 1)[0] for name in kept.attempts)
                of.update(dict.fromkeys(kept.devices, names))
        of |= {uuid: to for (where, uuid), to in self._promised.items() if where == executor}
        return list(dict.fromkeys(of.values()))

    def holdings(self, executor: str) -> list[Holding]:
        """Who has devices, and until when."""
        return [
            Holding(len(kept.devices), self._until_ms(kept))
            for kept in self._kept
            if kept.executor == executor
        ]

    def _until_ms(self, kept: AllocationState | e.AllocationPlanned) -> int | None:
        began_ms: int | None = None
        if isinstance(kept, AllocationState):
            began_ms = kept.reserved_at_ms if kept.start_ms is None else kept.start_ms
        until_ms = (self._now_ms if began_ms is None else began_ms) + kept.wall_ms
        return until_ms if until_ms > self._now_ms else None

    def full(self, account: Account) -> Account | None:
        """It, or the parent of it, that has as many sessions as it admits, whoever has them."""
        while True:
            most = account.session.concurrent
            if most is not None:
                own = self.sessions(account.name)
                if own >= most or self._inputs.sessions.get(account.name, 0) >= most:
                    return account
            parent = self._inputs.accounts.get(account.parent)
            if parent is None:
                return None
            account = parent

    def sessions(self, account: str) -> int:
        """How many allocations of the account are open."""
        return sum(kept.account == account for kept in self._kept)

    def balance(self, account: Account) -> Balance | None:
        """What is left on it; None where the ledger could not be asked."""
        if account.name in self._balances:
            return self._balances[account.name]
        found = self._inputs.balances.get(account.name)
        if found is None or not self._moving:
            return found
        planned_ms = self._planned_ms()
        limits = tuple(
            limit.reserving(planned_ms.get(limit_key(limit), 0)) for limit in found.limits
        )
        left = Balance(found.account, limits, found.simulated, found.unit, found.saved)
        self._balances[account.name] = left
        return left
