"""Who is to blame when the processes of a training lose each other."""

from __future__ import annotations

import pytorch_lightning as pl

from jobs.training.fitting.others import Others


class Blame(pl.Callback):
    """Names the process that ended, where all that this one knows is that nobody answers.

    It comes first in the list of callbacks: what is said first is what the person is told.
    """

    def __init__(self, others: Others) -> None:
        super().__init__()
        self.others = others

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        # gloo and NCCL say that a connection was closed; so do many other mistakes of torch.
        if trainer.is_global_zero and isinstance(exception, RuntimeError):
            self.others.explain()
