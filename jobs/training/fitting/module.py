"""The Lightning module of the job `train`: a network with its objective and schedule."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from jobs.training.data.mixing import Mixing
from jobs.training.data.normalise import Normalise
from jobs.training.fitting.memory import Memory, optimizer_fits, part_fits
from jobs.training.network.freezing import Freezing, group_count
from jobs.training.network.layers import grouped
from jobs.training.network.model import Network, set_drop_rate
from jobs.training.objective.base import Labels, Objective
from jobs.training.objective.held_out import HeldOut
from jobs.training.optimisation.average import Average
from jobs.training.optimisation.curve import curve_of
from jobs.training.optimisation.optimizer import make_optimizer
from jobs.training.optimisation.schedule import CurveSchedule
from jobs.training.recipe.recipe import Recipe
from skint.loader import Batch
from skint.ranks import everyones


class Prepared(NamedTuple):
    """A batch as the network gets it."""

    images: torch.Tensor
    """(B, C, H, W) normalised."""
    labels: Labels
    partner_labels: Labels | None = None
    """Where pictures are mixed: of what is mixed into each of them."""
    share: float = 1.0
    """Of its own label."""


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
        average: Average | None = None,
        epoch_steps: int,
        first_epoch: int = 0,
        memory: Memory | None = None,
    ) -> None:
        """`recipe` is that of one stage, `epoch_steps` the optimizer's steps in an epoch of it,
        `first_epoch` how many epochs the stages before have. Raises ModelError where the network
        does not have the groups of layers that the recipe speaks of. With `memory`, what does not
        fit is computed in parts, and a training step makes the gradients itself."""
        super().__init__()
        self.network = network.module
        self.normalise = normalise
        self.recipe = recipe
        self.average = average
        self.epoch_steps = epoch_steps
        self.first_epoch = first_epoch
        self.memory = memory
        self.objective = objective
        self.mixing = Mixing(recipe.seed, recipe.mixup, recipe.cutmix)
        self.held_out = HeldOut()
        self.measured: dict[str, float] = {}
        """What the last validation measured, in full precision."""
        self.loss_epoch = -1
        self.loss_sum = torch.zeros(())
        self.loss_count = 0
        set_drop_rate(network, recipe.drop_rate)
        self.groups = grouped(network, group_count(recipe))
        unfreeze = recipe.unfreeze if recipe.freeze == "backbone" else None
        self.freezing = Freezing(network.module, self.groups, unfreeze)
        self.freezing.apply(0)
        self.train()  # Lightning starts from the mode that it finds

    @property
    def judged(self) -> nn.Module:
        """The network that validates and is published: the average where there is one."""
        return self.network if self.average is None else self.average.network

    def train(self, mode: bool = True) -> Classifier:
        """What is frozen stays in evaluation mode, and so does the average."""
        super().train(mode)
        if self.average is not None:
            self.average.eval()
        if mode:
            self.freezing.set_modes()
        return self

    def on_train_start(self) -> None:
        if self.average is not None:
            self.average.follow(self.network)
        # A run that is resumed in the middle of an epoch does not start that epoch.
        self.on_train_epoch_start()

    def on_train_epoch_start(self) -> None:
        self.freezing.apply(self.current_epoch - self.first_epoch)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) stored pixels -> (B, outputs), before the objective's `activate`."""
        return (self.network if self.training else self.judged)(self.normalise(images))

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        if self.memory is None:
            loss = self.loss_of(self.prepared(batch, index))
        else:
            loss = self.memory.train(
                self, batch, index, prepare=self.prepared, loss_of=self.loss_of
            )
        if self.loss_epoch != self.current_epoch:
            self.loss_epoch, self.loss_count = self.current_epoch, 0
            self.loss_sum = torch.zeros((), device=loss.device)
        # Stays on the device: reading it here would wait for the device at every step.
        self.loss_sum = self.loss_sum.to(loss.device) + loss.detach().float() * len(batch.rows)
        self.loss_count += len(batch.rows)
        return loss if self.trainer.world_size == 1 else loss * self.weight_of(batch, index)

    def weight_of(self, batch: Batch, index: int) -> float:
        """Of this process's part of a batch: the gradients of all parts are averaged, and parts of
        the last batch may differ by a sample."""
        loader: Any = self.trainer.train_dataloader
        return len(batch.rows) * self.trainer.world_size / float(loader.size_of(index))

    def prepared(self, batch: Batch, index: int) -> Prepared:
        """Batch number `index` of this epoch, normalised and mixed."""
        images = self.normalise(batch.images)
        if not self.mixing:
            return Prepared(images, batch.labels)
        mix = self.mixing.draw(self.current_epoch, index, len(images), *images.shape[2:])
        return Prepared(mix.images(images), batch.labels, mix.labels(batch.labels), mix.share)

    def loss_of(self, given: Prepared) -> torch.Tensor:
        """Mean over its samples."""
        outputs = self.network(given.images)
        if given.partner_labels is None:
            return self.objective.loss(outputs, given.labels)
        return self.objective.mixed_loss(outputs, given.labels, given.partner_labels, given.share)

    def backward(self, loss: torch.Tensor) -> None:
        """Called by Lightning with what the training step gave back."""
        if not loss.requires_grad:
            return  # the step has made the gradients
        ranks = self.trainer.world_size
        with part_fits(self.recipe.batch_size // ranks) if ranks > 1 else nullcontext():
            super().backward(loss)

    def optimizer_zero_grad(self, *args: Any) -> None:
        """Called by Lightning between the training step and `backward`."""
        if self.memory is None:
            super().optimizer_zero_grad(*args)

    def optimizer_step(self, *args: Any, **options: Any) -> None:
        """Called by Lightning, once a window of `accumulate` batches."""
        with optimizer_fits():
            super().optimizer_step(*args, **options)
        if self.average is not None:
            self.average.update()

    @property
    def train_loss(self) -> float:
        """Mean over this process's samples of the epoch so far; NaN once one batch was NaN."""
        return float(self.loss_sum) / max(1, self.loss_count)

    def epoch_loss(self) -> float:
        """The same over the samples of all processes, which all have to call it."""
        sums = everyones((float(self.loss_sum), self.loss_count))
        return sum(total for total, _ in sums) / max(1, sum(count for _, count in sums))

    def on_validation_epoch_start(self) -> None:
        self.held_out = HeldOut()

    def validation_step(self, batch: Batch, index: int) -> None:
        images = batch.images
        outputs = self(images) if self.memory is None else self.memory.evaluate(images, self)
        self.held_out.add(batch.rows, outputs, batch.labels)

    def on_validation_epoch_end(self) -> None:
        _rows, outputs, labels = self.held_out.whole()
        self.measured = self.objective.measure(outputs, labels)
        self.log_dict(self.measured)

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self.groups, self.recipe)
        schedule = CurveSchedule(optimizer, curve_of(self.recipe, self.epoch_steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        sums = everyones((float(self.loss_sum), self.loss_count))
        checkpoint["train_loss"] = (self.loss_epoch, sums)
        if self.memory is not None:
            checkpoint["memory"] = self.memory.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.memory is not None:
            self.memory.load_state_dict(checkpoint["memory"])
        self.loss_epoch, sums = checkpoint["train_loss"]
        rank, ranks = self.global_rank, self.trainer.world_size
        if len(sums) != ranks:  # the first one goes on with what all have counted
            everyone = (sum(total for total, _ in sums), sum(count for _, count in sums))
            sums = [everyone] + [(0.0, 0)] * (ranks - 1)
        total, self.loss_count = sums[rank]
        self.loss_sum = torch.tensor(total)
