"""Real, tiny fits on the CPU, with everything that makes an exact resume hard: dropout, a schedule
by steps, random numbers in the validation."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from skint.attempt import AttemptDir
from skint.lightning import Callback

BATCHES, VALIDATIONS, EPOCHS = 4, 3, 3

At = Callable[[str, int], None]


class Loader:
    """Batches by (epoch, number): the same after a resume; counts at the consumer."""

    def __init__(self, batches: int) -> None:
        self.batches, self.epoch, self.taken = batches, 0, 0
        self.sampler = self.batch_sampler = self  # where Lightning names the epoch

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.taken = epoch, 0

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Any:
        for number in range(self.taken, self.batches):
            self.taken = number + 1
            generator = torch.Generator().manual_seed(100 * self.epoch + number)
            yield torch.randn(8, 4, generator=generator)
        self.taken = 0

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "taken": self.taken}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.taken = state["epoch"], state["taken"]


def nothing(where: str, step: int) -> None:
    """At every step and validation step of a fit that nobody stops."""


class Model(pl.LightningModule):
    """Calls `at("train", n)` in the nth step and `at("validate", n)` in the nth validation step of
    the whole fit, both from 0."""

    def __init__(self, at: At, manual: bool) -> None:
        super().__init__()
        self.layer = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Dropout(0.4), torch.nn.Linear(8, 1)
        )
        self.at = at
        self.automatic_optimization = not manual
        self.validations = 0

    def loss(self, batch: Any) -> Any:
        return (self.layer(batch) - batch.sum(1, keepdim=True)).pow(2).mean()

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.at("train", self.trainer.fit_loop.total_batch_idx)
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        if self.automatic_optimization:
            return loss
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        self.lr_schedulers().step()
        return None

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        if not self.trainer.sanity_checking:
            self.at("validate", self.validations)
            self.validations += 1
        # As one that looks at random crops would.
        noise = torch.rand(())
        self.log("val_loss", self.loss(batch) + noise)
        self.log("val_batches", 1.0, reduce_fx="sum")

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.05, total_steps=BATCHES * EPOCHS
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fit(
    folder: Path,
    at: At = nothing,
    resume: Path | None = None,
    beside: tuple[pl.Callback, ...] = (),
    loader: Any = None,
    validates: bool = True,
    manual: bool = False,
    callback: Callback | None = None,
    **options: Any,
) -> Model:
    """Train it; `options` are the Trainer's."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    pl.seed_everything(1, verbose=False)
    model = Model(at, manual)
    usual: dict[str, Any] = {
        "max_epochs": EPOCHS,
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": folder,
        "callbacks": [callback or Callback(), *beside],
    }
    trainer = pl.Trainer(**{**usual, **options})
    generator = torch.Generator().manual_seed(7)
    rows = torch.randn(8 * VALIDATIONS, 4, generator=generator)
    validation = torch.utils.data.DataLoader(rows, batch_size=8) if validates else None
    trainer.fit(model, loader or Loader(BATCHES), validation, ckpt_path=resume)
    return model


def timed_reports(directory: AttemptDir) -> list[dict[str, Any]]:
    """What was reported in an attempt, one an epoch."""
    if not directory.events.exists():
        return []
    lines = [json.loads(line) for line in directory.events.read_text().splitlines()]
    return [line["values"] for line in lines if line["kind"] == "report"]


def reports(directory: AttemptDir) -> list[dict[str, Any]]:
    """Without the times, which are never the same."""
    times = ("seconds", "in_step_s")
    return [
        {name: value for name, value in values.items() if name not in times}
        for values in timed_reports(directory)
    ]


def without_train(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lightning keeps no running mean of the training loss over a stop."""
    return [
        {name: value for name, value in values.items() if name != "train_loss"} for values in found
    ]
