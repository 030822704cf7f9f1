"""What a press comes to: a command, or a sentence about why not. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from budget.instant import format_instant
from orchestrator.commands import AnswerVerdict, Request, ResumeJobs, StopJobs
from orchestrator.events.events import StopAsked, StopScope
from orchestrator.events.verdict import VerdictGiven
from orchestrator.graph import Job
from orchestrator.presses.press import TRIAL_RUN, Press, is_current, is_of
from orchestrator.resuming.resumption import stopped
from orchestrator.state.questions import TIME_OUT, answer_to, jobs_meant
from orchestrator.state.state import RunState, State
from orchestrator.views.words.job import title_of

Why = Literal[
    "malformed",
    "trial",
    "unknown-run",
    "stranger",
    "old",
    "over",
    "asked-already",
    "answered",
    "nothing",
    "late",
    "early",
]


@dataclass(frozen=True)
class Refusal:
    """Why a press comes to nothing, for whoever pressed. Persons stand in it as in a command's
    `by`."""

    why: Why
    sentence: str


def understand(
    press: Press, state: State, by: str, allow: Collection[str], zone: str = "UTC"
) -> Request | Refusal:
    """What `by` asks for with `press`.

    `allow` are those who may; nobody where it is empty. `zone`: on whose clock times are shown.
    """
    run = state.runs.get(press.run)
    if run is None and press.run == TRIAL_RUN:
        member = by.partition(":")[2]
        return Refusal("trial", f"presses arrive here; your member ID, for `allow`, is {member}")
    if run is None:
        return Refusal("unknown-run", f"there is no run {press.run} on the machine that listens")
    stranger = not_allowed(run, by, allow)
    if stranger is not None:
        return stranger
    if not is_of(press, run):
        return Refusal("old", f"this message is about an earlier run called {run.name}")
    if press.do in ("let-run", "stop"):
        return _answer(press, run, by, zone)
    if press.target and not any(jobs_meant(run.graph, "group", press.target)):
        return Refusal("old", f"{run.name} has no {press.target}")
    if press.do == "resume":
        return _resume(press, run, by, zone)
    return _abort(press, run, by, zone)


def not_allowed(run: RunState, by: str, allow: Collection[str]) -> Refusal | None:
    """Why `by` may press nothing of this run; None for those who may."""
    if by in allow:
        return None
    if allow:
        sentence = f"you are not among those who may do this to {run.name} (`allow` in its plan)"
    else:
        sentence = (
            f"nobody may do this to {run.name}: its plan names nobody under"
            " `notify: {slack: {allow: […]}}`"
        )
    return Refusal("stranger", sentence)


def _abort(press: Press, run: RunState, by: str, zone: str) -> Request | Refusal:
    if not run.live:
        return Refusal("over", f"{run.name} ended {_at(run.ended_ms, zone)}: {run.outcome}")
    if press.do == "abort-run":
        asked = _ending([stop for stop in run.stops if stop.scope == "run"])
        if asked is not None:
            return _already(run.name, asked, zone)
        if not is_current(press, run):
            return _old(run)
        return StopJobs(run=run.name, scope="run", target=run.name, by=by)
    job = next((job for job in run.graph.jobs if job.id == press.target), None)
    if job is None:
        return Refusal("old", f"{run.name} has no {press.target}")
    title = title_of(run, job)
    if run.jobs[job.id].ended:
        return Refusal("over", f"{title} {_ended(run, job, zone)}")
    stop = run.stop_of(job)
    asked = _ending([stop] if stop else [])
    if asked is not None:
        return _already(title, asked, zone)
    if not is_current(press, run):
        return _old(run, title)
    return StopJobs(run=run.name, scope="attempt", target=job.id, reason="aborted", by=by)


def _answer(press: Press, run: RunState, by: str, zone: str) -> Request | Refusal:
    said = _verdict(press, run)
    if said is None or not is_current(press, run):
        return _old(run)
    answer = answer_to(run, said)
    if answer is not None:
        words = "let it run" if answer.answer == "let-run" else "stop"
        who = "nobody else in time" if answer.by == TIME_OUT else answer.by
        return Refusal(
            "answered", f"answered already, by {who}, {_at(answer.at_ms, zone)}: {words}"
        )
    meant = list(jobs_meant(run.graph, said.scope, said.target))
    if not run.live or all(run.jobs[job.id].ended for job in meant):
        return Refusal("over", f"{_called(run, meant, said.scope)} has ended already")
    answered: Literal["stop", "let-run"] = "let-run" if press.do == "let-run" else "stop"
    return AnswerVerdict(run=run.name, rule=said.rule, target=said.target, answer=answered, by=by)


def _verdict(press: Press, run: RunState) -> VerdictGiven | None:
    target = press.target or run.name
    given = [v for v in run.verdicts if (v.target, v.rule) == (target, press.rule)]
    return given[-1] if given else None


def _resume(press: Press, run: RunState, by: str, zone: str) -> Request | Refusal:
    scope: StopScope = "group" if press.target else "run"
    if press.target in run.jobs:
        scope = "attempt"
    target = press.target or run.name
    if not stopped(run, scope, target):
        name = _called(run, list(jobs_meant(run.graph, scope, target)), scope)
        again = [one for one in run.resumptions if one.target == target]
        if again:
            who, when = again[-1].by, _at(again[-1].at_ms, zone)
            return Refusal("asked-already", f"{name} goes on already, asked by {who} {when}")
        return Refusal("nothing", f"nothing of {name} is stopped: there is nothing to resume")
    if not is_current(press, run):
        return _old(run)
    return ResumeJobs(run=run.name, scope=scope, target=target, by=by)


def _called(run: RunState, jobs: list[Job], scope: StopScope) -> str:
    if scope == "run" or not jobs:
        return run.name
    return title_of(run, jobs[0]) if len(jobs) == 1 else jobs[0].group


def _ending(stops: list[StopAsked]) -> StopAsked | None:
    """That which ends what it is aimed at for good; what parks may still be made to end."""
    return next((stop for stop in stops if stop.then == "end"), None)


def _already(what: str, stop: StopAsked, zone: str) -> Refusal:
    sentence = f"{what} is being stopped already, asked by {stop.by} {_at(stop.at_ms, zone)}"
    return Refusal("asked-already", sentence)


def _old(run: RunState, title: str = "") -> Refusal:
    now = f"{title} has been started again since" if title else "things have moved on since"
    return Refusal("old", f"this message is old: {now}; the newest one of {run.name} shows what is")


def _ended(run: RunState, job: Job, zone: str) -> str:
    attempt = run.current(job.id)
    at = _at(attempt.ended_ms, zone) if attempt else ""
    return " ".join(part for part in ("ended", at) if part) + f": {run.jobs[job.id].status}"


def _at(at_ms: int | None, zone: str) -> str:
    return format_instant(at_ms, zone) if at_ms is not None else "already"
