"""What is taken of this machine's cores and memory, and by whom."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.state import State

LOCAL = "local"
"""The executor of the CPU lane."""


def used(state: State) -> tuple[int, int]:
    """Cores and MiB that are taken; a worker that is started ahead takes a core until it waits."""
    live = [a for _, a in state.live_attempts() if a.executor == LOCAL and not a.devices]
    cpus, mem_mb = sum(a.cpus for a in live), sum(a.mem_mb for a in live)
    ahead_cpus, ahead_mb = ahead(state)
    return cpus + ahead_cpus, mem_mb + ahead_mb


def ahead(state: State) -> tuple[int, int]:
    """The part of it that workers take which are started ahead."""
    found = [s for _, s in state.live_standbys() if s.executor == LOCAL]
    return sum(s.status != "ready" for s in found), sum(s.mem_mb for s in found)


def has_room(state: State, inputs: Inputs, cpus: int, mem_mb: int) -> bool:
    """Whether so much more fits beside what is taken."""
    capacity = inputs.capacity[LOCAL]
    used_cpus, used_mb = used(state)
    return used_cpus + cpus <= capacity.cpus and used_mb + mem_mb <= capacity.mem_mb


def make_room(state: State, job: Job, now_ms: int) -> Iterator[e.Event]:
    """Give up the workers that are started ahead: `job` would fit without them."""
    for run, standby in state.live_standbys():
        if standby.executor == LOCAL and not standby.dropped:
            yield e.StandbyDropped(
                at_ms=now_ms,
                run=run.name,
                attempt=standby.id,
                reason="cpu-work",
                sentence=f"{job.id} needs its room",
            )
