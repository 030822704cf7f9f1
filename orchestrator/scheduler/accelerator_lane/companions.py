"""The jobs of a group that an allocation carries beside or after its first one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from budget.accounts.account import Account
from budget.forecasts.edge import Piece
from budget.ledger.balance import Balance
from orchestrator.executors.base import Capabilities
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.fitting import Fit, Fitting, session_ms, wall_of
from orchestrator.scheduler.accelerator_lane.queue import Candidate
from orchestrator.state.state import RunState


def waiting_with(
    one: Candidate, waiting: Iterable[Candidate], taken: Collection[tuple[str, str]]
) -> Iterator[Job]:
    """The others of its group that wait for nothing but devices and hours; not those `taken`, by
    run and id."""
    return (
        other.job
        for other in waiting
        if other.run == one.run
        and other.job.group == one.job.group
        and other.job.id != one.job.id
        and (other.run, other.job.id) not in taken
    )


def after(
    others: Iterable[Job],
    job: Job,
    can: Capabilities,
    account: Account,
    balance: Balance,
    fit: Fit,
    fitting: Fitting,
    run: RunState,
) -> list[tuple[Job, Piece]]:
    """Those of `others` that the allocation of `job` can carry in turn, and for how long."""
    several, found = can.attempts_per_allocation, list[tuple[Job, Piece]]()
    if several < 2 or fit.edge:
        return []
    wall_ms, room_ms = fit.wall_ms, session_ms(account, balance, job.devices)
    for other in others:
        if len(found) + 1 == several:
            break
        part = fitting.whole(run, other)
        longer_ms = wall_ms + wall_of(part)
        if (
            other.devices == job.devices
            and (room_ms is None or longer_ms <= room_ms)
            and balance.refusing(account.cost_ms(other.devices, longer_ms)) is None
        ):
            found.append((other, part))
            wall_ms = longer_ms
    return found
