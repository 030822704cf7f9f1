"""What is at stake where something is stopped: what it has cost, what comes back. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from budget.amount import format_amount
from orchestrator.graph import Job
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import freed_ms, in_flight_ms, unit_of
from orchestrator.views.words.job import title_of

Facts = tuple[tuple[str, str], ...]
"""(name, sentence), a line each."""


def money_facts(run: RunState, jobs: Sequence[Job], settled_ms: int, now_ms: int) -> Facts:
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


def work_facts(run: RunState, jobs: Sequence[Job]) -> Facts:
    """What that runs would be stopped, and what is kept."""
    live = live_titles(run, jobs)
    stops = f"{', '.join(live)} at the next step" if live else "nothing that runs"
    return (("stops", stops), ("kept", "checkpoints, and results of jobs that are done"))


def live_titles(run: RunState, jobs: Sequence[Job]) -> list[str]:
    """Those of `jobs` that run, as a person calls them."""
    return [
        title_of(run, job)
        for job in jobs
        if (attempt := run.current(job.id)) is not None and attempt.live
    ]


def settled_ms(run: RunState, jobs: Sequence[Job]) -> int:
    """What has been charged for the attempts of `jobs`, in the account's milliseconds."""
    return sum(
        allocation.shares.get(name, 0)
        for job in jobs
        for name in run.jobs[job.id].attempts
        if (allocation := run.allocations.get(run.attempts[name].allocation or "")) is not None
    )


def facts_of_stop(run: RunState, jobs: Sequence[Job], now_ms: int, *, whole: bool) -> Facts:
    """Of stopping `jobs`, which have not ended; with `whole` all that the run has cost counts."""
    paid_ms = (
        sum(one.charged_ms for one in run.allocations.values()) if whole else settled_ms(run, jobs)
    )
    return (*money_facts(run, jobs, paid_ms, now_ms), *work_facts(run, jobs))


def _count(jobs: Sequence[Job]) -> str:
    return f"{len(jobs)} job{'s' if len(jobs) != 1 else ''}"
