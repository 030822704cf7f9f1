"""One order of a campaign's runs under one policy: what it saves, what it loses."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.stop_rules_replay.campaign import Campaign, Run


class Judge(Protocol):
    """A policy in one order of one campaign; it hears of every run, in turn."""

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        """Fold and look, from 0, after which the run is stopped; None where it finishes."""


Policy = Callable[[Campaign, random.Random], Judge]


@dataclass(frozen=True)
class Outcome:
    """Of one order."""

    family: str
    full_s: float
    used_s: float
    winners: int
    """Runs that would have beaten the best finished one of those before."""
    wrong: int
    """Of those, how many were stopped."""
    regret: float
    """Points between the best of all runs and the best that finished."""
    stopped: int


def replay(campaign: Campaign, order: Sequence[Run], policy: Policy, seed: int) -> Outcome:
    judge = policy(campaign, random.Random(seed))
    best: Run | None = None
    used = 0.0
    winners = wrong = stopped = 0
    for run in order:
        end = judge.stops_at(run)
        if best is None and end is not None:
            raise AssertionError("the first run is never stopped")
        improves = best is not None and run.mean > best.mean
        winners += improves
        used += run.cost if end is None else run.spent(*end)
        if end is not None:
            stopped += 1
            wrong += improves
        elif best is None or improves:
            best = run
    assert best is not None
    top = max(run.mean for run in order)
    full = sum(run.cost for run in order)
    return Outcome(campaign.family, full, used, winners, wrong, 100 * (top - best.mean), stopped)


def orders(campaign: Campaign, count: int, seed: int, most: int) -> Iterator[list[Run]]:
    """Random orders of at most so many runs: nobody tries hundreds on one data set."""
    for number in range(count):
        draw = random.Random(f"{seed} {campaign.name} {number}")
        yield draw.sample(campaign.runs, min(most, len(campaign.runs)))
