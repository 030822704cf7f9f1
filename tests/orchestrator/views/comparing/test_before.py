"""The earlier runs whose results a plan would use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.plans.preview import Expectation
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.state import Result, RunState, State
from orchestrator.views.comparing.before import before_of, partly, sentence
from orchestrator.views.local_time import local_time
from tests.orchestrator.pasts import START_MS, attempt_of, folds_graph, run_of

HOUR_MS = 3_600_000


def trained(name: str, *scores: float) -> RunState:
    """Each fold was stopped once and then done; either attempt took half an hour."""
    attempts, allocations = [], []
    for fold, score in enumerate(scores):
        told: list[dict[str, Any]] = [
            {"epoch": 1, "epochs": 1, "val_acc": score, "at_ms": START_MS},
            {"metric": "val_acc", "score": score, "n": 50, "at_ms": START_MS},
        ]
        for fence, outcome in ((1, "stopped"), (2, "done")):
            made = attempt_of(
                f"train.fold{fold}", told, run=name, fence=fence, wall_ms=9, outcome=outcome
            )
            attempts.append(replace(made, allocation=made.id))
            allocations.append(
                AllocationState(
                    made.id,
                    account="lab",
                    executor="local",
                    devices=("GPU-8c1f",),
                    wall_ms=HOUR_MS,
                    status="settled",
                    amount_ms=HOUR_MS,
                    attempts=(made.id,),
                    shares={made.id: HOUR_MS // 2},
                )
            )
    return run_of(folds_graph(folds=len(scores)), attempts, name=name, allocations=allocations)


def expected(of: dict[int, str], folds: int = 3) -> list[Expectation]:
    """The plan's jobs, of which these folds are known from these runs."""
    found = []
    for job in folds_graph(folds=folds).jobs:
        run = of.get(job.fold) if job.fold is not None else None
        if run is None:
            found.append(Expectation(job, "runs", "never done", None))
        else:
            result = Result("", run, job.id, f"{run}.{job.id}.2", "", "", 0)
            key = f"{job.fold}abcdef0123456789"
            found.append(Expectation(job, "reused", f"same as in {run}", key, result))
    return found


def state_of(*runs: RunState) -> State:
    return State({run.name: run for run in runs})


def test_what_a_run_came_to_and_what_all_its_attempts_have_cost() -> None:
    state = state_of(trained("seedlings-1", 0.8, 0.9, 1.0))
    (before,) = before_of(expected(dict.fromkeys(range(3), "seedlings-1")), state)
    assert before.mean == pytest.approx(0.9) and before.sd == pytest.approx(0.1)
    assert before.charged_ms == 3 * HOUR_MS
    when = local_time(START_MS)
    assert sentence(before) == (
        f"seedlings-1, {when}, val_acc 0.900 ± 0.100, 3.00 h charged (key 0abcdef0… and 2 more)"
    )


def test_of_a_plan_that_is_known_in_parts_it_says_which_and_what_they_save() -> None:
    state = state_of(trained("seedlings-1", 0.8, 0.9, 1.0), trained("other-1", 0.7, 0.7, 0.7))
    one, two = before_of(expected({0: "other-1", 1: "seedlings-1", 2: "seedlings-1"}), state)
    assert (one.run, one.jobs) == ("seedlings-1", ("train.fold1", "train.fold2"))
    assert (two.run, two.charged_ms) == ("other-1", HOUR_MS)
    assert partly(one, 3) == (
        f"2 of 3 accelerator jobs from seedlings-1 ({local_time(START_MS)}, val_acc 0.900, 1.000):"
        " 2.00 h are not spent again"
    )
    assert before_of(expected({}), state) == []


def test_scores_of_a_matrix_have_no_mean() -> None:
    state = state_of(trained("seedlings-1", 0.8, 0.9))
    known = expected({0: "seedlings-1", 1: "seedlings-1"}, folds=2)
    known = [replace(one, job=replace(one.job, matrix={"n": one.job.fold})) for one in known]
    (before,) = before_of(known, state)
    assert (before.metric, before.scores, before.mean) == ("", (), None)
    assert "0.8" not in sentence(before)


def test_a_run_that_nobody_knows_any_more_is_not_told() -> None:
    assert before_of(expected({0: "gone-1"}), State()) == []
