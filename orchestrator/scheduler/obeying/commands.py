"""Commands become events, and each gets one reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.baselines.book import why_no_baseline
from orchestrator.commands import (
    RUN_NAME,
    RUN_NAME_WANTED,
    AnswerVerdict,
    Command,
    PauseJobs,
    ReleaseHold,
    ResumeJobs,
    RetryJobs,
    SetBaseline,
    SetHold,
    StopJobs,
    SubmitRun,
)
from orchestrator.events import events as e
from orchestrator.events.holding import holding
from orchestrator.graph import Graph, Job, Lane
from orchestrator.scheduler.inputs import Inputs
from orchestrator.scheduler.obeying import answering, pausing, resuming, retrying
from orchestrator.scheduler.obeying import holding as holds
from orchestrator.scheduler.obeying.judging import objection
from orchestrator.state.state import RunState, State
from orchestrator.views.budget.charges import freed_ms, unit_of
from orchestrator.views.figures import amount
from orchestrator.views.words.hold import hold_line
from orchestrator.views.words.undo import resume_command


def obey(state: State, command: Command, inputs: Inputs, now_ms: int) -> Iterator[e.Event]:
    """What follows from `command`; the last event is the reply."""
    request = command.request
    if isinstance(request, SubmitRun):
        yield from _submit(state, command.id, request, inputs, now_ms)
    elif isinstance(request, StopJobs):
        yield from _stop(state, command.id, request, now_ms)
    elif isinstance(request, AnswerVerdict):
        yield from answering.answer(state, command.id, request, now_ms)
    elif isinstance(request, ResumeJobs):
        yield from resuming.resume(state, command.id, request, inputs, now_ms)
    elif isinstance(request, PauseJobs):
        yield from pausing.pause(state, command.id, request, now_ms)
    elif isinstance(request, RetryJobs):
        yield from retrying.retry(state, command.id, request, inputs, now_ms)
    elif isinstance(request, SetHold):
        yield from holds.hold(state, command.id, request, inputs, now_ms)
    elif isinstance(request, ReleaseHold):
        yield from holds.release(state, command.id, request, now_ms)
    else:
        yield from _choose(state, command.id, request, now_ms)


def _choose(state: State, command: str, request: SetBaseline, now_ms: int) -> Iterator[e.Event]:
    """A baseline, or take that back."""
    run = state.runs.get(request.run)
    ok, text = False, f"there is no run {request.run}"
    changes = False
    if run is not None and request.on:
        why = why_no_baseline(state, run)
        ok, text = not why, f"{run.name} cannot be a baseline: {why}"
        # The newest choice counts: one that others have followed may be made again.
        newest_ms = max(known.baseline_ms or 0 for known in state.runs.values())
        changes = ok and (run.baseline_ms is None or run.baseline_ms < newest_ms)
        if changes:
            text = f"{run.name} is what later runs are compared with"
        elif ok:
            text = f"{run.name} is a baseline already"
    elif run is not None:
        ok = changes = run.baseline_ms is not None
        text = f"{run.name} is a baseline no more" if ok else f"{run.name} is no chosen baseline"
    if changes:
        yield e.BaselineSet(at_ms=now_ms, run=request.run, on=request.on, by=request.by)
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def _submit(
    state: State, command: str, request: SubmitRun, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    text = ""
    if request.run in state.runs:
        text = f"there is a run {request.run} already"
    elif not RUN_NAME.fullmatch(request.run):
        text = f"a run cannot be called {request.run!r}: {RUN_NAME_WANTED}"
    elif inputs.has_folder(f"{inputs.runs_dir}/{request.run}"):
        # Of a store that is gone: its exit records would be taken for those of this run.
        text = f"{inputs.runs_dir}/{request.run} is the folder of an earlier run; use another name"
    if text:
        yield e.CommandAnswered(at_ms=now_ms, run="", command=command, ok=False, text=text)
        return
    try:
        graph = Graph.from_json(request.graph)
    except (ValueError, KeyError, TypeError) as error:
        text = f"the scheduler cannot read this graph ({error}); was it started by another skint?"
        yield e.CommandAnswered(at_ms=now_ms, run="", command=command, ok=False, text=text)
        return
    lines: list[str] = []
    if request.judge:
        text, lines = objection(state, request, graph, inputs, now_ms)
        if text:
            yield e.CommandAnswered(at_ms=now_ms, run="", command=command, ok=False, text=text)
            return
    yield e.RunSubmitted(
        at_ms=now_ms,
        run=request.run,
        graph=request.graph,
        uid=command,
        cpu_only=request.cpu_only,
        again=request.again,
        priority=request.priority,
        park=request.park,
        by=request.by,
    )
    text = "\n".join([*lines, f"run {request.run} queued"])
    lanes: tuple[Lane, ...] = ("cpu", "accelerator")
    account = request.graph.get("account")
    held = [hold for lane in lanes if (hold := holding(state.holds, account, lane)) is not None]
    text += f" · {hold_line(held[0])}" if held else ""
    yield e.CommandAnswered(at_ms=now_ms, run=request.run, command=command, ok=True, text=text)


def _stop(state: State, command: str, request: StopJobs, now_ms: int) -> Iterator[e.Event]:
    run = state.runs.get(request.run)
    ok, text = _can_stop(run, request, now_ms)
    if ok:
        yield e.StopAsked(
            at_ms=now_ms,
            run=request.run,
            scope=request.scope,
            target=request.target,
            how=request.how,
            then=request.then,
            reason=request.reason,
            sentence=f"{request.reason} by {request.by}",
            by=request.by,
            attempts=run.aimed_at(request) if run and request.then == "requeue" else (),
        )
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def _can_stop(run: RunState | None, request: StopJobs, now_ms: int) -> tuple[bool, str]:
    if run is None:
        return False, f"there is no run {request.run}"
    if not run.live:
        return False, f"{run.name} has ended already: {run.outcome}"
    if request.then == "requeue" and not run.aimed_at(request):
        return False, f"nothing of {request.target} is running now"
    if request.scope == "run":
        freed = _freed(run, run.graph.jobs, now_ms)
        text = f"{run.name} is being stopped; checkpoints are kept{freed}"
        return True, text + _undo(run, run.graph.jobs, request)
    jobs = [job for job in run.graph.jobs if request.target in (job.id, job.cell, job.group)]
    if not jobs:
        return False, f"{run.name} has no {request.target}"
    states = [run.jobs[job.id] for job in jobs]
    if all(job.ended for job in states):
        return False, f"{request.target} of {run.name} has ended already: {states[0].status}"
    freed = _freed(run, jobs, now_ms)
    text = f"{request.target} of {run.name} is being stopped; the others go on{freed}"
    return True, text + _undo(run, jobs, request)


def _undo(run: RunState, jobs: Iterable[Job], request: StopJobs) -> str:
    """How it is undone; nothing where something has begun that would have to start anew."""
    begun = [job for job in jobs if job.devices and run.jobs[job.id].status == "running"]
    if request.then == "requeue" or not all(job.resumes for job in begun):
        return ""
    return f"; undo with {resume_command(run, request.scope, request.target)}"


def _freed(run: RunState, jobs: Iterable[Job], now_ms: int) -> str:
    freed = freed_ms(run, jobs, now_ms)
    if not freed:
        return ""
    return f"; frees up to {amount(freed, unit_of(run))} on {run.graph.account}"
