"""The Lightning module of the job `train`: a network with its objective and schedule."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch

from jobs.training.data.normalise import Normalise
from jobs.training.network.model import ModelError, Network
from jobs.training.objective.base import Objective
from jobs.training.objective.held_out import HeldOut
from jobs.training.optimisation.schedule import make_optimizer, make_schedule
from jobs.training.recipe.recipe import Recipe
from skint.loader import Batch


class Classifier(pl.LightningModule):
    """Trains `network` on `Batch`es; logs what the objective measures, over the whole fold.

    `train_loss` is the mean over the samples of the epoch so far. It is kept in the checkpoint:
    Lightning forgets sums in the middle of an epoch.
    """

    def __init__(
        self,
        network: Network,
        normalise: Normalise,
        recipe: Recipe,
        *,
        objective: Objective,
        steps: int,
    ) -> None:
        """`steps` is the number of training steps of the whole plan."""
        super().__init__()
        self.network = network.module
        self.normalise = normalise
        self.recipe = recipe
        self.steps = steps
        self.head = (network.head,)  # a tuple: registered once, as part of the network
        self.objective = objective
        self.held_out = HeldOut()
        self.measured: dict[str, float] = {}
        """What the last validation measured, in full precision."""
        self.loss_epoch = -1
        self.loss_sum = torch.zeros(())
        self.loss_count = 0
        if recipe.freeze == "backbone":
            self._freeze()
        self.train()  # Lightning starts from the mode that it finds

    def _freeze(self) -> None:
        head = self.head[0]
        if head is None:
            raise ModelError(
                "freeze: backbone needs to know the last layer",
                where="freeze",
                got=self.recipe.model,
                wanted="a class whose attribute `head` is its last layer",
            )
        self.network.requires_grad_(False)
        head.requires_grad_(True)

    def train(self, mode: bool = True) -> Classifier:
        """A frozen backbone stays in evaluation mode: its batch statistics are part of it."""
        super().train(mode)
        if self.recipe.freeze == "backbone" and self.head[0] is not None:
            self.network.eval()
            self.head[0].train(mode)
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) stored pixels -> (B, outputs), before the objective's `activate`."""
        return self.network(self.normalise(images))

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        loss = self.objective.loss(self(batch.images), batch.labels)
        if self.loss_epoch != self.current_epoch:
            self.loss_epoch, self.loss_count = self.current_epoch, 0
            self.loss_sum = torch.zeros((), device=loss.device)
        # Stays on the device: reading it here would wait for the device at every step.
        self.loss_sum = self.loss_sum.to(loss.device) + loss.detach().float() * len(batch.rows)
        self.loss_count += len(batch.rows)
        return loss

    @property
    def train_loss(self) -> float:
        """Mean over the samples of this epoch so far; NaN once one batch was NaN."""
        return float(self.loss_sum) / max(1, self.loss_count)

    def on_validation_epoch_start(self) -> None:
        self.held_out = HeldOut()

    def validation_step(self, batch: Batch, index: int) -> None:
        self.held_out.add(batch.rows, self(batch.images), batch.labels)

    def on_validation_epoch_end(self) -> None:
        _rows, outputs, labels = self.held_out.whole()
        self.measured = self.objective.measure(outputs, labels)
        self.log_dict(self.measured)

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self.network, self.recipe)
        schedule = make_schedule(optimizer, self.recipe, self.steps)
        if schedule is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["train_loss"] = (self.loss_epoch, float(self.loss_sum), self.loss_count)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.loss_epoch, total, self.loss_count = checkpoint["train_loss"]
        self.loss_sum = torch.tensor(total)
