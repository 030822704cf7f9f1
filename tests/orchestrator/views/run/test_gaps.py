"""How well a run used what was kept for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.gaps import (
    MOST_MS,
    cold_start_ms,
    first_step_ms,
    gaps,
    in_step_share,
    usage_lines,
)
from orchestrator.views.run.view import run_view
from tests.orchestrator.pasts import GPU, START_MS, attempt_of, folds_graph, run_of


def trained(
    fold: int,
    *,
    at_ms: int = START_MS,
    start_ms: int = 8_000,
    ahead: bool = False,
    in_step_s: float = 9.0,
    device: str = GPU,
) -> AttemptState:
    """Two epochs of ten seconds after `start_ms`, and a second of saving."""
    told = [
        {
            "epoch": n,
            "epochs": 2,
            "seconds": 10.0,
            "in_step_s": in_step_s,
            "at_ms": at_ms + start_ms + n * 10_000,
        }
        for n in (1, 2)
    ]
    attempt = attempt_of(
        f"train.fold{fold}", told, start_ms=at_ms, wall_ms=start_ms + 21_000, device=device
    )
    return replace(attempt, stood_by=ahead, allocation=f"a{fold}")


def kept(attempt: AttemptState, **more: Any) -> AllocationState:
    assert attempt.started_ms is not None and attempt.ended_ms is not None
    wall_ms = attempt.ended_ms - attempt.started_ms
    known = AllocationState(
        attempt.allocation or "",
        "lab",
        "local",
        attempt.devices,
        600_000,
        600_000,
        (attempt.id,),
        status="settled",
        start_ms=attempt.started_ms,
        end_ms=attempt.ended_ms,
        weights={attempt.id: wall_ms},
    )
    return replace(known, **more)


def of(*attempts: AttemptState) -> RunState:
    return run_of(folds_graph(), attempts, allocations=[kept(attempt) for attempt in attempts])


def test_a_gap_is_what_lies_between_an_end_and_the_next_first_step() -> None:
    cold = trained(0)
    warm = trained(1, at_ms=START_MS + 29_300, start_ms=200, ahead=True)
    run = of(cold, warm)
    (gap,) = gaps(run)
    assert (gap.free_ms, gap.start_ms, gap.ms, gap.ahead) == (300, 200, 500, True)
    assert cold_start_ms(run) == 8_000
    assert usage_lines(run)[0] == (
        "gap",
        "0.500 s from an end to the next first step, 0.200 s of it charged;"
        " a cold start takes 8.000 s",
    )


def test_where_all_were_started_ahead_it_tells_what_getting_ready_took() -> None:
    both = [
        replace(
            trained(fold, at_ms=START_MS + fold * 21_600, start_ms=200, ahead=True), prepared_ms=ms
        )
        for fold, ms in enumerate((7_000, 9_000))
    ]
    assert usage_lines(of(*both))[0] == (
        "gap",
        "0.600 s from an end to the next first step, 0.200 s of it charged;"
        " getting ready took 8.000 s, before any device was kept",
    )


def test_a_device_that_was_free_for_long_waited_for_something_else() -> None:
    run = of(trained(0), trained(1, at_ms=START_MS + 29_000 + MOST_MS + 1))
    assert gaps(run) == []
    assert usage_lines(run)[0] == ("start", "8.000 s from a start to the first step")


def test_attempts_on_different_devices_do_not_follow_each_other() -> None:
    assert gaps(of(trained(0), trained(1, at_ms=START_MS + 29_100, device="GPU-77aa"))) == []


def test_the_first_step_is_where_the_first_epoch_or_stage_began() -> None:
    told = trained(0)
    assert first_step_ms(told) == START_MS + 8_000
    quiet = replace(told, reports=(), stages=((START_MS + 5_000, "128 px"),))
    assert first_step_ms(quiet) == START_MS + 5_000
    assert first_step_ms(replace(quiet, stages=())) is None
    assert first_step_ms(replace(told, started_ms=None)) is None


def test_the_share_in_steps_is_over_all_that_was_kept() -> None:
    run = of(trained(0), trained(1, at_ms=START_MS + 29_300, start_ms=0, ahead=True))
    assert in_step_share(run) == 36 / (29 + 21)
    assert run_view(run, START_MS).in_step == 36 / 50
    assert ("in step", "72.0% of the time that was charged") in usage_lines(run)


def test_of_what_was_cut_short_it_says_that_its_last_steps_are_left_out() -> None:
    run = of(trained(0), replace(trained(1, at_ms=START_MS + 29_300), outcome="stopped"))
    ((_, text),) = [line for line in usage_lines(run) if line[0] == "in step"]
    assert text.endswith("; steps of an epoch that was cut short are not counted")


def test_two_devices_of_which_one_trains_are_kept_both() -> None:
    attempt = trained(0)
    run = of(attempt)
    both = replace(run, allocations={"a0": kept(attempt, devices=(GPU, "GPU-77aa"))})
    assert in_step_share(both) == 18 / 58
    together = replace(attempt, devices=(GPU, "GPU-77aa"))
    assert in_step_share(replace(both, attempts={together.id: together})) == 36 / 58


def test_what_tells_nothing_has_no_share_and_nonsense_counts_for_nothing() -> None:
    silent = replace(trained(0), reports=())
    assert in_step_share(of(silent)) is None and usage_lines(of(silent)) == []
    for nonsense in ("nan", -1.0, True, 1e300):
        report = {"epoch": 1, "seconds": nonsense, "in_step_s": nonsense, "at_ms": START_MS + 1}
        strange = replace(trained(0), reports=(report,))
        assert in_step_share(of(strange)) is None
        assert first_step_ms(strange) is None
