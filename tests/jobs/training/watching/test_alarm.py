"""The alarm over a real GradScaler on the CPU, with gradients that overflow."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins import MixedPrecision
from torch import nn

import skint
from jobs.training.watching.alarm import COLLAPSED, LOOK_EVERY, ScaleAlarm, ScaleCollapse

pytestmark = pytest.mark.torch


class Overflowing(pl.LightningModule):
    """Its gradients are infinite in the first `bad` steps."""

    def __init__(self, bad: int) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.bad = bad

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch).float().sum()
        return loss * (torch.inf if self.global_step < self.bad else 1.0)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, *, bad: int, steps: int, scale: float = 65536.0) -> skint.Context:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    ctx = skint.Context.for_test(folder)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    trainer = pl.Trainer(
        accelerator="cpu",
        plugins=[MixedPrecision("16-mixed", "cpu", scaler=scaler)],
        max_steps=steps,
        callbacks=[ScaleAlarm(ctx)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    batches = torch.utils.data.DataLoader(torch.ones(200, 1), batch_size=1)
    trainer.fit(Overflowing(bad), batches)
    return ctx


def notes(ctx: skint.Context) -> list[str]:
    if not ctx.attempt.events.exists():
        return []
    lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line["text"] for line in lines if line["kind"] == "note"]


def test_an_overflow_now_and_then_is_normal(tmp_path: Path) -> None:
    assert not notes(fit(tmp_path, bad=10, steps=3 * LOOK_EVERY))


def test_a_scale_below_one_is_noted_once(tmp_path: Path) -> None:
    (note,) = notes(fit(tmp_path, bad=3, steps=3 * LOOK_EVERY, scale=4.0))
    assert "the loss scale fell to 0.5" in note and "bf16-mixed" in note


def test_a_scale_that_has_collapsed_ends_the_training_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScaleCollapse, match="every step overflows") as caught:
        fit(tmp_path, bad=10**6, steps=200)
    # 65536 halved at each step; looked at every so many.
    step = next(n for n in range(0, 200, LOOK_EVERY) if 65536.0 / 2 ** (n + 1) < COLLAPSED)
    assert f"in step {step + 1}" in str(caught.value)


def test_without_a_scaler_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    ctx = skint.Context.for_test(tmp_path)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    ScaleAlarm(ctx).on_train_batch_end(trainer, Overflowing(0), None, None, 0)
    assert not notes(ctx)
