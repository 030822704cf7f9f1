"""A fold that is parked and goes on ends as one that is not, to the bit, on the device too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import skint
from skint.checkpoint import CHECKPOINT
from tests.device.folds import NET, trained
from tests.device.given import Given
from tests.jobs.small_set import small_set
from tests.jobs.training.test_exact_resume import SETTINGS, differences, everything, reported

pytestmark = pytest.mark.device

# The network has dropout and batch norm.
HARD: dict[str, Any] = {"epochs": 3, "mixup": 0.4, "ema": 0.9, "augment": "light", "batch_size": 7}
Stop = tuple[int, bool, str]
PARKS: dict[str, list[Stop]] = {
    "in the middle of an epoch": [(2, True, "step")],
    "in a validation": [(1, False, "step")],
    "three times": [(3, True, "term"), (2, True, "step"), (1, False, "term")],
}


def scaler_of(ctx: skint.Context) -> Any:
    """What scales the loss in 16-mixed, as it was in the end; None where nothing does."""
    return torch.load(ctx.out / CHECKPOINT, weights_only=False).get("MixedPrecision")


def hold(given: Given, folder: Path, fields: dict[str, Any], parks: dict[str, list[Stop]]) -> Any:
    """Compare each course with one that was left alone; what that one's scaler ended with."""
    packed = small_set(folder / "packed", sizes=(8, 12, 16))
    whole = trained(folder / "whole", packed, given, fields)
    for name, stops in parks.items():
        previous: Path | None = None
        told: list[Any] = []
        for number, stop in enumerate(stops):
            place = folder / f"{name} {number}"
            ctx = trained(place, packed, given, fields, previous=previous, stop=stop)
            assert not (ctx.out / "result.json").exists(), f"{name}: {stop}"
            told += reported(ctx)
            previous = ctx.out
        ctx = trained(folder / name, packed, given, fields, previous=previous)
        told += reported(ctx)
        assert differences(everything(ctx), everything(whole)) == [], name
        assert differences(scaler_of(ctx), scaler_of(whole)) == [], name
        assert told == reported(whole), name
    return scaler_of(whole)


def test_what_is_left_alone_repeats_itself(given: Given, tmp_path: Path) -> None:
    """Else nothing below can hold."""
    packed = small_set(tmp_path / "packed")
    one, other = (trained(tmp_path / name, packed, given, HARD) for name in ("one", "other"))
    assert differences(everything(one), everything(other)) == []


@pytest.mark.parametrize("precision", ["32", "auto", "16-mixed"])
def test_parked_is_as_good_as_left_alone(
    precision: str,
    given: Given,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
    scaler = hold(given, tmp_path, {**HARD, "precision": precision}, PARKS)
    record_property("compared", f"weights, optimizer, schedule, files; parked {', '.join(PARKS)}")
    if precision == "16-mixed" and given.is_real:
        record_property("the scaler's state", scaler)
        assert scaler is not None


@pytest.mark.parametrize("setting", SETTINGS)
def test_so_is_every_other_setting(
    setting: str, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
    common = {"model": NET, "batch_size": 7, "augment": "light", "epochs": 3}
    hold(given, tmp_path, {**common, **SETTINGS[setting]}, {"once": [(2, True, "step")]})
