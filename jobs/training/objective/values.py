"""A target that is a number: its distance, in deviations of the values that train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torchmetrics
from torch import Tensor
from torch.nn import functional
from torchmetrics import regression

from jobs.training.objective.base import Labels, Single

LOSSES: dict[str, Any] = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "huber": functional.huber_loss,  # square within one deviation, straight beyond
}


class Values(Single):
    """Labels are (B,) numbers in their own unit, NaN where unknown.

    The network gives (x - mean) / std, so that the loss of a price is about as large as that of
    a share; losses are in that measure, metrics and values in the unit.
    """

    kind: ClassVar[str] = "value"
    outputs = 1
    least: ClassVar[Mapping[str, int]] = {"r2": 2}

    def __init__(
        self,
        name: str,
        metric_names: tuple[str, ...] = ("mae",),
        *,
        mean: float,
        std: float,
        loss: str = "mse",
    ) -> None:
        """`mean` and `std` (above 0) are those of the values that train."""
        super().__init__(name, metric_names)
        self.mean, self.std = mean, std
        self.distance = LOSSES[loss]

    def known(self, labels: Tensor) -> Tensor:
        return ~labels.isnan()

    def costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        # In double precision before the mean is taken off: a year or a timestamp needs its digits.
        wanted = ((labels.double() - self.mean) / self.std).nan_to_num(0.0).float()
        costs: Tensor = self.distance(outputs[:, 0], wanted, reduction="none")
        return costs

    def plain_costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return self.costs(outputs, labels)

    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        return {self.name: outputs[:, 0].double() * self.std + self.mean}

    def metrics(self) -> dict[str, torchmetrics.Metric]:
        made: dict[str, torchmetrics.Metric] = {
            "mae": regression.MeanAbsoluteError(sync_on_compute=False),
            "rmse": regression.MeanSquaredError(squared=False, sync_on_compute=False),
            "r2": regression.R2Score(sync_on_compute=False),
        }
        # In double precision: a sum of squares of years has more digits than a float.
        return {f"val_{name}": made[name].set_dtype(torch.float64) for name in self.metric_names}

    def reduced(self, name: str, value: Tensor, labels: Tensor) -> float:
        return float(value)

    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        return {self.name: {}}
