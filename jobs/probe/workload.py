"""The training step of a recipe, without a Trainer round it, on real pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import skint
from jobs.probe.requests import Request
from jobs.training.data.fold import FoldData, read_fold
from jobs.training.fitting.device import Engine, choose_engine
from jobs.training.fitting.module import Classifier
from jobs.training.fitting.prepared import make_loaders, make_module
from jobs.training.fitting.stages import at_size
from jobs.training.optimisation.optimizer import make_optimizer
from jobs.training.recipe.recipe import Recipe
from skint.loader import Batch


@dataclass
class Workload:
    """A network on its device, its optimizer, and what scales the loss in half precision."""

    module: Classifier
    engine: Engine
    data: FoldData
    optimizer: torch.optim.Optimizer
    scaler: Any

    @classmethod
    def of(cls, recipe: Recipe, request: Request, ctx: skint.Context) -> Workload:
        """Fresh; raises what training would raise."""
        data = at_size(read_fold(ctx, recipe.targets), request.size_px)
        engine = choose_engine(recipe.precision, request.devices)
        module = make_module(recipe, data, ctx).to(engine.device)
        optimizer = make_optimizer(module.groups, recipe)
        scaled = engine.precision == "16-mixed" and engine.device.type == "cuda"
        scaler = torch.amp.GradScaler(engine.device.type, enabled=scaled)
        return cls(module.train(), engine, data, optimizer, scaler)

    def batches(self, recipe: Recipe, size: int, count: int) -> Iterator[Batch]:
        """`count` batches of `size` on the device; a small set is gone through again and again."""
        # Without worker processes: it is the device that is measured.
        own = recipe.model_copy(update={"workers": 0, "sampler": "all"})
        rows = np.random.default_rng(recipe.seed).permutation(self.data.train)
        for number in range(count):
            chosen = np.resize(np.roll(rows, -size * number), size)
            loader, _ = make_loaders(own, self.data, chosen, chosen, size, self.engine.device)
            yield next(iter(loader))

    def step(self, batch: Batch, index: int) -> torch.Tensor:
        """One step of the optimizer; the loss, on the device."""
        with self._cast():
            loss = self.module.loss_of(self.module.prepared(batch, index))
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def look(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) stored pixels -> (B, outputs), as in validation."""
        with torch.no_grad(), self._cast():
            outputs: torch.Tensor = self.module(images)
        return outputs

    def wait(self) -> None:
        """For what the device still computes."""
        if self.engine.device.type == "cuda":
            torch.cuda.synchronize()

    def _cast(self) -> torch.autocast:
        dtype = self.engine.autocast
        return torch.autocast(self.engine.device.type, dtype=dtype, enabled=dtype is not None)
