"""Targets of every kind: what is computed on the device meets what is computed beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.device.folds import result, trained
from tests.device.given import Given
from tests.jobs.several_set import TARGETS, several_set

pytestmark = pytest.mark.device

FIELDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mixed": {"mixup": 0.4, "cutmix": 1.0, "ema": 0.9},
    "weighted": {"class_weights": "balanced", "label_smoothing": 0.1, "clip_norm": 1.0},
}
NAMES: list[tuple[str, ...]] = [*((target.name,) for target in TARGETS), ()]
"""Each alone, and all of them."""
CASES = [
    pytest.param(names, fields, id=f"{names[0] if names else 'all'}, {fields}")
    for names in NAMES
    for fields in FIELDS
    if (names, fields) != (("shade",), "weighted")  # numbers have no classes to weigh
]


@pytest.mark.parametrize(("targets", "fields"), CASES)
def test_a_fold_of_each_kind_and_of_all_at_once(
    targets: tuple[str, ...],
    fields: str,
    given: Given,
    tmp_path: Path,
) -> None:
    packed = several_set(tmp_path / "packed")
    chosen = {"epochs": 2, "targets": targets, **FIELDS[fields]}
    ctx = trained(tmp_path / "fold", packed, given, chosen)
    found = result(ctx)
    assert np.isfinite(found["score"]) and np.isfinite(found["metrics"]["val_loss"])
    with np.load(ctx.out / "predictions.npz") as arrays:
        assert {"ids"} <= set(arrays)
    published = json.loads((ctx.out / "model.json").read_text())
    names = [target["name"] for target in published["targets"]]
    assert names == list(targets or (target.name for target in TARGETS))
