"""What the attempts of a run have used, and what stopping them leaves: read off its state. Pure.

Amounts are in the account's milliseconds (device-milliseconds where each device counts). The
ledger is the truth about what was settled; this agrees with it, since both come from the events.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.graph import Job
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.records import newest_first
from orchestrator.state.state import RunState

SIMULATED = "simulated"
"""How the names of simulated devices begin (`orchestrator.devices`)."""


def is_simulated(run: RunState) -> bool:
    """Whether an allocation of the run keeps simulated devices."""
    return any(
        device.startswith(SIMULATED) for a in run.allocations.values() for device in a.devices
    )


def unit_of(run: RunState) -> str:
    """What the account of the run counts: of its newest allocation, hours where it has none."""
    newest = next(newest_first(run.allocations), None)
    return newest.unit if newest is not None else "device"


def wall_ms(attempt: AttemptState, now_ms: int) -> int | None:
    """From its start to its end, or to now; None if it did not start."""
    if attempt.started_ms is None:
        return None
    end_ms = now_ms if attempt.ended_ms is None else attempt.ended_ms
    return max(0, end_ms - attempt.started_ms)


def in_flight_ms(allocation: AllocationState, now_ms: int) -> int:
    """What it has used by now and is not settled yet; at most what was reserved while it runs."""
    if allocation.status not in ("running", "ended") or allocation.start_ms is None:
        return 0
    end_ms = now_ms if allocation.end_ms is None else allocation.end_ms
    kept_ms = max(0, end_ms - allocation.start_ms)
    used_ms = allocation.amount_ms * kept_ms // max(1, allocation.wall_ms)
    return used_ms if allocation.end_ms is not None else min(allocation.amount_ms, used_ms)


def attempt_in_flight_ms(run: RunState, attempt: AttemptState, now_ms: int) -> int:
    """An attempt's part of `in_flight_ms`; of several in one allocation by their time."""
    allocation = run.allocations.get(attempt.allocation or "")
    if allocation is None:
        return 0
    whole_ms = in_flight_ms(allocation, now_ms)
    if len(allocation.attempts) == 1:
        return whole_ms
    own_ms = wall_ms(attempt, now_ms) or 0
    if allocation.together:  # each has its part of the devices
        own_ms //= len(allocation.attempts)
    return min(whole_ms, allocation.amount_ms * own_ms // max(1, allocation.wall_ms))


def freed_ms(run: RunState, jobs: Iterable[Job], now_ms: int) -> int:
    """What stopping `jobs` leaves on the account, at most.

    Of those that ran, what was reserved and is not used; of those that never started, their
    limit. An upper bound: nobody knows how much of its limit a job would have needed.
    """
    freed = 0
    allocations: dict[str, AllocationState] = {}
    for job in jobs:
        if run.jobs[job.id].has_result:
            continue
        attempt = run.current(job.id)
        if attempt is None:
            freed += _limit_ms(run, job)
        elif attempt.allocation is not None:
            allocations[attempt.allocation] = run.allocations[attempt.allocation]
    for allocation in allocations.values():
        freed += allocation.amount_ms - allocation.charged_ms - in_flight_ms(allocation, now_ms)
    return max(0, freed)


def _limit_ms(run: RunState, job: Job) -> int:
    """What a job's limit costs, at the rate of the run's newest allocation if it has one."""
    limit_ms = round((job.limit_s or 0) * 1000)
    newest = next(newest_first(run.allocations), None)
    if newest is None or not job.devices:
        return job.devices * limit_ms
    devices = 1 if newest.unit == "session" else job.devices
    of_ms = newest.wall_ms * (1 if newest.unit == "session" else len(newest.devices))
    return newest.amount_ms * devices * limit_ms // max(1, of_ms)
