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
    """Cores and MiB that are taken. Workers that are started ahead take memory alone: they work for
    some seconds, and where those wait for a core, a device waits for them, or is paid for."""
    live = [a for _, a in state.live_attempts() if a.executor == LOCAL and not a.devices]
    return sum(a.cpus for a in live), sum(a.mem_mb for a in live) + ahead_mb(state)


def ahead_mb(state: State) -> int:
    """The MiB that workers take which are started ahead."""
    return sum(s.mem_mb for _, s in state.live_standbys() if s.executor == LOCAL)


def has_memory(state: State, inputs: Inputs, mem_mb: int) -> bool:
    """Whether so much more fits beside what is taken."""
    return used(state)[1] + mem_mb <= inputs.capacity[LOCAL].mem_mb


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
