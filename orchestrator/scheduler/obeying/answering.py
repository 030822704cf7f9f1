"""What a person says to a stop rule that asks, or against one that has spoken."""

from __future__ import annotations

from collections.abc import Iterator

from budget.instant import format_instant
from orchestrator.commands import AnswerVerdict
from orchestrator.events import events as e
from orchestrator.resuming.resumption import skipped_with, stopped
from orchestrator.scheduler.rules.verdicts import stop_for
from orchestrator.state.questions import TIME_OUT, answer_to, jobs_meant
from orchestrator.state.state import RunState, State


def answer(state: State, command: str, request: AnswerVerdict, now_ms: int) -> Iterator[e.Event]:
    """The answers that count, what follows from them, and the reply."""
    run = state.runs.get(request.run)
    events: list[e.Event] = []
    ok, text = False, f"there is no run {request.run}"
    if run is not None:
        ok, text = _answer(run, request, events, now_ms)
    yield from events
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def _answer(
    run: RunState, request: AnswerVerdict, events: list[e.Event], now_ms: int
) -> tuple[bool, str]:
    said = [
        verdict
        for verdict in run.verdicts
        if request.rule in ("", verdict.rule) and request.target in ("", verdict.target)
    ]
    about = request.target or run.name
    if not said:
        if request.rule:
            return False, f"{request.rule} has said nothing of {about}"
        return False, f"no stop rule has said anything of {about}"
    if not run.live:
        return False, f"{run.name} has ended already: {run.outcome}"
    unanswered = [verdict for verdict in said if answer_to(run, verdict) is None]
    if not unanswered:
        before = answer_to(run, said[-1])
        assert before is not None
        text = f"that was answered before: {before.answer}, by {_whom(before)}"
        return False, text + _instead(run, request, before)
    open_now = [verdict for verdict in unanswered if _counts(run, verdict, request)]
    if not open_now:
        return False, _too_late(run, unanswered[-1])
    for verdict in open_now:
        events.append(
            e.VerdictAnswered(
                at_ms=now_ms,
                run=run.name,
                rule=verdict.rule,
                target=verdict.target,
                given_ms=verdict.at_ms,
                answer=request.answer,
                by=request.by,
            )
        )
        if request.answer == "stop":
            events.extend(stop_for(run, verdict, request.by, now_ms))
        elif verdict.action == "stop":
            jobs = stopped(run, verdict.scope, verdict.target)
            events.append(
                e.JobsResumed(
                    at_ms=now_ms,
                    run=run.name,
                    scope=verdict.scope,
                    target=verdict.target,
                    jobs=tuple(job.id for job in [*jobs, *skipped_with(run, jobs)]),
                    by=request.by,
                )
            )
    rules = ", ".join(dict.fromkeys(verdict.rule for verdict in open_now))
    targets = ", ".join(dict.fromkeys(verdict.target for verdict in open_now))
    if request.answer == "stop":
        return True, f"{targets} is being stopped, as {rules} would; checkpoints are kept"
    return True, f"{targets} goes on; {rules} says no more of it"


def _counts(run: RunState, said: e.VerdictGiven, request: AnswerVerdict) -> bool:
    """Whether an answer can still change what comes of it."""
    jobs = list(jobs_meant(run.graph, said.scope, said.target))
    if all(run.jobs[job.id].ended for job in jobs):
        return False
    if said.action not in ("stop", "park"):
        return True
    begun = any(
        (attempt := run.current(job.id)) is not None
        and (attempt.stop_sent if attempt.live else run.jobs[job.id].status == "stopped")
        for job in jobs
    )
    if request.answer == "stop" or said.action == "park" or begun:
        return False
    return bool(stopped(run, said.scope, said.target))


def _too_late(run: RunState, said: e.VerdictGiven) -> str:
    jobs = list(jobs_meant(run.graph, said.scope, said.target))
    if all(run.jobs[job.id].ended for job in jobs):
        return f"{said.target} of {run.name} has ended already"
    if said.action == "park":
        return f"{said.target} is parked and goes on by itself"
    if not stopped(run, said.scope, said.target):
        return f"{said.target} goes on already: what {said.rule} had stopped was resumed"
    return f"{said.rule} is stopping {said.target} already; skint resume {run.name} undoes it"


def _instead(run: RunState, request: AnswerVerdict, before: e.VerdictAnswered) -> str:
    """What still does what somebody wants whose answer came after the time was over."""
    if before.by != TIME_OUT or before.answer == request.answer:
        return ""
    if request.answer == "let-run":
        return f"; skint resume {run.name} undoes that"
    return f"; skint cancel {run.name}, or skint abort, still stops it"


def _whom(answer: e.VerdictAnswered) -> str:
    when = format_instant(answer.at_ms, "UTC")
    return f"nobody in time, {when}" if answer.by == TIME_OUT else f"{answer.by}, {when}"
