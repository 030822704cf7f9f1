"""Networks as `train` publishes them, with weights that nobody has trained: that takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from jobs.training.network.model import build
from jobs.training.recipe.recipe import Recipe
from jobs.training.results.arrays import write_arrays
from jobs.training.results.published import BEST, LearntTarget, Published, write_model
from skint.dataset import PackedSet, read_folds
from skint.outputs import sha256_of

NET = "tests.jobs.training.small_net:Net"
LABEL = LearntTarget("label", "class", ("blue", "green", "red"))


def published(
    folder: Path,
    packed: Path,
    *,
    fold: int,
    targets: Sequence[LearntTarget] = (LABEL,),
    model: str = NET,
    augment: str = "flip",
) -> Path:
    """A fold's `out`, learnt from `packed`; its weights are drawn by the number of the fold."""
    data = PackedSet.open(packed)
    meta = data.meta
    mean, std = data.moments()
    one = Published(
        folder=folder,
        recipe=Recipe.model_validate({"model": model, "augment": augment}),
        targets=tuple(targets),
        channels=meta.channels,
        dtype=meta.dtype,
        size_px=meta.shape[1:3],
        mean=mean,
        std=std,
        dataset_sha256=sha256_of(packed / "dataset.json"),
        fold=fold,
        folds=3,
        epoch=1,
        metrics={},
    )
    (folder / BEST).parent.mkdir(parents=True)
    write_model(one)
    torch.manual_seed(fold)
    outputs = one.objective().outputs
    network = build(model, classes=outputs, channels=len(meta.channels), base=packed.parent)
    torch.save({"state_dict": network.module.state_dict()}, folder / BEST)
    ids = read_folds(packed / "folds.csv", len(data)).validation(fold)
    if targets[0].kind == "class":
        write_arrays(folder / "predictions.npz", {"ids": np.asarray(ids)})
    return folder


def folds_of(folder: Path, packed: Path, count: int = 3) -> tuple[Path, ...]:
    return tuple(published(folder / f"fold{n}", packed, fold=n) for n in range(count))
