"""A stop is undone: what it had ended waits again and goes on from its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands import ResumeJobs
from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.resuming.resumption import skipped_with, stopped
from orchestrator.scheduler.accelerator_lane.pieces import goes_on_from, left_ms
from orchestrator.scheduler.inputs import Inputs
from orchestrator.scheduler.obeying.pausing import paused_jobs, unpaused
from orchestrator.scheduler.obeying.retrying import BY_RULE
from orchestrator.state.questions import jobs_meant, open_in_spite
from orchestrator.state.state import RunState, State


def resume(
    state: State, command: str, request: ResumeJobs, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """The jobs that wait again, and the reply. All of them or none."""
    run = state.runs.get(request.run)
    if run is None:
        ok, text, jobs, waits = False, f"there is no run {request.run}", list[Job](), list[Job]()
    else:
        jobs = stopped(run, request.scope, request.target)
        waits = paused_jobs(run, request)
        text = "" if waits and not jobs else _why_not(run, request, jobs, inputs)
        ok = not text
    if ok and run is not None and waits:
        yield unpaused(run, waits, request.by, now_ms)
        text = _goes_on(run, request, waits)
    if ok and run is not None and jobs:
        again = [*jobs, *skipped_with(run, jobs)]
        # A question that is still open would stop it at once, its time being over by now.
        for asked in open_in_spite(run, jobs):
            yield e.VerdictAnswered(
                at_ms=now_ms,
                run=run.name,
                rule=asked.rule,
                target=asked.target,
                given_ms=asked.at_ms,
                answer="let-run",
                by=request.by,
            )
        yield e.JobsResumed(
            at_ms=now_ms,
            run=run.name,
            scope=request.scope,
            target=request.target,
            jobs=tuple(job.id for job in again),
            by=request.by,
        )
        text = "; ".join([*([text] if text else []), _words(run, jobs, again)])
    name = request.run if run else ""
    yield e.CommandAnswered(at_ms=now_ms, run=name, command=command, ok=ok, text=text)


def _goes_on(run: RunState, request: ResumeJobs, waits: list[Job]) -> str:
    """What was paused."""
    what = run.name if request.scope == "run" else f"{request.target} of {run.name}"
    parked = any(job.resumes and run.current(job.id) is not None for job in waits)
    goes_on = "; what had begun goes on from its checkpoint" if parked else ""
    return f"{what} is paused no more{goes_on}"


def _why_not(run: RunState, request: ResumeJobs, jobs: list[Job], inputs: Inputs) -> str:
    """Empty where all of them can go on."""
    meant = [job.id for job in jobs_meant(run.graph, request.scope, request.target)]
    if not meant:
        return f"{run.name} has no {request.target}"
    if not jobs:
        what = request.target if request.scope != "run" else run.name
        known = [run.jobs[name].status for name in meant]
        is_one = f": it is {known[0]}" if len(set(known)) == 1 else ""
        elsewhere = request.scope != "run" and stopped(run, "run", run.name)
        then = f"; skint resume {run.name} undoes what was stopped of it" if elsewhere else ""
        return f"nothing of {what} was stopped{is_one}{then}"
    account = run.graph.account
    if account and account not in inputs.accounts and any(job.devices for job in jobs):
        # They would fail at once, and could not be resumed any more.
        return f"the account {account} is gone; bring it back with skint account add {account}"
    for job in jobs:
        attempt = goes_on_from(run, job)
        if attempt is None or attempt.started_ms is None or not job.devices:
            continue  # it had not begun, or nobody has paid for what is done again
        if not job.resumes:
            stop = run.stop_of(job)
            by_person = stop is not None and not stop.by.startswith(BY_RULE)
            then = f"skint retry {run.name} begins anew" if by_person else "submit the plan again"
            begins = f"starts from the beginning each time; {then}"
            return f"{job.id} cannot go on: it has no checkpoints and {begins}"
        if left_ms(run, job) <= 0:
            return f"the limit of {job.id} is used up; submit the plan again with a longer one"
        kept = attempt.checkpoint is not None and not attempt.live
        if kept and not inputs.has_files(attempt.out):
            gone = f"the checkpoint of {job.id} is gone: nothing is left in {attempt.out}"
            return f"{gone}; submit the plan again"
    return ""


def _words(run: RunState, jobs: list[Job], again: list[Job]) -> str:
    names = [job.id for job in jobs]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    began = sum(job.resumes and run.current(job.id) is not None for job in jobs)
    waits = "waits" if len(names) == 1 else "wait"
    goes = "goes on from its checkpoint" if began == 1 else "go on from their checkpoints"
    text = f"{shown} of {run.name} {waits} again"
    if began:
        text += f"; {'it' if len(names) == began == 1 else f'{began} of them'} {goes}"
    others = len(again) - len(jobs)
    return text + (
        f"; so {'does' if others == 1 else 'do'} {others} that needed it" if others else ""
    )
