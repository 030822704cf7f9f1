"""Folds in stages: sizes, weights that go on, what is counted, what is lost between two stages."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

import skint
from jobs.train.job import train
from jobs.training.fitting.device import Engine
from jobs.training.fitting.stages import Work, run_stage
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.recipe.planned import planned
from tests.jobs.small_set import context, small_set
from tests.jobs.training.fitting import stage_nets

pytestmark = pytest.mark.torch

STEPS = 4
"""Of an epoch: 24 pictures train, in batches of 7."""
BIG = 1e4


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"), sizes=(8, 12, 16))


Run = Callable[..., skint.Context]


@pytest.fixture
def run(tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Train fold 0 in `tmp_path / name` with these fields of the recipe."""

    def run(name: str, previous: Path | None = None, **fields: Any) -> skint.Context:
        ctx = context(tmp_path / name, packed, devices=("simulated-0",), previous=previous)
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        given = {"model": "tests.jobs.training.small_net:Net", "batch_size": 7, **fields}
        train(CheckedRecipe(**given), ctx)
        return ctx

    return run


def events(ctx: skint.Context, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def notes(ctx: skint.Context) -> str:
    return "\n".join(line["text"] for line in events(ctx, "note"))


def metrics(ctx: skint.Context) -> list[dict[str, str]]:
    return list(csv.DictReader((ctx.out / "metrics.csv").open()))


def state(ctx: skint.Context, epoch: int) -> dict[str, Any]:
    """What the network was after that epoch, counted from 1; of `keep_every: 1`."""
    saved = torch.load(ctx.out / "checkpoints" / f"epoch-{epoch:04}.ckpt", weights_only=False)
    return saved["state_dict"]  # type: ignore[no-any-return]


def moved(ctx: skint.Context, first: int, second: int) -> set[str]:
    """Names of the layers that differ between two epochs."""
    one, two = state(ctx, first), state(ctx, second)
    return {name for name in one if not torch.equal(one[name], two[name])}


def test_each_stage_has_its_size_its_batches_and_its_name(run: Run) -> None:
    stage_nets.SEEN.clear()
    ctx = run(
        "a",
        model="tests.jobs.training.fitting.stage_nets:Telling",
        stages=[
            {"size": 8, "epochs": 2},
            {"size": 16, "epochs": 1, "batch_size": 12, "name": "the end"},
        ],
    )
    trained = [shape for training, shape in stage_nets.SEEN if training]
    small = [(size, 3, 8, 8) for size in (7, 7, 7, 3)]
    assert trained == [*small, *small, (12, 3, 16, 16), (12, 3, 16, 16)]
    validated = [shape[2:] for training, shape in stage_nets.SEEN if not training]
    assert validated == [(8, 8)] * 4 + [(16, 16)]

    assert [line["name"] for line in events(ctx, "stage")] == ["8px", "the end"]
    assert "stage 8px: 2 epochs; stage the end: 1 epoch = 3 epochs, 10 steps" in notes(ctx)
    rows = metrics(ctx)
    assert [(row["epoch"], row["stage"]) for row in rows] == [
        ("1", "8px"), ("2", "8px"), ("3", "the end")
    ]  # fmt: skip
    reports = [line["values"] for line in events(ctx, "report")]
    assert reports[0]["schedule"] == "one-cycle for 2, one-cycle for 1"
    assert [(r["epoch"], r["epochs"]) for r in reports] == [(1, 3), (2, 3), (3, 3), (3, 3)]
    assert json.loads((ctx.out / "model.json").read_text())["size_px"] == [16, 16]


def test_a_stage_goes_on_from_the_weights_of_the_one_before_with_a_new_optimizer(run: Run) -> None:
    stages = [{"name": "one", "epochs": 1}, {"name": "two", "epochs": 1, "lr": 1e-12}]
    ctx = run("a", stages=stages, keep_every=1, weight_decay=0.0, optimizer="sgd", lr=0.05)
    one, two = state(ctx, 1), state(ctx, 2)
    for name, parameter in one.items():
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(parameter, two[name], atol=1e-7), name
    last = torch.load(ctx.out / "checkpoints" / "last.ckpt", weights_only=False)
    assert last["global_step"] == STEPS and last["epoch"] == 2
    assert last["lr_schedulers"] == [{"step": STEPS}]


def test_the_order_of_the_pictures_differs_from_stage_to_stage(run: Run, packed: Path) -> None:
    """It is keyed by the epoch, which is counted through all stages."""
    ctx = run("a", stages=[{"name": "one", "epochs": 1}, {"name": "two", "epochs": 2}])
    last = torch.load(ctx.out / "checkpoints" / "last.ckpt", weights_only=False)
    loader = last["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    assert loader[0]["epoch"] in (2, 3)  # the third epoch, or where the next one would begin


def test_a_size_that_the_set_does_not_have_is_named_before_the_training(
    run: Run, tmp_path: Path
) -> None:
    with pytest.raises(skint.SkintError) as caught:
        run("a", stages=[{"size": 16, "epochs": 1}, {"size": 20, "epochs": 1}])
    said = str(caught.value)
    assert "does not have this size" in said and "8, 12, 16" in said and "resize" in said
    assert not (tmp_path / "a" / "events.jsonl").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"stages": [{"size": 8, "epochs": 1}, {"size": 16, "epochs": 1}], "ema": 0.9},
        {"fine_tune": 1, "epochs": 1},
        {
            "stages": [{"name": "one", "epochs": 4}, {"name": "two", "epochs": 1}],
            "early_stopping": {"patience": 1, "min_delta": BIG},
            "monitor": "val_loss",
        },
    ],
)
def test_what_is_lost_as_a_stage_begins_goes_on_from_the_end_of_the_one_before(
    run: Run, tmp_path: Path, fields: dict[str, Any]
) -> None:
    fields = {"model": "tests.jobs.training.fitting.stage_nets:Fragile", **fields}
    stage_nets.LEFT.clear()
    whole = run("whole", **fields)
    first_stage = sum(row["stage"] == metrics(whole)[0]["stage"] for row in metrics(whole))
    stage_nets.LEFT[:] = [first_stage * STEPS + 2]
    with pytest.raises(ConnectionAbortedError):
        run("first", **fields)
    stage_nets.LEFT.clear()
    second = run("second", previous=tmp_path / "first" / "out", **fields)
    for name in ("predictions.npz", "metrics.csv", "result.json", "model.json"):
        assert (second.out / name).read_bytes() == (whole.out / name).read_bytes()
    reports = [line["values"]["epoch"] for line in events(second, "report")]
    assert min(reports) > first_stage  # nothing of the first stage was done again


