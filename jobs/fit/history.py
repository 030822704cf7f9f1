"""What each epoch of each stage measured, and the weights of the best one; both survive a stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import skint
from jobs.fit.held_out import Arrays, HeldOut, HeldOutError
from jobs.fit.params import PlannedStage
from jobs.training.checkpoints.resume import MARK, epoch_of
from skint.checkpoint import sync, writing
from skint.errors import SkintError
from skint.events import scalar
from skint.lightning import epoch_metrics
from skint.lightning_base import AnyLightning
from skint.table import write_rows

BEST = Path("checkpoints", "best.ckpt")
"""Of the last stage; that of another is called after it."""
VERSION = 2
KEPT = (
    *("rows", "steps_before", "steps", "best", "measured", "count", "is_over"),
    *("given", "best_given"),
)


Given = Arrays | HeldOutError | None
"""Predictions, or why they are none; None where the module returns no such thing."""


class MonitorError(SkintError):
    """The number that tells the best epoch is not logged."""


class History(AnyLightning):
    """Writes `metrics.csv` (no times: the same run writes the same bytes) and the best weights.

    It stands before `skint.Callback` in the list of callbacks, whose checkpoints then know of both.
    """

    def __init__(
        self, ctx: skint.Context, stage: PlannedStage, before: History | None = None
    ) -> None:
        """`before` is that of the stage before."""
        self.ctx = ctx
        self.stage = stage
        self.rows: list[dict[str, Any]] = before.rows if before else []
        """Of all stages."""
        self.steps_before: int = before.steps if before else 0
        """Steps of the optimizer in the stages before."""
        self.steps: int = self.steps_before
        """The same with this stage, once it is over."""
        self.best: dict[str, Any] = {}
        """The best row of this stage; empty before its first."""
        self.measured: dict[str, Any] | None = None
        """What the last validation of this epoch logged; None before it."""
        self.given: Given = None
        """What it returned."""
        self.best_given: Given = None
        """The same of the best epoch: the out-of-fold predictions."""
        self.held_out = HeldOut()
        self.count = 0
        """Samples that it is validated on; 0 where the loader does not know."""
        self.is_over = False
        """Whether the stage was trained to its end."""

    def load(self, mark: Mapping[str, Any]) -> None:
        """Know what a checkpoint of this stage knows."""
        for name in KEPT:
            setattr(self, name, mark[name])
        if self.best and epoch_of(self.best_path) != self.best["epoch"]:
            # The attempt before went on and kept a later epoch's weights. That epoch comes again;
            # until then the numbers of the lost ones must not stand for others.
            self.best, self.best_given = {}, None

    @property
    def state_key(self) -> str:
        return "skint.History"

    @property
    def best_path(self) -> Path:
        return best_path(self.ctx.out, self.stage)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self.held_out = HeldOut()

    def on_validation_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, *batch: Any
    ) -> None:
        self.held_out.add(outputs)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self.measured = _logged(trainer)
        try:
            self.given = self.held_out.whole()
        except HeldOutError as error:  # the training goes on: what it learns is not lost
            self.given = error.with_traceback(None)  # which keeps batches alive
        self.held_out = HeldOut()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """A row, unless the epoch was not validated: Lightning keeps the numbers of another one."""
        measured, self.measured = self.measured, None
        given, self.given = self.given, None
        if measured is None and trainer.enable_validation:
            return
        row = {
            "epoch": self.stage.first_epoch + trainer.current_epoch + 1,
            "stage": self.stage.name,
            **(measured or {}),
            **_logged(trainer),
        }
        self.rows = [r for r in self.rows if r["epoch"] < row["epoch"]] + [row]
        if self.stage.monitor not in row:
            raise missing(self.stage, row)
        is_best = not self.best or self._rank(row) >= self._rank(self.best)
        if is_best:
            self.best, self.best_given = row, given
        if trainer.is_global_zero:
            self.write()
            if is_best:
                save_weights(self.best_path, pl_module, row)

    def _rank(self, row: Mapping[str, Any]) -> float:
        """Greater is better; what is not finite comes last."""
        value = float(row[self.stage.monitor])
        if not math.isfinite(value):
            return -math.inf
        return value if self.stage.larger_is_better else -value

    def write(self) -> None:
        """Write `metrics.csv`; what a stage does not measure is empty in its rows."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        table = ([row.get(name, "") for name in columns] for row in self.rows)
        write_rows(self.ctx.out / "metrics.csv", columns, table)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.is_over = True
        self.steps = self.steps_before + trainer.global_step
        self.count = _count(trainer)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        kept = {name: getattr(self, name) for name in KEPT}
        checkpoint[MARK] = {"version": VERSION, "stage": self.stage.number, **kept}


def missing(stage: PlannedStage, row: Mapping[str, Any]) -> MonitorError:
    """What is said where `monitor` is not in a row."""
    logged = sorted(row.keys() - {"epoch", "stage"})
    return MonitorError(
        f"{stage.monitor} was not logged",
        where=f"monitor of the stage {stage.name}" if stage.name != "training" else "monitor",
        wanted=f"self.log({stage.monitor!r}, ...) in validation_step",
        got=", ".join(logged) or "nothing was logged",
        next=f"monitor: {logged[0]}" if logged else None,
    )


def _logged(trainer: Any) -> dict[str, Any]:
    """Numbers by the names that they were logged with."""
    logged = epoch_metrics(trainer.callback_metrics)
    return {name: scalar(name, value) for name, value in logged.items()}


def _count(trainer: Any) -> int:
    if trainer.limit_val_batches != 1.0:
        return 0
    try:
        return len(trainer.val_dataloaders.dataset)
    except (AttributeError, TypeError):  # several loaders, none, or one without an end
        return 0


def best_path(out: Path, stage: PlannedStage) -> Path:
    return out / (BEST if stage.is_last else BEST.with_name(f"{stage.name}.ckpt"))


def save_weights(path: Path, module: Any, row: Mapping[str, Any]) -> None:
    """Tensors and plain values only, so that it can be read back safely; durable.

    Raises CheckpointError where the disk does not take them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    state = {"state_dict": module.state_dict(), "epoch": row["epoch"], "row": dict(row)}
    with writing(partial):
        torch.save(state, partial)
        sync(partial)
        partial.replace(path)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """By name, on the host."""
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    assert isinstance(state, dict)
    return state
