"""A long mapping of which changed copies are cheap is a mapping like any other."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from orchestrator.graph import Graph, Job
from orchestrator.state.job_state import JobState, JobStatus
from orchestrator.state.records import MANY, Records, differing, newest_first, with_entry
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState


@pytest.mark.parametrize("seed", range(4))
def test_any_versions_say_what_dicts_say(seed: int) -> None:
    """Also those that went different ways from a common one."""
    dice = random.Random(seed)
    versions: list[tuple[Records[int], dict[str, int]]] = [(Records.of({}), {})]
    for number in range(600):
        records, plain = dice.choice(versions[-3:])
        key = f"k{dice.randrange(400)}"
        versions.append((records.with_entry(key, number), {**plain, key: number}))
    for records, plain in versions:
        assert list(records.items()) == list(plain.items())
        assert list(records.values()) == list(plain.values()) == [*newest_first(records)][::-1]
        assert records == plain and len(records) == len(plain)
        assert all((f"k{n}" in records) == (f"k{n}" in plain) for n in range(400))
        assert all(records.get(f"k{n}") == plain.get(f"k{n}") for n in range(400))


def test_a_version_can_be_read_while_a_later_one_is_made() -> None:
    records = Records.of({str(n): n for n in range(MANY)})
    keys = iter(records)
    found = [next(keys)]
    records.with_entry("new", 7)
    assert [*found, *keys] == [str(n) for n in range(MANY)]


def test_few_entries_stay_a_dict() -> None:
    few = with_entry({"a": 1}, "b", 2)
    assert type(few) is dict
    many = {str(n): n for n in range(MANY)}
    assert type(with_entry(many, "0", 7)) is dict
    assert type(with_entry(many, "new", 7)) is Records


@pytest.mark.parametrize("size", [5, 700])
def test_what_differs_is_found_by_its_place(size: int) -> None:
    before = with_entry({str(n): [n] for n in range(size)}, "0", [0])
    after = with_entry(with_entry(before, "3", [-1]), "new", [9])
    assert list(differing(before, after)) == [(3, [-1]), (size, [9])]
    assert list(differing(before, before)) == []
    assert len(list(differing({}, after))) == size + 1


STATUSES: tuple[JobStatus, ...] = ("waiting", "running", "done", "failed", "skipped", "reused")


@pytest.mark.parametrize("size", [12, 400])
def test_selections_follow_whatever_happens_to_jobs(size: int) -> None:
    """Handed on from state to state they are what they are when they are looked for anew."""
    dice = random.Random(size)
    jobs = []
    for number in range(size):
        needs = {f"j{dice.randrange(number)}" for _ in range(dice.randrange(3))} if number else ()
        group = f"g{number % 5}"
        jobs.append(Job(f"j{number}", group, needs=tuple(needs), devices=dice.randrange(2)))
    graph = Graph("small", "lab", "/plans", tuple(jobs))
    run = RunState("small-1", graph, 0, jobs={})
    for job in jobs:
        run = with_record(run, "jobs", JobState(job.id))
    selections = run.selections["jobs"]
    for number in range(300):
        for selection in selections:
            getattr(run, selection.name)
        name = dice.choice(jobs).id
        status, reason = dice.choice(STATUSES), dice.choice(("", "turn", "being-made"))
        paused = dice.choice(("", "", "by me"))
        until_ms = dice.choice((None, 5))
        new = replace(
            run.jobs[name], status=status, reason=reason, paused=paused, until_ms=until_ms
        )
        run = with_record(run, "jobs", new)
        if number % 7:
            continue
        afresh = RunState(run.name, graph, 0, jobs=dict(run.jobs.items()))
        for selection in selections:
            found, wanted = getattr(run, selection.name), getattr(afresh, selection.name)
            assert [one.id for one in found] == [one.id for one in wanted], selection.name
            assert all(a is b for a, b in zip(found, wanted, strict=True))
            assert len(found) == len(wanted)
