"""What stop rules have said of a run, what of it is still to be answered, and by when. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.events.verdict import StopScope, VerdictAnswered, VerdictGiven
from orchestrator.graph import Graph, Job
from orchestrator.state.state import RunState

TIME_OUT = "time-out"
"""Who answers where nobody does."""
RULE_FAILED = "rule-failed"
"""The reason code of a rule that could not say anything."""


def is_about(job: Job, scope: StopScope, target: str) -> bool:
    """Whether that job is among those that a verdict, a stop or a resumption of `target` means."""
    return scope == "run" or target in (job.id, job.cell, job.group)


def targets(job: Job, run: str) -> dict[StopScope, str]:
    """What a rule that has looked at this job may mean, by scope."""
    return {"attempt": job.id, "group": job.cell, "run": run}


def has_spoken(run: RunState, rule: str, job: Job) -> bool:
    """Whether the rule has nothing more to say where this job has reported: it speaks once of a
    job, a group or a run. What was parked may be parked again in its next attempt."""
    if not run.verdicts:
        return False
    meant = (run.name, job.cell, job.group, job.id)
    attempt = run.current(job.id)
    since_ms = attempt.started_ms or 0 if attempt is not None else 0
    return any(
        said.rule == rule
        and said.target in meant
        and said.reason != RULE_FAILED
        and not (said.action == "park" and said.at_ms < since_ms)
        for said in run.verdicts
    )


def answer_to(run: RunState, said: VerdictGiven) -> VerdictAnswered | None:
    """The answer that a verdict got, the newest where there are several."""
    asked = (said.rule, said.target, said.at_ms)
    for answer in reversed(run.answers):
        if (answer.rule, answer.target, answer.given_ms) == asked:
            return answer
    return None


def verdict_of(run: RunState, answer: VerdictAnswered) -> VerdictGiven | None:
    """What was answered."""
    meant = (answer.rule, answer.target, answer.given_ms)
    return next((v for v in run.verdicts if (v.rule, v.target, v.at_ms) == meant), None)


def open_questions(run: RunState) -> tuple[VerdictGiven, ...]:
    """What a rule has asked and nobody has answered, of jobs that have not all ended."""
    if not run.verdicts or not run.live:
        return ()
    return tuple(
        said
        for said in run.verdicts
        if said.action == "ask"
        and answer_to(run, said) is None
        and any(
            not run.jobs[job.id].ended for job in jobs_meant(run.graph, said.scope, said.target)
        )
    )


def open_in_spite(run: RunState, jobs: Iterable[Job]) -> tuple[VerdictGiven, ...]:
    """Questions about these jobs that nobody has answered, also where what they are about has
    ended meanwhile."""
    return tuple(
        said
        for said in run.verdicts
        if said.action == "ask"
        and answer_to(run, said) is None
        and any(is_about(job, said.scope, said.target) for job in jobs)
    )


def jobs_meant(graph: Graph, scope: StopScope, target: str) -> Iterable[Job]:
    return (job for job in graph.jobs if is_about(job, scope, target))
