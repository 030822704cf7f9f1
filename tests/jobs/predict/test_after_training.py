"""The whole way: features, a head trained in the CPU lane, predictions of new pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import skint
from jobs.features.job import features
from jobs.features.params import Params as FeaturesParams
from jobs.predict.job import predict
from jobs.predict.params import Params
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from skint.dataset import PackedSet, PackedWriter, Sample, read_folds
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch
NET = "tests.jobs.training.small_net:Net"


def held_out(folder: Path, packed: Path) -> Path:
    """The pictures of fold 0, as somebody brings them who does not know what they show."""
    source = PackedSet.open(packed)
    rows = read_folds(packed / "folds.csv", len(source)).validation(0)
    pixels = source.images().take(rows)
    with PackedWriter(folder, shape=pixels.shape, dtype=source.meta.dtype) as writer:
        writer.images()[:] = pixels
        samples = [
            Sample(number, f"p{number}", source.samples[row].path)
            for number, row in enumerate(rows.tolist())
        ]
        writer.finish(samples, [], channels=source.meta.channels, made_by={"job": "test"})
    return folder


def featured(folder: Path, packed: Path, like: Path | None = None) -> Path:
    """Their features; with the folds beside them."""
    inputs = {**({} if like is None else {"others": like}), "packed": packed}
    ctx = skint.Context.for_test(folder, inputs=inputs)
    features(FeaturesParams(model=NET, weights="none", like="others" if like else ""), ctx)
    if (packed / "folds.csv").exists():
        shutil.copy(packed / "folds.csv", ctx.out)
    return ctx.out


@pytest.mark.parametrize("by_features", [False, True])
def test_a_published_fold_says_of_new_pictures_what_it_said_of_the_held_out_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_features: bool
) -> None:
    packed = small_set(tmp_path / "packed")
    unseen = alone = held_out(tmp_path / "unseen", packed)
    model = {"model": NET, "epochs": 2, "lr": 0.01}
    if by_features:
        packed = featured(tmp_path / "features", packed)
        alone = featured(tmp_path / "alone", unseen)
        unseen = featured(tmp_path / "unseen-features", unseen, like=packed)
        model = {"model": "linear", "epochs": 8, "lr": 0.05, "augment": "none"}
    ctx = context(tmp_path / "train", packed)
    monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
    train(CheckedRecipe.model_validate(model), ctx)
    score = json.loads((ctx.out / "result.json").read_text())["score"]
    assert score > 0.8 or not by_features  # three plain colours, in 8 epochs

    inputs = {"train": ctx.out, "unseen": unseen, "packed": packed}
    after = skint.Context.for_test(tmp_path / "predict", inputs=inputs)
    predict(Params(), after)
    with (
        np.load(ctx.out / "predictions.npz") as known,
        np.load(after.out / "predictions.npz") as new,
    ):
        assert np.allclose(known["probabilities"], new["probabilities"], atol=1e-5)
        assert known["classes"].tolist() == new["classes"].tolist()
    if by_features:
        inputs["unseen"] = alone  # normalised by their own mean
        wrong = skint.Context.for_test(tmp_path / "wrong", inputs=inputs)
        with pytest.raises(skint.SkintError, match="not made like those that trained"):
            predict(Params(), wrong)
        inputs["unseen"] = unseen
        mirrored = skint.Context.for_test(tmp_path / "mirrored", inputs=inputs)
        with pytest.raises(skint.SkintError, match="features have no other views"):
            predict(Params(tta="flip"), mirrored)
        # A plan cannot know what a `better` will keep.
        (tmp_path / "choice").mkdir()
        (tmp_path / "choice" / "choice.json").write_text('{"kept": "train"}')
        inputs = {"choice": tmp_path / "choice", **inputs}
        kept = skint.Context.for_test(tmp_path / "kept", inputs=inputs)
        predict(Params(tta="flip"), kept)
        assert "tta flip: left out" in kept.attempt.events.read_text()
        assert json.loads((kept.out / "predict.json").read_text())["passes"] == 1
