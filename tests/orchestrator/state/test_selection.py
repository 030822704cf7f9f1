"""Records of a run that something holds of, handed on while others take their places."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.graph import Graph, Job
from orchestrator.state.job_state import JobState, JobStatus
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState

IDS = ("scan", "fold0", "fold1", "fold2")


@pytest.fixture
def run() -> RunState:
    jobs = tuple(Job(id, id, devices=int(id != "scan")) for id in IDS)
    waiting = {id: JobState(id) for id in IDS}
    made = RunState("small-1", Graph("small", "lab", "/plans", jobs), 0, jobs=waiting)
    for selection in made.selections["jobs"]:
        getattr(made, selection.name)
    return made


def now(run: RunState, id: str, status: JobStatus) -> RunState:
    return with_record(run, "jobs", replace(run.jobs[id], status=status))


def test_a_record_takes_the_place_of_the_old_one_and_the_old_run_stays(run: RunState) -> None:
    told = with_record(run, "jobs", replace(run.jobs["fold1"], reason="turn"))
    assert [job.id for job in told.queue] == ["fold0", "fold1", "fold2"]
    assert [job.reason for job in told.queue] == ["", "turn", ""]
    assert [job.id for job in told.untold] == ["fold0", "fold2"]
    assert [job.reason for job in run.queue] == ["", "", ""]


def test_what_ends_is_selected_no_more(run: RunState) -> None:
    done = now(now(run, "scan", "done"), "fold0", "failed")
    assert [job.id for job in done.open_jobs] == ["fold1", "fold2"]
    assert [job.id for job in done.fruitless_jobs] == ["fold0"]
    assert done.cpu_ready == ()


def test_what_comes_back_has_its_old_place(run: RunState) -> None:
    retried = now(now(run, "fold1", "running"), "fold1", "waiting")
    assert [job.id for job in retried.queue] == ["fold0", "fold1", "fold2"]
    two = now(now(run, "fold2", "running"), "fold0", "running")
    assert [job.id for job in two.running_jobs] == ["fold0", "fold2"]


def test_a_new_record_comes_last(run: RunState) -> None:
    grown = with_record(run, "jobs", JobState("fold3", status="running"))
    assert [job.id for job in grown.open_jobs] == [*IDS, "fold3"]
    assert [*grown.jobs] == [*IDS, "fold3"]
