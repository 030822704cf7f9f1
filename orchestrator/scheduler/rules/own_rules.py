"""Stop rules of a user's own: what is asked of them, and what comes of their answers. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.scheduler.inputs import AskRule, Inputs, RuleSaid
from orchestrator.scheduler.rules.group_view import whole_view
from orchestrator.scheduler.rules.verdicts import follow, rules_of
from orchestrator.state.questions import RULE_FAILED, has_spoken
from orchestrator.state.state import RunState, State
from orchestrator.stop_rules.base import Finished, GroupView, Verdict

REASON = "own-rule"
"""The reason code of what such a rule stops."""


def asked(
    state: State, inputs: Inputs, decided: Iterable[e.Event], now_ms: int
) -> Iterator[AskRule]:
    """One question for each job that has reported, or has ended with a result, in this step."""
    jobs: dict[tuple[str, str], None] = {}
    for event in decided:
        if isinstance(event, e.MetricsReported) or (
            isinstance(event, e.AttemptEnded) and event.outcome == "done"
        ):
            run = state.runs[event.run]
            if run.graph.has_own_rules:
                jobs[run.name, run.attempts[event.attempt].job] = None
    for name, id in jobs:
        run = state.runs[name]
        job = run.graph.job(id)
        rules = [rule for rule in rules_of(run, job) if rule.is_own]
        if not rules or not _is_open(run, job):
            continue
        view = json.dumps(to_json(whole_view(state, run, job, inputs, now_ms, 0.0)))
        for rule in rules:
            if not has_spoken(run, rule.name, job):
                given = f'{{"group":{view},"options":{json.dumps(dict(rule.options))}}}'
                yield AskRule(name, id, rule.name, run.graph.base, job.python, given)


def _is_open(run: RunState, job: Job) -> bool:
    """Whether anything of its group can still be stopped, and is not being stopped."""
    cell = run.graph.cells()[job.cell]
    going = any(not run.jobs[other.id].ended for other in cell)
    return run.live and going and run.stop_of(job) is None


def to_json(view: GroupView) -> dict[str, Any]:
    """The view as plain data. Of other runs without all that they reported: their scores are
    there, and the pipe is not filled with history."""
    return asdict(
        replace(
            view,
            folds=tuple(view.folds),
            baseline=_short(view.baseline) if view.baseline else None,
            history=tuple(_short(finished) for finished in view.history),
        )
    )


def _short(finished: Finished) -> Finished:
    return replace(finished, folds=tuple(replace(fold, reports=()) for fold in finished.folds))


def told(state: State, said: RuleSaid, now_ms: int) -> Iterator[e.Event]:
    """What follows from an answer; that a rule failed is said once and stops nothing."""
    run = state.runs.get(said.run)
    if run is None or said.job not in run.graph:
        return
    job = run.graph.job(said.job)
    rule = next((one for one in rules_of(run, job) if one.name == said.rule), None)
    if rule is None or not _is_open(run, job) or has_spoken(run, said.rule, job):
        return
    if not said.error:
        verdict = Verdict(said.action, said.scope, REASON, said.sentence)
        yield from follow(run, job, rule, verdict, now_ms)
        return
    failed = ((one.rule, one.target) for one in run.verdicts if one.reason == RULE_FAILED)
    if (said.rule, job.cell) not in failed:
        yield e.VerdictGiven(
            at_ms=now_ms,
            run=run.name,
            rule=said.rule,
            action="warn",
            scope="group",
            target=job.cell,
            reason=RULE_FAILED,
            sentence=f"the rule could not judge {job.id}, and stops nothing: {said.error}",
        )
