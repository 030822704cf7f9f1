"""In which order jobs get accelerators: over all runs, and pure.

Priority first. Then groups that have begun: half a k-fold is worth little. Then whom younger runs
have passed by for `OVERTAKEN_MS`; then what brings most for an hour of the accelerator, the older
run, the order of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

from budget.duration import HOUR_MS
from orchestrator.graph import Job


class Candidate(NamedTuple):
    """A job of the accelerator lane that waits for nothing but its turn, devices and hours.

    A tuple, as a pass makes one of each job that waits.
    """

    run: str
    job: Job
    priority: int
    """That of its run and its own together."""
    begun: bool
    """Another job of its group has started."""
    age: int
    """Place of its run among all, the oldest first."""
    place: int
    """Place of the job in its run."""
    impatient: bool = False
    """Others have passed by for long enough."""

    @property
    def name(self) -> str:
        return f"{self.run}.{self.job.id}"


def in_order(
    candidates: Iterable[Candidate], cost_ms: Callable[[Candidate], int]
) -> list[Candidate]:
    """All of them, the next one first. `cost_ms` is what one will probably cost its account.

    It is asked only where it decides: among jobs of several groups of one rank.
    """
    ranks: dict[tuple[int, bool, bool], list[Candidate]] = {}
    for one in candidates:
        rank = (one.priority, one.begun, one.impatient)
        if rank in ranks:
            ranks[rank].append(one)
        else:
            ranks[rank] = [one]
    found: list[Candidate] = []
    for _, same in sorted(ranks.items(), reverse=True):
        same.sort(key=_place)
        if len({(one.run, one.job.group) for one in same}) > 1:
            same.sort(key=lambda one: -value_per_hour(one.job.value, cost_ms(one)))
        found += same
    return found


_place = attrgetter("age", "place")


def value_per_hour(value: float, cost_ms: int) -> float:
    """What a job brings for an hour of its account."""
    return value * HOUR_MS / max(1, cost_ms)


def passed_by(first: Candidate, behind: Iterable[Candidate]) -> list[Candidate]:
    """Of those behind `first` the ones of older runs that only its worth has put there: of each
    run the first one."""
    found: dict[str, Candidate] = {}
    for one in behind:
        older = one.age < first.age
        if older and (one.priority, one.begun) == (first.priority, first.begun):
            found.setdefault(one.run, one)
    return list(found.values())
