"""TensorBoard, MLflow and Weights & Biases beside `metrics.csv`, through Lightning's own loggers.

All is written under `out/local/`, which is no part of the result. Nothing is sent anywhere, unless
`WANDB_MODE=online` or `MLFLOW_TRACKING_URI` in the job's environment say so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

import skint
from jobs.training.recipe.recipe import Recipe
from jobs.training.watching.history import History
from skint.errors import USAGE, SkintError

MODULES = {
    "tensorboard": (("tensorboardX",), ("tensorboard",)),
    "mlflow": (("mlflow", "sqlalchemy", "alembic"),),
    "wandb": (("wandb",),),
}
"""All modules of one of these must be there."""


class LoggerError(SkintError):
    """A logger that the recipe names is an extra, and it is not installed."""

    exit_code = USAGE


def refuse_missing(names: Sequence[str]) -> None:
    """Raise LoggerError where the package of a logger is not installed; imports none."""
    missing = [
        name
        for name in names
        if not any(all(find_spec(module) for module in ways) for ways in MODULES[name])
    ]
    if missing:
        raise LoggerError(
            f"the package of a logger is not installed: {', '.join(missing)}",
            where="loggers",
            next=f"pip install 'skint[{','.join(missing)}]', or leave it out",
        )


def make_loggers(recipe: Recipe, ctx: skint.Context) -> list[Logger]:
    """Those that the recipe names, with the recipe in them.

    They import their packages here, before the attempt has its devices.
    """
    refuse_missing(recipe.loggers)
    loggers = [_made(name, ctx) for name in dict.fromkeys(recipe.loggers)]
    for logger in loggers:
        logger.log_hyperparams(recipe.model_dump(mode="json", exclude_defaults=True))
    return loggers


class ToLoggers(pl.Callback):
    """Gives each epoch's row of the history to loggers; it stands after the history.

    Epochs are counted from 1 through all stages. What an earlier attempt measured comes first, so
    that the curves are whole. A logger that fails is left out from then on, with a note: the
    numbers stand in `metrics.csv`, and no training should end for the sake of a copy.
    """

    def __init__(self, loggers: Sequence[Logger], history: History, ctx: skint.Context) -> None:
        super().__init__()
        self.loggers = list(loggers)
        self.history = history
        self.ctx = ctx
        self.told_epoch = 0

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.tell()

    def tell(self) -> None:
        """Log the epochs that were not logged yet."""
        for row in self.history.rows:
            epoch = int(row["epoch"])
            if epoch <= self.told_epoch:
                continue
            self.told_epoch = epoch
            metrics = {
                name: float(value)
                for name, value in row.items()
                if name != "epoch" and not isinstance(value, str)
            }
            self._each(partial(_log, metrics=metrics, epoch=epoch))

    def close(self) -> None:
        """Write what is not written yet; no more is logged after it."""
        self._each(_close)

    def _each(self, do: Callable[[Logger], None]) -> None:
        for logger in tuple(self.loggers):
            try:
                do(logger)
            except Exception as error:  # whatever a client of a server raises
                self.loggers.remove(logger)
                name = type(logger).__name__
                self.ctx.note(f"{name} failed and gets no more: {type(error).__name__}: {error}")


def _log(logger: Logger, metrics: dict[str, float], epoch: int) -> None:
    logger.log_metrics(metrics, step=epoch)
    logger.save()


def _close(logger: Logger) -> None:
    logger.finalize("success")
    if isinstance(logger, WandbLogger):
        logger.experiment.finish()  # Lightning leaves it to the end of the process


def _made(name: str, ctx: skint.Context) -> Logger:
    folder = ctx.out / "local" / name
    folder.mkdir(parents=True, exist_ok=True)
    run, job = ctx.task.run, ctx.task.job
    if name == "tensorboard":
        return TensorBoardLogger(folder, name="", version="")
    if name == "mlflow":
        # Lightning reads the variable when it is imported, which may be too early.
        # A file of SQLite, as MLflow 3 has given up folders of files.
        tracking: Any = os.environ.get("MLFLOW_TRACKING_URI")
        tracking = tracking or f"sqlite:///{folder.resolve()}/mlflow.db"
        return MLFlowLogger(experiment_name=run, run_name=job, tracking_uri=tracking)
    online = os.environ.get("WANDB_MODE") == "online"
    return WandbLogger(project=run, name=job, save_dir=folder, offline=not online)
