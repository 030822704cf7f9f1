"""The order in which jobs get accelerators."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.backfill import OVERTAKEN_MS
from orchestrator.scheduler.accelerator_lane.queue import Candidate, in_order
from tests.orchestrator.worlds import World, graph, job, training


def candidate(run: str, id: str, group: str = "", **more: object) -> Candidate:
    base = Candidate(run, Job(id, group or id, devices=1, limit_s=60), 0, False, 0, 0)
    return base._replace(**more)  # type: ignore[arg-type]


def names(found: list[Candidate]) -> list[str]:
    return [one.name for one in found]


def test_priority_comes_before_everything_else() -> None:
    late = candidate("new", "a", priority=1, age=9)
    early = candidate("old", "b", begun=True)
    assert names(in_order([early, late], lambda one: 1)) == ["new.a", "old.b"]


def test_a_group_that_has_begun_comes_before_one_that_is_worth_more() -> None:
    begun = candidate("r", "fold3", "train", begun=True, age=5)
    dear = candidate("r", "other")._replace(job=replace(begun.job, id="other", value=100.0))
    assert names(in_order([dear, begun], lambda one: 1)) == ["r.fold3", "r.other"]


def test_of_two_groups_the_one_that_brings_more_for_an_hour_comes_first() -> None:
    # Worth three times as much, and four times as dear.
    much = candidate("old", "much")
    much = much._replace(job=replace(much.job, value=3.0))
    little = candidate("new", "little", age=1)
    cost = {"old.much": 4, "new.little": 1}
    assert names(in_order([much, little], lambda one: cost[one.name])) == ["new.little", "old.much"]


def test_otherwise_the_older_run_and_the_order_of_the_plan_decide() -> None:
    waiting = [
        candidate("young", "a", age=1),
        candidate("old", "c", age=0, place=2),
        candidate("old", "b", age=0, place=1),
    ]
    assert names(in_order(waiting, lambda one: 7)) == ["old.b", "old.c", "young.a"]


def test_a_forecast_is_asked_for_only_where_it_decides() -> None:
    folds = [candidate("r", f"fold{n}", "train", place=n) for n in range(60)]
    asked: list[str] = []

    def cost_ms(one: Candidate) -> int:
        asked.append(one.name)
        return 1

    assert in_order(folds, cost_ms) == folds
    assert asked == []


@given(
    st.lists(
        st.tuples(
            st.integers(-2, 2), st.booleans(), st.sampled_from([0.0, 1.0, 5.0]),
            st.integers(0, 3), st.integers(1, 9),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_the_order_is_total_and_does_not_depend_on_how_jobs_are_listed(
    rows: list[tuple[int, bool, float, int, int]],
) -> None:
    waiting, cost = [], {}
    for place, (priority, begun, value, age, cost_ms) in enumerate(rows):
        one = candidate(
            f"r{age}", f"j{place}", f"g{place % 3}",
            priority=priority, begun=begun, age=age, place=place,
        )  # fmt: skip
        waiting.append(one._replace(job=replace(one.job, value=value)))
        cost[one.name] = cost_ms
    forwards = in_order(waiting, lambda one: cost[one.name])
    assert names(forwards) == names(in_order(waiting[::-1], lambda one: cost[one.name]))
    assert sorted(names(forwards)) == sorted(names(waiting))
    ranks = [(-one.priority, not one.begun) for one in forwards]
    assert ranks == sorted(ranks)


def test_a_run_of_higher_priority_gets_the_next_free_device(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    for name, priority in (("first", 0), ("usual", 0), ("urgent", 5)):
        only = job(f"train-{name}", devices=1, fold=0, limit_s=600)
        world.submit(graph(only), name, priority=priority)
    for name in ("first", "usual", "urgent"):
        world.until_settled(name)
    started = [x.attempt.split(".")[0] for x in world.kept(e.AttemptPlanned)]
    assert started == ["urgent", "first", "usual"]
    (waited,) = [x for x in world.kept(e.JobWaited) if x.run == "usual" and x.reason == "turn"]
    assert waited.sentence == "waits for its turn: other jobs come first on lab"


def test_a_dear_job_is_not_starved_by_a_stream_of_cheap_ones(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(seconds=3000))
    world.submit(graph(job("first", devices=1, limit_s=3600)), "first")
    world.scheduler.tick()
    world.submit(graph(job("dear", devices=1, limit_s=4 * 3600)), "dear")
    for n in range(16):
        world.submit(graph(job(f"cheap{n}", devices=1, limit_s=3600)), f"cheap{n}")
    world.until_settled("dear")
    started = [x.job for x in world.kept(e.AttemptPlanned)]
    (told,) = world.kept(e.JobOvertaken)
    assert (told.job, told.by) == ("dear", "cheap0.cheap0")
    # Passed by for twelve hours, in pieces of fifty minutes; not longer, though cheap ones wait.
    assert started.index("dear") == 1 + math.ceil(OVERTAKEN_MS / 3_000_000)
