"""Whole folds on tiny pictures, on the CPU, in this process."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from skint.attempt import AttemptDir
from tests.jobs.small_set import context, small_set

NET = "tests.jobs.training.small_net:Net"
EPOCHS = 3
STEPS = 4
"""An epoch of the small set: 24 pictures train, in batches of 7; one of 3 is the last."""


def recipe(**fields: Any) -> CheckedRecipe:
    return CheckedRecipe(
        **{"model": NET, "epochs": EPOCHS, "batch_size": 7, "augment": "light", **fields}
    )


def test_the_recipe_is_read_without_torch_or_numpy() -> None:
    """The plan imports it to check what stands under `with:`."""
    heavy = "import sys, jobs.train.job; print({'torch', 'numpy', 'timm'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"model": "resnt18"}, "nearest: resnet18"),
        ({"model": "efficientnet_lite0", "weights": "package"}, "weights: package exists for"),
        ({"epoch": 3}, "Extra inputs"),
        ({"batch_size": 1}, "greater than or equal to 2"),
        ({"schedule": "cosin"}, "'one-cycle', 'cosine', 'sgdr', 'step' or 'constant'"),
    ],
)
def test_a_mistake_in_the_recipe_is_named(fields: dict[str, Any], complaint: str) -> None:
    if find_spec("timm") is None:
        pytest.skip("without timm and torchvision any name passes")
    with pytest.raises(ValidationError, match=complaint):
        CheckedRecipe(**fields)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"))


@pytest.fixture
def run(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., skint.Context]:
    """Train a fold in `tmp_path / name`, as the worker would."""

    def run(name: str, given: CheckedRecipe, data: Path = packed, **options: Any) -> skint.Context:
        ctx = context(tmp_path / name, data, **{"devices": ("simulated-0",), **options})
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        train(given, ctx)
        return ctx

    return run


Run = Callable[..., skint.Context]


def events(ctx: skint.Context, kind: str) -> list[dict[str, Any]]:
    if not ctx.attempt.events.exists():
        return []
    lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def reports(ctx: skint.Context) -> list[dict[str, Any]]:
    return [line["values"] for line in events(ctx, "report")]


def published(ctx: skint.Context) -> dict[str, bytes]:
    """What must be the same bytes each time."""
    names = ("predictions.npz", "correct.json", "metrics.csv", "result.json", "model.json")
    return {name: (ctx.out / name).read_bytes() for name in names}


def weights(ctx: skint.Context, name: str) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    state: dict[str, Any] = torch.load(ctx.out / "checkpoints" / name, weights_only=False)
    return state["state_dict"]  # type: ignore[no-any-return]


def assert_same_weights(left: skint.Context, right: skint.Context) -> None:
    torch = pytest.importorskip("torch")
    for name in ("last.ckpt", "best.ckpt"):
        one, other = weights(left, name), weights(right, name)
        assert one.keys() == other.keys()
        differing = [key for key in one if not torch.equal(one[key], other[key])]
        assert not differing


@pytest.mark.torch
def test_a_fold_leaves_its_predictions_metrics_and_checkpoints(run: Run, packed: Path) -> None:
    ctx = run("a", recipe(epochs=6, lr=0.02))
    with np.load(ctx.out / "predictions.npz") as saved:
        predictions = dict(saved)
    folds = [int(row["fold"]) for row in csv.DictReader((packed / "folds.csv").open())]
    held_out = [row for row, fold in enumerate(folds) if fold == 0]
    assert predictions["ids"].tolist() == held_out
    assert predictions["target"].tolist() == [row % 3 for row in held_out]
    assert predictions["classes"].tolist() == ["blue", "green", "red"]
    assert predictions["probabilities"].dtype == np.float32
    assert np.allclose(predictions["probabilities"].sum(axis=1), 1, atol=1e-5)

    accuracy = (predictions["probabilities"].argmax(axis=1) == predictions["target"]).mean()
    assert accuracy > 0.8  # three plain colours are learnt
    rows = list(csv.DictReader((ctx.out / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    result = json.loads((ctx.out / "result.json").read_text())
    assert {name: result[name] for name in ("metric", "monitor", "score", "n", "epochs")} == {
        "metric": "val_acc",
        "monitor": "val_acc",
        "score": accuracy,
        "n": len(held_out),
        "epochs": 6,
    }
    of_class = result["classes"]["label"]
    assert sum(of_class[name]["n"] for name in of_class) == len(held_out)
    right = sum(of_class[name]["acc"] * of_class[name]["n"] for name in of_class)
    assert right / len(held_out) == pytest.approx(accuracy)
    best = rows[result["best_epoch"] - 1]
    assert float(best["val_acc"]) == pytest.approx(accuracy)
    assert max(float(row["val_acc"]) for row in rows) == float(best["val_acc"])

    *epochs, last = reports(ctx)
    assert [(r["epoch"], r["epochs"]) for r in epochs] == [(n, 6) for n in range(1, 7)]
    for row, report in zip(rows, epochs, strict=True):
        for name in ("train_loss", "val_loss", "val_acc", "lr"):
            assert report[name] == pytest.approx(float(row[name]), rel=1e-5)
        assert report["seconds"] > 0
    assert last == {
        "epoch": 6, "epochs": 6, "metric": "val_acc", "score": accuracy, "n": len(held_out)
    }  # fmt: skip
    assert events(ctx, "checkpoint")[-1]["path"] == "checkpoints/last.ckpt"


@pytest.mark.torch
def test_the_same_recipe_writes_the_same_bytes_and_another_seed_does_not(run: Run) -> None:
    first, second, other = run("a", recipe()), run("b", recipe()), run("c", recipe(seed=1))
    assert published(first) == published(second)
    assert_same_weights(first, second)
    assert published(other)["predictions.npz"] != published(first)["predictions.npz"]
    files = {path.relative_to(first.out).as_posix() for path in first.out.rglob("*.*")}
    assert files - {"local/timing.json"} == {
        "predictions.npz",
        "correct.json",
        "metrics.csv",
        "result.json",
        "model.json",
        "training.json",
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
    }


@pytest.mark.torch
@pytest.mark.parametrize(
    ("calls", "options", "stopped_at"),
    [
        (2, {}, 2),  # in the first epoch
        (STEPS + 3, {}, STEPS + 3),  # in the second
        (STEPS, {}, STEPS),  # after the last step of an epoch: stops in the validation
        (2, {"training": False}, STEPS),  # in the middle of the first validation
        (2, {"how": "epoch"}, STEPS + 1),  # waits for the end of the epoch
    ],
)
def test_a_parked_run_goes_on_to_the_bit(
    run: Run, tmp_path: Path, calls: int, options: dict[str, Any], stopped_at: int
) -> None:
    pytest.importorskip("torch")
    from tests.jobs.training.small_net import request_stop_at

    whole = run("whole", recipe())
    request_stop_at(AttemptDir(tmp_path / "first"), calls, **options)
    with pytest.raises(skint.StopRequested):
        run("first", recipe())
    first = AttemptDir(tmp_path / "first")
    assert not (first.out / "predictions.npz").exists()
    lines = [json.loads(line) for line in first.events.read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "checkpoint"] == [stopped_at]

    second = run("second", recipe(), previous=first.out)
    assert published(second) == published(whole)
    assert_same_weights(second, whole)
    epochs = [line["values"]["epoch"] for line in lines if line["kind"] == "report"]
    epochs += [report["epoch"] for report in reports(second)[:-1]]
    assert epochs == list(range(1, EPOCHS + 1))


@pytest.mark.torch
def test_a_run_lost_after_its_training_only_predicts(run: Run, tmp_path: Path) -> None:
    whole = run("whole", recipe())
    for name in published(whole):
        (whole.out / name).rename(tmp_path / name)
    second = run("second", recipe(), previous=whole.out)
    for name, content in published(second).items():
        assert content == (tmp_path / name).read_bytes()
    assert [report.get("metric") for report in reports(second)] == ["val_acc"]


@pytest.mark.torch
def test_a_resumed_run_that_is_lost_at_once_leaves_the_checkpoint_it_had(
    run: Run, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from tests.jobs.training.small_net import request_stop_at

    whole = run("whole", recipe())
    request_stop_at(AttemptDir(tmp_path / "first"), STEPS + 2)
    with pytest.raises(skint.StopRequested):
        run("first", recipe())
    # A model that is broken on this machine only: the second attempt dies before its first step.
    with pytest.raises(RuntimeError):
        run("second", recipe(augment="none", model="tests.jobs.training.small_net:WrongOutput"),
            previous=tmp_path / "first" / "out")  # fmt: skip
    third = run("third", recipe(), previous=tmp_path / "second" / "out")
    assert published(third) == published(whole)


@pytest.mark.torch
def test_a_loss_that_is_not_finite_is_reported_before_the_epoch_ends(run: Run) -> None:
    ctx = run("a", recipe(optimizer="sgd", lr=1e30, schedule="constant", epochs=1))
    first, epoch, last = reports(ctx)
    assert first == {"epoch": 0, "epochs": 1, "train_loss": "nan"}
    assert epoch["epoch"] == 1 and epoch["train_loss"] == "nan"
    assert last["metric"] == "val_acc"  # the stop rule decides, not the job


@pytest.mark.torch
def test_a_frozen_backbone_keeps_its_weights_and_its_batch_statistics(run: Run) -> None:
    torch = pytest.importorskip("torch")
    short, longer = (
        run(str(n), recipe(freeze="backbone", epochs=n, schedule="constant")) for n in (1, 2)
    )
    one, two = weights(short, "last.ckpt"), weights(longer, "last.ckpt")
    changed = {name for name in one if not torch.equal(one[name], two[name])}
    assert changed == {"network.head.weight", "network.head.bias"}
    assert int(two["network.body.1.num_batches_tracked"]) == 0


@pytest.mark.torch
def test_best_weights_start_another_run(run: Run) -> None:
    trained = run("a", recipe(epochs=4, lr=0.02))
    best = trained.out / "checkpoints" / "best.ckpt"
    ctx = run("b", recipe(weights=str(best), lr=1e-9, epochs=1))
    start, end = weights(trained, "best.ckpt"), weights(ctx, "best.ckpt")
    assert np.allclose(start["head.weight"], end["head.weight"], atol=1e-6)


@pytest.mark.torch
def test_half_precision_on_a_simulated_device_says_what_it_does(run: Run) -> None:
    ctx = run("a", recipe(precision="16-mixed", epochs=1))
    assert "bf16-mixed instead" in events(ctx, "note")[0]["text"]
    assert not events(run("b", recipe(precision="bf16-mixed", epochs=1)), "note")


@pytest.mark.torch
def test_a_device_that_torch_does_not_see_is_no_silent_cpu(run: Run) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has an accelerator")
    with pytest.raises(skint.SkintError, match="torch does not see the accelerator"):
        run("a", recipe(), devices=("GPU-8c1f",))


@pytest.mark.torch
def test_a_fold_that_does_not_exist_is_named(run: Run) -> None:
    with pytest.raises(skint.SkintError, match="fold 3 has no samples"):
        run("a", recipe(), fold=3)


@pytest.mark.torch
def test_without_folds_in_the_plan_fold_0_validates(run: Run) -> None:
    ctx = run("a", recipe(epochs=1), fold=None, folds=None)
    assert "fold 0 validates" in events(ctx, "note")[0]["text"]
    assert json.loads((ctx.out / "result.json").read_text())["n"] == 12


@pytest.mark.torch
def test_bands_train_and_the_augmentation_for_photographs_refuses_them(
    run: Run, tmp_path: Path
) -> None:
    bands = small_set(tmp_path / "bands", channels=5, dtype="uint16")
    ctx = run("a", recipe(epochs=1), bands)
    assert (ctx.out / "predictions.npz").exists()
    with pytest.raises(skint.SkintError, match="augment: trivial"):
        run("b", recipe(augment="trivial"), bands)
