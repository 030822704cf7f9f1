"""Fold 0 of a small set, trained on the device in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from tests.device.given import Given
from tests.jobs.small_set import context
from tests.jobs.training import small_net

NET = "tests.jobs.training.small_net:Net"


def trained(
    folder: Path,
    packed: Path,
    given: Given,
    fields: dict[str, Any],
    *,
    previous: Path | None = None,
    stop: tuple[int, bool, str] | None = None,
) -> skint.Context:
    """An attempt with these fields of the recipe; `stop` is (which call of the network, in training
    or not, how), for `small_net`s."""
    ctx = context(folder, packed, previous=previous, devices=given.one)
    small_net.PENDING.clear()
    if stop is not None:
        calls, training, how = stop
        small_net.request_stop_at(ctx.attempt, calls, training=training, how=how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        try:
            train(CheckedRecipe(**{"model": NET, "batch_size": 8, **fields}), ctx)
        except skint.StopRequested:
            assert stop is not None
    return ctx


def said(ctx: skint.Context) -> str:
    """All that it noted."""
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    return "\n".join(line["text"] for line in lines if line["kind"] == "note")


def result(ctx: skint.Context) -> dict[str, Any]:
    """Its `result.json`."""
    found: dict[str, Any] = json.loads((ctx.out / "result.json").read_text())
    return found
