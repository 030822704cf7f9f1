"""People who undo a stop, answer a rule or choose a baseline, mostly when it makes little sense."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

from orchestrator.commands import AnswerVerdict, Request, ResumeJobs, SetBaseline
from orchestrator.events.verdict import Answer
from orchestrator.graph import Graph, Job, StopRule
from orchestrator.simulation.world import House
from orchestrator.stop_rules.defaults import Mode

OFTEN = 0.15
_WORDS: dict[type[Request], str] = {
    ResumeJobs: "resume",
    AnswerVerdict: "answer to a rule",
    SetBaseline: "baseline chosen",
}


@dataclass
class SecondThoughts:
    """By dice of their own, so that weeks without them are what they were before there were any."""

    dice: random.Random
    happened: Counter[str]

    def __post_init__(self) -> None:
        self.some = self.dice.random() < 0.4

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

    def strike(self, house: House) -> None:
        """Perhaps somebody has one."""
        if not self.some or self.dice.random() > OFTEN or not house.submitted:
            return
        run = self.dice.choice(house.submitted)
        known = house.state.runs.get(run)
        jobs = [job.id for job in known.graph.jobs] if known else ["train.fold0"]
        request = self._request(run, self.dice.choice(jobs))
        for _ in range(self.dice.choice((1, 1, 2))):
            house.store.ask(request, house.clock.now_ms())
        self.happened[_WORDS[type(request)]] += 1
        if known is not None and not known.live and isinstance(request, ResumeJobs):
            self.happened["resume of a run that had ended"] += 1

    def _request(self, run: str, job: str) -> Request:
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
