"""Which jobs are alike, and what their past teaches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.forecasts.history import History, Likeness, kind_of
from orchestrator.graph import Graph, Job
from tests.orchestrator.pasts import (
    DONE_MS,
    GPU,
    LAPTOP,
    NAMES,
    START_MS,
    attempt_of,
    done_fold,
    folds_graph,
    reports,
    run_of,
    state_of,
)

FOLD = "train.fold0"


def like(graph: Graph, job: str = FOLD) -> str:
    return Likeness(graph)[job]


@pytest.mark.parametrize(
    "same",
    [
        {"lr": 0.5},
        {"epochs": 30},
        {"weights": "best.ckpt"},
        {"seed": 7},
        {"dropout": 0.3},
        {"limit_s": 60.0},
        {"name": "another-plan"},
    ],
)
def test_what_only_changes_what_is_learnt_leaves_jobs_alike(same: dict[str, Any]) -> None:
    assert like(folds_graph(**same)) == like(folds_graph())


@pytest.mark.parametrize(
    "other",
    [{"model": "resnet50"}, {"batch_size": 64}, {"precision": "32"}, {"size": 160}, {"folds": 5}],
)
def test_model_size_batch_precision_and_share_of_the_data_make_another_pace(
    other: dict[str, Any],
) -> None:
    assert like(folds_graph(**other)) != like(folds_graph())


def test_folds_of_one_entry_are_alike() -> None:
    graph = folds_graph()
    assert like(graph, "train.fold0") == like(graph, "train.fold2") != like(graph, "packed")


def test_data_of_another_folder_is_other_data() -> None:
    assert like(replace(folds_graph(), base="/elsewhere")) != like(folds_graph())


def test_programs_are_alike_within_their_entry_whatever_fold_they_are_given() -> None:
    def program(argv: tuple[str, ...], plan: str = "toy", **matrix: Any) -> str:
        job = Job("fit", "fit", argv=argv, devices=1, limit_s=60, matrix=matrix)
        return Likeness(Graph(plan, "lab", "/plans", (job,))).of(job)

    assert program(("python", "fit.py", "0")) == program(("python", "fit.py", "1"))
    assert program(("python",), lr=0.1) == program(("python",), lr=0.2)
    assert program(("python",), size=64) != program(("python",), size=128)
    assert program(("python",)) != program(("python",), plan="other")


def test_a_device_without_a_name_is_a_kind_of_its_own() -> None:
    assert kind_of("local", [GPU], NAMES) == kind_of("local", ["GPU-77aa"], NAMES)
    assert kind_of("local", [GPU], {}) != kind_of("local", ["GPU-77aa"], {})
    assert kind_of("local", [GPU], NAMES) != kind_of("slurm", [GPU], NAMES)
    assert kind_of("local", [GPU, LAPTOP], NAMES) == kind_of("local", [LAPTOP, GPU], NAMES)


def test_the_past_tells_the_first_epoch_the_others_and_the_tail_apart() -> None:
    graph = folds_graph()
    history = History(NAMES).update(state_of(run_of(graph, [done_fold()])))
    (past,) = history.of(like(graph), ("local", "Tesla T4"))
    assert (past.first_ms, past.epoch_ms, past.tail_ms) == (160_000, 60_000, 20_000)
    assert past.whole_ms == past.duration_ms(10) == DONE_MS
    assert past.duration_ms(20) == DONE_MS + 10 * 60_000
    assert not past.stopped_early


def test_a_laptop_says_nothing_about_an_accelerator() -> None:
    """Edge 52: there is no history on this kind of device."""
    graph = folds_graph()
    history = History(NAMES).update(state_of(run_of(graph, [done_fold(device=LAPTOP)])))
    assert history.of(like(graph), ("local", "Tesla T4")) == []
    assert len(history.of(like(graph), ("local", "simulated device"))) == 1


def test_a_job_without_epochs_tells_how_long_it_took_only_when_it_is_done() -> None:
    graph = folds_graph()
    job = graph.job("packed")
    ended = run_of(graph, [attempt_of("packed", device="", wall_ms=5_000)])
    running = run_of(graph, [attempt_of("packed", device="", run="b")], name="b", over=False)
    failed = attempt_of("packed", device="", run="c", wall_ms=9_000, outcome="failed")
    history = History().update(state_of(ended, running, run_of(graph, [failed], name="c")))
    durations = [p.duration_ms(None) for p in history.of(like(graph, job.id), ("local",))]
    assert sorted(durations, key=str) == [5_000, None, None]


def test_an_early_stop_is_told_from_a_run_of_all_epochs() -> None:
    """Edge 54: it was to have ten epochs and ended well after six."""
    graph = folds_graph()
    told = reports(60_000, 60_000, 6)
    early = run_of(graph, [attempt_of(FOLD, told, wall_ms=370_000)])
    (past,) = History(NAMES).update(state_of(early)).of(like(graph), ("local", "Tesla T4"))
    assert past.stopped_early and past.ran == 6
    assert past.duration_ms(10) == 610_000


def test_a_run_that_did_not_change_is_read_once() -> None:
    graph = folds_graph()
    first, second = run_of(graph, [done_fold()]), run_of(graph, name="b")
    history = History(NAMES).update(state_of(first))
    (past,) = history.of(like(graph), ("local", "Tesla T4"))
    history.update(state_of(first, second))
    (again,) = history.of(like(graph), ("local", "Tesla T4"))
    assert again is past
    history.update(state_of(run_of(graph, [done_fold(start_ms=START_MS + 1)]), second))
    (changed,) = history.of(like(graph), ("local", "Tesla T4"))
    assert changed.at_ms == START_MS + 1
    assert history.update(state_of(second)).of(like(graph), ("local", "Tesla T4")) == []


def test_devices_whose_names_become_known_later_are_one_kind_from_then_on() -> None:
    graph = folds_graph()
    state = state_of(run_of(graph, [done_fold(0), done_fold(1, device="GPU-77aa")]))
    history = History()
    history.update(state)
    assert len(history.of(like(graph), ("local", GPU))) == 1
    history.know(NAMES)
    history.update(state)
    pasts = history.of(like(graph), ("local", "Tesla T4"))
    assert len(pasts) == 2
    history.know(NAMES)
    assert history.update(state).of(like(graph), ("local", "Tesla T4")) == pasts
