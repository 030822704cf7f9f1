"""Modules of a user's own, trained, stopped and gone on with."""

from __future__ import annotations

import csv
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

import skint
from skint import StopRequested
from skint.checkpoint import CHECKPOINT
from skint.outputs import hash_outputs
from tests.jobs.fit.conftest import STAGED, Train

pytestmark = pytest.mark.torch

ONE: dict[str, Any] = {"module": "points_task:Judge", "data": "points_task:Data", "epochs": 2}


def lines(ctx: skint.Context, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line for line in found if line["kind"] == kind]


def weights(ctx: skint.Context, name: str = "best.ckpt") -> dict[str, torch.Tensor]:
    state = torch.load(ctx.out / "checkpoints" / name, weights_only=True)["state_dict"]
    assert isinstance(state, dict)
    return state


def test_a_module_is_trained_and_its_best_epoch_published(train: Train) -> None:
    ctx = train("one", {**ONE, "monitor": "val_acc", "epochs": 3})
    rows = list(csv.DictReader((ctx.out / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    best = max(rows, key=lambda row: (float(row["val_acc"]), int(row["epoch"])))
    result = json.loads((ctx.out / "result.json").read_text())
    assert (result["metric"], result["n"], result["epochs"]) == ("val_acc", 24, 3)
    assert result["best_epoch"] == int(best["epoch"])
    assert result["score"] == float(best["val_acc"])
    reported = [line["values"] for line in lines(ctx, "report")]
    assert [values["epoch"] for values in reported] == [1, 2, 3, 3]
    assert {"val_loss", "val_acc", "seconds", "in_step_s"} <= reported[0].keys()
    assert (reported[0]["metric"], reported[0]["larger_is_better"]) == ("val_acc", True)
    assert "metric" not in reported[1]
    assert reported[-1]["score"] == result["score"]
    assert lines(ctx, "stage") == []
    assert weights(ctx).keys() >= {"encoder.0.weight", "head.weight"}


def test_the_same_training_publishes_the_same_bytes(train: Train) -> None:
    assert hash_outputs(train("one", ONE).out) == hash_outputs(train("two", ONE).out)


def test_a_fold_and_arguments_reach_the_classes(train: Train) -> None:
    plain = train("plain", {**ONE, "epochs": 1})
    other = train("other", {**ONE, "epochs": 1}, fold=1, folds=2)
    assert not torch.equal(weights(plain)["head.weight"], weights(other)["head.weight"])
    wide = train(
        "wide",
        {**ONE, "epochs": 1, "module_args": {"width": 5}, "data_args": {"batch_size": 16}},
    )
    assert weights(wide)["head.weight"].shape == (2, 5)
    assert lines(wide, "checkpoint")[-1]["step"] == 64 // 16


def test_a_module_that_takes_its_data_gets_it_set_up(train: Train) -> None:
    ctx = train("knowing", {**ONE, "epochs": 1, "module": "points_task:Knowing"})
    assert weights(ctx)["head.weight"].shape == (2, 5)


def test_stages_hand_weights_on_and_count_on(train: Train) -> None:
    ctx = train("staged", STAGED)
    assert [line["name"] for line in lines(ctx, "stage")] == ["copy", "judge"]
    assert [line["text"] for line in lines(ctx, "note")] == [
        "2 tensors (40 values) handed on from copy"
    ]
    rows = list(csv.DictReader((ctx.out / "metrics.csv").open()))
    assert [(row["epoch"], row["stage"]) for row in rows] == [
        ("1", "copy"),
        ("2", "copy"),
        ("3", "judge"),
        ("4", "judge"),
    ]
    assert rows[0]["val_acc"] == "" and rows[2]["val_acc"] != ""
    reported = [line["values"] for line in lines(ctx, "report")]
    assert [(values["epoch"], values["epochs"]) for values in reported[:4]] == [
        (number, 4) for number in (1, 2, 3, 4)
    ]
    kept = [(line["epoch"], line["step"]) for line in lines(ctx, "checkpoint")]
    assert kept == sorted(kept) and kept[-1] == (4, 32)
    assert weights(ctx, "copy.ckpt").keys() >= {"decoder.weight"}


PLACES = [
    "Copier train 3",  # in the first stage
    "Copier validate 8",
    "Copier train 15",  # its last step
    "Copier validate 16",
    "Judge train 0",  # the first step of the second
    "Judge train 5",
    "Judge validate 8",
    "Judge validate 16",
]


def test_a_stop_changes_nothing_of_what_is_published(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = hash_outputs(train("whole", STAGED).out)
    for number, place in enumerate(PLACES):
        monkeypatch.setenv("STOP_AT", place)
        with pytest.raises(StopRequested):
            train(f"first{number}", STAGED)
        monkeypatch.delenv("STOP_AT")
        first = skint.Context.for_test(tmp_path / f"first{number}")
        second = train(f"second{number}", STAGED, previous=first)
        assert hash_outputs(second.out) == wanted, place


def test_an_epoch_without_a_validation_is_not_the_best(train: Train) -> None:
    given = {"trainer_args": {"check_val_every_n_epoch": 2}, "epochs": 3}
    ctx = train("one", {**ONE, **given})
    rows = list(csv.DictReader((ctx.out / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["2"]
    assert json.loads((ctx.out / "result.json").read_text())["best_epoch"] == 2


def test_what_was_measured_before_a_stop_in_an_epoch_is_in_its_row(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = {**ONE, "trainer_args": {"val_check_interval": 0.75}}  # after 6 of 8 steps
    wanted = hash_outputs(train("whole", params).out)
    monkeypatch.setenv("STOP_AT", "Judge train 6")
    with pytest.raises(StopRequested):
        train("first", params)
    monkeypatch.delenv("STOP_AT")
    second = train("second", params, previous=skint.Context.for_test(tmp_path / "first"))
    assert hash_outputs(second.out) == wanted


@pytest.mark.parametrize(
    "place",
    [
        "Judge train 2",  # the second stage has saved nothing yet
        "Copier train 12",  # nor has the first one
    ],
)
def test_what_was_lost_is_trained_again(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    wanted = hash_outputs(train("whole", STAGED).out)
    monkeypatch.setenv("FAIL_AT", place)
    with pytest.raises(RuntimeError, match="the machine went down"):
        train("lost", STAGED)
    monkeypatch.delenv("FAIL_AT")
    second = train("second", STAGED, previous=skint.Context.for_test(tmp_path / "lost"))
    assert hash_outputs(second.out) == wanted


def test_a_checkpoint_that_was_cut_short_is_passed_over_for_the_one_before(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = hash_outputs(train("whole", STAGED).out)
    monkeypatch.setenv("STOP_AT", "Judge train 5")
    with pytest.raises(StopRequested):
        train("first", STAGED)
    monkeypatch.delenv("STOP_AT")
    first = skint.Context.for_test(tmp_path / "first")
    os.truncate(first.out / CHECKPOINT, 1000)
    second = train("second", STAGED, previous=first)
    assert hash_outputs(second.out) == wanted
    notes = [line["text"] for line in lines(second, "note")]
    where = "(epoch 2, step 16)"
    assert notes[0] == f"the newest checkpoint is damaged: goes on from the one before {where}"


@pytest.mark.parametrize("kept_epoch", [1, 2])
def test_the_best_epoch_is_one_whose_weights_are_there(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_epoch: int
) -> None:
    """An attempt that is killed may have kept better weights than its last checkpoint knows of."""
    monkeypatch.setenv("STOP_AT", "Judge train 10")  # in the second epoch
    with pytest.raises(StopRequested):
        train("first", ONE)
    monkeypatch.delenv("STOP_AT")
    first = skint.Context.for_test(tmp_path / "first")
    state = torch.load(first.out / CHECKPOINT, weights_only=False)
    state["skint"]["best"]["val_loss"] = -1.0  # what the epoch to come cannot be
    torch.save(state, first.out / CHECKPOINT)
    best = first.out / "checkpoints" / "best.ckpt"
    torch.save({**torch.load(best), "epoch": kept_epoch}, best)
    second = train("second", ONE, previous=first)
    result = json.loads((second.out / "result.json").read_text())
    weights_epoch = torch.load(second.out / "checkpoints" / "best.ckpt")["epoch"]
    assert weights_epoch == result["best_epoch"] == kept_epoch


def test_a_score_that_is_no_number_is_null(train: Train) -> None:
    ctx = train("one", {**ONE, "module": "points_task:Diverging", "epochs": 1})
    text = (ctx.out / "result.json").read_text()
    assert "NaN" not in text and json.loads(text)["score"] is None
    assert lines(ctx, "report")[-1]["values"]["score"] is None


def test_a_stage_that_stopped_early_is_not_trained_on_after_a_loss(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = STAGED["stages"]
    params = {
        **STAGED,
        "stages": [{**first, "module": "points_task:Stopping", "epochs": 9}, second],
    }
    whole = train("whole", params)
    rows = list(csv.DictReader((whole.out / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "10", "11"]
    monkeypatch.setenv("FAIL_AT", "Judge train 2")
    with pytest.raises(RuntimeError, match="the machine went down"):
        train("lost", params)
    monkeypatch.delenv("FAIL_AT")
    again = train("again", params, previous=skint.Context.for_test(tmp_path / "lost"))
    assert hash_outputs(again.out) == hash_outputs(whole.out)


@pytest.mark.skipif(find_spec("lightning") is None, reason="the extra `test` has lightning")
def test_modules_of_the_other_lightning_are_trained_by_its_trainer(
    train: Train, task_folder: Path
) -> None:
    text = (task_folder / "points_task.py").read_text()
    other = text.replace("import pytorch_lightning as pl", "import lightning.pytorch as pl")
    (task_folder / "other_task.py").write_text(other)
    ctx = train("other", {"module": "other_task:Judge", "data": "other_task:Data", "epochs": 1})
    assert [line["values"]["epoch"] for line in lines(ctx, "report")] == [1, 1]
    from jobs.fit.classes import ClassError

    with pytest.raises(ClassError, match="stand on two Lightnings"):
        train("mixed", {**ONE, "data": "other_task:Data"})
