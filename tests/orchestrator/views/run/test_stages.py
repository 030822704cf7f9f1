"""What of a charge went into getting ready, into epochs, and into the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.stages import (
    EPOCHS,
    IDLE,
    START,
    TAIL,
    WHOLE,
    charges_by_stage,
    stage_rows,
    stage_walls,
)
from tests.orchestrator.pasts import (
    DONE_MS,
    GPU,
    START_MS,
    attempt_of,
    done_fold,
    folds_graph,
    reports,
    run_of,
)
from tests.orchestrator.worlds import World, epochs, graph, job

MINUTE_MS = 60_000


def kept(*attempts: AttemptState, before_ms: int = 0, after_ms: int = 0) -> AllocationState:
    """The allocation of `attempts`, which began a while before and ended a while after them."""
    return AllocationState(
        id="one",
        account="lab",
        executor="local",
        devices=(GPU,),
        wall_ms=3_630_000,
        amount_ms=3_630_000,
        attempts=tuple(attempt.id for attempt in attempts),
        status="settled",
        start_ms=min(a.started_ms or 0 for a in attempts) - before_ms,
        end_ms=max(a.ended_ms or 0 for a in attempts) + after_ms,
    )


def carried(*attempts: AttemptState, **more: Any) -> RunState:
    inside = [replace(attempt, allocation="one") for attempt in attempts]
    return run_of(folds_graph(), inside, allocations=[kept(*inside, **more)])


def test_the_first_epoch_is_as_long_as_the_others_and_what_was_before_is_the_start() -> None:
    run = carried(done_fold())
    assert charges_by_stage(run, "seedlings-1.train.fold0.1", DONE_MS) == {
        START: 100_000,
        EPOCHS: 10 * MINUTE_MS,
        TAIL: 20_000,
    }
    # Two devices for the same time: twice of each.
    assert charges_by_stage(run, "seedlings-1.train.fold0.1", 2 * DONE_MS)[START] == 200_000


def test_a_single_epoch_begins_with_the_first_word_or_with_the_job() -> None:
    told = reports(90_000, MINUTE_MS, 1)
    quiet = attempt_of("train.fold0", told, wall_ms=100_000)
    assert stage_walls(quiet, None, {}) == {START: 0, EPOCHS: 90_000, TAIL: 10_000, IDLE: 0}
    word = {"images": 500, "at_ms": START_MS + 30_000}
    telling = attempt_of("train.fold0", (word, *told), wall_ms=100_000)
    assert stage_walls(telling, None, {})[START] == 30_000


def test_devices_that_are_kept_before_and_after_are_idle() -> None:
    run = carried(done_fold(), before_ms=7_000, after_ms=5_000)
    parts = charges_by_stage(run, "seedlings-1.train.fold0.1", DONE_MS + 12_000)
    assert (parts[IDLE], parts[START]) == (12_000, 100_000)


def test_of_two_in_turn_the_first_has_the_time_before_and_the_last_the_time_after() -> None:
    first = done_fold()
    second = done_fold(1, start_ms=START_MS + DONE_MS)
    run = carried(first, second, before_ms=7_000, after_ms=5_000)
    walls = [stage_walls(a, run.allocations["one"], run.attempts) for a in run.attempts.values()]
    assert [wall[IDLE] for wall in walls] == [7_000, 5_000]


def test_what_told_no_epoch_is_one_stage() -> None:
    """A program that reports nothing; a job that was stopped before its first epoch."""
    run = carried(attempt_of("train.fold0", wall_ms=30_000))
    assert charges_by_stage(run, "seedlings-1.train.fold0.1", 30_000) == {WHOLE: 30_000}
    unstarted = replace(attempt_of("train.fold0", wall_ms=5), started_ms=None)
    assert charges_by_stage(carried(unstarted), unstarted.id, 7) == {WHOLE: 7}


INSTANTS = st.integers(START_MS - 10_000, START_MS + 100_000)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), INSTANTS), max_size=6),
    st.integers(0, 60_000),
    st.integers(0, 10**7),
    st.tuples(st.integers(0, 9_000), st.integers(0, 9_000)),
    st.lists(st.tuples(INSTANTS, st.sampled_from(["a", "b", START])), max_size=3),
)
def test_the_stages_add_up_to_the_charge_whatever_the_clocks_say(
    told: list[tuple[int | None, int]],
    wall_ms: int,
    charged_ms: int,
    beside: tuple[int, int],
    named: list[tuple[int, str]],
) -> None:
    """To the millisecond."""
    said = [{"epoch": n, "at_ms": at} if n is not None else {"at_ms": at} for n, at in told]
    attempt = attempt_of("train.fold0", said, wall_ms=wall_ms)
    attempt = replace(attempt, stages=tuple(named))
    run = carried(attempt, before_ms=beside[0], after_ms=beside[1])
    parts = charges_by_stage(run, attempt.id, charged_ms)
    assert sum(parts.values()) == charged_ms
    assert all(ms >= 0 for ms in parts.values())
    walls_ms = stage_walls(run.attempts[attempt.id], run.allocations["one"], run.attempts)
    if WHOLE not in walls_ms:
        assert sum(walls_ms.values()) == wall_ms + sum(beside)


def test_a_run_of_the_scheduler_adds_up_for_each_job(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5, 0.7, 0.8]))
    run = world.settle(graph(job("train", devices=1, limit_s=3_600)))
    (name,) = run.attempts
    charged = world.ledger.charged_by("seedlings-1/")
    parts = charges_by_stage(run, name, charged[name])
    assert sum(parts.values()) == charged[name] == world.settled_ms
    assert parts == {EPOCHS: 3 * MINUTE_MS, TAIL: 30_000}
    heads, rows = stage_rows(run, {"train": "train"}, charged, "device")
    assert heads == ("where it went", ">epochs", ">tail")
    assert rows == [("train", "3 min 00.000 s", "30.000 s")]
    assert stage_rows(run, {"train": "train"}, {}, "device")[1] == []
    credit = stage_rows(run, {"train": "train"}, {name: 7 * 3_600_000}, "credit")[1]
    assert credit == [("train", "6.00 credits", "1.00 credits")]


def test_stages_that_a_job_names_have_lines_of_their_own() -> None:
    """Progressive resizing: what each size has cost."""
    marks = ((START_MS + 50_000, "128 px"), (START_MS + 300_000, "160 px"))
    run = carried(replace(done_fold(), stages=marks), before_ms=7_000)
    parts = charges_by_stage(run, "seedlings-1.train.fold0.1", DONE_MS + 7_000)
    assert parts == {
        START: 50_000,
        "128 px": 250_000,
        "160 px": 400_000,
        TAIL: 20_000,
        IDLE: 7_000,
    }
    charged = {"seedlings-1.train.fold0.1": DONE_MS + 7_000}
    heads, rows = stage_rows(run, {"train.fold0": "fold 0"}, charged, "device")
    assert heads == ("where it went", "stage", ">charged")
    assert [row[:2] for row in rows] == [
        ("fold 0", START),
        ("", "128 px"),
        ("", "160 px"),
        ("", TAIL),
        ("", IDLE),
    ]


def test_a_single_named_stage_is_a_column() -> None:
    run = carried(replace(done_fold(), stages=((START_MS + 50_000, "training"),)))
    heads, rows = stage_rows(run, {"train.fold0": "f"}, {"seedlings-1.train.fold0.1": 720_000}, "")
    assert heads == ("where it went", ">start", ">training", ">tail")
    assert len(rows) == 1


def test_a_last_stage_without_epochs_lasts_to_the_end() -> None:
    silent = replace(
        attempt_of("train.fold0", wall_ms=60_000),
        stages=((START_MS - 5_000, "features"), (START_MS + 20_000, "head")),
    )
    run = carried(silent)
    assert charges_by_stage(run, silent.id, 60_000) == {"features": 20_000, "head": 40_000}


def test_stages_stand_in_the_order_in_which_they_came_also_beside_a_job_that_went_on_later() -> (
    None
):
    later = replace(done_fold(0), stages=((START_MS + 9_000, "second"),))
    whole = replace(
        done_fold(1), stages=((START_MS + 9_000, "first"), (START_MS + 90_000, "second"))
    )
    run = run_of(folds_graph(), [later, whole])
    charged = dict.fromkeys((later.id, whole.id), DONE_MS)
    _, rows = stage_rows(run, {"train.fold0": "0", "train.fold1": "1"}, charged, "device")
    named = [row[1] for row in rows if row[1] in ("first", "second")]
    assert named == ["second", "first", "second"]