def test_the_best_epoch_is_one_at_the_size_of_the_last_stage(run: Run) -> None:
    stages = [
        {"size": 8, "epochs": 5, "lr": 0.02},
        {"size": 16, "epochs": 2, "lr": BIG, "schedule": "constant"},
    ]
    ctx = run("a", stages=stages, optimizer="sgd")
    rows = metrics(ctx)
    best = max(range(5), key=lambda n: float(rows[n]["val_acc"]))
    assert float(rows[best]["val_acc"]) > max(float(row["val_acc"]) for row in rows[5:])
    assert json.loads((ctx.out / "result.json").read_text())["best_epoch"] in (6, 7)


def test_of_one_size_every_stage_may_have_the_best_epoch(run: Run) -> None:
    stages = [
        {"name": "good", "epochs": 5, "lr": 0.02},
        {"name": "bad", "epochs": 2, "lr": BIG, "schedule": "constant"},
    ]
    ctx = run("a", stages=stages, optimizer="sgd")
    assert json.loads((ctx.out / "result.json").read_text())["best_epoch"] <= 5


def test_fine_tuning_moves_the_head_first_and_then_all_of_it(run: Run) -> None:
    ctx = run("a", fine_tune=2, epochs=1, keep_every=1)
    head = {"network.head.weight", "network.head.bias"}
    assert moved(ctx, 1, 2) == head
    assert moved(ctx, 2, 3) == set(state(ctx, 1))
    assert [row["stage"] for row in metrics(ctx)] == ["head", "head", "all"]


