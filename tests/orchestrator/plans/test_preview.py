"""What is expected of a plan's jobs before it is submitted."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.forecasts.history import History, Kind
from orchestrator.graph import Graph
from orchestrator.plans.keys import job_key
from orchestrator.plans.preview import Expectation, preview
from orchestrator.state.state import Result, State
from tests.orchestrator.pasts import (
    DONE_MS,
    LAPTOP,
    NAMES,
    attempt_of,
    done_fold,
    folds_graph,
    run_of,
    state_of,
)

T4: Kind = ("local", "Tesla T4")


def finished(graph: Graph) -> State:
    """Everything of `graph` is done; the digest of an output is the job's name."""
    digests: dict[str, str] = {}
    results = {}
    for job in graph.jobs:
        needed = {name: digests[name] for name in graph.ancestors(job.id)}
        key = job_key(job.static_key, needed)
        digests[job.id] = job.id
        out = f"/runs/seedlings-1/{job.id}/1/out"
        attempt = f"seedlings-1.{job.id}.1"
        results[key] = Result(key, "seedlings-1", job.id, attempt, out, job.id, 5_000)
    cpu = [attempt_of(name, device="", wall_ms=5_000) for name in ("packed", "folds")]
    folds = [done_fold(n) for n in range(3)]
    return replace(state_of(run_of(graph, [*cpu, *folds])), results=results)


def seen(
    graph: Graph, state: State, *gone: str, kind: Kind | None = T4, again: bool = False
) -> dict[str, Expectation]:
    """By job; the files of `gone` are not there any more."""
    found = preview(
        graph,
        state,
        again=again,
        wrong_with=lambda out: "its files are gone" if out.split("/")[3] in gone else "",
        history=History(NAMES),
        kind_for=lambda _: kind,
    )
    return {one.job.id: one for one in found}


def test_jobs_that_run_are_forecast_and_those_that_are_reused_take_no_time() -> None:
    state = finished(folds_graph())
    again = seen(folds_graph(), state, again=True)
    assert again["train.fold1"].forecast.likely_ms == DONE_MS
    assert again["train.fold1"].forecast.basis.startswith("3 runs of resnet18 at 224 px")
    assert again["packed"].what == "reused" and again["packed"].forecast.high_ms == 0


def test_a_plan_with_other_images_is_unknown_on_the_accelerator() -> None:
    """Edge 52: no history. CPU work is expected to take what it took the last time."""
    other = seen(folds_graph(size=96), finished(folds_graph()))
    assert other["train.fold0"].forecast.source == "unknown"
    assert other["packed"].forecast.likely_ms == 5_000
    assert other["packed"].forecast.basis == "1 run of packed in seedlings-1"


def test_where_the_device_is_not_known_neither_is_the_time() -> None:
    state = finished(folds_graph())
    assert seen(folds_graph(), state, again=True, kind=None)["train.fold0"].reserve_ms > 0
    unplaced = seen(folds_graph(), state, again=True, kind=None)["train.fold0"]
    assert unplaced.forecast.source == "unknown"
    laptop = seen(folds_graph(), state, again=True, kind=("local", NAMES[LAPTOP]))
    assert laptop["train.fold0"].forecast.source == "unknown"


def test_what_was_paid_for_is_not_counted_again_because_free_work_has_to_be_repeated() -> None:
    found = seen(folds_graph(), finished(folds_graph()), "packed", "folds")
    assert found["packed"].what == found["folds"].what == "runs"
    assert found["packed"].why == "packed of seedlings-1 cannot be used: its files are gone"
    assert found["train.fold2"].what == "reused" and found["train.fold2"].reserve_ms == 0


def test_a_fold_whose_own_files_are_gone_is_paid_for_again() -> None:
    found = seen(folds_graph(), finished(folds_graph()), "train.fold1")
    assert found["train.fold1"].what == "runs" and found["train.fold1"].reserve_ms > 0
    assert found["train.fold0"].what == "reused"


def test_changed_parameters_change_everything_below() -> None:
    found = seen(folds_graph(size=96), finished(folds_graph()))
    assert found["packed"].why == "size 224 → 96 since seedlings-1"
    assert found["train.fold0"].what == "runs" and found["train.fold0"].key is None
