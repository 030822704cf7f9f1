"""What is asked before something is stopped: what it has cost, and what stopping it frees. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from budget.amount import format_amount
from orchestrator.commands import StopJobs
from orchestrator.graph import Job
from orchestrator.state import RunState
from orchestrator.views.charges import freed_ms, in_flight_ms, unit_of
from orchestrator.views.view import title_of

BY = "dashboard"


@dataclass(frozen=True)
class Question:
    title: str
    facts: tuple[tuple[str, str], ...]
    """(name, sentence), a line each."""
    yes: str
    no: str
    request: StopJobs
    """What is asked of the scheduler if the answer is yes."""


def cancel_question(run: RunState, now_ms: int) -> Question:
    """Stop all of a run. ValueError if it has ended: there is nothing to ask."""
    if not run.live:
        raise ValueError(f"{run.name} has ended already: {run.outcome}")
    jobs = [job for job in run.graph.jobs if not run.jobs[job.id].ended]
    settled_ms = sum(allocation.charged_ms for allocation in run.allocations.values())
    return Question(
        title=f"Cancel the run {run.name}?",
        facts=(*_money(run, jobs, settled_ms, now_ms), *_work(run, jobs)),
        yes="Yes, cancel it",
        no="No, let it run",
        request=StopJobs(run=run.name, scope="run", target=run.name, by=BY),
    )


def abort_question(run: RunState, job_id: str, now_ms: int) -> Question:
    """Stop one job, mostly a fold. ValueError if it has ended."""
    job, state = run.graph.job(job_id), run.jobs[job_id]
    title = title_of(run, job)
    if not run.live or state.ended:
        raise ValueError(f"{title} of {run.name} has ended already: {state.status}")
    settled_ms = sum(
        allocation.shares.get(name, 0)
        for name in state.attempts
        if (allocation := run.allocations.get(run.attempts[name].allocation or "")) is not None
    )
    later = sum(job_id in other.needs for other in run.graph.jobs)
    needed = "; what needs it is skipped" if later else ""
    return Question(
        title=f"Abort {title} of {run.name}?",
        facts=(
            *_money(run, [job], settled_ms, now_ms),
            *_work(run, [job]),
            ("others", f"go on{needed}"),
        ),
        yes="Yes, abort it",
        no="No, let it run",
        request=StopJobs(run=run.name, scope="attempt", target=job_id, reason="aborted", by=BY),
    )


def _money(
    run: RunState, jobs: list[Job], settled_ms: int, now_ms: int
) -> tuple[tuple[str, str], ...]:
    """What has been charged for it and what would be freed; nothing for CPU work."""
    if not settled_ms and not any(job.devices for job in jobs):
        return (("charged", "nothing: it uses no accelerator"),)
    begun = [job for job in jobs if run.jobs[job.id].attempts]
    unbegun = [job for job in jobs if job.devices and not run.jobs[job.id].attempts]
    unit = unit_of(run)
    carriers = {run.attempts[name].allocation for j in begun for name in run.jobs[j.id].attempts}
    flying_ms = sum(
        in_flight_ms(run.allocations[name], now_ms) for name in carriers if name is not None
    )
    part = f", {format_amount(flying_ms, unit)} of it in flight" if flying_ms else ""
    charged = f"{format_amount(settled_ms + flying_ms, unit)}{part}; that stays charged"
    held = f"{format_amount(freed_ms(run, begun, now_ms), unit)} still reserved"
    freed = f"{held}, less what stopping takes" if begun else ""
    if unbegun:
        limit = format_amount(freed_ms(run, unbegun, now_ms), unit)
        more = f"up to {limit} that {_count(unbegun)} not started would have reserved"
        freed = f"{freed}; {more}" if freed else more
    return (("charged", charged), ("freed", freed or "nothing"))


def _work(run: RunState, jobs: list[Job]) -> tuple[tuple[str, str], ...]:
    live = [
        title_of(run, job)
        for job in jobs
        if (attempt := run.current(job.id)) is not None and attempt.live
    ]
    stops = f"{', '.join(live)} at the next step" if live else "nothing that runs"
    return (("stops", stops), ("kept", "checkpoints, and results of jobs that are done"))


def _count(jobs: list[Job]) -> str:
    return f"{len(jobs)} job{'s' if len(jobs) != 1 else ''}"