def test_layers_thaw_at_their_epochs(run: Run) -> None:
    ctx = run(
        "a",
        epochs=3,
        freeze="backbone",
        unfreeze=[1, 2],
        schedule="constant",
        keep_every=1,
    )
    layer = {
        epoch: {name.split(".")[1] + name.split(".")[2] for name in moved(ctx, epoch, epoch + 1)}
        for epoch in (1, 2)
    }
    assert layer == {
        1: {"headweight", "headbias", "body1"},  # batch normalisation, its statistics too
        2: {"headweight", "headbias", "body1", "body0"},
    }


def test_a_fold_that_gets_no_better_ends_and_says_what_was_not_run(run: Run) -> None:
    rule = {"patience": 2, "min_delta": BIG}
    ctx = run("a", epochs=9, early_stopping=rule, monitor="val_loss")
    rows = metrics(ctx)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert "val_loss was" in notes(ctx) and "6 of 9 epochs not run" in notes(ctx)
    result = json.loads((ctx.out / "result.json").read_text())
    assert result["epochs"] == 9 and 1 <= result["best_epoch"] <= 3


def test_the_average_is_what_validates_and_what_is_published(run: Run) -> None:
    ctx = run("a", epochs=1, ema=0.9, optimizer="sgd", lr=0.05)
    best = torch.load(ctx.out / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    last = torch.load(ctx.out / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
    for name, value in best.items():
        assert torch.equal(value, last[f"average.network.{name}"])
    assert not torch.equal(best["head.weight"], last["network.head.weight"])
    assert int(last["average._extra_state"]) == STEPS


@pytest.mark.parametrize(
    ("fields", "steps"),
    [({"accumulate": 3}, 2), ({"accumulate": 4}, 1), ({"accumulate": 9}, 1), ({}, STEPS)],
)
def test_steps_are_counted_with_the_incomplete_window_of_an_epoch(
    run: Run, fields: dict[str, Any], steps: int
) -> None:
    ctx = run("a", epochs=2, **fields)
    last = torch.load(ctx.out / "checkpoints" / "last.ckpt", weights_only=False)
    assert last["global_step"] == 2 * steps
    assert last["lr_schedulers"] == [{"step": 2 * steps}]
    assert float(metrics(ctx)[-1]["lr"]) < 1e-5  # the schedule came to its end


def test_the_gradients_are_cut(run: Run) -> None:
    """With a norm of next to nothing, plain steps go next to nowhere."""
    options = {"epochs": 2, "optimizer": "sgd", "weight_decay": 0.0, "keep_every": 1}
    free, cut = run("a", **options), run("b", clip_norm=1e-9, **options)

    def way(ctx: skint.Context) -> float:
        first, second = state(ctx, 1), state(ctx, 2)
        return float((first["network.head.weight"] - second["network.head.weight"]).norm())

    assert way(cut) < 1e-7 < way(free)


def test_mixing_changes_what_is_learnt_and_the_same_each_time(run: Run) -> None:
    plain, one, other = (
        run(name, epochs=1, **fields)
        for name, fields in (("a", {}), ("b", {"mixup": 0.4}), ("c", {"mixup": 0.4}))
    )
    weights = [
        torch.load(ctx.out / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
        for ctx in (plain, one, other)
    ]
    name = "network.body.0.weight"
    assert torch.equal(weights[1][name], weights[2][name])
    assert not torch.equal(weights[0][name], weights[1][name])


def test_layers_do_not_thaw_on_several_devices(tmp_path: Path, packed: Path) -> None:
    """The copies are made once, of what learns then."""
    recipe = CheckedRecipe(model="net:Net", freeze="backbone", unfreeze=(1,))
    ctx = context(tmp_path / "a", packed)
    work = Work(ctx, {}, None, Engine("cpu", "32-true", devices=2), None, None, None, None)  # type: ignore[arg-type]
    with pytest.raises(skint.SkintError, match="cannot thaw within a stage"):
        run_stage(work, planned(recipe)[0], None)
