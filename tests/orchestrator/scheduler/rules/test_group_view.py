"""What a stop rule is shown of a group: the pictures on which a fold and the baseline's differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.baselines.agreement import agreement_of
from orchestrator.baselines.book import Book
from orchestrator.scheduler.inputs import Inputs
from orchestrator.scheduler.rules.group_view import whole_view
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState
from orchestrator.stop_rules.base import GroupView
from tests.orchestrator.baselines.test_agreement import correct
from tests.orchestrator.baselines.trained import START_MS, graph_of, run_of, state_of


def with_file(run: RunState, fold: int, path: str) -> RunState:
    """The fold's result lies where the file is."""
    job = run.jobs[f"train.fold{fold}"]
    return with_record(run, "jobs", replace(job, out=str(Path(path).parent)))


def written(folder: Path, bits: list[bool], **changes: Any) -> str:
    folder.mkdir()
    return correct(folder / "correct.json", bits, **changes)


def seen(before: RunState, run: RunState) -> GroupView:
    inputs = Inputs(book=Book(), agreement=agreement_of)
    job = run.graph.job("train.fold1")
    return whole_view(state_of(before, run), run, job, inputs, START_MS, 0)


@pytest.mark.parametrize("metric", ["val_acc", "val_top5"])
def test_a_fold_that_has_ended_is_compared_picture_by_picture(tmp_path: Path, metric: str) -> None:
    said = {"metric": metric}
    before = run_of((0.8, 0.8, 0.8), graph=graph_of(metric=metric), said=said)
    now = run_of({0: 0.7}, run="seedlings-2", graph=graph_of(metric=metric, lr=1), said=said)
    theirs = written(tmp_path / "theirs", [True, True, True, False, False])
    ours = written(tmp_path / "ours", [True, False, False, True, False])

    view = seen(with_file(before, 0, theirs), with_file(now, 0, ours))

    assert view.baseline is not None and view.baseline.run == "seedlings-1"
    counts = (1, 2) if metric == "val_acc" else (None, None)
    assert (view.folds[0].wins, view.folds[0].losses) == counts, "of top 5 the file says nothing"
    assert (view.folds[1].wins, view.folds[1].losses) == (None, None), "it has not ended"


def test_files_of_other_pictures_count_for_nothing(tmp_path: Path) -> None:
    before, now = run_of(), run_of({0: 0.7}, run="seedlings-2", graph=graph_of(lr=1))
    theirs = written(tmp_path / "theirs", [True, True], pictures="77e0")
    ours = written(tmp_path / "ours", [True, False])

    view = seen(with_file(before, 0, theirs), with_file(now, 0, ours))

    assert view.baseline is not None
    assert view.folds[0].wins is None
