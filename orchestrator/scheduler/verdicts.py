"""Stop rules look at what was reported; a verdict that acts becomes a stop request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload

from orchestrator import events as e
from orchestrator.graph import Job
from orchestrator.state import AttemptState, RunState
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import FoldView, GroupView


def judge(run: RunState, attempt: AttemptState, now_ms: int) -> Iterator[e.Event]:
    """What the rules of its group say of a live attempt; nothing where one has spoken before."""
    job = run.graph.job(attempt.job)
    if not attempt.live or run.stop_of(job) is not None:
        return
    view = GroupView(
        job.group,
        _Folds(run, run.graph.groups()[job.group]),
        _view(run, job),
    )
    for rule in job.stop:
        verdict = RULES[rule.name](view, rule.options)
        if verdict.action == "go-on":
            continue
        target = {"run": run.name, "group": job.group, "attempt": job.id}[verdict.scope]
        if any(v.rule == rule.name and v.target == target for v in run.verdicts):
            continue
        yield e.VerdictGiven(
            at_ms=now_ms,
            run=run.name,
            rule=rule.name,
            action=verdict.action,
            scope=verdict.scope,
            target=target,
            reason=verdict.reason,
            sentence=verdict.sentence,
        )
        if verdict.action in ("stop", "park"):
            stop = e.StopAsked(
                at_ms=now_ms,
                run=run.name,
                scope=verdict.scope,
                target=target,
                how="step",
                then="end" if verdict.action == "stop" else "requeue",
                reason=verdict.reason,
                sentence=verdict.sentence,
                by=f"rule {rule.name}",
            )
            yield stop if stop.then == "end" else replace(stop, attempts=run.aimed_at(stop))
            return


class _Folds(Sequence[FoldView]):
    """The jobs of a group, looked at when a rule asks for them: most ask for their own only."""

    def __init__(self, run: RunState, jobs: Sequence[Job]) -> None:
        self._run = run
        self._jobs = jobs

    def __len__(self) -> int:
        return len(self._jobs)

    @overload
    def __getitem__(self, index: int) -> FoldView: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FoldView]: ...
    def __getitem__(self, index: int | slice) -> FoldView | Sequence[FoldView]:
        if isinstance(index, slice):
            return _Folds(self._run, self._jobs[index])
        return _view(self._run, self._jobs[index])


def _view(run: RunState, job: Job) -> FoldView:
    attempt = run.current(job.id)
    reports = attempt.reports if attempt else ()
    return FoldView(job.id, job.fold, reports, run.jobs[job.id].ended)
