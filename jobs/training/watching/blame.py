"""Who is to blame when the processes of a training lose each other."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from jobs.training.fitting.others import Others

SIGNS = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe")
"""What is said where another process does not answer any more, in small letters."""


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
        if is_lost(exception):
            self.others.explain()


def is_lost(error: BaseException | None) -> bool:
    """Whether an error, or what it was made of, tells of another process that is gone."""
    while error is not None:
        if isinstance(error, torch.distributed.DistError):
            return True
        if any(sign in str(error).lower() for sign in SIGNS):
            return True
        error = error.__cause__
    return False
