"""Stop rules look at what was reported; a verdict that may act becomes a stop request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from budget.duration import format_clock
from orchestrator.events import events as e
from orchestrator.graph import ALWAYS, Job, StopRule
from orchestrator.scheduler.inputs import Inputs
from orchestrator.scheduler.rules.group_view import short_view, whole_view
from orchestrator.state.questions import TIME_OUT, has_spoken, open_questions, targets
from orchestrator.state.state import RunState, State
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import GroupView, Verdict


def judge(
    state: State, run: RunState, job: Job, inputs: Inputs, now_ms: int, quiet_s: float = 0.0
) -> Iterator[e.Event]:
    """What the rules of `job` say, which has just reported, has just ended with a result, or has
    said nothing for `quiet_s`. Nothing where they have spoken before, or a stop has begun."""
    if not job.stop or run.stop_of(job) is not None:
        return
    attempt = run.current(job.id)
    ended = attempt is None or not attempt.live
    short = whole = None
    for rule in rules_of(run, job):
        if rule.is_own or has_spoken(run, rule.name, job):
            continue
        if ended and rule.name == ALWAYS:
            continue  # it has judged the last report, and nothing was said since
        view: GroupView
        if rule.name == ALWAYS:
            view = short = short or short_view(run, job, quiet_s)
        else:
            view = whole = whole or whole_view(state, run, job, inputs, now_ms, quiet_s)
        said = tuple(follow(run, job, rule, RULES[rule.name](view, rule.options), now_ms))
        yield from said
        if any(isinstance(event, e.StopAsked) for event in said):
            return


def rules_of(run: RunState, job: Job) -> Iterator[StopRule]:
    """Those that hold for it."""
    return (rule for rule in job.stop if rule.name == ALWAYS or not run.graph.explore)


def follow(
    run: RunState, job: Job, rule: StopRule, verdict: Verdict, now_ms: int
) -> Iterator[e.Event]:
    """What comes of a verdict, by the mode that the plan gives the rule."""
    if verdict.action == "go-on":
        return
    over = run.jobs[job.id].ended or not (attempt := run.current(job.id)) or not attempt.live
    if over and verdict.scope == "attempt" and verdict.action != "warn":
        return  # there is nothing of it left to be stopped
    action = verdict.action
    # Parking after the end of a fold is about those to come: what runs has its hours already, and
    # the others wait for theirs whatever anybody answers.
    to_come = over and action == "park"
    if action in ("stop", "park", "ask") and rule.mode in ("ask", "warn"):
        action = "park" if to_come and rule.mode == "ask" else rule.mode
    given = e.VerdictGiven(
        at_ms=now_ms,
        run=run.name,
        rule=rule.name,
        action=action,
        scope=verdict.scope,
        target=targets(job, run.name)[verdict.scope],
        reason=verdict.reason,
        sentence=verdict.sentence,
        default=rule.default,
        until_ms=now_ms + round(rule.after_s * 1000) if action == "ask" else None,
        would="park" if verdict.action == "park" else "stop",
    )
    yield given
    if action == "stop" or (action == "park" and not to_come):
        yield from stop_for(run, given, f"rule {rule.name}", now_ms)


def stop_for(
    run: RunState, given: e.VerdictGiven, by: str, now_ms: int, more: str = ""
) -> Iterator[e.StopAsked]:
    """The stop that a verdict comes to; none where there is nothing running to be parked."""
    stop = e.StopAsked(
        at_ms=now_ms,
        run=run.name,
        scope=given.scope,
        target=given.target,
        how="step",
        then="end" if given.would == "stop" else "requeue",
        reason=given.reason,
        sentence=given.sentence + more,
        by=by,
    )
    if stop.then == "requeue":
        stop = replace(stop, attempts=run.aimed_at(stop))
    if stop.then == "end" or stop.attempts:
        yield stop


def time_outs(run: RunState, now_ms: int) -> Iterator[e.Event]:
    """What becomes of questions that nobody has answered in time."""
    for asked in open_questions(run):
        if asked.until_ms is None or asked.until_ms > now_ms:
            continue
        yield e.VerdictAnswered(
            at_ms=now_ms,
            run=run.name,
            rule=asked.rule,
            target=asked.target,
            given_ms=asked.at_ms,
            answer=asked.default,
            by=TIME_OUT,
        )
        if asked.default == "stop":
            waited = format_clock(max(0, asked.until_ms - asked.at_ms))
            more = f"; nobody answered within {waited}"
            yield from stop_for(run, asked, f"rule {asked.rule}", now_ms, more)
