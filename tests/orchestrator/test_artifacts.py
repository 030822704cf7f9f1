"""The files that jobs have made: listed by kind, and fetched whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.artifacts import CannotCopy, copy, kind_of, made_in, only
from orchestrator.state.state import RunState
from tests.orchestrator.pasts import attempt_of, folds_graph, run_of

LEFT = "fold1/out/a.ckpt"


@pytest.fixture
def run(tmp_path: Path) -> RunState:
    """Fold 0 is done, fold 1 was stopped with a checkpoint, fold 2 left nothing."""
    attempts = []
    for fold, outcome in enumerate(("done", "stopped", "failed")):
        made = attempt_of(f"train.fold{fold}", wall_ms=9, outcome=outcome)
        attempts.append(replace(made, folder=str(tmp_path / f"fold{fold}")))
    for name in (
        "fold0/out/checkpoints/best.ckpt",
        "fold0/out/predictions.npz",
        "fold1/out/a.ckpt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    found = run_of(folds_graph(), attempts)
    jobs = {
        **found.jobs,
        "train.fold0": replace(found.jobs["train.fold0"], out=attempts[0].out),
        "packed": replace(found.jobs["packed"], out="/gone", result_of="older-1.packed.1"),
        "folds": replace(found.jobs["folds"], status="waiting"),
    }
    return replace(found, jobs=jobs)


def test_results_and_leftovers_are_listed_and_what_was_removed_says_so(run: RunState) -> None:
    packed, fold0, fold1 = made_in(run)
    assert (packed.job, packed.files, packed.run) == ("packed", (), "older-1")
    assert [(file.name, file.kind) for file in fold0.files] == [
        ("checkpoints/best.ckpt", "checkpoint"),
        ("predictions.npz", "predictions"),
    ]
    assert fold0.size_bytes == len("fold0/out/checkpoints/best.ckpt" + "fold0/out/predictions.npz")
    assert (fold1.status, fold1.made_by) == ("unfinished", "seedlings-1.train.fold1.1")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("checkpoints/last.ckpt", "checkpoint"),
        ("model.PTH", "model"),
        ("submission.csv", "predictions"),
        ("metrics.csv", "table"),
        ("report.html", "report"),
        ("pixels", "other"),
    ],
)
def test_a_file_is_what_its_name_says(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_one_kind_alone(run: RunState) -> None:
    kept = only(made_in(run), ["predictions"])
    assert [(one.job, len(one.files)) for one in kept] == [("train.fold0", 1)]
    assert len(only(made_in(run), [])) == 3


def test_copies_are_whole_made_once_and_overwrite_nothing(run: RunState, tmp_path: Path) -> None:
    target = tmp_path / "fetched"
    assert copy(made_in(run), target) == (3, 0)
    copied = target / "train.fold0" / "predictions.npz"
    assert copied.read_bytes() == b"fold0/out/predictions.npz"
    assert copy(made_in(run), target) == (0, 3), "a second time there is nothing to do"
    copied.write_bytes(b"my own")
    (target / "train.fold1" / "a.ckpt").unlink()
    with pytest.raises(CannotCopy, match=r"another file of this name"):
        copy(made_in(run), target)
    assert copied.read_bytes() == b"my own"
    assert not (target / "train.fold1" / "a.ckpt").exists(), "nothing was copied"


def test_a_place_that_cannot_be_written_is_an_error_with_its_name(
    run: RunState, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotCopy, match="file"):
        copy(made_in(run), tmp_path / "file" / "below")
