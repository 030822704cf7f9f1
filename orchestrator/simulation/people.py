"""People who ask for things at any time, mostly when it makes little sense.

By dice of their own, so that weeks without them are what they were before there were any.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar, get_args

from orchestrator.commands import (
    AnswerVerdict,
    PauseJobs,
    ReleaseHold,
    Request,
    ResumeJobs,
    RetryJobs,
    SetBaseline,
    SetHold,
)
from orchestrator.events.holding import HeldLane
from orchestrator.events.verdict import Answer
from orchestrator.graph import Graph, Job, StopRule
from orchestrator.simulation.world import House
from orchestrator.stop_rules.defaults import Mode

_WORDS: dict[type[Request], str] = {
    AnswerVerdict: "answer to a rule",
    PauseJobs: "pause",
    ReleaseHold: "release",
    ResumeJobs: "resume",
    RetryJobs: "retry",
    SetBaseline: "baseline chosen",
    SetHold: "hold",
}


@dataclass
class _People(ABC):
    dice: random.Random
    happened: Counter[str]
    share: ClassVar[float]
    """Of the weeks in which there are some."""
    often: ClassVar[float]
    """How probably they ask for something in a round."""

    def __post_init__(self) -> None:
        self.some = self.dice.random() < self.share

    def strike(self, house: House) -> None:
        """Perhaps somebody asks for something."""
        if not self.some or self.dice.random() > self.often or not house.submitted:
            return
        run = self.dice.choice(house.submitted)
        known = house.state.runs.get(run)
        jobs = [job.id for job in known.graph.jobs] if known else ["train.fold0"]
        request = self._request(house, run, self.dice.choice(jobs))
        for _ in range(self.dice.choice((1, 1, 2))):
            house.store.ask(request, house.clock.now_ms())
        self.happened[_WORDS[type(request)]] += 1
        if known is not None and not known.live and isinstance(request, ResumeJobs):
            self.happened["resume of a run that had ended"] += 1

    @abstractmethod
    def _request(self, house: House, run: str, job: str) -> Request: ...


class SecondThoughts(_People):
    """They undo a stop, answer a rule or choose a baseline."""

    share, often = 0.4, 0.15

    def asking(self, graph: Graph) -> Graph:
        """With rules that ask, warn or act."""
        return replace(graph, jobs=tuple(self._asking(job) for job in graph.jobs))

    def _asking(self, job: Job) -> Job:
        if not self.some or not job.stop or job.fold != 0:
            return job
        modes: tuple[Mode, ...] = ("auto", "ask", "ask", "warn")
        how = self.dice.choice(modes)
        default = self._answer()
        after_s = self.dice.choice((60.0, 3600.0))
        rules = tuple(StopRule(rule.name, rule.options, how, default, after_s) for rule in job.stop)
        return replace(job, stop=rules)

    def _answer(self) -> Answer:
        return "stop" if self.dice.random() < 0.5 else "let-run"

    def _request(self, house: House, run: str, job: str) -> Request:
        kind = self.dice.random()
        if kind < 0.6:
            if self.dice.random() < 0.4:
                return ResumeJobs(run=run, scope="run", target=run)
            if self.dice.random() < 0.5:
                return ResumeJobs(run=run, scope="group", target="train")
            return ResumeJobs(run=run, scope="attempt", target=job)
        if kind < 0.9:
            return AnswerVerdict(run=run, rule="", target="", answer=self._answer())
        return SetBaseline(run=run, on=self.dice.random() < 0.7)


class KeepingBack(_People):
    """They pause runs, hold all new jobs and try again what failed."""

    share, often = 0.5, 0.12

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
