"""What becomes of a run by events of a kind that come many at a time: they are taken together, as
each alone would copy what there is of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from orchestrator.events import events as e
from orchestrator.state.changed import changed
from orchestrator.state.job_state import JobState
from orchestrator.state.records import MANY
from orchestrator.state.selection import with_record, with_records
from orchestrator.state.state import RunState


def reported(run: RunState, events: Iterable[e.MetricsReported]) -> RunState:
    """After reports, perhaps of several attempts."""
    for attempt, same in groupby(events, attrgetter("attempt")):
        known = run.attempts[attempt]
        reports = [{**event.values, "at_ms": event.reported_ms} for event in same]
        new = changed(known, reports=(*known.reports, *reports))
        if "losses" in vars(known):
            vars(new)["losses"] = known.losses.after(reports)
        run = with_record(run, "attempts", new)
    return run


def waited(run: RunState, events: Iterable[e.JobWaited]) -> RunState:
    """After jobs have said why they wait: all ten thousand of a new run do so in one step."""
    jobs: dict[str, JobState] = {}
    for event in events:
        jobs[event.job] = changed(
            jobs.get(event.job) or run.jobs[event.job],
            status="waiting",
            reason=event.reason,
            sentence=event.sentence,
            until_ms=event.until_ms,
        )
    if len(jobs) > MANY:
        return with_records(run, "jobs", jobs.values())
    for job in jobs.values():
        run = with_record(run, "jobs", job)
    return run
