"""People who pause runs, hold all new jobs and try again what failed, at any time."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import get_args

from orchestrator.commands import (
    PauseJobs,
    ReleaseHold,
    Request,
    ResumeJobs,
    RetryJobs,
    SetHold,
)
from orchestrator.events.holding import HeldLane
from orchestrator.simulation.world import House

OFTEN = 0.12
_WORDS: dict[type[Request], str] = {
    PauseJobs: "pause",
    ResumeJobs: "resume",
    RetryJobs: "retry",
    SetHold: "hold",
    ReleaseHold: "release",
}


@dataclass
class KeepingBack:
    """By dice of their own, so that weeks without them are what they were before there were any."""

    dice: random.Random
    happened: Counter[str]

    def __post_init__(self) -> None:
        self.some = self.dice.random() < 0.5

    def strike(self, house: House) -> None:
        """Perhaps somebody does something."""
        if not self.some or self.dice.random() > OFTEN or not house.submitted:
            return
        run = self.dice.choice(house.submitted)
        known = house.state.runs.get(run)
        jobs = [job.id for job in known.graph.jobs] if known else ["train.fold0"]
        request = self._request(house, run, self.dice.choice(jobs))
        for _ in range(self.dice.choice((1, 1, 2))):
            house.store.ask(request, house.clock.now_ms())
        self.happened[_WORDS[type(request)]] += 1

    def calm(self, house: House) -> None:
        """All of it is taken back: what was kept back comes to its end."""
        if not self.some:
            return
        house.store.ask(ReleaseHold(), house.clock.now_ms())
        for name, run in house.state.runs.items():
            if any(job.paused for job in run.jobs.values()):
                request = ResumeJobs(run=name, scope="run", target=name)
                house.store.ask(request, house.clock.now_ms())

    def _request(self, house: House, run: str, job: str) -> Request:
        kind = self.dice.random()
        whole = self.dice.random() < 0.5
        if kind < 0.25:
            if whole:
                return PauseJobs(run=run, scope="run", target=run)
            return PauseJobs(run=run, scope="attempt", target=job)
        if kind < 0.5:
            return ResumeJobs(run=run, scope="run", target=run)
        if kind < 0.6:
            if whole:
                return RetryJobs(run=run, scope="run", target=run)
            return RetryJobs(run=run, scope="attempt", target=job)
        if kind < 0.85:
            lane: HeldLane = self.dice.choice(get_args(HeldLane))
            return SetHold(account="" if whole else house.account, lane=lane)
        return ReleaseHold()
