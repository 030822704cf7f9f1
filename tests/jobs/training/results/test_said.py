"""What a training says of itself with its first epoch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.results.said import FACTS
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch
NET = "tests.jobs.training.small_net:Net"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"), sizes=(8, 16))


@pytest.fixture
def said(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[dict[str, Any]]]:
    """What a training with these fields reports, without its numbers by epoch."""

    def said(**fields: Any) -> list[dict[str, Any]]:
        ctx: skint.Context = context(tmp_path, packed, devices=("simulated-0",))
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        train(CheckedRecipe(model=NET, batch_size=12, augment="none", **fields), ctx)
        lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
        reports = [line["values"] for line in lines if line["kind"] == "report"]
        assert (reports[-1]["n"], reports[-1]["metric"]) == (12, reports[0]["metric"])
        return [{k: v for k, v in one.items() if k in FACTS} for one in reports[:-1]]

    return said


def test_a_training_says_what_it_is_measured_by_with_its_first_epoch_only(said: Any) -> None:
    first, *others = said(epochs=3, schedule="sgdr", cycle_mult=2)

    assert first["classes"].startswith("label: 3 classes (")
    del first["classes"]
    assert first == {
        "metric": "val_acc",
        "larger_is_better": True,
        "items": 12,
        "largest_class": 1 / 3,
        "schedule": "sgdr 1+2",
        "warmup_epochs": 0.0,
        "cycle_ends": "1 3",
    }
    assert others == [{}, {}]


def test_cycles_of_a_later_stage_end_after_the_epochs_before_it(said: Any) -> None:
    stages = [
        {"size": 8, "epochs": 1, "schedule": "constant"},
        {"size": 16, "epochs": 2, "schedule": "sgdr", "warmup_epochs": 1},
    ]
    first, *_ = said(stages=stages, monitor="val_loss")

    assert first["metric"] == "val_acc", "a loss says little: the usual metric is the score"
    assert first["schedule"] == "constant for 1, sgdr 1 for 2"
    assert first["cycle_ends"] == "3"
