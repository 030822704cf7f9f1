"""Several targets of one picture: each has a slice of the last layer and a share of the loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torchmetrics
from torch import Tensor, nn

from jobs.training.objective.base import Labels, Objective, Single


class Several(Objective):
    """Labels are a dict by target. One linear layer of all outputs is as many linear heads."""

    def __init__(self, parts: tuple[Single, ...], weights: Mapping[str, float]) -> None:
        """`weights` say how much the loss of a target counts; 1 where it is not among them."""
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.targets = parts
        self.weights = {part.name: weights.get(part.name, 1.0) for part in parts}
        self.outputs = sum(part.outputs for part in parts)

    @property
    def singles(self) -> tuple[Single, ...]:
        return self.targets

    def slices(self, outputs: Tensor) -> list[tuple[Single, Tensor]]:
        """Each target with its (B, K) part of the outputs."""
        widths = [part.outputs for part in self.singles]
        return list(zip(self.singles, outputs.split(widths, dim=1), strict=True))

    def loss(self, outputs: Tensor, labels: Labels) -> Tensor:
        losses = [
            self.weights[part.name] * part.loss(own, labels[part.name])
            for part, own in self.slices(self.checked(outputs))
        ]
        return torch.stack(losses).sum()

    def mixed_loss(
        self, outputs: Tensor, labels: Labels, partner_labels: Labels, share: float | Tensor
    ) -> Tensor:
        losses = [
            self.weights[part.name]
            * part.mixed_loss(own, labels[part.name], partner_labels[part.name], share)
            for part, own in self.slices(self.checked(outputs))
        ]
        return torch.stack(losses).sum()

    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        return {part.name: part.activate(own)[part.name] for part, own in self.slices(outputs)}

    def metrics(self) -> dict[str, torchmetrics.Metric]:
        return {
            f"{name}.{part.name}": metric
            for part in self.singles
            for name, metric in part.metrics().items()
        }

    def measure(self, outputs: Tensor, labels: Labels) -> dict[str, float]:
        """`val_loss` is the weighted sum; that of each target and its metrics carry its name."""
        measured = {"val_loss": 0.0}
        for part, own in self.slices(self.checked(outputs)):
            for name, value in part.measure(own, labels[part.name]).items():
                measured[f"{name}.{part.name}"] = value
                if name == "val_loss":
                    measured["val_loss"] += self.weights[part.name] * value
        return measured

    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        found = {}
        for part, own in self.slices(outputs):
            found.update(part.by_class(own, labels[part.name]))
        return found
