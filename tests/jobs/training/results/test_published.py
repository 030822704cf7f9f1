"""What a fold publishes is all that its network needs elsewhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.recipe.stage import Stage
from jobs.training.results.published import PublishedError, read_published
from skint.attempt import AttemptDir
from skint.dataset import PackedSet
from tests.jobs.several_set import TAGS, UNKNOWN_COLOUR, UNKNOWN_SHADE, several_set
from tests.jobs.small_set import context, small_set
from tests.jobs.training.small_net import request_stop_at

pytestmark = pytest.mark.torch

NET = "tests.jobs.training.small_net:Net"
Run = Callable[..., skint.Context]


def recipe(**fields: Any) -> CheckedRecipe:
    return CheckedRecipe(
        **{"model": NET, "epochs": 3, "batch_size": 7, "augment": "none", **fields}
    )


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return several_set(tmp_path_factory.mktemp("several"))


@pytest.fixture
def run(tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(name: str, given: CheckedRecipe, data: Path = packed, **options: Any) -> skint.Context:
        ctx = context(tmp_path / name, data, **{"devices": ("simulated-0",), **options})
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        train(given, ctx)
        return ctx

    return run


def arrays(ctx: skint.Context) -> dict[str, Any]:
    with np.load(ctx.out / "predictions.npz") as saved:
        return dict(saved)


def result(ctx: skint.Context) -> dict[str, Any]:
    return json.loads((ctx.out / "result.json").read_text())  # type: ignore[no-any-return]


def test_several_targets_are_learnt_and_predicted_together(run: Run, packed: Path) -> None:
    ctx = run("a", recipe(epochs=8, lr=0.02, metrics=["r2", "auroc"]))
    data, got, found = PackedSet.open(packed), arrays(ctx), result(ctx)
    held_out = [row for row in range(36) if row // 3 % 3 == 0]
    assert got["ids"].tolist() == held_out
    assert got["target"].tolist() == data.labels()[held_out].tolist()
    for name in ("target", "probabilities", "classes"):
        assert np.array_equal(got[name], got[f"colour.{name}"])
    assert got["tags.target"].tolist() == data.multi_hot()[held_out].tolist()
    assert got["tags.classes"].tolist() == list(TAGS)
    assert got["tags.probabilities"].shape == (12, 2)
    assert np.array_equal(got["shade.target"], data.values()[held_out], equal_nan=True)
    assert UNKNOWN_COLOUR not in held_out and UNKNOWN_SHADE not in held_out

    measured = found["metrics"]
    right = got["probabilities"].argmax(1) == got["target"]
    assert measured["val_acc.colour"] == right.mean() > 0.8
    error = np.abs(got["shade.values"] - got["shade.target"])
    assert measured["val_mae.shade"] == pytest.approx(error.mean())
    assert 0 < error.mean() < 100  # of values from 1060 to 1250
    assert {"val_auroc.colour", "val_auroc.tags", "val_r2.shade"} <= set(measured)
    assert (found["monitor"], found["metric"], found["n"]) == ("val_loss", "val_acc.colour", 12)
    assert found["score"] == measured["val_acc.colour"]
    assert set(found["classes"]) == {"colour", "tags"}


@pytest.mark.parametrize(("metric", "best"), [("val_mae.shade", min), ("val_f1.tags", max)])
def test_the_best_epoch_is_that_of_the_monitored_metric(run: Run, metric: str, best: Any) -> None:
    ctx = run("a", recipe(epochs=5, lr=0.05, schedule="constant", monitor=metric))
    rows = list(csv.DictReader((ctx.out / "metrics.csv").open()))
    values = [float(row[metric]) for row in rows]
    found = result(ctx)
    assert len(set(values)) > 1
    assert values[found["best_epoch"] - 1] == best(values) == found["score"]
    assert found["metric"] == found["monitor"] == metric


def test_a_cell_that_is_unknown_is_marked_and_does_not_count(run: Run) -> None:
    ctx = run("a", recipe(epochs=1), fold=1)
    got, measured = arrays(ctx), result(ctx)["metrics"]
    unknown = got["ids"].tolist().index(UNKNOWN_COLOUR)
    assert got["target"][unknown] == -1
    known = got["target"] >= 0
    assert measured["val_acc.colour"] == pytest.approx(
        (got["probabilities"].argmax(1) == got["target"])[known].mean()
    )


@pytest.mark.parametrize(
    ("target", "metric", "names"),
    [
        ("tags", "val_f1", {"ids", "targets", "tags.target", "tags.probabilities", "tags.classes"}),
        ("shade", "val_mae", {"ids", "targets", "shade.target", "shade.values"}),
        ("colour", "val_acc", {"ids", "targets", "target", "probabilities", "classes"}),
    ],
)
def test_a_single_target_of_any_kind_is_learnt(
    run: Run, target: str, metric: str, names: set[str]
) -> None:
    ctx = run("a", recipe(targets=[target]))
    assert set(arrays(ctx)) == names
    found = result(ctx)
    assert found["metric"] == metric and found["score"] == found["metrics"][metric]
    if target == "shade":
        assert found["n"] == 12  # none of fold 0 is unknown


def test_the_published_network_predicts_what_was_published(run: Run, packed: Path) -> None:
    ctx = run("a", recipe(lr=0.02))
    published = read_published(ctx.out)
    data = PackedSet.open(packed)
    assert [(t.name, t.kind) for t in published.targets] == [
        ("colour", "class"), ("tags", "multilabel"), ("shade", "value")
    ]  # fmt: skip
    assert (published.channels, published.dtype) == (("R", "G", "B"), "uint8")
    assert (published.size_px, published.fold, published.folds) == ((8, 8), 0, 3)
    assert published.epoch == result(ctx)["best_epoch"]
    got = arrays(ctx)
    pixels = torch.from_numpy(np.asarray(data.images())[got["ids"]]).permute(0, 3, 1, 2)
    with torch.no_grad():
        outputs = published.network(Path())(pixels)
    told = published.objective().activate(outputs)
    assert np.allclose(told["colour"].numpy(), got["probabilities"], atol=1e-5)
    assert np.allclose(told["tags"].numpy(), got["tags.probabilities"], atol=1e-5)
    assert np.allclose(told["shade"].numpy(), got["shade.values"], atol=1e-2)
    measured = published.objective().measure(
        outputs,
        {
            "colour": torch.from_numpy(got["target"]),
            "tags": torch.from_numpy(got["tags.target"]),
            "shade": torch.from_numpy(got["shade.target"]),
        },
    )
    assert measured == pytest.approx(published.metrics, abs=1e-4)


def test_weights_of_the_average_are_what_is_published(run: Run, packed: Path) -> None:
    ctx = run("a", recipe(lr=0.02, ema=0.9, targets=["colour"]))
    got = arrays(ctx)
    pixels = torch.from_numpy(np.asarray(PackedSet.open(packed).images())[got["ids"]])
    published = read_published(ctx.out)
    with torch.no_grad():
        outputs = published.network(Path())(pixels.permute(0, 3, 1, 2))
    told = published.objective().activate(outputs)["colour"]
    assert np.allclose(told.numpy(), got["probabilities"], atol=1e-5)


@pytest.mark.parametrize(
    ("calls", "options"), [(2, {}), (4, {}), (2, {"training": False}), (6, {})]
)
def test_several_targets_go_on_to_the_bit(
    run: Run, tmp_path: Path, calls: int, options: dict[str, Any]
) -> None:
    given = recipe(monitor="val_mae", class_weights="balanced", loss="huber")
    whole = run("whole", given)
    request_stop_at(AttemptDir(tmp_path / "first"), calls, **options)
    with pytest.raises(skint.StopRequested):
        run("first", given)
    second = run("second", given, previous=tmp_path / "first" / "out")
    for name in ("predictions.npz", "result.json", "model.json", "metrics.csv"):
        assert (second.out / name).read_bytes() == (whole.out / name).read_bytes()
    one, two = (
        torch.load(ctx.out / "checkpoints" / "best.ckpt", weights_only=True)
        for ctx in (whole, second)
    )
    assert all(torch.equal(value, two["state_dict"][name])
               for name, value in one["state_dict"].items())  # fmt: skip


def test_a_run_that_was_lost_after_its_training_needs_no_second_pass(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.jobs.training.small_net import Net

    whole = run("whole", recipe())
    expected = (whole.out / "predictions.npz").read_bytes()

    def never(self: Net, x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the network was called")

    monkeypatch.setattr(Net, "forward", never)
    second = run("second", recipe(), previous=whole.out)
    assert (second.out / "predictions.npz").read_bytes() == expected


def test_a_training_that_breaks_publishes_that_it_did(run: Run) -> None:
    ctx = run("a", recipe(targets=["shade"], optimizer="sgd", lr=1e30, schedule="constant"))
    found = result(ctx)
    assert found["score"] is None and found["metrics"]["val_mae"] is None
    assert read_published(ctx.out).metrics == {}
    assert np.isnan(arrays(ctx)["shade.values"]).all()


def test_best_weights_that_cannot_be_written_end_the_run_with_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = torch.save

    def full(state: Any, path: Path) -> None:
        save(state, path)
        if path.name.startswith("best"):
            path.write_bytes(path.read_bytes()[:100])
            raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(skint.SkintError, match="the checkpoint could not be written") as error:
        run("a", recipe(epochs=1))
    assert "No space left" in str(error.value.got)


def test_stages_are_published_at_the_size_of_the_last(run: Run, tmp_path: Path) -> None:
    data = small_set(tmp_path / "ladder", size=16, sizes=(8, 16))
    stages = (Stage(size=8, epochs=2, lr=0.02), Stage(size=16, epochs=1, lr=1e-9))
    ctx = run("a", CheckedRecipe(model=NET, batch_size=7, stages=stages), data)
    published = read_published(ctx.out)
    assert (published.size_px, published.epoch) == ((16, 16), 3)
    assert [stage.epochs for stage in published.recipe.stages] == [2, 1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no trained network"),
        ("{", "cannot be read"),
        ('{"version": 99}', "a form that this skint does not read"),
        ('{"version": 1}', "does not describe a trained network"),
    ],
)
def test_a_model_that_cannot_be_read_is_said_so(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(PublishedError, match=sentence):
        read_published(tmp_path)


def test_weights_that_are_damaged_or_missing_are_said_so(run: Run, tmp_path: Path) -> None:
    ctx = run("a", recipe(epochs=1), small_set(tmp_path / "small", per_class=4))
    best = ctx.out / "checkpoints" / "best.ckpt"
    best.write_bytes(best.read_bytes()[:1000])
    published = read_published(ctx.out)
    with pytest.raises(PublishedError, match="weights of this network cannot be read"):
        published.network(Path())
    best.unlink()
    with pytest.raises(PublishedError, match="weights of this network cannot be read"):
        published.network(Path())
