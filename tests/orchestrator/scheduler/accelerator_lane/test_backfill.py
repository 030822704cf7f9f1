"""Small jobs start before a large one that waits, and never at its expense for long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.scheduler.accelerator_lane.backfill import (
    OVERTAKEN_MS,
    Holding,
    Shadow,
    Shortage,
    may_use_devices,
    shadow_of,
)
from skint.attempt import Task
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, graph, job

SHORT = Shortage(
    needed_ms=10,
    free_ms=4,
    returning_ms=0,
    whole_ms=20,
    gain_ms=1000,
    renews=True,
    overtaken_ms=None,
)


# --- devices --------------------------------------------------------------------------------------


def test_a_shadow_is_where_enough_deadlines_have_passed() -> None:
    held = [Holding(1, 500), Holding(2, 300), Holding(1, None)]
    assert shadow_of(2, 1, held) == Shadow(300, 1)
    assert shadow_of(4, 1, held) == Shadow(500, 0)
    assert shadow_of(5, 1, held) == Shadow(None, 0)  # one of them is overdue: nobody knows


@given(
    free=st.integers(0, 4),
    wanted=st.integers(1, 8),
    held=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 100)), max_size=6),
    small=st.integers(1, 4),
    wall=st.integers(1, 150),
)
def test_who_may_pass_leaves_the_shadow_where_it_is(
    free: int, wanted: int, held: list[tuple[int, int]], small: int, wall: int
) -> None:
    holdings = [Holding(n, until_ms) for n, until_ms in held]
    shadow = shadow_of(wanted, free, holdings)
    if wanted <= free or small > free or shadow.at_ms is None:
        return
    if may_use_devices(shadow, small, wall, 0):
        after = shadow_of(wanted, free - small, [*holdings, Holding(small, wall)])
        assert after.at_ms is not None and after.at_ms <= shadow.at_ms


def two_and_one(task: Task) -> Script:
    return Script(seconds={"long": 3000, "big": 600}.get(task.job, 500))


def test_a_small_job_passes_one_that_waits_for_two_devices_only_if_it_is_over_in_time(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, two_and_one, devices=2)
    world.submit(
        graph(
            job("long", devices=1, limit_s=3600, value=1000),
            job("big", devices=2, limit_s=600, value=100),
            job("slow", devices=1, limit_s=7200),  # could still run when `long` must be over
            job("quick", devices=1, limit_s=600),
        )
    )
    world.until_settled()
    order = [x.job for x in world.kept(e.AttemptPlanned)]
    assert order == ["long", "quick", "big", "slow"]
    (told,) = [x for x in world.kept(e.JobWaited) if x.job == "big"]
    assert (told.reason, told.sentence) == (
        "devices",
        "waits for 2 of 2 devices (seedlings-1.long)",
    )
    assert told.until_ms is not None and told.until_ms >= SATURDAY_MS + HOUR_MS


# --- hours ----------------------------------------------------------------------------------------


def test_hours_that_would_be_lost_at_the_reset_anyway_may_be_used() -> None:
    assert SHORT.may_use_hours(3, 900, 0) == "yes"


def test_a_job_that_would_still_run_at_the_reset_may_not_take_the_hours_of_the_next_week() -> None:
    assert SHORT.may_use_hours(3, 1001, 0) == "yes"  # there is room for both
    assert replace(SHORT, whole_ms=12).may_use_hours(3, 1001, 0) == "no"


def test_hours_that_may_come_back_early_are_used_by_others_for_a_while_only() -> None:
    may_return = replace(SHORT, returning_ms=6, gain_ms=10 * OVERTAKEN_MS)
    assert may_return.may_use_hours(3, 9, 0) == "overtakes"
    patient = replace(may_return, overtaken_ms=0)
    assert patient.may_use_hours(3, 9, OVERTAKEN_MS - 1) == "overtakes"
    assert patient.may_use_hours(3, 9, OVERTAKEN_MS) == "no"


def test_a_rolling_window_is_kept_for_who_waits_after_a_while() -> None:
    rolling = replace(SHORT, renews=False)
    assert rolling.may_use_hours(3, 9, 0) == "overtakes"
    assert replace(rolling, overtaken_ms=0).may_use_hours(3, 9, OVERTAKEN_MS) == "no"


def test_nobody_waits_behind_a_job_that_only_a_grant_could_help() -> None:
    lots = replace(SHORT, gain_ms=None, renews=False, overtaken_ms=0)
    assert lots.may_use_hours(3, 9, OVERTAKEN_MS) == "yes"


@given(
    needed=st.integers(1, 50), free=st.integers(-5, 50), returning=st.integers(0, 50),
    cost=st.integers(1, 50), wall=st.integers(1, 50), gain=st.integers(1, 40),
)  # fmt: skip
def test_at_the_reset_whoever_passed_has_left_enough(
    needed: int, free: int, returning: int, cost: int, wall: int, gain: int
) -> None:
    whole = 50
    if free >= needed or cost > free:
        return
    one = Shortage(needed, free, returning, whole, gain, renews=True, overtaken_ms=None)
    if one.may_use_hours(cost, wall, 0) != "no":
        still_running = cost if wall > gain else 0
        # What ran before it may still run as well; it had that right first.
        assert still_running == 0 or needed + returning + still_running <= whole


def test_a_small_job_uses_what_a_large_one_cannot_and_the_large_one_starts_at_the_reset(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, lambda task: Script(seconds=1800), week_ms=2 * HOUR_MS)
    world.submit(
        graph(
            job("first", devices=1, limit_s=3600, value=1000),
            job("large", devices=1, limit_s=6600, value=100),
            job("small", devices=1, limit_s=1800),
        )
    )
    run = world.until_settled().runs["seedlings-1"]
    assert [x.job for x in world.kept(e.AttemptPlanned)] == ["first", "small", "large"]
    large = run.attempts["seedlings-1.large.1"]
    assert large.started_ms == SATURDAY_MS + 7 * 24 * HOUR_MS
